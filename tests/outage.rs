//! The shipped program on a disk that fails it: nothing is sold, the reason and what to do next are said, what can be read is
//! read, what is owed is undone all the same, and it heals without a restart (law L10).
//!
//! Each case has a disk of its own: a small file system in memory, mounted in a name space that nobody else sees. As an
//! unprivileged user this needs user name spaces; the I/O error needs `strace`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a proof waits for what must come. It is only ever waited for when something is wrong.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the disk is mounted; a folder that every Linux has, and that is hidden for this shop alone.
const MOUNTED: &str = "/mnt";

/// A process that is killed when the test ends, however it ends.
struct Running(Child);

impl Running {
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(signal).arg(self.0.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, and waits until it has.
    fn stop(mut self) {
        self.signal("-TERM");
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "this does not come: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The first line of a stream that `find` accepts; the rest is read and dropped.
fn line_of<T>(stream: impl std::io::Read + Send + 'static, find: impl Fn(&str) -> Option<T>) -> T {
    let mut lines = BufReader::new(stream).lines();
    let mut said = String::new();
    while let Some(Ok(line)) = lines.next() {
        if let Some(found) = find(&line) {
            std::thread::spawn(move || lines.for_each(drop));
            return found;
        }
        said.push_str(&line);
    }
    panic!("it ended before it was ready: {said}");
}

/// A shop whose journal lies on a disk of its own.
struct Shop {
    folder: tempfile::TempDir,
    /// Holds the name space in which the disk is mounted.
    holder: Running,
    _sandbox: Running,
    /// Where the simulated finperks is told what to do.
    control: String,
    config: PathBuf,
}

impl Shop {
    fn open() -> Self {
        let mut holder = Command::new("unshare");
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            holder.args(["--user", "--map-root-user"]);
        }
        let mount =
            format!("mount -t tmpfs -o size=4m,mode=0755 none {MOUNTED} && echo mounted && exec sleep 3600");
        holder.args(["--mount", "--propagation", "private", "sh", "-c", &mount]);
        let mut holder = Running(holder.stdout(Stdio::piped()).spawn().unwrap());
        line_of(holder.0.stdout.take().unwrap(), |line| (line == "mounted").then_some(()));

        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("finperks.secret");
        fs::write(&secret, "sandbox-secret-0123456789abcdef\n").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let any = "127.0.0.1:0";
        let mut sandbox = Command::new(env!("CARGO_BIN_EXE_tilld"));
        sandbox.args(["sandbox", "--finperks", any, "--control", any, "--printer", any]);
        sandbox.args(["--gift-local", any, "--gift-local-control", any]);
        let mut sandbox = Running(sandbox.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut lines = BufReader::new(sandbox.0.stdout.take().unwrap()).lines();
        let mut found = std::collections::HashMap::new();
        while !found.contains_key("printer") {
            let line = lines.next().unwrap().unwrap();
            let mut words = line.split_whitespace().map(str::to_owned);
            if let Some((name, value)) = words.next().zip(words.next()) {
                // The first control door is that of finperks.
                found.entry(name).or_insert(value);
            }
        }
        let (finperks, printer, control) = (&found["finperks"], &found["printer"], found["control"].clone());
        std::thread::spawn(move || lines.for_each(drop));
        let config = folder.path().join("tilld.toml");
        let of = |name: &str| folder.path().join(name).display().to_string();
        let text = format!(
            "till     = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
             finperks = {{ url = \"{finperks}\", key_id = \"sandbox-key\", secret_file = \"{}\" }}\n\
             printer  = {{ network = \"{printer}\", columns = 42 }}\n\
             journal  = {{ folder = \"{MOUNTED}/journal\", key_file = \"{}\" }}\n\
             api      = {{ listen = \"{any}\", token_file = \"{}\" }}\n",
            of("finperks.secret"),
            of("journal.key"),
            of("api.token"),
        );
        fs::write(&config, text).unwrap();
        Self { folder, holder, _sandbox: sandbox, control, config }
    }

    /// Tells the simulated finperks something; its answer.
    fn tell(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let (status, answer) =
            asked(|client| client.request(method, format!("{}{path}", self.control)).body(body.to_string()));
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// A sale is cancelled, and its undo does not get through.
    fn owe(&self, daemon: &Daemon) -> Owed<'_> {
        let fault = json!({ "kind": "server_error", "applied": false });
        let fault = json!({ "call": "invalidate", "count": 1_000_000, "fault": fault });
        self.tell(reqwest::Method::POST, "/faults", &fault);
        let (status, sale) = daemon.open("OWED");
        assert_eq!(status, 201, "{sale}");
        let id = sale["id"].as_str().unwrap();
        let (status, cancelled) = daemon.post(&format!("/v1/sales/{id}/cancel"), &json!({}));
        assert_eq!((status, &cancelled["cards"][0]["state"]), (200, &json!("owed")), "{cancelled}");
        assert_eq!(daemon.get("/v1/health").1["owed"], 1);
        Owed { shop: self, order: cancelled["cards"][0]["provider_order"].as_str().unwrap().to_owned() }
    }

    /// Something that runs where the disk is mounted.
    fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.0.id().to_string(), "--mount"]);
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program).stdin(Stdio::null());
        command
    }

    fn remount(&self, how: &str) {
        let done = self.inside("mount").args(["-o", &format!("remount,{how}"), MOUNTED]).status().unwrap();
        assert!(done.success(), "remount {how}");
    }

    /// A file of the disk as this process reaches it.
    fn file(&self, name: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root{MOUNTED}", self.holder.0.id())).join(name)
    }

    fn serve(&self) -> Daemon {
        let mut command = self.inside(env!("CARGO_BIN_EXE_tilld"));
        command.arg("serve").arg("--config").arg(&self.config).env_remove("TILLD_LOG");
        command.env("TILLD_LOG__FORMAT", "json").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let address = line_of(running.0.stderr.take().unwrap(), |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            Some(line.pointer("/fields/address")?.as_str()?.to_owned())
        });
        let token = fs::read_to_string(self.folder.path().join("api.token")).unwrap().trim().to_owned();
        Daemon { running, address, token, asked: std::cell::Cell::new(0) }
    }

    /// A daemon that has sold: it has a catalogue, and a sale that waits for its payment.
    fn serve_and_open(&self) -> (Daemon, String) {
        let daemon = self.serve();
        eventually("a catalogue", || {
            (daemon.post("/v1/products/refresh", &json!({})).0 == 200).then_some(())
        });
        let (status, sale) = daemon.open("R1");
        assert_eq!(status, 201, "{sale}");
        (daemon, sale["id"].as_str().unwrap().to_owned())
    }
}

/// An undo that does not get through.
struct Owed<'a> {
    shop: &'a Shop,
    order: String,
}

impl Owed<'_> {
    fn stands(&self) -> String {
        let ledger = self.shop.tell(reqwest::Method::GET, "/ledger", &Value::Null);
        let mut orders = ledger["orders"].as_array().unwrap().iter();
        let order = orders.find(|order| order["id"] == *self.order).expect("the order");
        order["state"].as_str().unwrap().to_owned()
    }

    /// The line works again.
    fn may_get_through(&self) {
        assert_eq!(self.stands(), "created", "nothing got through");
        self.shop.tell(reqwest::Method::DELETE, "/faults", &Value::Null);
    }

    /// It gets through, while nothing is sold.
    fn gets_through(&self, daemon: &Daemon) {
        eventually("the undo", || (self.stands() == "invalidated").then_some(()));
        assert_eq!(daemon.get("/v1/health").1["sells"], false, "the journal has healed too early for this");
    }
}

/// What is answered, on a connection of its own.
fn asked(request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder) -> (u16, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = request(&client).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    })
}

struct Daemon {
    running: Running,
    address: String,
    token: String,
    asked: std::cell::Cell<u32>,
}

impl Daemon {
    fn ask(&self, request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder) -> (u16, Value) {
        asked(|client| request(client).bearer_auth(&self.token))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.ask(|client| client.get(format!("http://{}{path}", self.address)))
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.asked.set(self.asked.get() + 1);
        let key = format!("{}-{}", self.running.0.id(), self.asked.get());
        self.ask(|client| {
            let request =
                client.post(format!("http://{}{path}", self.address)).header("idempotency-key", key);
            request.header("content-type", "application/json").body(body.to_string())
        })
    }

    fn open(&self, receipt: &str) -> (u16, Value) {
        let value = json!({ "amount": "50.00", "currency": "EUR" });
        let card = json!({ "product": "4001232232332", "kind": "por", "face_value": value });
        self.post("/v1/sales", &json!({ "receipt": receipt, "cards": [card] }))
    }

    /// Nothing is sold, and both the refusal and the health say why and what to do next.
    fn refuses_because(&self, wanted: &[&str]) {
        let refusal = eventually("a refusal", || {
            let (status, body) = self.open(&format!("R{}", self.asked.get() + 100));
            (status == 503).then_some(body)
        });
        assert_eq!(refusal["code"], "journal_down", "{refusal}");
        let health = eventually("trouble", || {
            let health = self.get("/v1/health").1;
            health["hindrance"].is_string().then_some(health)
        });
        assert_eq!(health["sells"], false, "{health}");
        for text in [&refusal["reason"], &health["hindrance"], &health["journal"]["trouble"]] {
            for wanted in wanted {
                assert!(text.as_str().unwrap().contains(wanted), "{wanted:?} is missing in {text}");
            }
        }
    }

    fn sells_again(&self) {
        let sale = eventually("a sale", || {
            let (status, body) = self.open(&format!("R{}", self.asked.get() + 100));
            (status == 201).then_some(body)
        });
        assert_eq!(sale["phase"], "collect", "{sale}");
        let health = self.get("/v1/health").1;
        assert_eq!((&health["sells"], &health["hindrance"]), (&json!(true), &Value::Null), "{health}");
        eventually("that nothing is owed", || (self.get("/v1/health").1["owed"] == 0).then_some(()));
    }
}

#[test]
fn a_full_disk_sells_nothing_and_heals_when_there_is_room() {
    let shop = Shop::open();
    let (daemon, sale) = shop.serve_and_open();
    let owed = shop.owe(&daemon);
    let mut filler = fs::File::create(shop.file("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    daemon.refuses_because(&["the disk is full", "Make room on its disk"]);
    assert_eq!(daemon.get(&format!("/v1/sales/{sale}")).1["phase"], "collect");
    owed.may_get_through();
    owed.gets_through(&daemon);
    drop(filler);
    fs::remove_file(shop.file("filler")).unwrap();
    daemon.sells_again();
}

#[test]
fn a_start_on_a_read_only_disk_reads_and_sells_when_it_can_be_written() {
    let shop = Shop::open();
    let (daemon, sale) = shop.serve_and_open();
    let owed = shop.owe(&daemon);
    daemon.running.stop();
    owed.may_get_through();
    shop.remount("ro");
    let daemon = shop.serve();
    daemon.refuses_because(&["Read-only file system", "Make it usable"]);
    owed.gets_through(&daemon);
    let (status, read) = daemon.get(&format!("/v1/sales/{sale}"));
    assert_eq!((status, &read["phase"]), (200, &json!("collect")), "{read}");
    // The one that is not paid, and the cancelled one: that its undo got through cannot be written yet.
    assert_eq!(daemon.get("/v1/health").1["open_sales"], 2);
    shop.remount("rw");
    daemon.sells_again();
    assert_eq!(daemon.get(&format!("/v1/sales/{sale}")).1["phase"], "collect");
}

/// Changes some bytes of the journal's file, which nobody has open.
fn damage(file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let whole = fs::read(file).unwrap();
    let mut damaged = whole.clone();
    change(&mut damaged);
    assert_ne!(whole, damaged);
    fs::write(file, damaged).unwrap();
    whole
}

#[test]
fn a_broken_chain_sells_nothing_reads_what_it_can_and_heals_with_the_whole_file() {
    let shop = Shop::open();
    let (daemon, sale) = shop.serve_and_open();
    let owed = shop.owe(&daemon);
    daemon.running.stop();
    owed.may_get_through();
    let file = shop.file("journal/journal.db");
    let whole = damage(&file, |bytes| {
        // A word of the request that the first entry keeps: it can still be read, and is not what was written.
        let word = b"characters_per_line";
        let place = bytes.windows(word.len()).position(|found| found == word);
        bytes[place.expect("the first entry keeps its request")] = b'C';
    });
    let daemon = shop.serve();
    daemon.refuses_because(&["chain is broken at entry 1", "tilld journal verify"]);
    owed.gets_through(&daemon);
    assert_eq!(daemon.get(&format!("/v1/sales/{sale}")).0, 200);
    fs::write(&file, whole).unwrap();
    daemon.sells_again();
}

#[test]
fn a_journal_of_a_newer_release_sells_nothing_and_heals_with_one_of_this() {
    let shop = Shop::open();
    let (daemon, _) = shop.serve_and_open();
    let owed = shop.owe(&daemon);
    daemon.running.stop();
    owed.may_get_through();
    let file = shop.file("journal/journal.db");
    // The user version of an SQLite file: four bytes from the sixtieth on.
    let whole = damage(&file, |bytes| bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()));
    let daemon = shop.serve();
    daemon.refuses_because(&["written by a newer tilld (version 99", "install that release again"]);
    assert_eq!(fs::read(&file).unwrap()[60..64], 99_u32.to_be_bytes(), "it is left as it was");
    // Of what a newer release wrote this one can read nothing; what is owed waits for it.
    assert_eq!(owed.stands(), "created");
    fs::write(&file, whole).unwrap();
    daemon.sells_again();
    assert_eq!(owed.stands(), "invalidated");
}

#[test]
fn a_second_daemon_sells_nothing_and_takes_over_when_the_first_ends() {
    let shop = Shop::open();
    let (first, sale) = shop.serve_and_open();
    let owed = shop.owe(&first);
    let second = shop.serve();
    second.refuses_because(&["is in use by another tilld", "stop that one first"]);
    owed.may_get_through();
    owed.gets_through(&second);
    assert_eq!(second.get(&format!("/v1/sales/{sale}")).0, 200);
    // What is open is the first one's to do.
    assert_eq!(second.get("/v1/health").1["open_sales"], 0);
    assert_eq!(first.open("R2").0, 201);
    drop(first);
    second.sells_again();
    assert_eq!(second.get("/v1/health").1["open_sales"], 3);
}

#[test]
fn an_io_error_sells_nothing_and_heals_when_the_disk_works_again() {
    let shop = Shop::open();
    let (daemon, sale) = shop.serve_and_open();
    let owed = shop.owe(&daemon);
    let mut failing = Command::new("strace");
    failing.args([
        "-f",
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        "inject=fsync,fdatasync:error=EIO",
        "-o",
        "/dev/null",
    ]);
    failing.args(["-p", &daemon.running.0.id().to_string()]);
    let mut failing = Running(failing.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    line_of(failing.0.stderr.take().unwrap(), |line| line.contains("attached").then_some(()));
    daemon.refuses_because(&["could not be written", "Have the disk and its cable looked at"]);
    assert_eq!(daemon.get(&format!("/v1/sales/{sale}")).1["phase"], "collect");
    owed.may_get_through();
    owed.gets_through(&daemon);
    failing.signal("-INT");
    failing.0.wait().unwrap();
    daemon.sells_again();
}
