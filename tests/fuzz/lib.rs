//! Random inputs: what comes from outside, byte by byte, against what must hold of it.
//!
//! | target | is given to | must hold |
//! |---|---|---|
//! | `order` | the decoders of finperks' orders and refusals | nothing is done, undone or gone unless it was said so; no line is shown |
//! | `lists` | those of products, balances, stores | what is read can be sold and printed |
//! | `body` | the API's acting doors | read or refused; no value comes back; no code is shown |
//! | `config` | the configuration | taken within its bounds, or every wrong field is named, harmlessly for a terminal |
//! | `printer` | the decoder of a printer's answers | no more answers than bytes; no proof that was not said |
//! | `scan` | the reader of what a voucher's scanner sends | a code that stood in it and is no card's number, or a refusal |
//! | `voucher` | the decoders of Gift Local's answers and refusals | nothing is taken, given back or redeemable unless it was said so |
//! | `paper` | the reader of what a printer is sent, for every family, cut anywhere | no more paper than bytes; it can be printed again, and then obeys nothing |
//! | `slip` | an answer's lines, laid out and encoded for every family of printers | text stays text: one cut, no drawer, nothing wider than the paper |
//!
//! A target is a function over bytes that panics if something does not hold. `replay.rs` gives every target its corpus and some
//! thousand inputs made from it by chance, in every test run. Under an engine that follows the code's own branches:
//!
//! ```text
//! cargo install cargo-fuzz --version 0.13.2 --locked      # stable toolchain and a C++ compiler
//! cargo fuzz run --fuzz-dir tests/fuzz -s none --features engine order -- -max_total_time=600
//! ```
//!
//! The corpus was made from what the sandbox answers and the vendors' examples, and minimised; all codes in it are invented.
//! Absent: fuzzing over sockets (`tests/finperks_line.rs` of the providers breaks the line itself), and journal entries, which
//! are chained and sealed and have their own proofs.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a law that does not hold must stop whoever runs it"
)]

use std::collections::HashMap;

use tilld::config::Config;
use tilld_api::hostile::bodies;
use tilld_devices::decode::{Decoder, Event as Printed, LONGEST, decode};
use tilld_devices::encode::encode;
use tilld_devices::profile::Profile;
use tilld_devices::scanner::framing::{End, Framer, Framing};
use tilld_devices::scanner::keys::{Event, Keys, Typed};
use tilld_devices::scanner::layout::Layout;
use tilld_devices::status::{Answer, AnswerParser, from_automatic, from_real_time};
use tilld_domain::money::{Currency, Money};
use tilld_domain::product::CardKind;
use tilld_domain::slip::{Part, Slip};
use tilld_domain::slip_number::SlipNumber;
use tilld_domain::voucher::VoucherCode;
use tilld_domain::voucher::scan::{LONGEST as LONGEST_SCAN, LinkRule, ScanRules};
use tilld_providers::finperks::hostile;
use tilld_providers::gift_local::ReverseCall;
use tilld_providers::gift_local::hostile as gift_local;
use tilld_receipts::slip::{CardFacts, ShopTexts, gift_card};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 10] = [
    ("order", order),
    ("lists", lists),
    ("body", body),
    ("config", config),
    ("printer", printer),
    ("scan", scan),
    ("scanner", scanner),
    ("voucher", voucher),
    ("paper", paper),
    ("slip", slip),
];

/// An answer about an order, or a refusal of one.
pub fn order(bytes: &[u8]) {
    hostile::order(bytes);
    for status in [400, 401, 403, 404, 409, 422] {
        hostile::refusal(status, bytes);
    }
}

/// A page of a list.
pub fn lists(bytes: &[u8]) {
    hostile::lists(bytes);
}

/// A body of the local API.
pub fn body(bytes: &[u8]) {
    bodies(bytes);
}

/// A configuration file. Text alone: a file of other bytes is refused by the standard library.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Config::parse(text, &HashMap::new()) {
        Ok(config) => {
            assert!(config.api.listen.ip().is_loopback());
            assert!((16..=96).contains(&config.printer.profile.columns));
            assert!(!config.printer.profile.pages.is_empty());
            assert!(config.printer.patience.proof <= config.printer.patience.job);
            assert!((1..=10).contains(&config.counter.rules.print_attempts));
            assert!((1..=1000).contains(&config.counter.most_at_once));
            assert!(!config.counter.rules.quiet.is_zero() && !config.journal.keep_codes.is_zero());
            if let Some(gift_local) = config.gift_local {
                let times = gift_local.deadlines;
                assert!(
                    (1..=55).contains(&times.redeem.as_secs())
                        && (1..=55).contains(&times.validate.as_secs())
                );
                assert!(gift_local.location.check().is_ok(), "a location that cannot be one");
                assert!(gift_local.reverse.as_ref().is_none_or(|call| ReverseCall::check(call).is_ok()));
            }
        }
        Err(wrong) => {
            assert!(!wrong.is_empty(), "refused, and nothing is wrong");
            for field in wrong {
                let shown = field.to_string();
                // A terminal must not be driven by a file.
                assert!(!shown.contains(|it: char| it.is_control() && it != '\n'), "{shown:?}");
            }
        }
    }
}

/// What a printer answers.
pub fn printer(bytes: &[u8]) {
    let mut parser = AnswerParser::default();
    let answers: Vec<Answer> = bytes.iter().filter_map(|byte| parser.push(*byte)).collect();
    assert!(answers.len() <= bytes.len());
    // Nothing proves a slip but the very bytes that do; only flow control may stand between them.
    let quiet: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, 0x11 | 0x13)).collect();
    for answer in answers {
        match answer {
            Answer::ProcessId([a, b, c, d]) => {
                let said = [0x37, 0x22, a, b, c, d, 0];
                assert!(quiet.windows(7).any(|seven| seven == said), "{answer:?} was never said");
            }
            Answer::Name(name) => assert!(name.len() < 100 && name.is_ascii()),
            _ => {}
        }
    }
    for four in bytes.as_chunks::<4>().0 {
        let _ = (from_real_time(*four), from_automatic(*four));
    }
}

/// Any bytes as what a printer is sent. The first chooses its family, the second where the line breaks off.
pub fn paper(bytes: &[u8]) {
    let [family, cut, sent @ ..] = bytes else { return };
    let families = Profile::all();
    let profile = families.get(usize::from(*family) % families.len()).unwrap();
    let at = usize::from(*cut).min(sent.len());
    let (before, after) = sent.split_at(at);
    let mut decoder = Decoder::new(profile);
    let mut events = Vec::new();
    for (number, piece) in [before, after].into_iter().enumerate() {
        for byte in piece {
            let had = events.len();
            decoder.push(*byte, &mut events);
            assert!(events.len() <= had + LONGEST, "one byte became {} events", events.len() - had);
        }
        // As where the line breaks off and another job comes.
        if number == 0 {
            decoder.finish(&mut events);
        }
    }
    decoder.finish(&mut events);
    assert!(events.len() <= sent.len() * 3 + 4);
    let parts: Vec<Part> = events
        .into_iter()
        .filter_map(|event| match event {
            Printed::Part(part) => Some(part),
            _ => None,
        })
        .collect();
    let dots = |part: &Part| match part {
        Part::Picture(picture, _) => usize::from(picture.width()).div_ceil(8) * usize::from(picture.height()),
        _ => 0,
    };
    // A column of dots is a byte, and eight rows of at least one.
    let most = sent.len() * 8 + 2 * 24 * usize::from(profile.dots).div_ceil(8);
    assert!(parts.iter().map(dots).sum::<usize>() <= most, "more dots than were sent");
    let again = encode(profile, &Slip { columns: profile.columns, parts });
    assert!(
        !again.bytes.windows(2).any(|pair| matches!(pair, [0x10, 0x04 | 0x05 | 0x14])),
        "a command in paper"
    );
}

/// What a voucher's scanner sends. Text alone: the API takes no other bytes.
pub fn scan(bytes: &[u8]) {
    let Ok(raw) = std::str::from_utf8(bytes) else { return };
    let link = |host: &str, path: &str| LinkRule { host: host.to_owned(), path: path.to_owned() };
    let of_a_shop = ScanRules::new(
        vec!["V:".to_owned(), "~".to_owned()],
        vec!["#".to_owned()],
        vec![link("vouchers.example", "/"), link("gifts.example", "/v/")],
        vec!["R".to_owned(), "99".to_owned()],
    )
    .unwrap();
    for rules in [&of_a_shop, &ScanRules::plain()] {
        let read = rules.read(raw);
        match &read {
            Ok(code) => is_a_code(code, raw),
            Err(why) => assert!(why.code().starts_with("scan_"), "{why:?}"),
        }
        let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
        if raw.chars().all(|it| it.is_ascii_digit() || it == ' ') && is_card_number(&digits) {
            assert!(read.is_err(), "the number of a payment card is taken");
        }
        assert!(read.is_err() || raw.len() <= LONGEST_SCAN);
        assert!(read.is_err() || SlipNumber::read(raw).is_none(), "the number of a slip is a voucher");
    }
    // What every scanner may add at the ends changes nothing.
    let plain = ScanRules::plain();
    let adorned = format!("\u{2}{raw}\u{3}\r\n");
    if adorned.len() <= LONGEST_SCAN {
        assert_eq!(plain.read(&adorned), plain.read(raw), "a scanner's ends change what is read");
    }
}

/// What a scanner's line carries, framed in every way; and any bytes as the events of a scanner that types. The first byte says
/// where silence falls.
pub fn scanner(bytes: &[u8]) {
    let Some((every, bytes)) = bytes.split_first() else { return };
    let mark = |bytes: &[u8]| End::Mark(bytes.to_vec());
    for (prefix, end) in [
        (&b""[..], End::Enter),
        (b"\x02", mark(b"\x03")),
        (b"", mark(b"\r\n")),
        (b"]C1", End::Gap),
        (b"aa", mark(b"aab")),
    ] {
        let mut framer = Framer::new(Framing { prefix: prefix.to_vec(), end, ..Framing::default() });
        let mut taken = 0;
        for (place, byte) in bytes.iter().enumerate() {
            let pushed = framer.push(*byte);
            let silent = if *every > 0 && place % usize::from(*every) == 0 { framer.silence() } else { None };
            for text in [pushed, silent].into_iter().flatten().flatten() {
                let text = text.reveal();
                assert!(!text.is_empty() && text.len() <= LONGEST_SCAN);
                let belongs = |it: char| {
                    !it.is_control() || "\t\n\r\u{2}\u{3}\u{4}\u{1c}\u{1d}\u{1e}\u{1f}".contains(it)
                };
                assert!(text.chars().all(belongs), "a control character that no code carries");
                assert!(
                    bytes.windows(text.len()).any(|window| window == text.as_bytes()),
                    "a text that nobody sent"
                );
                taken += prefix.len() + text.len();
            }
        }
        assert!(taken <= bytes.len(), "bytes that were taken twice");
    }
    for layout in Layout::ALL {
        let mut keys = Keys::new(layout, bytes.len() % 2 == 1);
        for [kind, code, value] in bytes.as_chunks::<3>().0 {
            let event = Event { kind: u16::from(*kind), code: u16::from(*code), value: i32::from(*value) };
            let typed = keys.event(&event);
            let key_goes = event.kind == 1 && event.value <= 1;
            assert!(
                typed == Typed::Nothing || key_goes || (event.kind, event.code) == (0, 3),
                "typed out of nothing"
            );
        }
    }
}

fn is_a_code(code: &VoucherCode, raw: &str) {
    let text = code.secret().reveal();
    match code {
        VoucherCode::Number(_) => {
            assert!(text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()));
            let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
            assert!(digits.contains(text), "digits that nobody sent");
            assert_eq!(ScanRules::plain().read(text).as_ref(), Ok(code), "a code is not read as itself");
        }
        VoucherCode::Token(_) => {
            assert!(raw.contains(text), "a token that nobody sent");
            assert_eq!(VoucherCode::token(text).as_ref(), Some(code));
            let runs = text.split(|it: char| !it.is_ascii_digit());
            assert!(!runs.into_iter().any(is_card_number), "the number of a payment card in a token");
        }
    }
    // A tail is shown; all else is not.
    assert!(code.tail().as_str().len() == 4 && !format!("{code:?}").contains(text));
}

/// ISO/IEC 7812-1, written a second time: 13 to 19 digits with the check digit of Luhn.
fn is_card_number(digits: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digit = |(place, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0');
        if place % 2 == 1 { doubled(digit) } else { digit }
    };
    (13..=19).contains(&digits.len()) && digits.bytes().rev().enumerate().map(digit).sum::<u32>() % 10 == 0
}

/// An answer of Gift Local, or a refusal.
pub fn voucher(bytes: &[u8]) {
    gift_local::accepted(bytes);
    for status in [400, 401, 403, 404, 409, 422] {
        gift_local::refused(status, bytes);
    }
}

/// The lines of an answer on paper.
pub fn slip(bytes: &[u8]) {
    let Some(lines) = hostile::lines(bytes) else { return };
    let (store, terminal) = ("A1234".parse().unwrap(), "T01".parse().unwrap());
    let (receipt, locale) = ("R-1".parse().unwrap(), "de-DE".parse().unwrap());
    let facts = CardFacts {
        product_name: "Wunschgeschenk-Gutschein",
        kind: CardKind::Por,
        face_value: Money::new(5000, Currency::from_code("EUR").unwrap()),
        store: &store,
        terminal: &terminal,
        receipt: &receipt,
        card: (1, 1),
        at_ms: 1_795_266_300_000,
        zone: "Europe/Berlin",
        locale: &locale,
        lines: &lines,
        copy: None,
        attempt: 1,
        number: Some(SlipNumber::of("019bb0d5-6a3c-7c11-9f9e-0d6a5b1c2d3e".parse().unwrap(), 1)),
    };
    for profile in Profile::all() {
        let laid_out = gift_card(&facts, &ShopTexts::default(), profile.paper());
        let back = decode(profile, &encode(profile, &laid_out).bytes);
        on_paper(profile, &laid_out, &back);
    }
}

fn on_paper(profile: &Profile, laid_out: &Slip, back: &[Slip]) {
    let count = |slips: &[Slip], wanted: fn(&Part) -> bool| {
        slips.iter().flat_map(|slip| &slip.parts).filter(|part| wanted(part)).count()
    };
    let sent = std::slice::from_ref(laid_out);
    assert_eq!(count(back, |part| matches!(part, Part::Drawer(_))), 0, "{}: a drawer opens", profile.name);
    assert!(back.len() <= 1, "{}: {} papers", profile.name, back.len());
    assert!(count(back, |part| matches!(part, Part::Cut)) <= 1, "{}: cut twice", profile.name);
    let is_code = |part: &Part| matches!(part, Part::Qr(_) | Part::Barcode(..));
    assert!(count(back, is_code) <= count(sent, is_code), "{}: a code out of nothing", profile.name);
    for part in back.iter().flat_map(|slip| &slip.parts) {
        if let Part::Row(row) = part {
            let cells = row.text.reveal().chars().count() * usize::from(row.style.width.max(1));
            assert!(cells <= usize::from(profile.columns), "{}: {cells} cells", profile.name);
            assert!(!row.text.reveal().contains(char::is_control), "{}: a control character", profile.name);
        }
    }
}
