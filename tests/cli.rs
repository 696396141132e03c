//! The program as people start it: its commands, its exit codes, and its death by SIGKILL.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

/// How long a proof waits for what must come. It is only ever waited for when something is wrong.
const PATIENCE: Duration = Duration::from_mins(1);

fn tilld(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilld"));
    command.args(arguments).stdin(Stdio::null()).env_remove("TILLD_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    tilld(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A process that is killed when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits for a line on its output or error stream that `find` accepts.
fn start<T>(mut command: Command, on_error_stream: bool, find: impl Fn(&str) -> Option<T>) -> (Running, T) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let (stdout, stderr) = (running.0.stdout.take().unwrap(), running.0.stderr.take().unwrap());
    let (wanted, other): (Box<dyn std::io::Read + Send>, Box<dyn std::io::Read + Send>) = if on_error_stream {
        (Box::new(stderr), Box::new(stdout))
    } else {
        (Box::new(stdout), Box::new(stderr))
    };
    // Whatever else it says must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut { other }, &mut std::io::sink()));
    let mut lines = BufReader::new(wanted);
    let mut line = String::new();
    loop {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the program ended before it was ready");
        if let Some(found) = find(&line) {
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return (running, found);
        }
    }
}

struct Sandbox {
    _running: Running,
    finperks: String,
    control: String,
    gift_local: String,
    gift_local_control: String,
    printer: String,
}

fn sandbox() -> Sandbox {
    let any = "127.0.0.1:0";
    let mut command = tilld(&["sandbox", "--finperks", any, "--control", any, "--printer", any]);
    command.args(["--gift-local", any, "--gift-local-control", any]);
    let mut found = std::cell::RefCell::new(Vec::<String>::new());
    let (running, ()) = start(command, false, |line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        found.borrow_mut().push(words.next()?.to_owned());
        (name == "printer").then_some(())
    });
    let found = std::mem::take(found.get_mut());
    let [finperks, control, gift_local, gift_local_control, printer] = found.try_into().unwrap();
    Sandbox { _running: running, finperks, control, gift_local, gift_local_control, printer }
}

fn configure(folder: &Path, sandbox: &Sandbox) -> String {
    let secret = folder.join("finperks.secret");
    std::fs::write(&secret, "sandbox-secret-0123456789abcdef\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = folder.join("tilld.toml");
    let text = format!(
        "till     = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
         finperks = {{ url = \"{}\", key_id = \"sandbox-key\", secret_file = \"{}\" }}\n\
         printer  = {{ network = \"{}\", columns = 42 }}\n\
         journal  = {{ folder = \"{}\" }}\n\
         api      = {{ listen = \"127.0.0.1:0\" }}\n",
        sandbox.finperks,
        secret.display(),
        sandbox.printer,
        folder.join("journal").display()
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Starts a daemon, and finds its address in its log.
fn serve(config: &str) -> (Running, String) {
    let mut command = tilld(&["serve", "--config", config]);
    command.env("TILLD_LOG__FORMAT", "json");
    start(command, true, |line| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some(line.pointer("/fields/address")?.as_str()?.to_owned())
    })
}

fn client() -> reqwest::Client {
    // Only the first of the process's clients brings the cryptography along.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn post(address: &str, token: &str, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client();
        let answer = client
            .post(format!("http://{address}{path}"))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.to_string())
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        Some((status, serde_json::from_str(&answer.text().await.ok()?).ok()?))
    })
}

fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "what must come does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_demo_sells_both_kinds_of_card_redeems_a_voucher_and_shows_the_paper() {
    let output = run(&["demo", "--once"]);
    assert!(output.status.success(), "{}", err(&output));
    let text = out(&output);
    for wanted in [
        "Wunschgeschenk-Gutschein",
        "50,00 €",
        "Spielhügel Guthaben",
        "sold      R0000000001: Wunschgeschenk-Gutschein (por) 50.00 EUR, paid cash 60.00, change 10.00; Done.",
        "sold      R0000000002: Spielhügel Guthaben (posa) 25.00 EUR, paid cash 25.00, change 0.00; Done.",
        "journal   2 sales: R0000000001 50.00 EUR done, R0000000002 25.00 EUR done",
        "looked    ••••0011: 50.00 EUR left. (gift, booked as payment)",
        "redeemed  B0000000001: voucher ••••0011, 12.50 EUR, 37.50 EUR left; Redeemed: 12.50 EUR. Book it as payment.",
        "reversed  B0000000001: The voucher has its value back.",
        "Der Wert ist wieder auf dem Gutschein.",
        "1 redemption: B0000000001 12.50 EUR cleared",
        "the journal is whole: 15 entries",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is missing in:\n{text}");
    }
}

/// The words of a line that begins with `name`.
fn words_of(line: &str, name: &str) -> Option<Vec<String>> {
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next()? == name).then(|| words.collect())
}

/// Asks as a browser does, without the token; the status, what it keeps as a cookie, and the body.
fn browse(url: &str, cookie: Option<&str>, body: Option<&Value>) -> (u16, Option<String>, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut request = match body {
            Some(body) => {
                client().post(url).header("content-type", "application/json").body(body.to_string())
            }
            None => client().get(url),
        };
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
        let kept = answer
            .headers()
            .get("set-cookie")
            .map(|set| set.to_str().unwrap().split(';').next().unwrap().to_owned());
        (answer.status().as_u16(), kept, answer.text().await.unwrap())
    })
}

#[test]
fn the_demo_lets_a_browser_in_with_the_code_that_it_shows_and_a_manager_with_the_pin() {
    let seen = std::cell::RefCell::new(Vec::<Vec<String>>::new());
    let (_demo, ()) = start(tilld(&["demo"]), false, |line| {
        for name in ["counter", "code", "manager"] {
            seen.borrow_mut().extend(words_of(line, name));
        }
        words_of(line, "token").map(|_| ())
    });
    let seen = seen.into_inner();
    let [counter, code, manager] = seen.as_slice() else { panic!("{seen:?}") };
    let page = &counter[0];
    let (status, _, text) = browse(page, None, None);
    assert!(status == 200 && text.starts_with("<!doctype html>"), "{status} {text}");
    assert_eq!(browse(&manager[0], None, None).0, 200);
    assert_eq!(browse(&format!("{page}v1/session"), None, None).0, 401);

    let pair = json!({ "code": code[0], "name": "Till 1 screen" });
    let (status, cookie, text) = browse(&format!("{page}v1/pair"), None, Some(&pair));
    assert_eq!(status, 204, "{text}");
    let (status, _, text) = browse(&format!("{page}v1/session"), cookie.as_deref(), None);
    let session: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &session["role"], &session["sandbox"]), (200, &json!("cashier"), &json!(true)));

    let name = session["managers"][0].as_str().unwrap();
    assert!(manager.join(" ").contains(name), "{manager:?}");
    let sign_in = json!({ "name": name, "pin": manager.last().unwrap() });
    let signed_in = browse(&format!("{page}v1/session/manager"), cookie.as_deref(), Some(&sign_in));
    assert_eq!(signed_in.0, 204, "{}", signed_in.2);
    let (_, _, text) = browse(&format!("{page}v1/session"), signed_in.1.as_deref(), None);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["role"], "manager");
}

#[test]
fn a_code_for_a_browser_is_asked_of_the_running_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let (daemon, address) = serve(&config);
    let pair = |address: &str| {
        tilld(&["pair", "--config", &config]).env("TILLD_API__LISTEN", address).output().unwrap()
    };
    let shown = pair(&address);
    assert!(shown.status.success(), "{}", err(&shown));
    let text = out(&shown);
    let code = text.lines().find_map(|line| words_of(line, "code")).unwrap();
    assert!(text.contains(&format!("http://{address}/\n")), "{text}");
    let body = json!({ "code": code[0], "name": "Till 1 screen" });
    let (status, cookie, _) = browse(&format!("http://{address}/v1/pair"), None, Some(&body));
    assert_eq!((status, cookie.is_some()), (204, true));

    drop(daemon);
    let nobody = pair(&address);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(err(&nobody).contains("tilld serve"), "{}", err(&nobody));
    let nowhere = run(&["pair", "--config", &config]);
    assert!(err(&nowhere).contains("port 0"), "{}", err(&nowhere));
}

#[test]
fn a_pin_becomes_what_goes_into_the_configuration_and_is_not_shown() {
    let pin = |name: &str, typed: &str| {
        let mut child = tilld(&["pin", name]);
        let mut child =
            child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A name that is no name ends it before it reads.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    };
    let made = pin("M. Weber", "135790\n");
    assert!(made.status.success(), "{}", err(&made));
    let text = out(&made);
    assert!(text.starts_with("[[managers]]\nname     = \"M. Weber\"\npin_hash = \"$argon2id$"), "{text}");
    assert!(!text.contains("135790"));

    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let whole = std::fs::read_to_string(&config).unwrap() + &text;
    std::fs::write(&config, whole).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (_daemon, address) = serve(&config);
    let token = std::fs::read_to_string(folder.path().join("journal/api.token")).unwrap().trim().to_owned();
    let (_, offered) = post(&address, &token, "/v1/pairing", "k", &json!({})).unwrap();
    let pair = json!({ "code": offered["code"], "name": "Till 1 screen" });
    let (_, cookie, _) = browse(&format!("http://{address}/v1/pair"), None, Some(&pair));
    let sign_in = json!({ "name": "M. Weber", "pin": "135790" });
    let (status, ..) =
        browse(&format!("http://{address}/v1/session/manager"), cookie.as_deref(), Some(&sign_in));
    assert_eq!(status, 204);

    for (name, typed, wanted) in [
        ("M. Weber", "12345\n", "a PIN has 6 to 12 digits"),
        ("M. Weber", "", "a PIN has 6 to 12 digits"),
        ("M. Weber", "geheim\n", "a PIN has 6 to 12 digits"),
        ("\"", "135790\n", "a character that is not allowed"),
    ] {
        let refused = pin(name, typed);
        assert_eq!(refused.status.code(), Some(2), "{name} {typed}");
        assert!(err(&refused).contains(wanted) && out(&refused).is_empty(), "{}", err(&refused));
    }
}

#[test]
fn a_pin_that_is_typed_at_a_terminal_is_asked_for_twice_and_not_shown() {
    for (second, code) in [("135790", 0), ("135791", 2)] {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap();
        let keyboard = std::fs::File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        let mut child = tilld(&["pin", "M. Weber"])
            .stdin(keyboard)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = child.stderr.take().unwrap();
        let mut terminal = std::fs::File::from(terminal);
        for (question, typed) in [("PIN (6 to 12 digits): ", "135790"), ("once more: ", second)] {
            let mut asked = String::new();
            while !asked.ends_with(question) {
                let mut byte = [0];
                assert_eq!(said.read(&mut byte).unwrap(), 1, "{asked}");
                asked.push(char::from(byte[0]));
            }
            terminal.write_all(format!("{typed}\n").as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(out(&output).contains("$argon2id$"), code == 0);
        // The keyboard is gone: what the terminal would have shown can be read to its end.
        let mut shown = Vec::new();
        let _ = terminal.read_to_end(&mut shown);
        assert!(!String::from_utf8_lossy(&shown).contains("13579"), "{shown:?}");
    }
}

#[test]
fn a_start_without_a_configuration_says_which_three_lines_it_needs() {
    let output = run(&["serve", "--config", "/nowhere/tilld.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = err(&output);
    for wanted in ["/nowhere/tilld.toml", "till     =", "finperks =", "printer  ="] {
        assert!(text.contains(wanted), "{wanted:?} is missing in:\n{text}");
    }
}

#[test]
fn everything_that_is_wrong_in_a_configuration_is_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tilld.toml");
    std::fs::write(
        &path,
        "till = { store = \"\", terminal = \"T01\", country = \"Deutschland\" }\nfinperk = 1\n",
    )
    .unwrap();
    let output = run(&["serve", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let text = err(&output);
    for wanted in [
        "line 1: till.store",
        "line 1: till.country",
        "line 2: finperk:",
        "missing: finperks.url",
        "missing: printer.network",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is missing in:\n{text}");
    }
}

#[test]
fn a_provider_on_the_network_is_never_spoken_to_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let output = tilld(&["serve", "--config", &config])
        .env("TILLD_FINPERKS__URL", "http://api.example.test")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let named = "environment TILLD_FINPERKS__URL: finperks.url: the base URL must begin with https://";
    assert!(err(&output).contains(named), "{}", err(&output));
    assert!(!folder.path().join("journal").exists(), "what is set up wrong leaves no journal behind");
}

#[test]
fn the_api_document_is_openapi_3_1() {
    let output = run(&["openapi"]);
    assert!(output.status.success());
    let document: Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/v1/sales"]["post"].is_object());
}

#[test]
fn an_operator_sees_catalogue_balances_and_stores() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let ask = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--config", &config]);
        run(&all)
    };
    assert!(out(&ask(&["products"])).contains("4001232232332"));
    let products: Value = serde_json::from_str(&out(&ask(&["products", "--json"]))).unwrap();
    assert_eq!(products["products"].as_array().unwrap().len(), 12);
    assert!(out(&ask(&["balances"])).contains("100000.00 EUR"));
    let template = folder.path().join("store.json");
    std::fs::write(&template, r#"{"id": "B77", "name": "Filiale am Bahnhof", "city": "Musterstadt"}"#)
        .unwrap();
    let registered = ask(&["stores", "register", template.to_str().unwrap()]);
    assert!(registered.status.success(), "{}", err(&registered));
    let stores = out(&ask(&["stores", "list"]));
    assert!(stores.contains("A1234") && stores.contains("B77"), "{stores}");
    let twice = ask(&["stores", "register", template.to_str().unwrap()]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(err(&twice).contains("refused"), "{}", err(&twice));
}

#[test]
fn a_sale_survives_sigkill_between_payment_and_answer() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let journal = folder.path().join("journal");
    let (daemon, address) = serve(&config);
    let token = std::fs::read_to_string(journal.join("api.token")).unwrap().trim().to_owned();
    let mode = std::fs::metadata(journal.join("api.token")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let euros = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
    eventually(|| {
        let refreshed = post(&address, &token, "/v1/products/refresh", "r", &json!({}))?;
        (refreshed.0 == 200).then_some(())
    });
    let body = json!({ "receipt": "R1", "cards": [{ "product": "4001232232332", "kind": "por", "face_value": euros("50.00") }] });
    let (status, sale) = post(&address, &token, "/v1/sales", "k1", &body).unwrap();
    assert_eq!((status, sale["phase"].as_str()), (201, Some("collect")), "{sale}");
    let id = sale["id"].as_str().unwrap().to_owned();

    // The confirm is carried out, and its answer never comes. In the middle of the silence the process is killed.
    let fault = json!({ "call": "confirm", "fault": { "kind": "drop_answer", "how": "silence" } });
    assert_eq!(post_control(&sandbox, "/faults", &fault), 201);
    let paying = {
        let (address, token, path) = (address.clone(), token.clone(), format!("/v1/sales/{id}/payment"));
        let body = json!({ "amount": euros("50.00"), "tender": { "kind": "card" } });
        std::thread::spawn(move || post(&address, &token, &path, "k2", &body))
    };
    eventually(|| (ledger(&sandbox)["orders"][0]["state"] == "completed").then_some(()));
    drop(daemon);
    assert!(paying.join().unwrap().is_none(), "a killed daemon does not answer");

    // The journal can be read while no daemon runs, and says where it was left.
    let listed = run(&["journal", "list", "--json", "--config", &config]);
    let listed: Value = serde_json::from_str(&out(&listed)).unwrap();
    assert_eq!(listed["sales"][0]["cards"][0]["state"], "confirming", "{listed}");

    let (_daemon, address) = serve(&config);
    let body = json!({ "amount": euros("50.00"), "tender": { "kind": "card" } });
    let (status, sale) = post(&address, &token, &format!("/v1/sales/{id}/payment"), "k2", &body).unwrap();
    assert_eq!((status, sale["phase"].as_str()), (200, Some("done")), "{sale}");
    assert_eq!(ledger(&sandbox)["orders"][0]["confirms"], 1);

    // And while one runs.
    let shown = out(&run(&["journal", "show", "R1", "--config", &config]));
    assert!(shown.contains("resumed") && shown.contains("sold"), "{shown}");
    let verified = run(&["journal", "verify", "--config", &config]);
    assert!(verified.status.success() && out(&verified).contains("whole"), "{}", err(&verified));
}

/// Who reads the log may die; the counter must not.
#[test]
fn a_sale_goes_on_when_nobody_reads_the_log_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let mut command = tilld(&["serve", "--config", &config]);
    command.env("TILLD_LOG__FORMAT", "json").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = Running(command.spawn().unwrap());
    let mut log = BufReader::new(daemon.0.stderr.take().unwrap()).lines();
    let address = log
        .find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).ok()?;
            Some(line.pointer("/fields/address")?.as_str()?.to_owned())
        })
        .unwrap();
    drop(log);
    let token = std::fs::read_to_string(folder.path().join("journal/api.token")).unwrap().trim().to_owned();
    let euros = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
    eventually(|| {
        let refreshed = post(&address, &token, "/v1/products/refresh", "r", &json!({}))?;
        (refreshed.0 == 200).then_some(())
    });
    let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros("50.00") });
    let body = json!({ "receipt": "R1", "cards": [card] });
    let (status, sale) = post(&address, &token, "/v1/sales", "k1", &body).unwrap();
    assert_eq!(status, 201, "{sale}");
    let path = format!("/v1/sales/{}/payment", sale["id"].as_str().unwrap());
    let body = json!({ "amount": euros("50.00"), "tender": { "kind": "card" } });
    let (_, sale) = post(&address, &token, &path, "k2", &body).unwrap();
    assert_eq!(sale["phase"], "done", "{sale}");
    assert!(daemon.0.try_wait().unwrap().is_none(), "the daemon still runs");
}

#[test]
fn a_second_daemon_on_the_same_journal_and_address_ends_with_both_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let (_daemon, address) = serve(&config);
    let mut second = tilld(&["serve", "--config", &config]);
    let output = second.env("TILLD_API__LISTEN", &address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for wanted in ["is in use by another tilld", &address] {
        assert!(err(&output).contains(wanted), "{}", err(&output));
    }
}

#[test]
fn a_journal_is_missing_before_the_first_start_and_whole_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let config = configure(folder.path(), &sandbox);
    let missing = run(&["journal", "verify", "--config", &config]);
    assert_eq!(missing.status.code(), Some(1), "{}", err(&missing));
    let (daemon, _) = serve(&config);
    drop(daemon);
    assert!(run(&["journal", "verify", "--config", &config]).status.success());
}

fn post_control(sandbox: &Sandbox, path: &str, body: &Value) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client();
        let request =
            client.post(format!("{}{path}", sandbox.control)).header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap().status().as_u16()
    })
}

#[test]
fn the_sandbox_says_where_each_provider_is_and_each_has_a_control_door() {
    let sandbox = sandbox();
    for (provider, control, name) in [
        (&sandbox.finperks, &sandbox.control, "finperks"),
        (&sandbox.gift_local, &sandbox.gift_local_control, "gift-local"),
    ] {
        let index = get_control(control, "/");
        assert_eq!(
            (index["provider"].as_str(), index["url"].as_str()),
            (Some(name), Some(provider.as_str()))
        );
    }
    let gifts = get_control(&sandbox.gift_local_control, "/ledger");
    assert_eq!(gifts["vouchers"][0]["name"], "gift-50-eur");
}

fn ledger(sandbox: &Sandbox) -> Value {
    get_control(&sandbox.control, "/ledger")
}

fn get_control(control: &str, path: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client();
        let text = client.get(format!("{control}{path}")).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    })
}
