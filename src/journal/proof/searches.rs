//! What a manager finds through the index, and what becomes of the index.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tilld_domain::ids::OrderId;
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{Answer, OrderEvent};
use tilld_domain::outcome::Outcome;
use tilld_domain::printing::{Fault, PrintEnd};
use tilld_domain::refusal::Refusal;
use tilld_domain::slip_number::SlipNumber;

use super::redemptions::{Way, whole_redemption};
use super::samples::{SECRETS, eur};
use super::{Desk, Walk, samples, whole_sale};
use crate::entry::{Draft, Seq};
use crate::index::{self, follow};
use crate::reader::{Line, Listed, Page, Place, Reader, Search, What};

/// Follows to the end.
fn followed(path: &Path) {
    while !follow(path).unwrap().is_whole() {}
}

fn page(path: &Path, search: &Search, before: Option<Place>, most: usize) -> Page {
    Reader::open(path).unwrap().search(search, before, most).unwrap()
}

/// Receipts with the numbers of cards, or baskets, newest first.
fn short(page: &Page) -> Vec<String> {
    let line = |line: &Line| match &line.listed {
        Listed::Card(sale, card) => format!("{}/{}", sale.receipt, card.card),
        Listed::Redemption(row) => row.basket.to_string(),
    };
    page.lines.iter().map(line).collect()
}

fn found(path: &Path, search: &Search) -> Vec<String> {
    short(&page(path, search, None, 100))
}

fn text(text: &str) -> Search {
    Search { text: Some(text.to_owned()), ..Search::default() }
}

/// A sale of two sold cards, one that waits for its payment, one that was refused, and a redemption that was given back.
fn mixed() -> Desk {
    let desk = Desk::new();
    desk.journal.append(&whole_sale(1, 1_000).1).unwrap();
    let mut opening = samples::opening(2, 1);
    opening.receipt = "HH-07 000042".parse().unwrap();
    opening.cashier = Some("Zoë Weber".parse().unwrap());
    opening.cards[0].product = "777".parse().unwrap();
    opening.cards[0].product_name = "Wunsch-Gutschein Größe 2".to_owned();
    opening.cards[0].face_value = eur(1250);
    let (mut second, opened) = Walk::open(opening, Moment::from_ms(2_000));
    desk.journal.append(&[opened, second.create(1)]).unwrap();
    let (mut third, opened) = Walk::open(samples::opening(3, 1), Moment::from_ms(1_500));
    let refused = third.card(1, OrderEvent::CreateEnded(Outcome::Refused(Refusal::Declined)));
    desk.journal.append(&[opened, refused]).unwrap();
    desk.journal.append(&whole_redemption(4, 4_000).1).unwrap();
    followed(desk.path());
    desk
}

#[test]
fn a_line_is_found_by_anything_that_people_know_of_it() {
    let desk = mixed();
    let basket = found(desk.path(), &Search { what: Some(What::Redemption), ..Search::default() }).remove(0);
    let first = Reader::open(desk.path()).unwrap().named("R1").unwrap().remove(0);
    let redemption = samples::redemption(4);
    for (words, expected) in [
        ("", vec![basket.as_str(), "R3/1", "HH-07 000042/1", "R1/2", "R1/1"]),
        ("R1", vec!["R1/2", "R1/1"]),
        ("r1", vec!["R1/2", "R1/1"]),
        ("1", vec!["R1/2", "R1/1"]),
        ("HH-07 000042", vec!["HH-07 000042/1"]),
        ("hh-07 000042", vec!["HH-07 000042/1"]),
        ("42", vec!["HH-07 000042/1"]),
        ("R", vec![]),
        ("R12", vec![]),
        (&first.sale.to_string(), vec!["R1/2", "R1/1"]),
        (&first.cards[1].order.to_string(), vec!["R1/2"]),
        (first.cards[0].provider_order.as_deref().unwrap(), vec!["R1/1"]),
        (&redemption.redemption.to_string(), vec![&basket]),
        (&basket, vec![&basket]),
        (redemption.code_tail.as_str(), vec![&basket]),
        ("0123", vec!["R1/2"]),
        ("sold", vec!["R1/2", "R1/1"]),
        ("not_sold", vec!["R3/1"]),
        ("clea", vec![&basket]),
        ("50.00", vec!["R3/1", "R1/2", "R1/1"]),
        ("12,50", vec![&basket, "HH-07 000042/1"]),
        ("50", vec!["R3/1", "R1/2", "R1/1"]),
        ("777", vec!["HH-07 000042/1"]),
        ("Fuel", vec!["R3/1", "R1/2", "R1/1"]),
        ("GUT", vec!["HH-07 000042/1"]),
        ("wunsch-gut", vec!["HH-07 000042/1"]),
        ("GRÖSSE", vec![]),
        ("größe", vec!["HH-07 000042/1"]),
        ("zoë web", vec!["HH-07 000042/1"]),
        ("zoë sold", vec![]),
        ("neill sold", vec!["R1/2", "R1/1"]),
        ("flowers sold 50 r1", vec!["R1/2", "R1/1"]),
        ("nothing", vec![]),
        ("%", vec![]),
        ("'; DROP TABLE row; --", vec![]),
        ("\u{10ffff}", vec![]),
    ] {
        assert_eq!(found(desk.path(), &text(words)), expected, "{words}");
    }
}

/// A sale of one card that is paid and printed as often as `attempts` says; nobody can tell what is on the last paper.
fn printed(number: u128, receipt: &str, value: Money, attempts: usize) -> (OrderId, Vec<Draft>) {
    let mut opening = samples::opening(number, 1);
    opening.receipt = receipt.parse().unwrap();
    opening.currency = value.currency();
    opening.cards[0].face_value = value;
    let order = opening.cards[0].id;
    let (mut walk, opened) = Walk::open(opening, Moment::from_ms(1_000));
    let mut drafts = vec![opened, walk.create(1), walk.pay(), walk.confirm(1, &["YOUR CARD"])];
    for attempt in 1..=attempts {
        drafts.push(walk.card(1, OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent))));
        if attempt < attempts {
            drafts.push(walk.card(1, OrderEvent::Answered { answer: Answer::Nothing, by: None }));
        }
    }
    (order, drafts)
}

#[test]
fn an_amount_is_found_as_it_is_shown_a_receipt_by_its_end_and_a_slip_by_its_number() {
    let desk = Desk::new();
    let of = |minor, code| Money::new(minor, Currency::from_code(code).unwrap());
    let (order, drafts) = printed(1, "P261122-140512-K4XP", of(7_550, "EUR"), 2);
    // The first attempt is followed before the second is begun.
    desk.journal.append(&drafts[..5]).unwrap();
    followed(desk.path());
    desk.journal.append(&drafts[5..]).unwrap();
    desk.journal.append(&printed(2, "Z-1", of(7_550, "CHF"), 0).1).unwrap();
    desk.journal.append(&printed(3, "Z-2", of(123_450, "EUR"), 1).1).unwrap();
    desk.journal.append(&printed(4, "Z-3", of(5_000, "JPY"), 1).1).unwrap();
    let mut opening = samples::redemption(5);
    opening.basket = "BMB3K2-QX7B9A".parse().unwrap();
    desk.journal.append(&[Way::open(opening, 2_000).1]).unwrap();
    followed(desk.path());
    let number = |attempt| SlipNumber::of(order, attempt).to_string();
    let (first, second, third) = (number(1), number(2), number(3));
    let (head, tail) = second.split_at(5);
    let (euros, francs, large, yen) =
        (vec!["P261122-140512-K4XP/1"], vec!["Z-1/1"], vec!["Z-2/1"], vec!["Z-3/1"]);
    let both = vec!["Z-1/1", "P261122-140512-K4XP/1"];
    for (words, expected) in [
        ("75,50", both.clone()),
        ("75.50", both),
        ("75,50 €", euros.clone()),
        ("75,50\u{a0}€", euros.clone()),
        ("75,50€", euros.clone()),
        ("€75.50", euros.clone()),
        ("€ 75.50", euros.clone()),
        ("75.50 eur", euros.clone()),
        ("CHF 75.50", francs.clone()),
        ("CHF\u{a0}75.50", francs.clone()),
        ("chf75.50", francs),
        ("75,50 £", vec![]),
        ("1.234,50", large.clone()),
        ("1.234,50 €", large.clone()),
        ("1,234.50", large.clone()),
        ("1'234.50", large.clone()),
        ("1’234.50", large.clone()),
        ("1 234,50 €", large.clone()),
        ("1\u{202f}234,50\u{a0}€", large.clone()),
        ("neill 1.234,50 € z-2", large.clone()),
        ("1.234,50 CHF", vec![]),
        ("234,50", vec![]),
        ("¥5,000", yen.clone()),
        ("5.000 JPY", yen),
        ("K4XP", euros.clone()),
        ("k4xp", euros.clone()),
        ("k4xp 75,50 €", euros.clone()),
        ("K4X", vec![]),
        ("QX7B9A", vec!["BMB3K2-QX7B9A"]),
        (&first, euros.clone()),
        (&second, euros.clone()),
        (&format!("{head} {tail}"), euros.clone()),
        (&format!("{head}-{tail}"), euros.clone()),
        (&format!("{second} k4xp"), euros),
        (&format!("{second} z-2"), vec![]),
        (&third, vec![]),
        (head, vec![]),
    ] {
        assert_eq!(found(desk.path(), &text(words)), expected, "{words}");
    }
    for (amount, expected) in [("1.234,50 €", large), ("€1.00", vec![]), ("k4xp", vec![])] {
        let search = Search { amount: Some(amount.to_owned()), ..Search::default() };
        assert_eq!(found(desk.path(), &search), expected, "{amount}");
    }
}

#[test]
fn every_filter_that_is_given_must_fit() {
    let desk = mixed();
    let basket = found(desk.path(), &Search { what: Some(What::Redemption), ..Search::default() }).remove(0);
    let none = Search::default;
    let some = |text: &str| Some(text.to_owned());
    let ms = |ms| Some(Moment::from_ms(ms));
    for (search, expected) in [
        (Search { what: Some(What::Sale), ..none() }, vec!["R3/1", "HH-07 000042/1", "R1/2", "R1/1"]),
        (Search { state: some("sold"), ..none() }, vec!["R1/2", "R1/1"]),
        (Search { state: some("sol"), ..none() }, vec![]),
        (Search { open_only: true, ..none() }, vec!["HH-07 000042/1"]),
        (Search { cashier: some("zoë weber"), ..none() }, vec!["HH-07 000042/1"]),
        (Search { cashier: some("zoë"), ..none() }, vec![]),
        (Search { product: some("4001232232332"), ..none() }, vec!["R3/1", "R1/2", "R1/1"]),
        (Search { amount: some("12.5"), ..none() }, vec![&basket, "HH-07 000042/1"]),
        (Search { amount: some("12.505"), ..none() }, vec![]),
        (Search { from: ms(1_500), ..none() }, vec![&basket, "R3/1", "HH-07 000042/1"]),
        // The clock was set back between the second and the third.
        (Search { from: ms(1_500), until: ms(2_000), ..none() }, vec!["R3/1"]),
        (Search { until: ms(1_000), ..none() }, vec![]),
        (Search { state: some("sold"), text: some("fuel"), product: some("777"), ..none() }, vec![]),
        (Search { what: Some(What::Redemption), state: some("sold"), ..none() }, vec![]),
        (Search { state: some("not_sold"), amount: some("50"), from: ms(0), ..none() }, vec!["R3/1"]),
    ] {
        assert_eq!(found(desk.path(), &search), expected, "{search:?}");
    }
}

/// Many small sales, in two blocks and more, of attributes that recur.
fn many(count: u128) -> Desk {
    let desk = Desk::new();
    let mut drafts = Vec::new();
    for number in 1..=count {
        let mut opening = samples::opening(number, 1);
        opening.cashier = Some(format!("Cashier {}", number % 7).parse().unwrap());
        opening.cards[0].product = format!("40{}", number % 5).parse().unwrap();
        let currency = Currency::from_code(if number % 3 == 0 { "JPY" } else { "EUR" }).unwrap();
        opening.currency = currency;
        opening.cards[0].face_value = Money::new(i64::try_from(number % 4).unwrap() * 100 + 100, currency);
        let (mut walk, opened) = Walk::open(opening, Moment::from_ms(i64::try_from(number).unwrap() * 10));
        drafts.push(opened);
        if number % 11 == 0 {
            drafts.push(walk.create(1));
        }
        if drafts.len() > 500 {
            desk.journal.append(&std::mem::take(&mut drafts)).unwrap();
        }
    }
    desk.journal.append(&drafts).unwrap();
    followed(desk.path());
    desk
}

#[test]
fn pages_follow_each_other_without_a_gap_over_the_bounds_of_blocks() {
    const COUNT: u128 = 4_500;
    let desk = many(COUNT);
    let some = |text: String| Some(text);
    let is = |fits: &dyn Fn(u128) -> bool| {
        (1..=COUNT)
            .rev()
            .filter(|number| fits(*number))
            .map(|number| format!("R{number}/1"))
            .collect::<Vec<_>>()
    };
    for (search, most, expected) in [
        (Search::default(), 997, is(&|_| true)),
        (Search { cashier: some("Cashier 3".to_owned()), ..Search::default() }, 100, is(&|n| n % 7 == 3)),
        (
            Search {
                product: some("404".to_owned()),
                state: some("created".to_owned()),
                ..Search::default()
            },
            10,
            is(&|n| n % 5 == 4 && n % 11 == 0),
        ),
        (
            Search { amount: some("300".to_owned()), ..Search::default() },
            500,
            is(&|n| n % 3 == 0 && n % 4 == 2),
        ),
        (
            Search { text: some("cashier 6 created".to_owned()), ..Search::default() },
            7,
            is(&|n| n % 7 == 6 && n % 11 == 0),
        ),
        (
            Search {
                from: Some(Moment::from_ms(40_000)),
                until: Some(Moment::from_ms(42_000)),
                ..Search::default()
            },
            64,
            is(&|n| (4_000..4_200).contains(&n)),
        ),
    ] {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = page(desk.path(), &search, before, most);
            assert!(page.lines.len() == most || page.next.is_none(), "{search:?}");
            all.extend(short(&page));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(all, expected, "{search:?}");
    }
}

#[test]
fn what_happens_later_is_followed_and_a_place_stays_the_same() {
    let desk = Desk::new();
    let (walk, drafts) = whole_sale(1, 1_000);
    let sold = |path: &Path| found(path, &Search { state: Some("sold".to_owned()), ..Search::default() });
    let mut states = Vec::new();
    let mut places = Vec::new();
    for draft in drafts {
        desk.journal.append(&[draft]).unwrap();
        followed(desk.path());
        states.push(sold(desk.path()));
        places.push(page(desk.path(), &text("R1"), None, 1).lines[0].place);
        let order = walk.sale.orders[0].past.provider_order.as_ref().unwrap().as_str();
        let known = states.len() > 1;
        assert_eq!(!found(desk.path(), &text(order)).is_empty(), known, "{}", states.len());
    }
    assert_eq!(states[5], ["R1/1"]);
    assert_eq!(states[7], ["R1/2", "R1/1"]);
    assert_eq!(states.iter().filter(|sold| sold.is_empty()).count(), 5);
    // It is found by the state that it has, and by none that it had.
    for state in ["creating", "created", "confirming", "printing"] {
        let search = Search { state: Some(state.to_owned()), ..Search::default() };
        assert_eq!(found(desk.path(), &search), Vec::<String>::new(), "{state}");
    }
    places.dedup();
    assert_eq!(places.len(), 1);
    let open = Search { open_only: true, ..Search::default() };
    assert_eq!(found(desk.path(), &open), Vec::<String>::new());
    let page = page(desk.path(), &open, None, 1);
    assert_eq!((page.upto, page.last), (Some(Seq::new(8)), Seq::new(8)));
}

#[test]
fn an_index_that_is_lost_damaged_foreign_or_ahead_is_made_again() {
    let desk = mixed();
    let file = desk.path().join("journal.index.db");
    let all = found(desk.path(), &Search::default());
    let change = |sql: &str| Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let breaks: [(&str, &dyn Fn()); 7] = [
        ("lost", &|| index::discard(desk.path())),
        ("emptied", &|| fs::write(&file, b"").unwrap()),
        ("no database", &|| fs::write(&file, [7; 9_000]).unwrap()),
        ("another version", &|| change("PRAGMA user_version = 9")),
        ("another journal", &|| change("UPDATE about SET journal = zeroblob(16)")),
        ("another past", &|| change("UPDATE about SET hash = zeroblob(32)")),
        ("ahead", &|| change("UPDATE about SET seq = 1000")),
    ];
    for (name, damage) in breaks {
        damage();
        // It may take a second time: what cannot be used is removed first.
        for _ in 0..2 {
            while follow(desk.path()).is_ok_and(|followed| !followed.is_whole()) {}
        }
        assert_eq!(found(desk.path(), &Search::default()), all, "{name}");
        assert_eq!(found(desk.path(), &text("42")), ["HH-07 000042/1"], "{name}");
    }
    // A set of rows that is none is noticed when it is read, by either.
    change("UPDATE posting SET rows = x'ff'");
    assert!(Reader::open(desk.path()).unwrap().search(&text("sold"), None, 1).is_err());
}

#[test]
fn without_an_index_nothing_is_found_and_nothing_is_claimed() {
    let desk = Desk::new();
    desk.journal.append(&whole_sale(1, 1_000).1).unwrap();
    let page = page(desk.path(), &Search::default(), None, 10);
    assert_eq!((page.lines, page.next, page.upto, page.last), (Vec::new(), None, None, Seq::new(8)));
}

#[test]
fn a_long_journal_is_taken_in_bounded_batches() {
    let desk = many(2_100);
    index::discard(desk.path());
    let first = follow(desk.path()).unwrap();
    assert_eq!((first.upto.number(), first.is_whole()), (2_000, false));
    assert_eq!(found(desk.path(), &text("R1")), ["R1/1"]);
    assert_eq!(found(desk.path(), &text("R2100")), Vec::<String>::new());
    followed(desk.path());
    assert_eq!(found(desk.path(), &text("R2100")), ["R2100/1"]);
    assert_eq!(follow(desk.path()).unwrap().upto, desk.journal.last().unwrap());
}

#[test]
fn no_code_is_in_the_index_and_only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;

    let desk = mixed();
    for end in ["", "-wal"] {
        let path = desk.path().join(format!("journal.index.db{end}"));
        let Ok(bytes) = fs::read(&path) else { continue };
        for secret in SECRETS {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_commit_writes_no_page_more_because_of_the_index() {
    let log = |desk: &Desk| fs::metadata(desk.path().join("journal.db-wal")).unwrap().len();
    let [with, without] = [true, false].map(|with_index| {
        let desk = Desk::new();
        let drafts: Vec<Draft> = whole_sale(1, 1_000).1;
        for draft in drafts {
            desk.journal.append(&[draft]).unwrap();
            if with_index {
                followed(desk.path());
            }
        }
        log(&desk)
    });
    assert_eq!(with, without);
}

/// A till writes for years, and each batch is a connection of its own.
#[test]
fn the_log_of_the_index_is_emptied_whenever_it_is_long() {
    let desk = Desk::new();
    let log = desk.path().join("journal.index.db-wal");
    let mut lengths = Vec::new();
    for number in 1..=60 {
        let at = 1_000 * i64::try_from(number).unwrap();
        desk.journal.append(&whole_sale(number, at).1).unwrap();
        followed(desk.path());
        lengths.push(fs::metadata(&log).map_or(0, |log| log.len()));
    }
    assert!(lengths.iter().all(|length| *length <= index::LOG_LEFT), "{lengths:?}");
    assert!(lengths.windows(2).filter(|two| two[1] < two[0]).count() > 2, "{lengths:?}");
    assert_eq!(found(desk.path(), &text("R60")), ["R60/2", "R60/1"]);
}
