//! The shipped program in the hands of whoever set a shop up, and of its manager: what is wrong is found, is said with what to
//! do next, and what waits for a person can be answered at a terminal.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tilld_sandbox::{finperks, gift_local};
use tokio::runtime::Runtime;

/// How long a proof waits for what must come. It is only ever waited for when something is wrong.
const PATIENCE: Duration = Duration::from_mins(1);
/// An address at which nothing answers: the port of the service "discard", which none of these machines runs.
const DEAD: &str = "http://127.0.0.1:9";

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A daemon that is killed when the test ends, however it ends.
struct Daemon {
    process: Child,
    address: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A configured shop with its simulated providers; its printer is a file.
struct Shop {
    folder: tempfile::TempDir,
    runtime: Runtime,
    finperks: finperks::Sandbox,
    gift_local: gift_local::Sandbox,
    config: PathBuf,
    daemon: Option<Daemon>,
}

impl Shop {
    fn new() -> Self {
        // Only the first of the process's clients brings the cryptography along.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let finperks = runtime.block_on(finperks::start(finperks::Settings::default())).unwrap();
        let gift_local = runtime.block_on(gift_local::start(gift_local::Settings::default())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("tilld.toml");
        let shop = Self { folder, runtime, finperks, gift_local, config, daemon: None };
        shop.keep("finperks.secret", &shop.finperks.credentials().secret.clone());
        shop.keep("gift_local.key", shop.gift_local.api_key());
        let at = |name: &str| shop.folder.path().join(name).display().to_string();
        let text = format!(
            "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
             finperks = {{ url = \"{}\", key_id = \"{}\", secret_file = \"{}\" }}\n\
             gift_local = {{ url = \"{}\", key_file = \"{}\", currency = \"EUR\", location = \"A1234\" }}\n\
             printer = {{ file = \"{}\" }}\n\
             journal = {{ folder = \"{}\" }}\n\
             api = {{ listen = \"127.0.0.1:0\" }}\n",
            shop.finperks.provider_url(),
            shop.finperks.credentials().key_id,
            at("finperks.secret"),
            shop.gift_local.provider_url(),
            at("gift_local.key"),
            at("paper"),
            at("journal"),
        );
        fs::write(&shop.config, text).unwrap();
        shop
    }

    fn keep(&self, name: &str, secret: &str) {
        let file = self.folder.path().join(name);
        fs::write(&file, secret).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn tilld(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tilld"));
        command
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .env_remove("TILLD_LOG");
        if let Some(daemon) = &self.daemon {
            command.env("TILLD_API__LISTEN", &daemon.address);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.tilld(arguments).output().unwrap();
        (output.status.success(), text(&output))
    }

    fn serve(&mut self) {
        let mut command = self.tilld(&["serve"]);
        command.env("TILLD_LOG__FORMAT", "json").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).ok()?;
            Some(line.pointer("/fields/address")?.as_str()?.to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        self.daemon =
            Some(Daemon { process, address: address.expect("the daemon ended before it was ready") });
    }

    /// Asks the daemon, as a till does.
    fn ask(&self, path: &str, body: Option<&Value>) -> (u16, Value) {
        let token = fs::read_to_string(self.folder.path().join("journal/api.token")).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{path}", self.daemon.as_ref().unwrap().address);
        let request = match body {
            None => client.get(url),
            Some(body) => client
                .post(url)
                .header("content-type", "application/json")
                .header("idempotency-key", uuid::Uuid::now_v7().to_string())
                .body(body.to_string()),
        };
        self.runtime.block_on(async {
            let answer = request.bearer_auth(token.trim()).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
        })
    }

    fn health(&self) -> Value {
        self.ask("/v1/health", None).1
    }
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

/// The line of a doctor's answer about something.
fn line_about<'a>(doctor: &'a str, what: &str) -> &'a str {
    doctor
        .lines()
        .find(|line| line.split_whitespace().nth(1) == Some(what))
        .unwrap_or_else(|| panic!("nothing about {what} in:\n{doctor}"))
}

#[test]
fn a_doctor_asks_the_provider_of_vouchers_before_the_first_guest_does() {
    let shop = Shop::new();
    let right = line_about(&shop.run(&["doctor"]).1, "vouchers").to_owned();
    assert!(right.starts_with("ok ") && right.contains("takes our key"), "{right}");
    for (variable, value, said) in [
        ("TILLD_GIFT_LOCAL__KEY_FILE", "wrong.key", "provider_not_authenticated"),
        ("TILLD_GIFT_LOCAL__LOCATION", "X0001", "location in the configuration"),
        ("TILLD_GIFT_LOCAL__URL", DEAD, "cannot be reached; are gift_local.url and the network right?"),
        ("TILLD_GIFT_LOCAL__URL", &shop.finperks.provider_url(), "Compare its address"),
    ] {
        shop.keep("wrong.key", "nobody-gave-out-this-key");
        let value = value.replace("wrong.key", shop.folder.path().join("wrong.key").to_str().unwrap());
        let output = shop.tilld(&["doctor"]).env(variable, value).output().unwrap();
        let (text, line) = (text(&output), line_about(&text(&output), "vouchers").to_owned());
        assert!(line.starts_with("wrong ") && line.contains(said), "{variable}: {said}\n{text}");
        assert_eq!(output.status.code(), Some(1), "{text}");
    }
}

#[test]
fn a_key_that_the_provider_of_vouchers_does_not_take_is_not_well_while_the_daemon_runs() {
    let mut shop = Shop::new();
    shop.keep("gift_local.key", "nobody-gave-out-this-key");
    shop.serve();
    // Nobody has looked at a voucher yet, and the doctor knows.
    let (_, before) = shop.run(&["doctor"]);
    assert!(line_about(&before, "vouchers").contains("not authenticated"), "{before}");
    let (status, problem) = shop.ask("/v1/vouchers/check", Some(&json!({ "scan": "401200000011" })));
    assert_eq!((status, &problem["code"]), (502, &json!("provider_not_authenticated")), "{problem}");
    let vouchers = &shop.health()["vouchers"];
    assert_eq!((&vouchers["up"], &vouchers["refused"]), (&json!(false), &problem["code"]), "{vouchers}");
    assert!(vouchers["trouble"].as_str().unwrap().contains("not authenticated"), "{vouchers}");
    let (well, after) = shop.run(&["doctor"]);
    assert!(!well && line_about(&after, "vouchers").starts_with("wrong "), "{after}");
}

#[test]
fn a_catalogue_that_the_provider_refuses_is_not_waited_for() {
    let mut shop = Shop::new();
    shop.keep("finperks.secret", "nobody-gave-out-this-secret-000000");
    shop.serve();
    let euros = json!({ "amount": "50.00", "currency": "EUR" });
    let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros });
    let body = json!({ "receipt": "R1", "cards": [card] });
    let problem = eventually(|| {
        let (status, problem) = shop.ask("/v1/sales", Some(&body));
        assert_eq!((status, &problem["code"]), (503, &json!("no_catalogue")), "{problem}");
        problem["developer"].as_str().unwrap().contains("provider_not_authenticated").then_some(problem)
    });
    assert_eq!(problem["cashier"], "The provider does not accept this shop's key. Call the manager.");
    let health = shop.health();
    for said in [&problem["reason"], &health["hindrance"]] {
        let said = said.as_str().unwrap();
        assert!(said.contains("provider_not_authenticated") && said.contains("key file"), "{said}");
    }
    assert_eq!(health["provider"]["refused"], "provider_not_authenticated");
    let (well, doctor) = shop.run(&["doctor"]);
    assert!(!well && line_about(&doctor, "sales").contains("provider_not_authenticated"), "{doctor}");
    assert!(line_about(&doctor, "provider").contains("not authenticated"), "{doctor}");
}

#[test]
fn what_waits_is_shown_with_its_choices_and_answered_at_a_terminal() {
    let mut shop = Shop::new();
    // A printer that is not there: staff is asked.
    let configured = fs::read_to_string(&shop.config).unwrap();
    let paper = format!("file = \"{}\"", shop.folder.path().join("paper").display());
    fs::write(&shop.config, configured.replace(&paper, "network = \"127.0.0.1:9\"")).unwrap();
    let (_, without) = shop.run(&["attention", "answer", "R1", "1", "complete", "--by", "Ada"]);
    assert!(without.contains("has port 0"), "{without}");
    shop.serve();
    let euros = json!({ "amount": "50.00", "currency": "EUR" });
    let card = json!({ "product": "4001232232332", "kind": "por", "face_value": euros });
    let sale = eventually(|| {
        let (status, sale) = shop.ask("/v1/sales", Some(&json!({ "receipt": "R1", "cards": [card] })));
        (status == 201).then_some(sale)
    });
    let id = sale["id"].as_str().unwrap();
    let paid = json!({ "amount": euros, "tender": { "kind": "card" } });
    let (_, sale) = shop.ask(&format!("/v1/sales/{id}/payment"), Some(&paid));
    assert_eq!(sale["phase"], "question", "{sale}");
    let cases: Value = serde_json::from_str(&shop.run(&["attention", "--json"]).1).unwrap();
    let case = &cases["cases"][0];
    assert_eq!(case["answer"], format!("/v1/sales/{id}/cards/1/answer"), "{cases}");
    let choices: Vec<&str> =
        case["choices"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let (_, shown) = shop.run(&["attention"]);
    for choice in &choices {
        assert!(shown.contains(&format!("tilld attention answer {id} 1 {choice} --by NAME")), "{shown}");
    }
    for (arguments, said) in [
        (vec!["answer", "R1", "1", "yes", "--by", "Ada"], format!("this takes: {}", choices.join(", "))),
        (vec!["answer", "R2", "1", choices[0], "--by", "Ada"], "nothing of that name waits".to_owned()),
        (vec!["answer", "R1", "one", choices[0], "--by", "Ada"], "no number of a card".to_owned()),
        (vec!["settle", "R1", "1", "--by", "Ada", "--reason", "x"], "not closed but answered".to_owned()),
    ] {
        let mut all = vec!["attention"];
        all.extend(&arguments);
        let (done, text) = shop.run(&all);
        assert!(!done && text.contains(&said), "{arguments:?}: {text}");
    }
    let back = choices.iter().find(|choice| ["money_back", "collected"].contains(choice)).unwrap();
    let (done, answered) = shop.run(&["attention", "answer", "R1", "1", back, "--by", "Ada"]);
    assert!(done && answered.contains("written down; it is now owed"), "{answered}");
    assert_eq!(shop.run(&["attention"]).1, "nothing waits for a person\n");
    assert!(shop.run(&["journal", "show", "R1"]).1.contains("Ada"));
}

#[test]
fn a_redemption_that_cannot_be_taken_back_is_closed_at_a_terminal() {
    let mut shop = Shop::new();
    shop.serve();
    let (_, look) = shop.ask("/v1/vouchers/check", Some(&json!({ "scan": "401200000011" })));
    let euros = json!({ "amount": "5.00", "currency": "EUR" });
    let body = json!({ "check": look["check"], "basket": "B1", "amount": euros });
    let (status, redemption) = shop.ask("/v1/redemptions", Some(&body));
    assert_eq!(status, 201, "{redemption}");
    let id = redemption["id"].as_str().unwrap();
    shop.ask(&format!("/v1/redemptions/{id}/reverse"), Some(&json!({ "by": "Ada" })));
    let case = eventually(|| {
        let cases: Value = serde_json::from_str(&shop.run(&["attention", "--json"]).1).unwrap();
        let case = cases["cases"][0].clone();
        (case["case"] == "reversal_not_set_up").then_some(case)
    });
    assert_eq!(case["settle"], format!("/v1/redemptions/{id}/settle"));
    let verdict = case["verdicts"][0].as_str().unwrap();
    let (_, shown) = shop.run(&["attention"]);
    assert!(shown.contains(&format!("tilld attention settle {id} {verdict} --by NAME --reason")), "{shown}");
    let (done, text) = shop.run(&["attention", "settle", "B1", "maybe", "--by", "Ada", "--reason", "x"]);
    assert!(!done && text.contains("this takes: "), "{text}");
    let reason = ["--by", "Ada", "--reason", "The guest has a replacement."];
    let (done, text) = shop.run(&[&["attention", "settle", "B1", verdict][..], &reason].concat());
    assert!(done && text.contains("written down"), "{text}");
    assert_eq!(shop.run(&["attention"]).1, "nothing waits for a person\n");
}

#[test]
fn a_terminal_that_wrong_codes_have_locked_says_for_how_long_and_a_manager_unlocks_it() {
    let mut shop = Shop::new();
    shop.serve();
    let look = |code: &str| shop.ask("/v1/vouchers/check", Some(&json!({ "scan": code })));
    for code in 0..5 {
        assert_eq!(look(&format!("90000000000{code}")).1["code"], "voucher_not_found");
    }
    let (status, problem) = look("401200000011");
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_tries")));
    assert_eq!(problem["cashier"], "Too many wrong codes. Call the manager, or wait 10 min.");
    let (_, shown) = shop.run(&["attention"]);
    assert!(
        shown.contains("too many wrong codes") && shown.contains("tilld attention unlock --by NAME"),
        "{shown}"
    );
    let (done, text) = shop.run(&["attention", "unlock", "--by", "Ada"]);
    assert!(done, "{text}");
    assert_eq!(shop.run(&["attention"]).1, "nothing waits for a person\n");
    assert_eq!(look("401200000011").0, 200);
}

#[test]
fn a_second_reverse_says_that_the_value_is_back_and_a_dead_voucher_says_why() {
    let mut shop = Shop::new();
    let configured = fs::read_to_string(&shop.config).unwrap();
    let reverse = "reverse = { path = \"/api/integration/redemption/reverse-redemption\", id_field = \"redemptionID\" }";
    fs::write(
        &shop.config,
        configured.replace("location = \"A1234\"", &format!("location = \"A1234\", {reverse}")),
    )
    .unwrap();
    shop.serve();
    let (_, look) = shop.ask("/v1/vouchers/check", Some(&json!({ "scan": "401200000011" })));
    let euros = json!({ "amount": "5.00", "currency": "EUR" });
    let body = json!({ "check": look["check"], "basket": "B1", "amount": euros });
    let (_, redemption) = shop.ask("/v1/redemptions", Some(&body));
    let path = format!("/v1/redemptions/{}", redemption["id"].as_str().unwrap());
    assert_eq!(shop.ask(&format!("{path}/reverse"), Some(&json!({}))).0, 200);
    eventually(|| (shop.ask(&path, None).1["state"] == "cleared").then_some(()));
    let (status, problem) = shop.ask(&format!("{path}/reverse"), Some(&json!({})));
    assert_eq!((status, &problem["code"]), (409, &json!("redemption_closed")));
    assert_eq!(problem["cashier"], "This redemption is closed. The voucher has its value back.");
    let mut said = std::collections::BTreeSet::new();
    for code in ["401200000102", "401200000110", "401200000128", "401200000136"] {
        let (_, look) = shop.ask("/v1/vouchers/check", Some(&json!({ "scan": code })));
        if look["redeemable"] == false {
            let (text, words) = (look["text"].as_str().unwrap(), look["description"].as_str().unwrap());
            assert!(text.contains(words.trim_end_matches('.')), "{look}");
            said.insert(text.to_owned());
        }
    }
    assert!(said.len() >= 3, "each says why by itself: {said:?}");
}

#[test]
fn a_state_that_there_is_not_is_refused_with_those_that_there_are_and_a_wrong_name_lists_the_devices() {
    let mut shop = Shop::new();
    shop.serve();
    for (arguments, said) in [
        (["journal", "list", "--state", "foo"], "print_stopped"),
        (["journal", "redemptions", "--state", "foo"], "not_applied"),
    ] {
        let output = shop.tilld(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output).contains(said), "{}", text(&output));
    }
    assert!(shop.run(&["journal", "list", "--state", "owed"]).0);
    let (found, text) = shop.run(&["journal", "show", "nobody"]);
    assert!(!found && text.contains("device"), "{text}");
}

#[test]
fn a_wrong_configuration_is_counted_and_says_nothing_of_printers_that_it_names() {
    let shop = Shop::new();
    for (config, things, said) in [
        (
            "till = { store = \"A\", terminal = \"T01\", country = \"ZZ\" }\nfinperks = { url = \"https://api.example.test\", \
             key_id = \"k\", secret_file = \"/x\" }\nprinter = { network = \"192.168.1.50:9100\" }\ntypo = 1\n",
            "2 things",
            "there is no country ZZ",
        ),
        ("a = 1\na = 2\nb = = 3\n", "2 things", "duplicate key \"a\""),
    ] {
        fs::write(&shop.config, config).unwrap();
        let (well, text) = shop.run(&["doctor"]);
        assert!(!well && text.contains(things) && text.contains(said), "{text}");
        assert!(!text.contains("no USB printer") && !text.contains("three lines"), "{text}");
        let (served, text) = shop.run(&["serve"]);
        assert!(!served && text.contains(said) && !text.contains("three lines"), "{text}");
    }
}

#[test]
fn the_unit_is_one_that_the_service_manager_takes_and_shuts_in() {
    let unit = include_str!("../systemd/tilld.service");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tilld.service");
    // The service manager looks whether the program is there.
    fs::write(&file, unit.replace("/usr/bin/tilld", env!("CARGO_BIN_EXE_tilld"))).unwrap();
    let systemd = |arguments: &[&str]| {
        Command::new("systemd-analyze")
            .args(arguments)
            .arg(&file)
            .output()
            .expect("systemd-analyze (package systemd)")
    };
    let verified = systemd(&["verify", "--man=no"]);
    assert!(verified.status.success() && text(&verified).is_empty(), "{}", text(&verified));
    let exposed = systemd(&["security", "--offline=true", "--threshold=20"]);
    assert!(exposed.status.success(), "{}", text(&exposed));
}

#[test]
fn a_sandbox_whose_address_is_taken_names_the_address_and_its_flag_and_shows_what_to_configure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let any = "127.0.0.1:0";
    let flags = ["--finperks", "--control", "--gift-local", "--gift-local-control", "--printer"];
    let sandbox = |address: &dyn Fn(&str) -> String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tilld"));
        command.arg("sandbox").env_remove("TILLD_LOG").stdin(Stdio::null());
        for flag in flags {
            command.arg(flag).arg(address(flag));
        }
        command
    };
    for wanted in flags {
        let address = |flag: &str| if flag == wanted { taken.clone() } else { any.to_owned() };
        let output = sandbox(&address).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{wanted}");
        let said = text(&output);
        assert!(said.contains(&taken) && said.contains(&format!("with {wanted}")), "{said}");
    }
    let mut process =
        sandbox(&|_| any.to_owned()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.starts_with("gift_local ="));
    let _ = process.kill();
    let _ = process.wait();
    let line = line.expect("a line for the configuration");
    for wanted in ["url = ", "key_file = ", "currency = ", "location = ", "reverse = { path = "] {
        assert!(line.contains(wanted), "{wanted} is missing in {line}");
    }
}

#[test]
fn a_control_door_shows_how_a_fault_is_asked_for_and_which_vouchers_there_are() {
    let shop = Shop::new();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |request: reqwest::RequestBuilder| {
        shop.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
        })
    };
    for door in [shop.finperks.control_url(), shop.gift_local.control_url()] {
        let (_, index) = ask(client.get(format!("{door}/")));
        let example = index["examples"]["POST /faults"].to_string();
        assert_eq!(ask(client.post(format!("{door}/faults")).body(example)).0, 201, "{index}");
    }
    let (_, index) = ask(client.get(format!("{}/", shop.gift_local.control_url())));
    assert!(index["vouchers"].as_array().unwrap().contains(&json!("gift-50-eur")), "{index}");
}

#[test]
fn a_path_that_is_not_there_is_said_at_once() {
    let shop = Shop::new();
    let (found, text) = shop.run(&["devices", "probe", "/dev/usb/no-such-printer"]);
    assert!(!found && text.starts_with("tilld: /dev/usb/no-such-printer is not there"), "{text}");
}
