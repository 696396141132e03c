//! `tilld doctor` and `tilld devices` as an operator uses them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

fn tilld(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilld"));
    command.args(arguments).stdin(Stdio::null()).env_remove("TILLD_LOG");
    command
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

/// A shop before its daemon's first start: simulated providers and a simulated printer.
struct Shop {
    folder: tempfile::TempDir,
    /// The sandbox's control door.
    control: String,
    _sandbox: Running,
    config: PathBuf,
}

impl Shop {
    /// `more`: further lines of the configuration.
    fn new(more: &str) -> Self {
        let any = "127.0.0.1:0";
        let mut command = tilld(&["sandbox", "--finperks", any, "--control", any, "--printer", any]);
        command
            .args(["--gift-local", any, "--gift-local-control", any])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut sandbox = Running(command.spawn().unwrap());
        let mut lines = BufReader::new(sandbox.0.stdout.take().unwrap()).lines();
        let (mut finperks, mut control, mut printer) = (None, None, None);
        while printer.is_none() {
            let line = lines.next().expect("the sandbox ended before it was ready").unwrap();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("finperks") if finperks.is_none() => finperks = words.next().map(str::to_owned),
                Some("control") if control.is_none() => control = words.next().map(str::to_owned),
                Some("printer") => printer = words.next().map(str::to_owned),
                _ => {}
            }
        }
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("finperks.secret");
        std::fs::write(&secret, "sandbox-secret-0123456789abcdef\n").unwrap();
        mode(&secret, 0o600);
        let config = folder.path().join("tilld.toml");
        let text = format!(
            "till     = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
             finperks = {{ url = \"{}\", key_id = \"sandbox-key\", secret_file = \"{}\" }}\n\
             printer  = {{ network = \"{}\", columns = 42 }}\n\
             journal  = {{ folder = \"{}\" }}\n\
             api      = {{ listen = \"127.0.0.1:0\" }}\n{more}\n",
            finperks.unwrap(),
            secret.display(),
            printer.unwrap(),
            folder.path().join("journal").display(),
        );
        std::fs::write(&config, text).unwrap();
        let control = control.unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { folder, control, _sandbox: sandbox, config }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tilld(arguments);
        command.arg("--config").arg(&self.config);
        command
    }

    /// Does something to the simulated printer.
    fn strike(&self, how: &str) {
        let (status, answer) = ask(&self.control, "PUT", "/printer", "", how);
        assert_eq!(status, 200, "{how}: {answer}");
    }

    fn serve(&self) -> (Running, String) {
        let mut command = self.command(&["serve"]);
        command.env("TILLD_LOG__FORMAT", "json").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut daemon = Running(command.spawn().unwrap());
        let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the daemon ended before it was ready").unwrap();
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = line.pointer("/fields/address").and_then(Value::as_str) {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        (daemon, address)
    }
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A pseudo-terminal and the path of its other end.
fn cable() -> (OwnedFd, String) {
    let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&own).unwrap();
    unlockpt(&own).unwrap();
    let path = ptsname(&own, Vec::new()).unwrap().into_string().unwrap();
    (own, path)
}

/// The marks and texts of the findings about something.
fn findings(output: &Output, what: &str) -> Vec<(String, String)> {
    let all: Value =
        serde_json::from_str(&out(output)).unwrap_or_else(|_| panic!("{}{}", out(output), err(output)));
    let word = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
    all["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["what"] == what)
        .map(|finding| (word(finding, "mark"), word(finding, "text")))
        .collect()
}

#[test]
fn doctor_without_a_configuration_says_what_is_missing_and_what_to_do() {
    let output = tilld(&["doctor", "--config", "/nowhere/tilld.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let text = out(&output);
    for wanted in [
        "wrong  configuration  /nowhere/tilld.toml cannot be read",
        "printer",
        "scanner",
        "till     = {",
        "finperks = {",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is missing in:\n{text}");
    }
    assert!(err(&output).contains("must be put right"), "{}", err(&output));
}

#[test]
fn doctor_names_every_wrong_field_of_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tilld.toml");
    std::fs::write(&config, "printer = { network = \"x\" }\nscanners.a = { serial = \"/dev/ttyUSB0\" }\n")
        .unwrap();
    let output = tilld(&["doctor", "--json", "--config", config.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let wrong = findings(&output, "configuration");
    for wanted in ["missing: till.store", "line 1: printer.network", "line 2: scanners.a.serial"] {
        assert!(
            wrong.iter().any(|(mark, text)| mark == "wrong" && text.contains(wanted)),
            "{wanted}: {wrong:?}"
        );
    }
}

#[test]
fn doctor_finds_everything_right_before_the_first_start_and_beside_the_daemon() {
    let (_cable, port) = cable();
    let shop = Shop::new(&format!("scanners = {{ counter = {{ serial = \"{port}\" }} }}"));
    let before = shop.command(&["doctor", "--json"]).output().unwrap();
    assert_eq!(before.status.code(), Some(0), "{}{}", out(&before), err(&before));
    for (what, mark, text) in [
        ("configuration", "ok", "tilld.toml"),
        ("keys", "ok", "1, each"),
        ("disk", "ok", "MB free"),
        ("daemon", "note", "does not run"),
        ("journal", "note", "first start"),
        ("provider", "ok", "takes our key"),
        ("clock", "ok", "within"),
        ("printer", "ok", "real-time status"),
        ("scanner", "ok", port.as_str()),
    ] {
        let found = findings(&before, what);
        assert!(found.len() == 1 && found[0].0 == mark && found[0].1.contains(text), "{what}: {found:?}");
    }
    assert!(!shop.folder.path().join("journal").exists(), "doctor makes nothing");

    let (_daemon, address) = shop.serve();
    let token = std::fs::read_to_string(shop.folder.path().join("journal/api.token")).unwrap();
    assert!(!token.is_empty());
    let beside = shop.command(&["doctor", "--json"]).env("TILLD_API__LISTEN", &address).output().unwrap();
    for (what, mark, text) in [
        ("keys", "ok", "3, each"),
        ("daemon", "ok", address.as_str()),
        ("journal", "ok", "takes entries"),
        ("printer", "ok", "nothing hinders"),
    ] {
        let found = findings(&beside, what);
        assert!(found.len() == 1 && found[0].0 == mark && found[0].1.contains(text), "{what}: {found:?}");
    }
    // The devices are the daemon's while it runs.
    let test =
        shop.command(&["devices", "test", "slip"]).env("TILLD_API__LISTEN", &address).output().unwrap();
    assert_eq!(test.status.code(), Some(1));
    assert!(err(&test).contains("the daemon runs") && out(&test).is_empty(), "{}{}", out(&test), err(&test));
}

#[test]
fn doctor_names_the_spare_printer_and_each_scanner_by_itself_also_beside_the_daemon() {
    let (_cable, port) = cable();
    // Nobody listens there, and nobody else is given the port as long as it is held.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let nobody = held.local_addr().unwrap();
    let shop = Shop::new(&format!(
        "spare_printer = {{ network = \"{nobody}\" }}\n\
         scanners.counter = {{ serial = \"{port}\" }}\n\
         scanners.hand = {{ serial = \"usb:ffff:fffe\" }}"
    ));
    let expected = [
        ("printer", "ok", "slip: "),
        ("printer", "wrong", "spare: It is not there."),
        ("scanner", "ok", "counter: "),
        ("scanner", "wrong", "hand"),
    ];
    let is_as_expected = |output: &Output| {
        let found = |what| findings(output, what).into_iter().map(move |(mark, text)| (what, mark, text));
        let found: Vec<_> = found("printer").chain(found("scanner")).collect();
        let alike = found.len() == expected.len()
            && found.iter().zip(expected).all(|((what, mark, text), expected)| {
                (*what, mark.as_str()) == (expected.0, expected.1) && text.starts_with(expected.2)
            });
        if alike { Ok(()) } else { Err(found) }
    };
    let before = shop.command(&["doctor", "--json"]).output().unwrap();
    assert_eq!(is_as_expected(&before), Ok(()));
    let (_daemon, address) = shop.serve();
    // It has just started: it may still be looking for one or the other.
    let mut beside = Err(Vec::new());
    for _ in 0..100 {
        let output = shop.command(&["doctor", "--json"]).env("TILLD_API__LISTEN", &address).output();
        beside = is_as_expected(&output.unwrap());
        if beside.is_ok() {
            break;
        }
    }
    assert_eq!(beside, Ok(()));
}

#[test]
fn doctor_says_of_each_thing_that_is_wrong_what_to_do() {
    let shop = Shop::new("scanners.hand = { input = \"usb:ffff:fffe\", layout = \"us\" }");
    mode(&shop.folder.path().join("finperks.secret"), 0o644);
    let mut command = shop.command(&["doctor", "--json"]);
    command.env("TILLD_PRINTER__NETWORK", "127.0.0.1:1");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for (what, text) in [
        ("keys", "chmod 600"),
        ("printer", "It is not there. Switch it on"),
        ("scanner", "hand: usb:ffff:fffe is not plugged in. Plug it in"),
    ] {
        let found = findings(&output, what);
        assert!(
            found.iter().any(|(mark, found)| mark == "wrong" && found.contains(text)),
            "{what}: {found:?}"
        );
    }
    mode(&shop.folder.path().join("finperks.secret"), 0o600);
    let output = shop.command(&["doctor"]).env("TILLD_FINPERKS__URL", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        out(&output).contains("wrong  provider       http://127.0.0.1:1: the provider cannot be reached"),
        "{}",
        out(&output)
    );
}

#[test]
fn a_test_slip_comes_out_and_its_proof_is_named() {
    let shop = Shop::new("");
    let output = shop.command(&["devices", "test", "slip", "--drawer"]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        out(&output).starts_with("printed: the printer sent the slip's process id back"),
        "{}",
        out(&output)
    );
    let nobody = shop.command(&["devices", "test", "kitchen"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    assert!(err(&nobody).contains("no device is called kitchen; there are: slip"), "{}", err(&nobody));
    let gone = shop
        .command(&["devices", "test", "slip"])
        .env("TILLD_PRINTER__NETWORK", "127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!((gone.status.code(), out(&gone).trim()), (Some(1), "nothing printed"));
    assert!(err(&gone).contains("It is not there."), "{}", err(&gone));
}

/// What is answered to a request: status and body. `head`: further lines of its head.
fn ask(address: &str, method: &str, path: &str, head: &str, body: &str) -> (u16, String) {
    let mut line = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        line,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[test]
fn the_spare_printer_gets_a_test_slip_of_its_own_with_and_without_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let paper = folder.path().join("spare");
    let shop =
        Shop::new(&format!("spare_printer = {{ file = \"{}\", profile = \"plain\" }}", paper.display()));
    let size = || std::fs::metadata(&paper).map_or(0, |paper| paper.len());
    let output = shop.command(&["devices", "test", "spare"]).output().unwrap();
    assert!(output.status.success() && out(&output).starts_with("printed: "), "{}", err(&output));
    assert!(size() > 0);

    let (_daemon, address) = shop.serve();
    let token = std::fs::read_to_string(shop.folder.path().join("journal/api.token")).unwrap();
    for (name, status, says) in
        [("spare", 200, "not_verifiable"), ("slip", 200, "process_id"), ("kitchen", 404, "device_unknown")]
    {
        let before = size();
        let head = format!("Authorization: Bearer {}\r\n", token.trim());
        let answer = ask(&address, "POST", &format!("/v1/devices/{name}/test"), &head, "");
        assert!(answer.0 == status && answer.1.contains(says), "{name}: {answer:?}");
        assert_eq!(size() > before, name == "spare", "{name}");
    }
}

#[test]
fn the_faults_of_the_sandboxs_printer_are_made_at_its_control_door() {
    let shop = Shop::new("");
    let test = || {
        let output = shop.command(&["devices", "test", "slip"]).output().unwrap();
        (output.status.success(), format!("{}{}", out(&output), err(&output)))
    };
    // Some thousand bytes stand ahead of a program's first slip, and end what another one may have left half-sent.
    for (how, says) in [
        (r#"{"state":"paper_out"}"#, "The paper is out."),
        (r#"{"state":"cover_open"}"#, "The cover is open."),
        (r#"{"state":"offline"}"#, "It is offline."),
        (r#"{"state":"silent"}"#, "It does not answer."),
        (r#"{"state":"gone"}"#, "It is not there."),
        (r#"{"state":"paper_out","after_bytes":1300}"#, "unknown: "),
        (r#"{"state":"gone","after_bytes":1300}"#, "unknown: "),
    ] {
        shop.strike(how);
        let (well, said) = test();
        let nothing = said.starts_with("nothing printed") != how.contains("after_bytes");
        assert!(!well && nothing && said.contains(says), "{how}: {said}");
        shop.strike(r#"{"state":"well"}"#);
        let (well, said) = test();
        assert!(well, "after {how}: {said}");
    }
}

#[test]
fn a_printer_that_is_not_configured_says_what_it_can_answer() {
    let shop = Shop::new("");
    let config = std::fs::read_to_string(&shop.config).unwrap();
    let address = config.split("network = \"").nth(1).unwrap().split('"').next().unwrap();
    let output = shop.command(&["devices", "probe", address]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    for wanted in ["real-time status (DLE EOT)  answers", "now", "nothing hinders it"] {
        assert!(out(&output).contains(wanted), "{wanted:?} is missing in:\n{}", out(&output));
    }
    let nothing = shop.command(&["devices", "probe", "printer"]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(2), "{}", err(&nothing));
}

#[test]
fn a_scanner_is_tried_and_its_code_stays_hidden() {
    let (cable, port) = cable();
    let shop = Shop::new(&format!("scanners = {{ counter = {{ serial = \"{port}\" }} }}"));
    for (arguments, shown) in [
        (vec!["devices", "test", "counter"], "read: ••••0011, 12 characters"),
        (vec!["devices", "probe", &port, "--scanner", "--show"], "read: \"401200000011\", 12 characters"),
    ] {
        let mut command = shop.command(&arguments);
        command.args(["--seconds", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("scan something now"));
        // What is scanned before the port is open waits in the terminal.
        rustix::io::write(&cable, b"401200000011\r\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), shown);
    }
    for (arguments, said) in [
        (["devices", "test", "counter"].as_slice(), "nothing came"),
        (&["devices", "probe", "usb:ffff:fffe"], "it is not plugged in"),
    ] {
        let output = shop.command(arguments).args(["--seconds", "2"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}

/// The blocks of the README that stand behind a line which begins so, up to the next heading.
fn readme_blocks(begins: &str) -> Vec<&'static str> {
    let rest = include_str!("../README.md").split(&format!("\n{begins}")).nth(1).expect(begins);
    let part = rest
        .split("\n## ")
        .next()
        .unwrap_or(rest)
        .split("The configuration is one TOML file")
        .next()
        .unwrap();
    part.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

#[test]
fn every_way_in_which_the_readme_configures_a_device_is_taken() {
    let shop = Shop::new("");
    let text = std::fs::read_to_string(&shop.config).unwrap();
    let (own, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("printer "));
    let blocks = readme_blocks("**Devices**");
    let [devices, profile] = blocks[..] else { panic!("{} blocks", blocks.len()) };
    let profile_file = shop.folder.path().join("printer.toml");
    std::fs::write(&profile_file, profile).unwrap();
    let drawer =
        format!("{}, profile_file = \"{}\" }}", own[0].trim_end_matches(" }"), profile_file.display());
    let configured = |printer: &str, more: &[&str]| {
        std::fs::write(&shop.config, [&[printer], more, rest.as_slice()].concat().join("\n")).unwrap();
        let output = shop.command(&["devices", "list", "--json"]).output().unwrap();
        let list: Value = serde_json::from_str(&out(&output)).unwrap();
        list["configured"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let lines = devices.lines().map(|line| line.trim_start_matches("# "));
    let (printers, more): (Vec<&str>, Vec<&str>) =
        lines.filter(|line| !line.is_empty()).partition(|line| line.starts_with("printer "));
    assert_eq!(printers.len(), 4, "{printers:?}");
    for port in ["network =", "serial =", "usb =", "file ="] {
        let line = printers.iter().find(|line| line.contains(port)).expect(port);
        assert_eq!(configured(line, &more), ["slip", "spare", "counter", "hand", "old"], "{line}");
    }
    // Nothing at all is configured by a line that is wrong.
    assert!(configured("printer = { network = 5 }", &more).is_empty());

    // And the drawer's profile drives it.
    assert_eq!(configured(&drawer, &[]), ["slip"]);
    let output = shop.command(&["devices", "test", "slip", "--drawer"]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
}

#[test]
fn the_list_says_of_what_is_configured_whether_it_is_there() {
    let (_cable, port) = cable();
    let more = format!(
        "scanners = {{ counter = {{ serial = \"{port}\" }}, hand = {{ input = \"name:nobody's\", layout = \"de\" }} }}"
    );
    let shop = Shop::new(&more);
    let output = shop.command(&["devices", "list", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let list: Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(list["plugged_in"].is_array());
    let now: Vec<(&str, &str)> = list["configured"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["now"].as_str().unwrap()))
        .collect();
    assert_eq!(now[1..], [("counter", format!("there: {port}").as_str()), ("hand", "not there")]);
    let output = tilld(&["devices", "list", "--config", "/nowhere/tilld.toml"]).output().unwrap();
    assert!(output.status.success() && out(&output).contains("nothing is configured"), "{}", out(&output));
}
