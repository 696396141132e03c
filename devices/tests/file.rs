//! The file printer: what it writes, and that a device that takes nothing ends the job in time.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tilld_devices::decode::decode;
use tilld_devices::printer::{Fault, JobOutcome, Printer, Proof, Reach};
use tilld_devices::profile::Profile;
use tilld_devices::{Patience, PrinterPort, PrinterSettings, attended};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, Part, Row, Slip, Style};

fn slip(rows: usize) -> Slip {
    let row =
        || Part::Row(Row { text: Secret::new("x".repeat(40)), style: Style::PLAIN, align: Align::Left });
    let mut parts: Vec<Part> = (0..rows).map(|_| row()).collect();
    parts.push(Part::Cut);
    Slip { columns: 48, parts }
}

fn printer(path: &std::path::Path, patience: Patience) -> std::sync::Arc<dyn Printer> {
    attended(PrinterSettings {
        name: "file".to_owned(),
        port: PrinterPort::File(path.to_owned()),
        profile: Profile::epson(),
        patience,
        memory: None,
    })
}

const NOT_VERIFIABLE: JobOutcome = JobOutcome::Printed { proof: Proof::NotVerifiable, replaced: 0 };

#[tokio::test]
async fn slips_are_appended_and_cannot_be_verified() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lp0");
    let printer = printer(&path, Patience::default());
    for _ in 0..2 {
        assert_eq!(printer.print(&slip(60)).await, NOT_VERIFIABLE);
    }
    assert_eq!(decode(&Profile::epson(), &std::fs::read(&path).unwrap()), [slip(60), slip(60)]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(printer.status().await, None);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_absent_printer() {
    let place = tempfile::tempdir().unwrap();
    let printer = printer(&place.path().join("none").join("lp0"), Patience::default());
    assert_eq!(printer.print(&slip(1)).await, JobOutcome::NothingPrinted(Fault::Absent));
}

#[tokio::test]
async fn a_file_printer_is_looked_at_also_after_a_slip() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let printer = printer(&folder.join("lp0"), Patience::default());
    assert_eq!(printer.print(&slip(1)).await, NOT_VERIFIABLE);
    let mut condition = printer.condition();
    for (there, fault) in [(false, Some(Fault::Absent)), (true, None), (false, Some(Fault::Absent))] {
        if there { std::fs::create_dir(&folder) } else { std::fs::remove_dir_all(&folder) }.unwrap();
        let told = condition.wait_for(|told| told.and_then(|told| told.fault) == fault);
        assert!(tokio::time::timeout(Duration::from_mins(1), told).await.is_ok(), "{there}");
    }
}

#[tokio::test]
async fn a_file_without_a_folder_is_one_of_the_daemons_own_folder() {
    let printer = printer(std::path::Path::new("tilld-no-such-file"), Patience::default());
    assert_eq!(printer.probe(false).await.reach, Reach::Open);
    assert!(!std::path::Path::new("tilld-no-such-file").exists());
}

#[tokio::test]
async fn an_unplugged_device_does_not_become_a_plain_file() {
    let path = std::path::Path::new("/dev/shm/tilld-no-such-printer");
    assert_eq!(
        printer(path, Patience::default()).print(&slip(1)).await,
        JobOutcome::NothingPrinted(Fault::Absent)
    );
    assert!(!path.exists());
}

#[tokio::test]
async fn a_device_that_fails_before_the_slip_has_printed_nothing() {
    let printer = printer(std::path::Path::new("/dev/full"), Patience::default());
    assert_eq!(printer.print(&slip(1)).await, JobOutcome::NothingPrinted(Fault::Error));
}

#[tokio::test]
async fn a_device_that_stops_taking_bytes_ends_the_job_as_unknown() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lp0");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    // Someone has it open and reads nothing, so its buffer fills.
    let reader = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    // For what never comes, and long enough for what does.
    let brief = Duration::from_secs(2);
    let printer = printer(&path, Patience { progress: brief, turn: brief, ..Patience::default() });
    let outcome = printer.print(&slip(4000)).await;
    assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::Silent, .. }), "{outcome:?}");
    // It is stuck: the next job does not even begin.
    assert_eq!(printer.print(&slip(1)).await, JobOutcome::NothingPrinted(Fault::Silent));
    drop(reader);
}
