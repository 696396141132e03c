//! Whole papers of redemptions, reversals and balance enquiries.

#![allow(
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise, also in the functions that they share"
)]

use proptest::prelude::*;
use tilld_domain::ids::{BasketId, Locale, ProviderRedemptionId, RedemptionId, StoreId, TerminalId};
use tilld_domain::money::{Currency, Money};
use tilld_domain::slip::{Letters, Paper, Part, Slip};
use tilld_domain::voucher::{CodeTail, VoucherCode, VoucherKind, Worth};
use tilld_receipts::preview;
use tilld_receipts::rows::{NARROWEST, visible, width};
use tilld_receipts::slip::ShopTexts;
use tilld_receipts::voucher::{
    BalanceFacts, Counter, Mark, Numbers, RedemptionFacts, ReversalFacts, VoucherFacts, balance, redemption,
    reversal,
};

/// 2026-11-21, 14:05 in Berlin.
const AFTERNOON: i64 = 1_795_266_300_000;
/// Of each language one country, and some that write amounts in their own way.
const LOCALES: [&str; 10] =
    ["de-DE", "de-AT", "de-CH", "en-GB", "fr-FR", "it-IT", "es-ES", "nl-NL", "pl-PL", "cs-CZ"];

fn paper(columns: u16) -> Paper {
    Paper { columns, prints: Letters::EVERY, bars: 576 }
}

fn shop() -> ShopTexts {
    ShopTexts {
        logo: None,
        header: vec!["Buchhandlung Möwe & Söhne".into()],
        footer: vec!["Vielen Dank für Ihren Einkauf!".into()],
    }
}

fn money(minor: i64, code: &str) -> Worth {
    Worth::Money(Money::new(minor, Currency::from_code(code).unwrap()))
}

/// A redemption as it was made, to lay out with other facts changed.
struct Made {
    store: StoreId,
    terminal: TerminalId,
    locale: Locale,
    code: CodeTail,
    kind: VoucherKind,
    item: Option<String>,
    basket: BasketId,
    provider: Option<ProviderRedemptionId>,
    taken: Worth,
    left: Option<Worth>,
    mark: Mark,
    description: String,
    terms: Option<String>,
}

impl Made {
    fn new(locale: &str) -> Self {
        Self {
            store: "HH-07".parse().unwrap(),
            terminal: "till-3".parse().unwrap(),
            locale: locale.parse().unwrap(),
            code: VoucherCode::number("401200000011").unwrap().tail(),
            kind: VoucherKind::Gift,
            item: None,
            basket: "B-20261121-0042".parse().unwrap(),
            provider: Some("019f3c1e-7a52-7000-8000-00000000000a".parse().unwrap()),
            taken: money(1999, "EUR"),
            left: Some(money(3001, "EUR")),
            mark: Mark::First,
            description: "€30.01 left.".into(),
            terms: None,
        }
    }

    fn counter(&self) -> Counter<'_> {
        Counter {
            store: &self.store,
            terminal: &self.terminal,
            at_ms: AFTERNOON,
            zone: "Europe/Berlin",
            locale: &self.locale,
        }
    }

    fn voucher(&self) -> VoucherFacts<'_> {
        VoucherFacts { code: &self.code, kind: self.kind, item: self.item.as_deref() }
    }

    fn numbers(&self) -> Numbers<'_> {
        let redemption: RedemptionId = "01a20163-7aee-7084-a451-808b801de9eb".parse().unwrap();
        Numbers { basket: &self.basket, redemption, provider: self.provider.as_ref() }
    }

    fn redemption(&self, texts: &ShopTexts, paper: Paper) -> Slip {
        let facts = RedemptionFacts {
            counter: self.counter(),
            voucher: self.voucher(),
            numbers: self.numbers(),
            taken: self.taken,
            left: self.left,
            mark: self.mark,
        };
        redemption(&facts, texts, paper)
    }

    fn reversal(&self, texts: &ShopTexts, paper: Paper) -> Slip {
        let facts = ReversalFacts {
            counter: self.counter(),
            voucher: self.voucher(),
            numbers: self.numbers(),
            given_back: self.taken,
            mark: self.mark,
        };
        reversal(&facts, texts, paper)
    }

    fn balance(&self, texts: &ShopTexts, paper: Paper) -> Slip {
        let facts = BalanceFacts {
            counter: self.counter(),
            voucher: self.voucher(),
            eligible: self.left,
            description: &self.description,
            terms: self.terms.as_deref(),
        };
        balance(&facts, texts, paper)
    }

    fn all(&self, texts: &ShopTexts, paper: Paper) -> [Slip; 3] {
        [
            self.redemption(texts, paper.clone()),
            self.reversal(texts, paper.clone()),
            self.balance(texts, paper),
        ]
    }
}

fn rows(slip: &Slip) -> Vec<String> {
    let text = |part: &Part| match part {
        Part::Row(row) => Some(row.text.reveal().to_owned()),
        _ => None,
    };
    slip.parts.iter().filter_map(text).collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What holds for every paper.
fn check(slip: &Slip) {
    for part in &slip.parts {
        let Part::Row(row) = part else { continue };
        let text = row.text.reveal();
        assert!(!text.chars().any(char::is_control), "a control character");
        assert!(
            width(text) * usize::from(row.style.width) <= slip.columns.into(),
            "a row wider than the paper"
        );
    }
    assert!(slip.parts.last() == Some(&Part::Cut));
}

#[test]
fn a_gift_is_redeemed_in_part_on_narrow_paper() {
    let slip = Made::new("de-DE").redemption(&shop(), paper(32));
    check(&slip);
    assert_eq!(
        preview::text(&slip),
        "\
┌──────────────────────────────────┐
│    Buchhandlung Möwe & Söhne     │
│                                  │
│       Gutschein eingelöst        │
│          1 9 , 9 9   €           │
│                                  │
│ -------------------------------- │
│ Zahlungsmittel         Gutschein │
│ Gutscheincode           ••••0011 │
│ Restguthaben             30,01 € │
│ -------------------------------- │
│ Datum           21.11.2026 14:05 │
│ Filiale                    HH-07 │
│ Kasse                     till-3 │
│ Bon              B-20261121-0042 │
│ Einlösung                        │
│ 01a20163-7aee-7084-a451-808b801d │
│                             e9eb │
│ Nummer beim Anbieter             │
│ 019f3c1e-7a52-7000-8000-00000000 │
│                             000a │
│                                  │
│  Vielen Dank für Ihren Einkauf!  │
│ - - - - - - - - - - - - - - - ✂  │
└──────────────────────────────────┘
"
    );
}

#[test]
fn items_are_redeemed_as_a_discount_and_the_paper_is_a_copy() {
    let mut made = Made::new("en-GB");
    (made.taken, made.left) = (Worth::Items(2), Some(Worth::Items(1)));
    made.kind = VoucherKind::Promotional;
    made.item = Some("Cappuccino, large".into());
    (made.mark, made.provider) = (Mark::Copy(1), None);
    let slip = made.redemption(&ShopTexts::default(), paper(42));
    check(&slip);
    assert_eq!(
        preview::text(&slip),
        "\
┌────────────────────────────────────────────┐
│              ▐ C O P Y   1  ▌              │
│                                            │
│                                            │
│              Voucher redeemed              │
│                   2   x                    │
│                                            │
│             Cappuccino, large              │
│ ------------------------------------------ │
│ Discount               Promotional voucher │
│ Voucher code                      ••••0011 │
│ Left on it                             1 x │
│ ------------------------------------------ │
│ Date                      21/11/2026 14:05 │
│ Store                                HH-07 │
│ Till                                till-3 │
│ Receipt                    B-20261121-0042 │
│ Redemption                                 │
│       01a20163-7aee-7084-a451-808b801de9eb │
│                                            │
│              ▐ C O P Y   1  ▌              │
│                                            │
│ - - - - - - - - - - - - - - - - - - - - ✂  │
└────────────────────────────────────────────┘
"
    );
}

#[test]
fn a_redemption_is_taken_back() {
    let slip = Made::new("de-DE").reversal(&shop(), paper(48));
    check(&slip);
    assert_eq!(
        preview::text(&slip),
        "\
┌──────────────────────────────────────────────────┐
│            Buchhandlung Möwe & Söhne             │
│                                                  │
│             Einlösung zurückgenommen             │
│                  1 9 , 9 9   €                   │
│                                                  │
│      Der Wert ist wieder auf dem Gutschein.      │
│ ------------------------------------------------ │
│ Zahlungsmittel                         Gutschein │
│ Gutscheincode                           ••••0011 │
│ ------------------------------------------------ │
│ Datum                           21.11.2026 14:05 │
│ Filiale                                    HH-07 │
│ Kasse                                     till-3 │
│ Bon                              B-20261121-0042 │
│ Einlösung   01a20163-7aee-7084-a451-808b801de9eb │
│ Nummer beim Anbieter                             │
│             019f3c1e-7a52-7000-8000-00000000000a │
│                                                  │
│          Vielen Dank für Ihren Einkauf!          │
│ - - - - - - - - - - - - - - - - - - - - - - - ✂  │
└──────────────────────────────────────────────────┘
"
    );
}

#[test]
fn a_balance_is_asked_for() {
    let mut made = Made::new("de-DE");
    made.kind = VoucherKind::Promotional;
    made.description = "Noch 30,01 €".into();
    made.terms =
        Some("10 EUR Rabatt ab 30 EUR Einkaufswert. Nicht für Geschenkkarten. Einmal je Besuch.".into());
    let slip = made.balance(&ShopTexts::default(), paper(42));
    check(&slip);
    assert_eq!(
        preview::text(&slip),
        "\
┌────────────────────────────────────────────┐
│          Guthaben des Gutscheins           │
│               3 0 , 0 1   €                │
│                                            │
│         Es wurde nichts eingelöst.         │
│ ------------------------------------------ │
│ Noch 30,01 €                               │
│ ------------------------------------------ │
│ 10 EUR Rabatt ab 30 EUR Einkaufswert.      │
│ Nicht für Geschenkkarten. Einmal je        │
│ Besuch.                                    │
│ ------------------------------------------ │
│ Rabatt                    Aktionsgutschein │
│ Gutscheincode                     ••••0011 │
│ ------------------------------------------ │
│ Datum                     21.11.2026 14:05 │
│ Filiale                              HH-07 │
│ Kasse                               till-3 │
│ - - - - - - - - - - - - - - - - - - - - ✂  │
└────────────────────────────────────────────┘
"
    );
}

#[test]
fn what_nobody_said_is_not_on_the_paper() {
    let mut made = Made::new("de-DE");
    (made.left, made.provider) = (None, None);
    let redeemed = rows(&made.redemption(&shop(), paper(42))).concat();
    assert!(!redeemed.contains("Restguthaben") && !redeemed.contains("Anbieter"), "{redeemed}");
    made.left = Some(money(0, "EUR"));
    let redeemed = rows(&made.redemption(&shop(), paper(42))).concat();
    assert!(redeemed.contains("Restguthaben") && redeemed.contains("0,00 €"), "{redeemed}");
    for nothing in [None, Some(money(0, "EUR")), Some(Worth::Items(0))] {
        made.left = nothing;
        let asked = rows(&made.balance(&shop(), paper(42))).concat();
        assert!(asked.contains("Derzeit nicht einlösbar") && !asked.contains("0,00"), "{asked}");
    }
    made.description = " \u{200b}\u{7}".into();
    let rules = rows(&made.balance(&shop(), paper(42))).iter().filter(|row| row.starts_with("---")).count();
    assert_eq!(rules, 2);
}

#[test]
fn only_the_end_of_the_code_is_on_a_paper_also_where_the_printer_has_no_dot() {
    let made = Made::new("de-DE");
    for slip in made.all(&shop(), paper(48)) {
        let all = rows(&slip).concat();
        assert!(all.contains("••••0011") && !all.contains("401200000011"), "{all}");
    }
    let ascii = Paper { columns: 48, prints: Letters::ASCII, bars: 576 };
    for slip in made.all(&shop(), ascii) {
        let all = rows(&slip).concat();
        assert!(all.contains("****0011") && all.contains("EUR") && !all.contains('€'), "{all}");
    }
}

#[test]
fn a_copy_says_so_first_and_last_in_white_on_black() {
    let mut made = Made::new("fr-FR");
    made.mark = Mark::Copy(2);
    let mark = |part: Option<&Part>| match part {
        Some(Part::Row(row)) => row.style.inverse && row.text.reveal() == " COPIE 2 ",
        _ => false,
    };
    for slip in [made.redemption(&shop(), paper(48)), made.reversal(&shop(), paper(48))] {
        assert!(mark(slip.parts.first()));
        assert!(mark(slip.parts.iter().rev().nth(1)));
    }
    made.mark = Mark::CopyOfUnknown;
    let unnumbered = made.redemption(&shop(), paper(48));
    let marks: Vec<_> = rows(&unnumbered).into_iter().filter(|row| row.contains("COPIE")).collect();
    assert_eq!(marks, [" COPIE ", " COPIE "]);
    made.mark = Mark::First;
    for slip in made.all(&shop(), paper(48)) {
        assert!(!rows(&slip).iter().any(|row| row.contains("COPIE")));
    }
}

#[test]
fn every_language_and_width_has_every_fact_whole() {
    let mut tried = 0;
    for locale in LOCALES {
        for columns in [0, 16, 24, 32, 35, 42, 48, 64, 80, 255] {
            for (taken, left, item) in [
                (money(123_456_789, "EUR"), money(1, "EUR"), None),
                (money(5000, "JPY"), money(0, "JPY"), None),
                (Worth::Items(u32::MAX), Worth::Items(1), Some("Käsekuchen mit Heißgetränk")),
            ] {
                for kind in [VoucherKind::Gift, VoucherKind::Promotional] {
                    let mut made = Made::new(locale);
                    (made.taken, made.left, made.kind) = (taken, Some(left), kind);
                    made.item = item.map(str::to_owned);
                    made.basket = "B".repeat(64).parse().unwrap();
                    made.mark = Mark::Copy(u16::MAX);
                    made.terms = Some("Nur montags. ".repeat(30));
                    let [redeemed, reversed, asked] = made.all(&shop(), paper(columns));
                    for slip in [&redeemed, &reversed, &asked] {
                        check(slip);
                        assert_eq!(slip.columns, columns.max(NARROWEST));
                        let all = squeezed(&rows(slip).concat());
                        for fact in ["••••0011", "HH-07", "till-3", "14:05", item.unwrap_or_default()]
                        {
                            assert!(all.contains(&squeezed(fact)), "{locale} {columns}: {fact} in {all}");
                        }
                        tried += 1;
                    }
                    for slip in [&redeemed, &reversed] {
                        let all = squeezed(&rows(slip).concat());
                        for fact in [
                            made.basket.as_str(),
                            "01a20163-7aee-7084-a451-808b801de9eb",
                            "019f3c1e-7a52-7000-8000-00000000000a",
                        ] {
                            assert!(all.contains(fact), "{locale} {columns}: {fact} in {all}");
                        }
                    }
                    let all = squeezed(&rows(&asked).concat());
                    assert_eq!(all.matches("Nurmontags.").count(), 30, "{locale} {columns}");
                }
            }
        }
    }
    println!("{tried} papers");
}

#[test]
fn an_item_without_a_name_is_an_item() {
    let mut made = Made::new("nl-NL");
    made.taken = Worth::Items(1);
    for item in [None, Some(String::new()), Some(" \u{200b}\u{7}".to_owned())] {
        made.item = item;
        assert!(rows(&made.redemption(&shop(), paper(48))).contains(&"Artikel".to_owned()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_provider_writes_fits_and_is_all_there(
        text in "[ -~]{0,200}|.{0,120}|\u{1b}p[a-z漢\u{301}\t]{0,90}|\u{1d}V\u{0}.{0,40}",
        item in ".{0,80}",
        minor in 0_i64..100_000_000_000,
        columns in 16_u16..80,
        locale in 0..LOCALES.len(),
    ) {
        let mut made = Made::new(LOCALES[locale]);
        (made.description, made.terms) = (text.clone(), Some(text.clone()));
        made.left = Some(Worth::Items(7));
        made.item = Some(item.clone());
        let slip = made.balance(&shop(), paper(columns));
        check(&slip);
        let all = squeezed(&rows(&slip).concat());
        let shown = squeezed(&visible(&text, &Letters::EVERY));
        prop_assert!(all.matches(&shown).count() >= 2 || shown.is_empty(), "{} in {}", shown, all);
        prop_assert!(all.contains(&squeezed(&visible(&item, &Letters::EVERY))));

        made.taken = money(minor, "EUR");
        let slip = made.redemption(&shop(), paper(columns));
        check(&slip);
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let cents = Money::new(minor, Currency::from_code("EUR").unwrap()).to_decimal_text();
        let all = digits(&rows(&slip).concat());
        prop_assert!(all.contains(&digits(&cents)), "{} in {}", cents, all);
    }
}
