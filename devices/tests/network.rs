//! The network printer against the simulated one, over real sockets: what is proven, what is not, and what must never
//! be said.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use tilld_devices::encode::encode;
use tilld_devices::printer::{Fault, JobOutcome, Printer, Proof};
use tilld_devices::profile::{Ability, Profile};
use tilld_devices::simulated::{
    Answers, Automatic, Controls, Drawing, Keep, SimulatedFault, SimulatedPrinter,
};
use tilld_devices::{Patience, PrinterPort, PrinterSettings, attended};
use tilld_domain::secret::Secret;
use tilld_domain::slip::{Align, DrawerPin, DrawerPulse, Part, Picture, Row, Slip, Style, Symbology};
use zeroize::Zeroizing;

/// For tests that wait for an answer that does not come. Never for one that must come: the machine may be busy.
const BRIEF: Duration = Duration::from_millis(120);

fn brief() -> Patience {
    Patience {
        status: BRIEF,
        proof: BRIEF,
        poll: BRIEF / 2,
        process_id_after: BRIEF,
        settle: BRIEF,
        owed: BRIEF,
        turn: BRIEF,
        ..Patience::default()
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn row(text: &str) -> Part {
    Part::Row(Row { text: secret(text), style: Style::PLAIN, align: Align::Left })
}

/// A short slip with one part of every kind.
fn slip(text: &str) -> Slip {
    let pulse = DrawerPulse { pin: DrawerPin::Two, on_ms: 50, off_ms: 500 };
    let head = Row { text: secret("Für Dich"), style: Style::LARGE, align: Align::Centre };
    let parts = vec![
        Part::Drawer(pulse),
        Part::Row(head),
        row(text),
        row("50,00 €"),
        Part::Qr(secret("6006491234567890")),
        Part::Barcode(Symbology::Code128, secret("4001232232332")),
        Part::Feed(2),
        Part::Cut,
    ];
    Slip { columns: 48, parts }
}

/// All is known to be there: silence is then a fault at once.
fn knowing() -> Profile {
    Profile { queued_status: Ability::Has, process_id: Ability::Lacks, ..Profile::epson() }
}

async fn simulated(answers: Answers) -> SimulatedPrinter {
    SimulatedPrinter::start(Profile::epson(), answers, None).await.unwrap()
}

fn printer(simulated: &SimulatedPrinter, profile: Profile, patience: Patience) -> Arc<dyn Printer> {
    at(simulated.address().to_string(), profile, patience)
}

fn at(address: String, profile: Profile, patience: Patience) -> Arc<dyn Printer> {
    let port = PrinterPort::Network(address);
    attended(PrinterSettings { name: "till".to_owned(), port, profile, patience, memory: None })
}

fn only(real_time: bool, queued: bool, process_id: bool) -> Answers {
    Answers { real_time, queued, process_id, automatic: Automatic::Never }
}

#[tokio::test]
async fn a_slip_is_printed_with_the_strongest_proof_that_the_printer_gives() {
    let ask = Profile { real_time_status: Ability::Ask, ..Profile::epson() };
    let mute = Profile {
        real_time_status: Ability::Lacks,
        queued_status: Ability::Lacks,
        process_id: Ability::Lacks,
        ..Profile::epson()
    };
    for (profile, answers, patience, proof) in [
        (Profile::epson(), Answers::ALL, Patience::default(), Proof::ProcessId),
        (Profile::epson(), only(true, false, true), Patience::default(), Proof::ProcessId),
        (
            ask.clone(),
            only(false, false, true),
            Patience { status: BRIEF, ..Patience::default() },
            Proof::ProcessId,
        ),
        (knowing(), only(true, true, false), Patience::default(), Proof::QueuedStatus),
        (
            Profile::epson(),
            only(true, true, false),
            Patience { process_id_after: BRIEF, ..Patience::default() },
            Proof::QueuedStatus,
        ),
        (
            Profile::epson(),
            only(true, false, false),
            Patience { proof: BRIEF, settle: BRIEF, ..Patience::default() },
            Proof::HealthyAfterwards,
        ),
        (ask.clone(), Answers::NONE, brief(), Proof::NotVerifiable),
        (mute.clone(), Answers::NONE, brief(), Proof::NotVerifiable),
    ] {
        let simulated = simulated(answers).await;
        let printer = printer(&simulated, profile, patience);
        // Twice: what the first job learnt, the second one uses.
        for count in 1..=2 {
            let slip = slip("one");
            let outcome = printer.print(&slip).await;
            assert_eq!(outcome, JobOutcome::Printed { proof, replaced: 0 }, "{answers:?}, job {count}");
            let papers = simulated.wait_for_papers(count).await;
            let paper = papers.last().unwrap();
            assert!(paper.complete && paper.slip == slip, "{answers:?}, job {count}");
        }
        assert_eq!(simulated.drawer_pulses(), 2);
    }
}

#[tokio::test]
async fn replaced_characters_are_told() {
    let simulated = simulated(Answers::ALL).await;
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    let outcome = printer.print(&slip("礼 ✓")).await;
    assert_eq!(outcome, JobOutcome::Printed { proof: Proof::ProcessId, replaced: 2 });
}

#[tokio::test]
async fn a_fault_that_is_there_before_keeps_every_byte_back() {
    for (fault, said) in [
        (SimulatedFault::PaperOut, Fault::PaperOut),
        (SimulatedFault::CoverOpen, Fault::CoverOpen),
        (SimulatedFault::Offline, Fault::Offline),
        (SimulatedFault::Cutter, Fault::Cutter),
        (SimulatedFault::Mute, Fault::Silent),
        (SimulatedFault::Deaf, Fault::Silent),
    ] {
        let simulated = simulated(Answers::ALL).await;
        simulated.fault(fault);
        let patience = if said == Fault::Silent { brief() } else { Patience::default() };
        let printer = printer(&simulated, Profile::epson(), patience);
        assert_eq!(printer.print(&slip("no")).await, JobOutcome::NothingPrinted(said), "{fault:?}");
        let status = printer.status().await;
        assert_eq!(status.and_then(|status| status.fault), Some(said).filter(|said| *said != Fault::Silent));

        // It serves one client at a time, as real ones do.
        drop(printer);
        simulated.clear();
        simulated.tear();
        assert!(
            simulated.papers().is_empty() && simulated.drawer_pulses() == 0,
            "{fault:?} printed something"
        );
        let printer = self::printer(&simulated, Profile::epson(), Patience::default());
        let outcome = printer.print(&slip("yes")).await;
        assert!(matches!(outcome, JobOutcome::Printed { .. }), "{fault:?} repaired: {outcome:?}");
    }
}

#[tokio::test]
async fn paper_that_ends_on_the_way_is_unknown_and_named() {
    let length = encode(&Profile::epson(), &slip("row")).bytes.len();
    for at in [1, 40, length / 2, length - 1] {
        let simulated = simulated(Answers::ALL).await;
        let printer = printer(&simulated, Profile::epson(), Patience::default());
        assert!(matches!(printer.print(&slip("first")).await, JobOutcome::Printed { .. }));
        simulated.fault(SimulatedFault::PaperOutAtByte(at));
        match printer.print(&slip("row")).await {
            JobOutcome::Unknown { fault: Fault::PaperOut, bytes_sent } => assert!(bytes_sent >= length),
            outcome => panic!("{at}: {outcome:?}"),
        }
        assert!(simulated.papers().iter().skip(1).all(|paper| !paper.complete));
    }
}

#[tokio::test]
async fn other_faults_on_the_way_are_unknown_too() {
    for (fault, said, patience) in [
        (SimulatedFault::CutterAtCut, Fault::Cutter, Patience::default()),
        (SimulatedFault::PaperOutAfterRows(2), Fault::PaperOut, Patience::default()),
        (SimulatedFault::MuteAtByte(1100), Fault::Silent, Patience { proof: BRIEF, ..Patience::default() }),
    ] {
        let simulated = simulated(Answers::ALL).await;
        let printer = printer(&simulated, Profile::epson(), patience);
        simulated.fault(fault);
        let outcome = printer.print(&slip("row")).await;
        assert!(
            matches!(outcome, JobOutcome::Unknown { fault, .. } if fault == said),
            "{fault:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_power_cut_at_any_byte_is_never_called_printed_nor_nothing() {
    let simulated = simulated(Answers::ALL).await;
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    // The first finds out that process ids are answered, the second who answers them.
    for text in ["first", "second"] {
        assert!(matches!(printer.print(&slip(text)).await, JobOutcome::Printed { .. }));
    }
    // Eleven bytes of request follow the slip.
    let slip = slip("row");
    let length = encode(&Profile::epson(), &slip).bytes.len() + 11;
    for at in 0..length {
        let before = simulated.papers().len();
        simulated.fault(SimulatedFault::VanishAtByte(at));
        let outcome = printer.print(&slip).await;
        assert!(
            matches!(outcome, JobOutcome::Unknown { fault: Fault::Absent, bytes_sent } if bytes_sent > 0),
            "{at}: {outcome:?}"
        );
        let absent = printer.print(&slip).await;
        assert_eq!(absent, JobOutcome::NothingPrinted(Fault::Absent), "without power, {at}");
        assert!(simulated.papers().len() <= before + 1);
        simulated.clear();
        assert!(matches!(printer.print(&slip).await, JobOutcome::Printed { .. }), "with power again, {at}");
    }
    simulated.fault(SimulatedFault::VanishAtByte(length));
    assert!(matches!(printer.print(&slip).await, JobOutcome::Printed { .. }));
    assert!(simulated.papers().last().unwrap().complete);
}

#[tokio::test]
async fn a_slip_is_whole_also_behind_one_that_broke_off_inside_a_command() {
    let simulated = simulated(Answers::ALL).await;
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    // The first finds out that process ids are answered, the second who answers them.
    for text in ["first", "second"] {
        assert!(matches!(printer.print(&slip(text)).await, JobOutcome::Printed { .. }));
    }
    let short = slip(&"x".repeat(40));
    let length = encode(&Profile::epson(), &short).bytes.len();
    let short = (0..length).map(|at| (&short, at));
    // Broken off at the start of the longest data that a slip has.
    let long = Slip { columns: 48, parts: vec![Part::Qr(secret(&"9".repeat(1000)))] };
    let bytes = encode(&Profile::epson(), &long).bytes;
    let data = bytes.windows(5).position(|window| window == b"1P099").unwrap();
    let long = (data - 6..data + 6).map(|at| (&long, at));
    // And in the head of a picture, whose data would swallow the next slip whole.
    let dots = Zeroizing::new(vec![0xaa; 48 * 30]);
    let drawn =
        Slip { columns: 48, parts: vec![Part::Picture(Picture::new(384, 30, dots).unwrap(), Align::Left)] };
    let bytes = encode(&Profile::epson(), &drawn).bytes;
    let heads: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"\x1dv0")).collect();
    assert!(heads.len() > 1 && bytes.len() < 4096);
    let drawn = heads.iter().flat_map(|head| *head..*head + 12).map(|at| (&drawn, at));
    for (broken, at) in short.chain(long).chain(drawn) {
        simulated.fault(SimulatedFault::CutOffAtByte(at));
        let outcome = printer.print(broken).await;
        assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::Absent, .. }), "{at}: {outcome:?}");
        let whole = slip("again");
        let outcome = printer.print(&whole).await;
        assert_eq!(outcome, JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 }, "{at}");
        let papers = simulated.papers();
        assert!(papers.last().unwrap().slip.parts.ends_with(&whole.parts), "{at}");
    }
}

#[tokio::test]
async fn a_printer_that_was_switched_off_or_hung_up_is_found_again() {
    let simulated = simulated(Answers::ALL).await;
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    for (count, between) in [Controls::power_cycle, Controls::hang_up].into_iter().enumerate() {
        assert!(matches!(printer.print(&slip("row")).await, JobOutcome::Printed { .. }));
        between(&simulated);
        assert!(matches!(printer.print(&slip("row")).await, JobOutcome::Printed { .. }));
        assert_eq!(simulated.papers().iter().filter(|paper| paper.complete).count(), 2 * (count + 1));
    }
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_absent() {
    // Nobody else is given the port as long as it is held.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let printer = at(held.local_addr().unwrap().to_string(), Profile::epson(), Patience::default());
    assert_eq!(printer.print(&slip("row")).await, JobOutcome::NothingPrinted(Fault::Absent));
    assert_eq!(printer.status().await, None);
    assert_eq!((printer.name(), printer.paper().columns), ("till", 48));
}

#[tokio::test]
async fn jobs_at_once_come_out_one_after_another() {
    let simulated = simulated(Answers::ALL).await;
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    let jobs: Vec<_> = (0..8)
        .map(|number| {
            let printer = Arc::clone(&printer);
            tokio::spawn(async move { printer.print(&slip(&format!("job {number}"))).await })
        })
        .collect();
    for job in jobs {
        assert!(matches!(job.await.unwrap(), JobOutcome::Printed { .. }));
    }
    let papers = simulated.papers();
    assert_eq!(papers.len(), 8);
    for number in 0..8 {
        let whole = slip(&format!("job {number}"));
        assert!(papers.iter().any(|paper| paper.complete && paper.slip == whole), "job {number}");
    }
}

#[tokio::test]
async fn a_late_answer_of_an_earlier_job_proves_nothing() {
    let with_ids = Profile { process_id: Ability::Has, ..Profile::epson() };
    for (profile, answers) in [(knowing(), only(true, true, false)), (with_ids, Answers::ALL)] {
        let simulated = simulated(answers).await;
        let printer = printer(&simulated, profile, Patience { proof: BRIEF, ..Patience::default() });
        simulated.fault(SimulatedFault::PaperOutAfterRows(2));
        let outcome = printer.print(&slip("first")).await;
        assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::PaperOut, .. }), "{outcome:?}");
        // New paper: the rest of the first job is printed and its request is answered, over the next connection.
        // Then the printer goes mute in the middle of the second job.
        simulated.clear();
        simulated.fault(SimulatedFault::MuteAtByte(1200));
        let outcome = printer.print(&slip("second")).await;
        assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::Silent, .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn something_that_never_stops_talking_is_no_printer() {
    use tokio::io::AsyncWriteExt;
    for byte in [0x00, 0x10, 0x12, 0x37, 0xff] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let flood = tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                while client.write_all(&[byte; 4096]).await.is_ok() {}
            }
        });
        let printer = at(address, Profile::epson(), brief());
        let outcome = printer.print(&slip("no")).await;
        assert!(matches!(outcome, JobOutcome::NothingPrinted(_)), "{byte:#x}: {outcome:?}");
        flood.abort();
    }
}

/// What a scripted printer is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    RealTime(u8),
    Queued,
    ProcessId([u8; 4]),
    Name(u8),
}

/// A printer that swallows every slip and answers by a script; the first argument counts its connections from 0. For
/// what no decent printer does, and the simulated one neither.
async fn scripted(
    mut answer: impl FnMut(usize, Request) -> Vec<u8> + Send + 'static,
) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        for connection in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut rest: Vec<u8> = Vec::new();
            while let Ok(byte) = client.read_u8().await {
                rest.push(byte);
                let request = match *rest.as_slice() {
                    [.., 0x10, 0x04, kind @ 1..=4] => Request::RealTime(kind),
                    [.., 0x1d, b'r', 1] => Request::Queued,
                    [.., 0x1d, b'(', b'H', 6, 0, 48, 48, a, b, c, d] => Request::ProcessId([a, b, c, d]),
                    [.., 0x1d, b'I', kind] => Request::Name(kind),
                    _ => continue,
                };
                rest.clear();
                if client.write_all(&answer(connection, request)).await.is_err() {
                    break;
                }
            }
        }
    });
    (address, server)
}

#[tokio::test]
async fn a_late_answer_that_comes_in_the_middle_of_the_next_job_proves_nothing() {
    // On each connection only the first request is answered: it is the one that asks whether any answer is owed. On the
    // second connection the answer that the first job is owed comes with it.
    let mut asked = [0, 0];
    let queued = move |connection: usize, request| match request {
        Request::RealTime(_) => vec![0x12],
        Request::Queued => {
            asked[connection] += 1;
            if asked[connection] == 1 { vec![0; connection + 1] } else { vec![] }
        }
        Request::ProcessId(_) | Request::Name(_) => vec![],
    };
    // Every process id is answered with the one before.
    let mut before = None;
    let ids = move |_, request| match request {
        Request::RealTime(_) => vec![0x12],
        Request::ProcessId(id) => {
            before.replace(id).map_or(vec![], |[a, b, c, d]| vec![0x37, 0x22, a, b, c, d, 0])
        }
        Request::Queued | Request::Name(_) => vec![],
    };
    let patience = Patience { proof: BRIEF, owed: BRIEF, ..Patience::default() };
    let with_ids = Profile { process_id: Ability::Has, ..Profile::epson() };
    for (profile, (address, server)) in [(knowing(), scripted(queued).await), (with_ids, scripted(ids).await)]
    {
        let address = address.to_string();
        let printer = at(address, profile, patience);
        for job in ["first", "second"] {
            let outcome = printer.print(&slip(job)).await;
            assert!(
                matches!(outcome, JobOutcome::Unknown { fault: Fault::Silent, .. }),
                "{job}: {outcome:?}"
            );
        }
        server.abort();
    }
}

#[tokio::test]
async fn a_late_answer_to_a_run_that_was_killed_proves_nothing() {
    let place = tempfile::tempdir().unwrap();
    // The first run is answered once, and dies before the second answer. It comes on the connection of the next run, as if to
    // the first request there; what is asked then is not answered any more.
    let mut asked = [0, 0];
    let answer = move |connection: usize, request| match request {
        Request::RealTime(_) => vec![0x12],
        Request::Queued => {
            asked[connection] += 1;
            if asked[connection] == 1 { vec![0] } else { vec![] }
        }
        Request::ProcessId(_) | Request::Name(_) => vec![],
    };
    let (address, server) = scripted(answer).await;
    let start = || {
        attended(PrinterSettings {
            name: "till".to_owned(),
            port: PrinterPort::Network(address.to_string()),
            profile: Profile { process_id: Ability::Lacks, ..Profile::epson() },
            patience: Patience { proof: BRIEF, owed: BRIEF, ..Patience::default() },
            memory: Some(place.path().join("printer-till")),
        })
    };
    let outcome = start().print(&slip("learns")).await;
    assert_eq!(outcome, JobOutcome::Printed { proof: Proof::QueuedStatus, replaced: 0 });
    let outcome = start().print(&slip("second")).await;
    assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::Silent, .. }), "{outcome:?}");
    server.abort();
}

/// What proves its slips by process ids, and says nothing when it is asked who it is.
fn nameless(
    mut is_asked: impl FnMut() + Send + 'static,
) -> impl FnMut(usize, Request) -> Vec<u8> + Send + 'static {
    move |_, request| match request {
        Request::RealTime(_) => vec![0x12],
        Request::ProcessId([a, b, c, d]) => vec![0x37, 0x22, a, b, c, d, 0],
        Request::Queued => vec![],
        Request::Name(_) => {
            is_asked();
            vec![]
        }
    }
}

#[tokio::test]
async fn no_slip_waits_for_a_printer_to_say_who_it_is() {
    let (address, server) = scripted(nameless(|| {})).await;
    // Who would wait for the name would wait for ever.
    let for_ever = Duration::from_hours(1);
    let patience = Patience { status: for_ever, job: for_ever, beat: for_ever, ..Patience::default() };
    let printer = at(address.to_string(), Profile::epson(), patience);
    for job in ["first", "second", "third"] {
        let slip = slip(job);
        let outcome = tokio::time::timeout(Duration::from_mins(1), printer.print(&slip)).await;
        let proven = JobOutcome::Printed { proof: Proof::ProcessId, replaced: 0 };
        assert_eq!(outcome, Ok(proven), "{job}");
    }
    server.abort();
}

#[tokio::test]
async fn an_idle_printer_that_understands_it_is_asked_who_it_is_once() {
    let (tell, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let (address, server) = scripted(nameless(move || tell.send(()).unwrap())).await;
    let patience = Patience { beat: Duration::from_millis(20), status: BRIEF, ..Patience::default() };
    let printer = at(address.to_string(), Profile::epson(), patience);
    assert!(matches!(printer.print(&slip("first")).await, JobOutcome::Printed { .. }));
    let was_asked = tokio::time::timeout(Duration::from_secs(20), asked.recv()).await;
    assert_eq!(was_asked, Ok(Some(())), "it was not asked");
    assert!(matches!(printer.print(&slip("second")).await, JobOutcome::Printed { .. }));
    // Beats go on behind it.
    for _ in 0..3 {
        assert!(printer.status().await.is_some());
    }
    assert!(asked.try_recv().is_err(), "it was asked again");
    server.abort();
}

#[tokio::test]
async fn what_is_left_of_a_status_group_whose_head_was_lost_proves_nothing() {
    // A group begins with 0x10; what is behind it looks like answers to `GS r`. Only those who cannot be asked again live by
    // that answer alone.
    let blind = Profile { real_time_status: Ability::Lacks, ..knowing() };
    for (said, proof) in [
        (&[0x00][..], Some(Proof::QueuedStatus)),
        (&[0x03], Some(Proof::QueuedStatus)),
        (&[0x10, 0, 0, 0x0f, 0x00], Some(Proof::QueuedStatus)),
        (&[0x00, 0x00, 0x0f], None),
        (&[0x00, 0x0c, 0x00], None),
        (&[0x00, 0x0f], None),
        (&[0x10, 0, 0x0c, 0], None),
    ] {
        let answer = move |_, request| match request {
            Request::Queued => said.to_vec(),
            _ => vec![],
        };
        let (address, server) = scripted(answer).await;
        let patience = Patience { owed: BRIEF, ..Patience::default() };
        let printer =
            at(address.to_string(), Profile { queued_status: Ability::Ask, ..blind.clone() }, patience);
        let outcome = printer.print(&slip("row")).await;
        let found = match outcome {
            JobOutcome::Printed { proof, .. } => Some(proof),
            JobOutcome::Unknown { .. } => None,
            JobOutcome::NothingPrinted(_) => panic!("{said:02x?}: {outcome:?}"),
        };
        assert_eq!(found, proof, "{said:02x?}: {outcome:?}");
        server.abort();
    }
}

#[tokio::test]
async fn a_printer_that_lost_an_answer_with_its_power_is_believed_again() {
    let simulated = simulated(only(true, true, false)).await;
    let patience = Patience { owed: BRIEF, ..Patience::default() };
    let printer = printer(&simulated, knowing(), patience);
    simulated.fault(SimulatedFault::PaperOutAfterRows(2));
    assert!(matches!(printer.print(&slip("first")).await, JobOutcome::Unknown { .. }));
    simulated.power_cycle();
    simulated.clear();
    let outcome = printer.print(&slip("second")).await;
    assert_eq!(outcome, JobOutcome::Printed { proof: Proof::QueuedStatus, replaced: 0 });
}

#[tokio::test]
async fn status_that_comes_unasked_is_no_answer_but_its_faults_count() {
    let always = |queued| Answers { automatic: Automatic::Always, ..only(true, queued, false) };
    let simulated = simulated(always(true)).await;
    simulated.paper_low(true);
    let printer = printer(&simulated, knowing(), Patience::default());
    let outcome = printer.print(&slip("row")).await;
    assert_eq!(outcome, JobOutcome::Printed { proof: Proof::QueuedStatus, replaced: 0 });
    assert!(printer.status().await.unwrap().paper_low);

    simulated.answers(Answers { real_time: false, ..always(false) });
    let blind = Profile { real_time_status: Ability::Lacks, queued_status: Ability::Ask, ..knowing() };
    simulated.hang_up();
    let printer = self::printer(&simulated, blind, Patience::default());
    simulated.fault(SimulatedFault::PaperOutAfterRows(1));
    let outcome = printer.print(&slip("row")).await;
    assert!(matches!(outcome, JobOutcome::Unknown { fault: Fault::PaperOut, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_job_that_is_given_up_leaves_no_half_used_line() {
    let simulated = simulated(Answers::ALL).await;
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    assert!(matches!(printer.print(&slip("first")).await, JobOutcome::Printed { .. }));
    simulated.fault(SimulatedFault::Mute);
    let given_up = tokio::time::timeout(BRIEF, printer.print(&slip("second"))).await;
    assert!(given_up.is_err());
    simulated.clear();
    assert!(matches!(printer.print(&slip("third")).await, JobOutcome::Printed { .. }));
    assert!(simulated.papers().last().is_some_and(|paper| paper.slip == slip("third")));

    // In its middle: a piece of it is on paper and the printer has stopped taking bytes.
    let head = Slip { columns: 48, parts: vec![row("head"), Part::Cut] };
    let size = encode(&Profile::epson(), &head).bytes.len();
    let half_way = Slip { parts: [head.parts, long().parts].concat(), ..head };
    simulated.fault(SimulatedFault::StallAtByte(size));
    tokio::select! {
        outcome = printer.print(&half_way) => panic!("it ended: {outcome:?}"),
        _ = simulated.wait_for_papers(3) => {}
    }
    simulated.clear();
    let outcome = printer.print(&slip("fourth")).await;
    assert!(matches!(outcome, JobOutcome::Printed { .. }), "{outcome:?}");
    assert!(simulated.papers().last().is_some_and(|paper| paper.slip.parts.ends_with(&slip("fourth").parts)));
    assert!(rows(&simulated) < ROWS / 2, "{} rows came out later", rows(&simulated));
}

/// A slip that is longer than what printer, network and kernel hold together.
const ROWS: usize = 20_000;

fn long() -> Slip {
    let mut parts: Vec<Part> = (0..ROWS).map(|number| row(&format!("{number:040}"))).collect();
    parts.push(Part::Cut);
    Slip { columns: 48, parts }
}

/// How many rows of [`long`] are on paper.
fn rows(simulated: &SimulatedPrinter) -> usize {
    let papers = simulated.papers();
    let parts = papers.iter().flat_map(|paper| &paper.slip.parts);
    parts.filter(|part| matches!(part, Part::Row(row) if row.text.reveal().len() == 40)).count()
}

#[tokio::test]
async fn what_the_kernel_still_held_for_a_lost_slip_does_not_come_out_later() {
    let simulated = simulated(Answers::ALL).await;
    let patience = Patience { progress: Duration::from_secs(3), ..Patience::default() };
    let printer = printer(&simulated, Profile::epson(), patience);
    assert!(matches!(printer.print(&slip("first")).await, JobOutcome::Printed { .. }));
    simulated.fault(SimulatedFault::StallAtByte(200));
    let outcome = printer.print(&long()).await;
    let JobOutcome::Unknown { fault: Fault::Silent, bytes_sent } = outcome else { panic!("{outcome:?}") };
    // It reads on.
    simulated.clear();
    let outcome = printer.print(&slip("next")).await;
    assert!(matches!(outcome, JobOutcome::Printed { .. }), "{outcome:?}");
    let papers = simulated.papers();
    assert!(papers.last().is_some_and(|paper| paper.slip.parts.ends_with(&slip("next").parts)));
    let came = rows(&simulated) * 41;
    assert!(came + 8 * 1024 < bytes_sent, "{came} of {bytes_sent} bytes came out all the same");
}

/// A device that swallows everything, answers nothing and never hangs up.
#[tokio::test]
async fn an_outcome_is_told_before_its_line_is_closed() {
    use tokio::io::AsyncReadExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let device = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1024];
        while client.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        std::future::pending::<()>().await;
    });
    let lacks = Ability::Lacks;
    let mute =
        Profile { real_time_status: lacks, queued_status: lacks, process_id: lacks, ..Profile::epson() };
    let patience = Patience { settle: Duration::from_hours(1), ..Patience::default() };
    let printer = at(address, mute, patience);
    let row = slip("row");
    let outcome = tokio::time::timeout(Duration::from_mins(1), printer.print(&row)).await;
    assert_eq!(outcome, Ok(JobOutcome::Printed { proof: Proof::NotVerifiable, replaced: 0 }));
    device.abort();
}

#[tokio::test]
async fn a_printer_that_hangs_up_on_an_idle_client_is_called_again_before_it_is_said_to_be_gone() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let printer = at(listener.local_addr().unwrap().to_string(), Profile::epson(), Patience::default());
    let mut condition = printer.condition();
    let hearing = {
        let mut condition = condition.clone();
        tokio::spawn(async move {
            let mut heard = Vec::new();
            while condition.changed().await.is_ok() {
                let fault = condition.borrow_and_update().and_then(|status| status.fault);
                heard.push(fault);
                if fault.is_some() {
                    break;
                }
            }
            heard
        })
    };
    for _ in 0..4 {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut question = [0; 3];
        for _ in 1..=4 {
            client.read_exact(&mut question).await.unwrap();
            client.write_all(&[0x12]).await.unwrap();
        }
    }
    condition.wait_for(Option::is_some).await.unwrap();
    assert!(!hearing.is_finished(), "{:?}", hearing.await);
    // Then it does not take the next call.
    drop(listener);
    assert_eq!(hearing.await.unwrap(), [None, Some(Fault::Absent)]);
}

#[tokio::test]
async fn papers_are_kept_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("papers");
    let drawing =
        Drawing { text: |slip| format!("{} parts", slip.parts.len()), picture: |_| "<svg/>".to_owned() };
    let keep = Keep { folder: folder.clone(), drawing };
    let simulated = SimulatedPrinter::start(Profile::epson(), Answers::ALL, Some(keep)).await.unwrap();
    let printer = printer(&simulated, Profile::epson(), Patience::default());
    assert!(matches!(printer.print(&slip("row")).await, JobOutcome::Printed { .. }));

    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for (name, content) in [("paper-0001.txt", "8 parts"), ("paper-0001.svg", "<svg/>")] {
        let path = folder.join(name);
        assert_eq!((mode(&path), std::fs::read_to_string(&path).unwrap().as_str()), (0o600, content));
    }
}

#[tokio::test]
async fn a_simulated_printer_listens_on_loopback_only() {
    let anywhere = "0.0.0.0:0".parse().unwrap();
    let refused = SimulatedPrinter::start_at(anywhere, Profile::epson(), Answers::ALL, None).await;
    assert!(refused.is_err());
}
