//! What a till may ask, refusals first: every rule of the desk on both sides of its line.

use std::cell::Cell;
use std::time::Duration;

use tilld_domain::money::Currency;
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines, Trouble, UndoAnswer};
use tilld_domain::printing::{Fault, PrintEnd, Proof};
use tilld_domain::product::FaceValues;
use tilld_domain::secret::Secret;
use tilld_providers::finperks::{Finperks, PosaRule, PosaRules, Settings};
use tilld_receipts::slip::ShopTexts;

use super::*;

const POR: &str = "4001232232332";
const POSA: &str = "4001232100022";
const SWISS: &str = "4001232300019";
const YEN: &str = "4001232400016";
const START: Moment = Moment::from_ms(1_795_266_300_000);

fn money(text: &str) -> Money {
    let (amount, code) = text.split_once(' ').unwrap();
    Money::from_decimal_text(amount, Currency::from_code(code).unwrap()).unwrap()
}

fn product(code: &str, kind: CardKind, country: &str, most: &str) -> Product {
    let most = money(most);
    Product {
        code: code.parse().unwrap(),
        name: format!("Card {code}"),
        brand: String::new(),
        kind,
        currency: most.currency(),
        face_values: FaceValues::Open { least: Money::new(1, most.currency()), most },
        country: country.parse().unwrap(),
        sellable: true,
    }
}

fn shelf() -> Vec<Product> {
    vec![
        product(POR, CardKind::Por, "DE", "150.00 EUR"),
        product(POSA, CardKind::Posa, "DE", "150.00 EUR"),
        product(SWISS, CardKind::Por, "CH", "150.00 CHF"),
        product(YEN, CardKind::Por, "DE", "15000 JPY"),
    ]
}

fn finperks() -> Finperks {
    let posa =
        PosaRules { default: Some(PosaRule::ExtraField("card_code".to_owned())), ..PosaRules::default() };
    let secret = Secret::new("test-secret-0123456789abcdef".to_owned());
    let new = Settings::new("http://127.0.0.1:1".to_owned(), "key".to_owned(), secret, "DE".parse().unwrap());
    Finperks::new(Settings { posa, ..new }).unwrap()
}

/// A card as `por 50.00 EUR` or `posa CODE`, of another product with `of`.
fn card(product: &str, face_value: &str, code: Option<&str>) -> CardRequest {
    CardRequest {
        product: product.parse().unwrap(),
        kind: if product == POSA { CardKind::Posa } else { CardKind::Por },
        face_value: money(face_value),
        code: code.map(|code| code.parse().unwrap()),
    }
}

fn por() -> CardRequest {
    card(POR, "50.00 EUR", None)
}

fn posa(code: &str) -> CardRequest {
    card(POSA, "25.00 EUR", Some(code))
}

fn opened_from(shelf: &[Product], cards: Vec<CardRequest>, locale: Option<&str>) -> Result<Opening, Refusal> {
    let place = Place {
        store: "A1234".parse().unwrap(),
        terminal: "T01".parse().unwrap(),
        country: "DE".parse().unwrap(),
        locale: "de-DE".parse().unwrap(),
        zone: "Europe/Berlin".to_owned(),
        texts: ShopTexts::default(),
        columns: None,
        slip_numbers: true,
    };
    let ids = Cell::new(0_u128);
    let new_id = || {
        ids.set(ids.get() + 1);
        Uuid::from_u128(ids.get())
    };
    let provider = finperks();
    let rules = Rules::DESIGN;
    let context = Context { place: &place, provider: &provider, shelf, columns: 42, rules, new_id: &new_id };
    let locale = locale.map(|tag| tag.parse().unwrap());
    open(SaleRequest { receipt: "R1".parse().unwrap(), cashier: None, locale, cards }, &context)
}

fn refusal(cards: Vec<CardRequest>) -> Option<Refusal> {
    opened_from(&shelf(), cards, None).err()
}

#[test]
fn a_sale_is_taken_as_it_stands_in_the_catalogue_or_refused_by_name() {
    use Refusal as R;
    let without_code = CardRequest { code: None, ..posa("X") };
    let with_code = CardRequest { code: Some("X1".parse().unwrap()), ..por() };
    for (cards, expected) in [
        (vec![], Some(R::NoCards)),
        (vec![por()], None),
        (vec![por(); MOST_CARDS], None),
        (vec![por(); MOST_CARDS + 1], Some(R::TooManyCards)),
        (vec![por(), card("4009999999999", "50.00 EUR", None)], Some(R::ProductUnknown)),
        (vec![card(SWISS, "50.00 CHF", None)], Some(R::WrongCountry)),
        (vec![card(POR, "150.01 EUR", None)], Some(R::FaceValueNotOffered)),
        (vec![card(YEN, "5000 JPY", None)], None),
        (vec![por(), card(YEN, "5000 JPY", None)], Some(R::MixedCurrencies)),
        (vec![without_code], Some(R::CardCodeMissing)),
        (vec![with_code], Some(R::CardCodeNotWanted)),
        (vec![posa("SERIAL-1"), posa("SERIAL-2"), por()], None),
        (vec![posa("SERIAL-1"), por(), posa("SERIAL-1")], Some(R::CardCodeTwice)),
        // A programme that prints the product's own code on every hanger.
        (vec![posa(POSA), posa(POSA)], None),
    ] {
        let told = format!("{} cards: {cards:?}", cards.len());
        assert_eq!(refusal(cards), expected, "{told}");
    }
    assert_eq!(opened_from(&[], vec![por()], None).err(), Some(Refusal::NoCatalogue));
}

#[test]
fn the_first_entry_of_a_sale_holds_what_was_asked_and_what_will_be_sent() {
    let opening = opened_from(&shelf(), vec![por(), posa("SERIAL-0042")], None).unwrap();
    assert_eq!((opening.locale.as_str(), opening.columns, opening.currency.code()), ("de-DE", 42, "EUR"));
    let [first, second] = opening.cards.as_slice() else { panic!("two cards") };
    assert_eq!(
        (first.product_name.as_str(), &first.code, &first.code_tail),
        ("Card 4001232232332", &None, &None)
    );
    assert!(first.create_request.contains(r#""receipt_id":"R1""#), "{}", first.create_request);
    assert_eq!(second.code_tail, second.code.as_ref().map(|code| code.secret().masked()));
    assert!(!second.create_request.contains("0042"), "the request shows a code");
    assert!(first.key != second.key && first.id != second.id);
    let own = opened_from(&shelf(), vec![por()], Some("fr-FR")).unwrap();
    assert_eq!(own.locale.as_str(), "fr-FR");
}

/// A sale of one card of 50.00 EUR after what has happened, each so many seconds after the last; and when that was.
pub(crate) fn sale(events: &[(u64, SaleEvent)]) -> (Sale, Moment) {
    sale_of(vec![por()], events)
}

fn sale_of(cards: Vec<CardRequest>, events: &[(u64, SaleEvent)]) -> (Sale, Moment) {
    let opening = opened_from(&shelf(), cards, None).unwrap();
    let (mut sale, _) = Sale::open(opening, START);
    let mut at = START;
    for (seconds, event) in events {
        at = at.plus(Duration::from_secs(*seconds));
        sale = sale.step(at, event.clone()).unwrap().0;
    }
    (sale, at)
}

pub(crate) fn one() -> CardNo {
    CardNo::new(1).unwrap()
}

pub(crate) fn happened(event: OrderEvent) -> (u64, SaleEvent) {
    (0, SaleEvent::Card(one(), event))
}

pub(crate) fn created() -> (u64, SaleEvent) {
    happened(OrderEvent::CreateEnded(Outcome::Done(Created { order: "o1".parse().unwrap() })))
}

pub(crate) fn paid() -> (u64, SaleEvent) {
    let (sale, at) = sale(&[created()]);
    (0, pay(&sale, at, &by(TenderGiven::Card), &finperks()).unwrap())
}

fn by(tender: TenderGiven) -> PayRequest {
    PayRequest { amount: money("50.00 EUR"), tender, receipt_total: None }
}

fn cash(given: &str, change: Option<&str>) -> TenderGiven {
    TenderGiven::Cash { given: money(given), change: change.map(money) }
}

#[test]
fn a_payment_is_taken_to_the_cent_or_refused_by_name() {
    let (sale, at) = sale(&[created()]);
    let fifty = "50.00 EUR";
    let mixed = |card: &str, given: &str, change: Option<&str>| TenderGiven::Mixed {
        card: money(card),
        given: money(given),
        change: change.map(money),
    };
    for (amount, tender, total, expected) in [
        (fifty, cash("60.00 EUR", None), None, Ok("cash, change 10.00, of 50.00 EUR")),
        (fifty, cash("60.00 EUR", Some("10.00 EUR")), None, Ok("cash, change 10.00, of 50.00 EUR")),
        (fifty, cash("50.00 EUR", Some("0 EUR")), None, Ok("cash, change 0.00, of 50.00 EUR")),
        (fifty, cash("60.00 EUR", Some("9.99 EUR")), None, Err(Refusal::TenderDoesNotAddUp)),
        (fifty, TenderGiven::Card, None, Ok("card, of 50.00 EUR")),
        (fifty, mixed("30.00 EUR", "20.00 EUR", None), None, Ok("mixed, change 0.00, of 50.00 EUR")),
        (
            fifty,
            mixed("30.00 EUR", "25.00 EUR", Some("5.00 EUR")),
            None,
            Ok("mixed, change 5.00, of 50.00 EUR"),
        ),
        (fifty, mixed("30.00 EUR", "25.00 EUR", Some("4.00 EUR")), None, Err(Refusal::TenderDoesNotAddUp)),
        ("49.99 EUR", TenderGiven::Card, None, Err(Refusal::AmountNotDue)),
        ("50.01 EUR", TenderGiven::Card, None, Err(Refusal::AmountNotDue)),
        (fifty, TenderGiven::Card, Some("50.00 EUR"), Ok("card, of 50.00 EUR")),
        (fifty, TenderGiven::Card, Some("73.20 EUR"), Ok("card, of 73.20 EUR")),
        (fifty, TenderGiven::Card, Some("49.99 EUR"), Err(Refusal::TenderDoesNotAddUp)),
        (fifty, TenderGiven::Card, Some("73.20 CHF"), Err(Refusal::WrongCurrency)),
    ] {
        let request = PayRequest { amount: money(amount), tender, receipt_total: total.map(money) };
        let taken = pay(&sale, at, &request, &finperks()).map(|event| {
            let SaleEvent::Paid { payment, confirm_request } = event else { panic!("{event:?}") };
            assert_eq!(payment.amount, money(fifty));
            let says_cash = confirm_request.contains("\"cash\"");
            assert_eq!(says_cash, matches!(payment.tender, Tender::Cash { .. }), "{confirm_request}");
            let how = match payment.tender {
                Tender::Cash { change, .. } => format!("cash, change {}", change.to_decimal_text()),
                Tender::Card => "card".to_owned(),
                Tender::Mixed { change, .. } => format!("mixed, change {}", change.to_decimal_text()),
            };
            format!("{how}, of {}", payment.receipt_total)
        });
        assert_eq!(taken, expected.map(str::to_owned), "{amount} {tender:?} {total:?}");
    }
}

#[test]
fn a_sale_is_cancelled_until_it_is_paid() {
    let by: PersonName = "Kim".parse().unwrap();
    let (unpaid, _) = sale(&[created()]);
    assert_eq!(cancel(&unpaid, Some(by.clone())), Ok(SaleEvent::Cancelled { by: Some(by) }));
    let (paid, _) = sale(&[created(), paid()]);
    assert!(cancel(&paid, None).is_err());
}

pub(crate) fn live() -> (u64, SaleEvent) {
    let lines = ReceiptLines::new(vec!["CODE 1".to_owned()], 0);
    happened(OrderEvent::ConfirmEnded(Outcome::Done(OrderSeen { stage: OrderStage::Done, lines })))
}

#[test]
fn an_answer_is_taken_where_it_is_asked_for_and_is_one_of_the_choices() {
    let silent = || happened(OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent)));
    let two = CardNo::new(2).unwrap();
    for (events, card, said, refused) in [
        (vec![created(), paid(), live(), silent()], one(), Answer::Complete, None),
        (vec![created(), paid(), live(), silent()], one(), Answer::Nothing, None),
        (vec![created(), paid(), live(), silent()], one(), Answer::Print, Some(Refusal::NotAsked)),
        (vec![created(), paid(), live(), silent()], two, Answer::Complete, Some(Refusal::CardUnknown)),
        (vec![created(), paid(), live()], one(), Answer::Complete, Some(Refusal::StillWorking)),
        (vec![created()], one(), Answer::Finish, Some(Refusal::NotAsked)),
        (vec![], one(), Answer::Finish, Some(Refusal::StillWorking)),
    ] {
        let (sale, _) = sale(&events);
        let found = answer(&sale, card, said, None);
        let taken = SaleEvent::Card(one(), OrderEvent::Answered { answer: said, by: None });
        assert_eq!(found, refused.map_or(Ok(taken), Err), "{said:?} after {} events", events.len());
    }
}

#[test]
fn an_answer_bears_the_name_of_who_gives_it_or_of_who_sells() {
    let silent = happened(OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent)));
    let (mut sale, _) = sale(&[created(), paid(), live(), silent]);
    let [ada, kim]: [PersonName; 2] = ["Ada", "Kim"].map(|name| name.parse().unwrap());
    for (sells, says, expected) in [
        (None, None, None),
        (Some(&kim), None, Some(&kim)),
        (Some(&kim), Some(&ada), Some(&ada)),
        (None, Some(&ada), Some(&ada)),
    ] {
        sale.opening.cashier = sells.cloned();
        let given = answer(&sale, one(), Answer::Complete, says.cloned()).unwrap();
        let SaleEvent::Card(_, OrderEvent::Answered { by, .. }) = given else { panic!("{given:?}") };
        assert_eq!(by.as_ref(), expected);
    }
}

#[test]
fn a_paper_is_the_answer_only_while_it_is_the_one_that_is_asked_about() {
    let silent = || happened(OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent)));
    let unreadable = || happened(OrderEvent::Answered { answer: Answer::Unreadable, by: None });
    let stopped = || happened(OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::PaperOut)));
    let unclear = || vec![created(), paid(), live(), silent()];
    let twice = || [unclear(), vec![unreadable(), silent()]].concat();
    for (events, card, attempt, refused) in [
        (unclear(), 1, 1, None),
        (unclear(), 1, 2, Some(Refusal::EarlierSlip)),
        (unclear(), 2, 1, Some(Refusal::CardUnknown)),
        (twice(), 1, 2, None),
        (twice(), 1, 1, Some(Refusal::EarlierSlip)),
        // Somebody had it printed again in between.
        ([unclear(), vec![unreadable()]].concat(), 1, 1, Some(Refusal::StillWorking)),
        (vec![created(), paid(), live(), stopped()], 1, 1, Some(Refusal::NotAsked)),
        (vec![created()], 1, 1, Some(Refusal::NotAsked)),
    ] {
        let (sale, _) = sale(&events);
        let paper = Proven { sale: sale.opening.sale, card: CardNo::new(card).unwrap(), attempt };
        let taken = SaleEvent::Card(one(), OrderEvent::Answered { answer: Answer::Complete, by: None });
        let found = proven(&sale, paper, None);
        assert_eq!(found, refused.map_or(Ok(taken), Err), "attempt {attempt} after {} events", events.len());
    }
}

#[test]
fn a_case_is_closed_by_a_manager_with_a_reason_that_people_can_read() {
    let unknown = || happened(OrderEvent::ConfirmEnded(Outcome::Unknown(Trouble::Silent)));
    let not_found_out =
        || (9, SaleEvent::Card(one(), OrderEvent::LookupEnded(Outcome::Unknown(Trouble::Silent))));
    let stuck = || happened(OrderEvent::UndoEnded(Outcome::Done(UndoAnswer::NotSupported)));
    let case = || vec![created(), paid(), unknown(), not_found_out(), stuck()];
    let ada: PersonName = "Ada".parse().unwrap();
    let (longest, longer) = ("ä".repeat(LONGEST_REASON), "ä".repeat(LONGEST_REASON + 1));
    let missing = Err(Refusal::ReasonMissing);
    for (events, card, reason, expected) in [
        (case(), 1, "It comes with the settlement.", Ok("It comes with the settlement.")),
        (case(), 1, "  Paid out.\t", Ok("Paid out.")),
        (case(), 1, longest.as_str(), Ok(longest.as_str())),
        (case(), 1, longer.as_str(), missing.clone()),
        (case(), 1, "", missing.clone()),
        (case(), 1, " \t ", missing.clone()),
        (case(), 1, "two\nlines", missing.clone()),
        (case(), 1, "4111 1111 1111 1111", missing.clone()),
        (case(), 2, "There is no such card.", Err(Refusal::CardUnknown)),
        (vec![created()], 1, "Nothing is asked.", Err(Refusal::NotAsked)),
        (
            vec![
                created(),
                paid(),
                live(),
                happened(OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent))),
            ],
            1,
            "A cashier's question.",
            Err(Refusal::NotAsked),
        ),
    ] {
        let (sale, at) = sale(&events);
        let found = settle(&sale, at, CardNo::new(card).unwrap(), ada.clone(), reason);
        let expected = expected.map(|reason| {
            SaleEvent::Card(one(), OrderEvent::Settled { by: ada.clone(), reason: reason.to_owned() })
        });
        assert_eq!(found, expected, "{reason:?}");
    }
}

#[test]
fn a_copy_is_made_of_a_card_that_is_sold_and_remembered() {
    let on_paper = || happened(OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId)));
    let gone = || {
        let lines = Some(ReceiptLines::gone(1, 0));
        happened(OrderEvent::ConfirmEnded(Outcome::Done(OrderSeen { stage: OrderStage::Done, lines })))
    };
    let silent = || happened(OrderEvent::PrintEnded(PrintEnd::Unclear(Fault::Silent)));
    let ada: PersonName = "Ada".parse().unwrap();
    for (events, card, refused) in [
        (vec![created(), paid(), live(), on_paper()], 1, None),
        (vec![created(), paid(), live(), on_paper()], 2, Some(Refusal::CardUnknown)),
        (vec![created(), paid(), gone(), on_paper()], 1, Some(Refusal::SlipForgotten)),
        (vec![created(), paid(), live()], 1, Some(Refusal::StillWorking)),
        (vec![created(), paid(), live(), silent()], 1, Some(Refusal::OpenQuestion)),
        (vec![], 1, Some(Refusal::StillWorking)),
    ] {
        let (sale, _) = sale(&events);
        let asked = SaleEvent::Card(one(), OrderEvent::CopyAsked { by: ada.clone() });
        let found = copy(&sale, CardNo::new(card).unwrap(), ada.clone());
        assert_eq!(found, refused.map_or(Ok(asked), Err), "{} events", events.len());
    }
}

/// Law L12 for paper.
#[test]
fn no_copy_is_made_of_a_card_while_something_is_asked_about_another_card_of_its_sale() {
    let two = CardNo::new(2).unwrap();
    let of_two = |(seconds, event): (u64, SaleEvent)| match event {
        SaleEvent::Card(_, event) => (seconds, SaleEvent::Card(two, event)),
        event => (seconds, event),
    };
    let created_too = (
        0,
        SaleEvent::Card(
            two,
            OrderEvent::CreateEnded(Outcome::Done(Created { order: "o2".parse().unwrap() })),
        ),
    );
    let end = |end| happened(OrderEvent::PrintEnded(end));
    let on_paper = || end(PrintEnd::OnPaper(Proof::ProcessId));
    let cards = || vec![por(), por()];
    let both_created = [created(), created_too];
    let (unpaid, at) = sale_of(cards(), &both_created);
    let payment =
        PayRequest { amount: unpaid.due().unwrap(), tender: TenderGiven::Card, receipt_total: None };
    let paid = pay(&unpaid, at, &payment, &finperks()).unwrap();
    for (first, refused) in [
        (PrintEnd::Unclear(Fault::Silent), Some(Refusal::OpenQuestion)),
        (PrintEnd::OnPaper(Proof::ProcessId), None),
    ] {
        let mut events = both_created.to_vec();
        events.extend([(0, paid.clone()), live(), of_two(live()), end(first), of_two(on_paper())]);
        let (sale, _) = sale_of(cards(), &events);
        let found = copy(&sale, two, "Ada".parse().unwrap());
        assert_eq!(found.err(), refused, "{first:?}");
    }
}
