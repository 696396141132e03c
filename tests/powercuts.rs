//! Power cuts: the journal's files as they may lie on the disk when the power goes, at every sync point of real sales, each
//! opened by the shipped program.
//!
//! `cargo build --release && cargo run --release -p tilld-tests --bin powercuts -- [SALES]`
//!
//! A daemon starts for the first time, sells, asks a cashier and is answered, and redeems a voucher, while the kernel's side of its writing is recorded (`strace`: every write, truncation and sync of the
//! journal's files, with its bytes). What was synced is on the disk; what was written since may be there in any part. For
//! every sync point, those of the first start included, the files are laid out as after a cut just before it: unsynced writes all lost, each kept alone, all
//! kept with the last one torn, all kept but the first. The program is then started on each: it must come up, its chain
//! must verify, and every entry that was acknowledged before the cut must be there, unchanged.
//!
//! Not covered: a disk that says "written" and lies.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use serde_json::{Value, json};
use tilld_devices::profile::Profile;
use tilld_devices::simulated::{Answers, SimulatedFault, SimulatedPrinter};
use tilld_journal::{Filter, Reader, RedemptionFilter, Subject, Verdict};
use tilld_sandbox::gift_local;
use tilld_tests::process::{self, Process, program};

/// The files that hold the journal. The index of the log (`-shm`) is made anew at every start.
const FILES: [&str; 2] = ["journal.db", "journal.db-wal"];

/// What the kernel was asked to do with one of them.
#[derive(Debug, Clone)]
enum Act {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
    Sync,
}

/// One file: what is on the disk for sure, and what may be there too.
#[derive(Debug, Clone, Default)]
struct Disk {
    synced: Vec<u8>,
    since: Vec<Act>,
}

fn apply(content: &mut Vec<u8>, act: &Act) {
    match act {
        Act::Write { at, bytes } => {
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Act::Truncate(length) => content.resize(*length, 0),
        Act::Sync => {}
    }
}

fn torn(act: &Act) -> Act {
    match act {
        Act::Write { at, bytes } => Act::Write { at: *at, bytes: bytes[..bytes.len() / 2].to_vec() },
        other => other.clone(),
    }
}

impl Disk {
    fn with<'a>(&self, acts: impl IntoIterator<Item = &'a Act>) -> Vec<u8> {
        let mut content = self.synced.clone();
        acts.into_iter().for_each(|act| apply(&mut content, act));
        content
    }
}

/// The files' contents after one possible cut.
type Layout = BTreeMap<&'static str, Vec<u8>>;

/// Every layout that is tried for a cut at this moment.
fn layouts(disks: &BTreeMap<&'static str, Disk>) -> Vec<Layout> {
    let lay = |keep: &dyn Fn(&str, usize) -> bool, tear: Option<(&str, usize)>| -> Layout {
        disks
            .iter()
            .map(|(name, disk)| {
                let acts: Vec<Act> = disk
                    .since
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| keep(name, *place))
                    .map(|(place, act)| if tear == Some((name, place)) { torn(act) } else { act.clone() })
                    .collect();
                (*name, disk.with(&acts))
            })
            .collect()
    };
    let mut all = vec![lay(&|_, _| false, None)];
    for (name, disk) in disks {
        for place in 0..disk.since.len() {
            all.push(lay(&|of, at| of == *name && at == place, None));
        }
        if let Some(last) = disk.since.len().checked_sub(1) {
            all.push(lay(&|_, _| true, Some((name, last))));
            all.push(lay(&|of, at| of != *name || at > 0, None));
        }
    }
    all
}

/// The bytes of `\x6a\x6f…`, as every text is recorded.
fn from_hex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The recorded acts of one thread, each with its time; `None` for lines about other files.
fn read_record(path: &Path, acts: &mut Vec<(f64, &'static str, Act)>) {
    for line in BufReader::new(std::fs::File::open(path).unwrap()).lines() {
        let line = line.unwrap();
        let Some((time, call)) = line.split_once(' ') else { continue };
        let Some((name, rest)) = call.split_once('(') else { continue };
        let Some(file) =
            rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(file, _)| file)
        else {
            continue;
        };
        let file = String::from_utf8(from_hex(file)).unwrap();
        let Some(file) = FILES.into_iter().find(|known| file.rsplit('/').next() == Some(known)) else {
            continue;
        };
        assert!(!line.contains("= -1"), "a write failed while it was recorded: {name}");
        let act = match name {
            "pwrite64" => {
                let (_, quoted) = rest.split_once('"').unwrap();
                let (bytes, numbers) = quoted.rsplit_once('"').unwrap();
                let bytes = from_hex(bytes);
                let (arguments, _) = numbers.rsplit_once(')').unwrap();
                let at = arguments.rsplit(", ").next().unwrap().parse().unwrap();
                Act::Write { at, bytes }
            }
            "ftruncate" => {
                let (_, length) = rest.split_once(", ").unwrap();
                Act::Truncate(length.split(')').next().unwrap().parse().unwrap())
            }
            "fsync" | "fdatasync" => Act::Sync,
            other => panic!("the journal was written by {other}"),
        };
        acts.push((time.parse().unwrap(), file, act));
    }
}

fn configure(folder: &Path, finperks: &str, vouchers: &gift_local::Sandbox, printer: &str) -> PathBuf {
    let secret = folder.join("secret");
    std::fs::write(&secret, "sandbox-secret-0123456789abcdef").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key = folder.join("gift_local.key");
    std::fs::write(&key, vouchers.api_key()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
         printer = {{ network = \"{printer}\" }}\napi = {{ listen = \"127.0.0.1:0\" }}\n\
         [finperks]\nurl = \"{finperks}\"\nkey_id = \"sandbox-key\"\nsecret_file = \"{}\"\nrequests_per_second = 10000\nburst = 10000\n\
         [gift_local]\nurl = \"{}\"\nkey_file = \"{}\"\ncurrency = \"EUR\"\nlocation = \"A1234\"\n",
        secret.display(),
        vouchers.provider_url(),
        key.display(),
    );
    let path = folder.join("tilld.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The program on a journal's folder.
fn serve_on(mut command: Command, config: &Path, folder: &Path) -> (Process, Result<String, String>) {
    command.env("TILLD_JOURNAL__FOLDER", folder);
    process::serve(command, config)
}

/// Every entry as it stands in a journal, by its number.
fn entries(folder: &Path) -> BTreeMap<u64, String> {
    let reader = Reader::open(folder).unwrap();
    let sales = reader.list(&Filter::default(), 100_000).unwrap();
    let redemptions = reader.redemptions(&RedemptionFilter::default(), 100_000).unwrap();
    let subjects = sales.iter().map(|row| Subject::Sale(row.sale));
    let subjects = subjects.chain(redemptions.iter().map(|row| Subject::Redemption(row.redemption)));
    let devices = reader.devices().unwrap();
    let subjects = subjects.chain(devices.iter().map(|row| Subject::Device(row.id)));
    let shown = subjects.flat_map(|subject| reader.shown(subject).unwrap());
    shown
        .map(|entry| {
            (entry.head.seq.number(), format!("{} {} {}", entry.head.at.ms(), entry.head.kind, entry.body))
        })
        .collect()
}

/// Sells while everything is recorded; the acts in their order, and the entries in the end.
async fn record(sales: usize, folder: &Path) -> Vec<(&'static str, Act)> {
    let finperks =
        tilld_sandbox::finperks::start(tilld_sandbox::finperks::Settings::default()).await.unwrap();
    let printer = SimulatedPrinter::start(Profile::epson(), Answers::ALL, None).await.unwrap();
    let vouchers = gift_local::start(gift_local::Settings::default()).await.unwrap();
    let config = configure(folder, &finperks.provider_url(), &vouchers, &printer.address().to_string());
    let records = folder.join("records");
    std::fs::create_dir(&records).unwrap();
    let mut command = Command::new("strace");
    command.args(["-ff", "-ttt", "-y", "-xx", "-s", "1000000", "-e"]);
    command.arg("trace=pwrite64,pwritev,pwritev2,writev,ftruncate,fdatasync,fsync,sync_file_range,fallocate");
    command.arg("-o").arg(records.join("thread")).arg(program());
    let journal = folder.join("journal");
    let (mut process, address) = serve_on(command, &config, &journal);
    let address = address.expect("the daemon starts");
    let token = std::fs::read_to_string(journal.join("api.token")).unwrap();
    let client = tilld_tests::shop::client();
    let post = async |path: String, key: String, body: Value| -> Value {
        let request = client.post(format!("http://{address}{path}")).bearer_auth(token.trim());
        let request = request.header("idempotency-key", key).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    };
    post("/v1/products/refresh".to_owned(), "refresh".to_owned(), json!({})).await;
    for number in 0..sales {
        let euros = json!({ "amount": "10.00", "currency": "EUR" });
        let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros });
        let body = json!({ "receipt": format!("R{number}"), "cards": [card] });
        let opened = post("/v1/sales".to_owned(), format!("{number}-open"), body).await;
        let sale = opened["id"].as_str().unwrap_or_else(|| panic!("{opened}"));
        if number % 4 == 3 {
            post(format!("/v1/sales/{sale}/cancel"), format!("{number}-cancel"), json!({})).await;
            continue;
        }
        let asks = number % 4 == 2;
        if asks {
            printer.fault(SimulatedFault::PaperOut);
        }
        let paid = json!({ "amount": euros, "tender": { "kind": "card" } });
        let mut done = post(format!("/v1/sales/{sale}/payment"), format!("{number}-pay"), paid).await;
        if asks {
            assert_eq!(done["cards"][0]["question"]["asks"], "print_or_money_back", "{done}");
            let answer = json!({ "answer": "money_back", "by": "Kim" });
            done = post(format!("/v1/sales/{sale}/cards/1/answer"), format!("{number}-answer"), answer).await;
            printer.clear();
        }
        assert_eq!(done["phase"], "done", "{done}");
    }
    let code = vouchers.ledger().voucher("gift-50-eur").expect("a voucher").code.reveal().to_owned();
    let look = post("/v1/vouchers/check".to_owned(), "check".to_owned(), json!({ "scan": code })).await;
    let wish = json!({ "amount": "12.50", "currency": "EUR" });
    let body = json!({ "check": look["check"], "basket": "B1", "amount": wish });
    let redeemed = post("/v1/redemptions".to_owned(), "redeem".to_owned(), body).await;
    assert_eq!(redeemed["state"], "answered", "{redeemed}");
    let path = format!("/v1/redemptions/{}/complete", redeemed["id"].as_str().unwrap());
    let completed = post(path, "complete".to_owned(), json!({ "by": "Kim" })).await;
    assert_eq!(completed["state"], "completed", "{completed}");
    // The recorder shuts itself against signals; its child, the daemon, stops as it does for a service manager.
    let told = Command::new("pkill").args(["-TERM", "-P"]).arg(process.0.id().to_string()).status().unwrap();
    assert!(told.success(), "the daemon is told to stop");
    process.0.wait().unwrap();
    let mut acts = Vec::new();
    for file in std::fs::read_dir(&records).unwrap() {
        read_record(&file.unwrap().path(), &mut acts);
    }
    // One connection writes at a time, so their times put the threads' acts in order.
    acts.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    acts.into_iter().map(|(_, file, act)| (file, act)).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let sales: usize = std::env::args().nth(1).map_or(4, |count| count.parse().expect("a number of sales"));
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let acts = record(sales, folder.path()).await;
    let whole = entries(&folder.path().join("journal"));
    let cut = Cut { folder: folder.path(), whole: &whole };
    let mut disks: BTreeMap<&'static str, Disk> =
        FILES.into_iter().map(|name| (name, Disk::default())).collect();
    let (mut points, mut first_start, mut tried, mut acknowledged) = (0, 0, 0, 0);
    let mut found = Vec::new();
    for (file, act) in &acts {
        if !matches!(act, Act::Sync) {
            disks.get_mut(file).unwrap().since.push(act.clone());
            continue;
        }
        points += 1;
        first_start += usize::from(acknowledged == 0);
        for (number, layout) in layouts(&disks).iter().enumerate() {
            tried += 1;
            if let Err(why) = cut.check(layout, acknowledged) {
                found.push(format!("sync {points} of {file}, layout {number}: {why}"));
            }
        }
        let disk = disks.get_mut(file).unwrap();
        disk.synced = disk.with(&disk.since);
        disk.since.clear();
        let synced: Layout = disks.iter().map(|(name, disk)| (*name, disk.synced.clone())).collect();
        acknowledged = acknowledged.max(cut.lay_out(&synced).map_or(0, |folder| last_entry(folder.path())));
    }
    println!(
        "{sales} sales and a redemption, {} entries, {} acts recorded: {points} sync points, {first_start} of them before the first entry, {tried} layouts opened in {} s, violations: {}",
        whole.len(),
        acts.len(),
        begun.elapsed().as_secs(),
        found.len()
    );
    let all_seen = acknowledged == u64::try_from(whole.len()).unwrap();
    if found.is_empty() && all_seen && first_start > 0 {
        return ExitCode::SUCCESS;
    }
    println!("acknowledged in the end: {acknowledged}\n{found:#?}");
    ExitCode::FAILURE
}

/// The last entry of a journal that is laid out; 0 if there is no journal yet.
fn last_entry(folder: &Path) -> u64 {
    let Ok(reader) = Reader::open(folder) else { return 0 };
    match reader.verify() {
        Ok(Verdict::Whole { entries, .. }) => entries,
        _ => 0,
    }
}

struct Cut<'a> {
    folder: &'a Path,
    whole: &'a BTreeMap<u64, String>,
}

impl Cut<'_> {
    /// A folder as the cut left it: the journal's files, and the key and token that were synced at the first start.
    fn lay_out(&self, layout: &Layout) -> Option<tempfile::TempDir> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in layout {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        for name in ["journal.key", "api.token"] {
            std::fs::copy(self.folder.join("journal").join(name), folder.path().join(name)).ok()?;
        }
        Some(folder)
    }

    fn check(&self, layout: &Layout, acknowledged: u64) -> Result<(), String> {
        let folder = self.lay_out(layout).ok_or("the key is missing")?;
        let config = self.folder.join("tilld.toml");
        let (process, said) = serve_on(Command::new(program()), &config, folder.path());
        said.map_err(|said| format!("it does not start: {said}"))?;
        drop(process);
        let verified = Command::new(program())
            .args(["journal", "verify", "--folder"])
            .arg(folder.path())
            .output()
            .unwrap();
        if !verified.status.success() {
            return Err(String::from_utf8_lossy(&verified.stderr).into_owned());
        }
        let now = entries(folder.path());
        let missing = (1..=acknowledged).find(|seq| now.get(seq) != self.whole.get(seq));
        missing.map_or(Ok(()), |seq| {
            Err(format!("entry {seq} of {acknowledged} acknowledged ones is not there"))
        })
    }
}
