//! Whole reports of a day, as they look on paper.

#![allow(
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise, also in the functions that they share"
)]

use tilld_domain::ids::{Locale, OrderId, SaleId, StoreId, TerminalId};
use tilld_domain::moment::Moment;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::{OrderEvent, OrderFacts, Rules};
use tilld_domain::outcome::{Created, OrderSeen, OrderStage, Outcome, ReceiptLines};
use tilld_domain::printing::{PrintEnd, Proof};
use tilld_domain::product::CardKind;
use tilld_domain::refusal::Refusal;
use tilld_domain::sale::{CardNo, Opening, Payment, Sale, SaleEvent, Tender};
use tilld_domain::slip::{Letters, Paper, Part, Slip};
use tilld_domain::turnover::{Goods, Turnover};
use tilld_domain::voucher::Worth;
use tilld_receipts::preview;
use tilld_receipts::report::{OpenFacts, ReportFacts, Sort, day_report};
use tilld_receipts::rows::{NARROWEST, width};
use tilld_receipts::slip::ShopTexts;
use tilld_receipts::voucher::Counter;
use uuid::Uuid;

/// 2026-11-21, 14:05 in Berlin.
const AFTERNOON: i64 = 1_795_266_300_000;
const LOCALES: [&str; 10] =
    ["de-DE", "de-AT", "de-CH", "en-GB", "fr-FR", "it-IT", "es-ES", "nl-NL", "pl-PL", "cs-CZ"];

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("EUR").unwrap())
}

/// Counts a sale of two cards at 50.00, of which one is sold and one is undone.
fn sell(turnover: &mut Turnover, cashier: Option<&str>, product: &str, tender: fn(Money) -> Tender) {
    let at = Moment::from_ms(AFTERNOON);
    let card = |number: u128| OrderFacts {
        id: OrderId::new(Uuid::from_u128(number)),
        product: "4001".parse().unwrap(),
        product_name: product.to_owned(),
        kind: CardKind::Por,
        face_value: eur(5000),
        code: None,
        code_tail: None,
        key: "k".parse().unwrap(),
        create_request: String::new(),
        undo_window: None,
    };
    let opening = Opening {
        sale: SaleId::new(Uuid::from_u128(1)),
        receipt: "R1".parse().unwrap(),
        provider: "finperks".to_owned(),
        store: "HH-07".parse().unwrap(),
        terminal: "till-3".parse().unwrap(),
        country: "DE".parse().unwrap(),
        cashier: cashier.map(|cashier| cashier.parse().unwrap()),
        locale: "de-DE".parse().unwrap(),
        columns: 42,
        currency: Currency::from_code("EUR").unwrap(),
        rules: Rules::DESIGN,
        cards: vec![card(1), card(2)],
    };
    let amount = eur(10_000);
    let lines = ReceiptLines::new(vec!["CODE".to_owned()], 0);
    let events = [
        (1, OrderEvent::CreateEnded(Outcome::Done(Created { order: "o1".parse().unwrap() }))),
        (2, OrderEvent::CreateEnded(Outcome::Done(Created { order: "o2".parse().unwrap() }))),
        (0, OrderEvent::TimeUp),
        (1, OrderEvent::ConfirmEnded(Outcome::Done(OrderSeen { stage: OrderStage::Done, lines }))),
        (1, OrderEvent::PrintEnded(PrintEnd::OnPaper(Proof::ProcessId))),
        (2, OrderEvent::ConfirmEnded(Outcome::Refused(Refusal::Declined))),
        (2, OrderEvent::LookupEnded(Outcome::Done(OrderSeen { stage: OrderStage::Failed, lines: None }))),
    ];
    let mut sale = Sale::open(opening, at).0;
    turnover.count_sale(None, &sale);
    for (card, event) in events {
        let event = match CardNo::new(card) {
            Some(card) => SaleEvent::Card(card, event),
            None => SaleEvent::Paid {
                payment: Payment { amount, tender: tender(amount), receipt_total: amount },
                confirm_request: String::new(),
            },
        };
        let after = sale.clone().step(at, event).unwrap().0;
        turnover.count_sale(Some(&sale), &after);
        sale = after;
    }
}

fn a_day() -> Turnover {
    let mut turnover = Turnover::default();
    sell(&mut turnover, Some("Kim"), "Wunschgutschein", |_| Tender::Card);
    sell(&mut turnover, None, "Fuel & Flowers", |amount| Tender::Cash { given: amount, change: eur(0) });
    turnover
}

fn laid_out(turnover: &Turnover, locale: &str, sort: Sort<'_>, columns: u16) -> Slip {
    let (store, terminal): (StoreId, TerminalId) = ("HH-07".parse().unwrap(), "till-3".parse().unwrap());
    let locale: Locale = locale.parse().unwrap();
    let card = Goods::Card { code: "4001".to_owned(), name: "Wunschgutschein".to_owned() };
    let open = [
        OpenFacts { receipt: "R-20261121-0042", worth: Worth::Money(eur(5000)), goods: &card, state: "owed" },
        OpenFacts { receipt: "B7", worth: Worth::Items(2), goods: &Goods::Gift, state: "unclear" },
    ];
    let facts = ReportFacts {
        counter: Counter {
            store: &store,
            terminal: &terminal,
            at_ms: AFTERNOON,
            zone: "Europe/Berlin",
            locale: &locale,
        },
        sort,
        day: "2026-11-21".parse().unwrap(),
        turnover,
        open: &open,
    };
    let texts = ShopTexts { logo: None, header: vec!["Buchhandlung Möwe".into()], footer: Vec::new() };
    day_report(&facts, &texts, Paper { columns, prints: Letters::EVERY, bars: 576 })
}

fn rows(slip: &Slip) -> Vec<String> {
    let text = |part: &Part| match part {
        Part::Row(row) => Some(row.text.reveal().to_owned()),
        _ => None,
    };
    slip.parts.iter().filter_map(text).collect()
}

#[test]
fn a_closing_adds_up_what_was_sold_and_what_was_given_back() {
    let slip = laid_out(&a_day(), "de-DE", Sort::Z { number: 7, by: "M. Weber", is_copy: false }, 42);
    assert_eq!(
        preview::text(&slip),
        "\
┌────────────────────────────────────────────┐
│             Buchhandlung Möwe              │
│                                            │
│           Z - B e r i c h t   7            │
│                                            │
│ ------------------------------------------ │
│ Geschäftstag                    21.11.2026 │
│ Filiale                              HH-07 │
│ Kasse                               till-3 │
│ Abgeschlossen von                 M. Weber │
│ Datum                     21.11.2026 14:05 │
│ ------------------------------------------ │
│ Verkauft (2)                      100,00 € │
│ Geld zurück (2)                   100,00 € │
│ ------------------------------------------ │
│ Nach Produkt                               │
│ Fuel & Flowers                             │
│   Verkauft (1)                     50,00 € │
│   Geld zurück (1)                  50,00 € │
│ Wunschgutschein                            │
│   Verkauft (1)                     50,00 € │
│   Geld zurück (1)                  50,00 € │
│ ------------------------------------------ │
│ Nach Zahlungsart                           │
│ Bar                                        │
│   Verkauft (1)                     50,00 € │
│   Geld zurück (1)                  50,00 € │
│ Karte                                      │
│   Verkauft (1)                     50,00 € │
│   Geld zurück (1)                  50,00 € │
│ ------------------------------------------ │
│ Nach Anbieter                              │
│ finperks                                   │
│   Verkauft (2)                    100,00 € │
│   Geld zurück (2)                 100,00 € │
│ ------------------------------------------ │
│ Nach Kassierer                             │
│ Ohne Namen                                 │
│   Verkauft (1)                     50,00 € │
│   Geld zurück (1)                  50,00 € │
│ Kim                                        │
│   Verkauft (1)                     50,00 € │
│   Geld zurück (1)                  50,00 € │
│ ------------------------------------------ │
│ Noch offen (2)                             │
│ R-20261121-0042                    50,00 € │
│ Wunschgutschein: Wird rückgängig gemacht   │
│ B7                                     2 x │
│ Gutschein: Unklar                          │
│ - - - - - - - - - - - - - - - - - - - - ✂  │
└────────────────────────────────────────────┘
"
    );
}

#[test]
fn every_locale_on_every_paper_keeps_its_rows_and_loses_no_amount() {
    let turnover = a_day();
    for locale in LOCALES {
        for columns in [NARROWEST, 24, 32, 42, 48] {
            for sort in [Sort::X, Sort::Z { number: 123_456, by: "M. Weber", is_copy: true }] {
                let slip = laid_out(&turnover, locale, sort, columns);
                for part in &slip.parts {
                    let Part::Row(row) = part else { continue };
                    let text = row.text.reveal();
                    assert!(!text.chars().any(char::is_control));
                    assert!(
                        width(text) * usize::from(row.style.width) <= usize::from(slip.columns),
                        "{text}"
                    );
                }
                let text: String = rows(&slip).concat().split_whitespace().collect();
                for needed in [
                    "HH-07",
                    "till-3",
                    "Kim",
                    "Fuel&Flowers",
                    "finperks",
                    "R-20261121-0042",
                    "B7",
                    "(2)",
                    "Wunschgutschein:",
                ] {
                    assert!(text.contains(needed), "{locale} {columns} {needed}: {text}");
                }
                assert_eq!(text.contains("M.Weber"), sort != Sort::X);
                assert!(text.contains("100"), "{text}");
            }
        }
    }
}

#[test]
fn a_second_paper_of_a_closing_says_so_first_and_last() {
    let z = |is_copy| Sort::Z { number: 7, by: "M. Weber", is_copy };
    let [first, second] = [false, true].map(|is_copy| rows(&laid_out(&a_day(), "en-GB", z(is_copy), 42)));
    assert_eq!((second.first().unwrap().trim(), second.last().unwrap().trim()), ("COPY", "COPY"));
    assert!(!first.iter().any(|row| row.contains("COPY")));
}

#[test]
fn a_day_on_which_nothing_happened_says_so() {
    let slip = laid_out(&Turnover::default(), "en-GB", Sort::X, 42);
    assert!(rows(&slip).iter().any(|row| row == "No sale and no redemption."));
}
