//! `receipt_printing.lines`: what the customer's paper says, laid out for the columns and the language of the order.
//!
//! A print-on-receipt card's lines carry its code and PIN; an activated card's carry support information and no code
//! (fact sheet 7). No line is ever longer than the columns asked for. Umlauts and the euro sign stand in them as they
//! are, because that is what a real provider sends and what a printer's code page has to cope with.
//!
//! Lines are worth money: nothing here is logged.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::amount::{Currency, Money};
use super::catalogue::{Kind, Product};
use super::order::{Card, Order};
use super::switches::LineShape;

/// How long a card is valid, in days: three years.
const VALID_DAYS: i64 = 3 * 365;

/// The fixed words of one language.
struct Words {
    value: &'static str,
    code: &'static str,
    valid_until: &'static str,
    redeem: &'static str,
    keep: &'static str,
    activated: &'static str,
    support: &'static str,
    reference: &'static str,
    /// A number out of the range that the country's regulator keeps for films, or one that cannot exist.
    hotline: &'static str,
    date: &'static str,
}

const GERMAN: Words = Words {
    value: "Wert",
    code: "Gutscheincode",
    valid_until: "Gültig bis",
    redeem: "So lösen Sie ein: Code auf karten.example eingeben oder diesen Beleg an der Kasse vorzeigen. \
             Für Beträge über dem Guthaben zahlen Sie die Differenz dazu.",
    keep: "Beleg wie Bargeld aufbewahren. Keine Auszahlung, auch nicht von Restbeträgen unter 1,00 €.",
    activated: "Karte freigeschaltet",
    support: "Fragen zur Karte? Nennen Sie uns bitte die Kartennummer auf der Rückseite und diesen Beleg.",
    reference: "Vorgang",
    hotline: "Hotline: 030 23125 000 (Mo-Sa 8-20 Uhr)",
    date: "%d.%m.%Y",
};

const ENGLISH: Words = Words {
    value: "Value",
    code: "Gift card code",
    valid_until: "Valid until",
    redeem: "How to redeem: enter the code at cards.example or show this receipt at the checkout. If your \
             purchase costs more, pay the difference.",
    keep: "Treat this receipt like cash. It cannot be exchanged for money, nor can what is left on it.",
    activated: "Card activated",
    support: "Questions about your card? Please have the number on its back and this receipt at hand.",
    reference: "Reference",
    hotline: "Helpline: 01632 960 000 (Mon-Sat 8am-8pm)",
    date: "%d/%m/%Y",
};

const FRENCH: Words = Words {
    value: "Valeur",
    code: "Code de la carte",
    valid_until: "Valable jusqu'au",
    redeem: "Utilisation : saisissez le code sur cartes.example ou présentez ce ticket à la caisse. Complétez \
             le paiement si l'achat dépasse le solde.",
    keep: "Conservez ce ticket comme de l'argent liquide. Ni repris, ni échangé, ni remboursé.",
    activated: "Carte activée",
    support: "Une question ? Munissez-vous du numéro au dos de la carte et de ce ticket.",
    reference: "Référence",
    hotline: "Assistance : 01 99 00 00 00 (lun-sam 8h-20h)",
    date: "%d/%m/%Y",
};

const POLISH: Words = Words {
    value: "Wartość",
    code: "Kod karty",
    valid_until: "Ważna do",
    redeem: "Jak zrealizować: wpisz kod na karty.example lub okaż ten paragon przy kasie. Jeśli zakupy są \
             droższe, dopłać różnicę.",
    keep: "Przechowuj paragon jak gotówkę. Karty nie można wymienić na pieniądze.",
    activated: "Karta aktywowana",
    support: "Masz pytanie? Przygotuj numer z tyłu karty i ten paragon.",
    reference: "Numer sprawy",
    hotline: "Infolinia: 00 000 00 00 (pn-sob 8-20)",
    date: "%d.%m.%Y",
};

/// A language, from the first part of a BCP 47 tag; English for all that is not known.
fn words(locale: &str) -> (&'static Words, bool) {
    match locale.split('-').next() {
        Some("de") => (&GERMAN, true),
        Some("fr") => (&FRENCH, true),
        Some("pl") => (&POLISH, true),
        _ => (&ENGLISH, false),
    }
}

/// An amount as people write it.
fn written(money: Money, comma: bool) -> String {
    let mut amount = money.amount.normalize();
    amount.rescale(money.currency.decimals());
    let mut digits = amount.to_string();
    if comma {
        digits = digits.replace('.', ",");
    }
    match (money.currency, comma) {
        (Currency::Eur, true) => format!("{digits} €"),
        (Currency::Eur, false) => format!("€{digits}"),
        (Currency::Gbp, false) => format!("£{digits}"),
        (Currency::Jpy, false) => format!("¥{digits}"),
        (currency, _) => format!("{} {digits}", currency.code()),
    }
}

/// Digits in groups of four.
pub(crate) fn grouped(code: &str) -> String {
    let mut out = String::new();
    for (place, character) in code.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            out.push(' ');
        }
        out.push(character);
    }
    out
}

/// Breaks at blanks; a word that is longer than a row is cut.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0_usize;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used.saturating_add(1).saturating_add(length) > columns {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        if used > 0 {
            row.push(' ');
            used = used.saturating_add(1);
        }
        for character in word.chars() {
            if used == columns {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            row.push(character);
            used = used.saturating_add(1);
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

fn centred(text: &str, columns: usize) -> Vec<String> {
    let pad = |row: String| {
        let left = columns.saturating_sub(row.chars().count()) / 2;
        format!("{}{row}", " ".repeat(left))
    };
    wrapped(text, columns).into_iter().map(pad).collect()
}

/// A word at the left edge and one at the right; two rows if they do not fit into one.
fn pair(left: &str, right: &str, columns: usize) -> Vec<String> {
    let used = left.chars().count().saturating_add(right.chars().count());
    if used < columns {
        return vec![format!("{left}{}{right}", " ".repeat(columns.saturating_sub(used)))];
    }
    wrapped(&format!("{left} {right}"), columns)
}

/// The lines of a completed order.
pub(crate) fn lines(
    order: &Order,
    product: &Product,
    card: Option<&Card>,
    completed: Timestamp,
) -> Vec<String> {
    let columns = usize::from(order.columns);
    let (words, comma) = words(&order.locale);
    let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).strftime(words.date).to_string();
    let rule = "-".repeat(columns);
    let mut out = centred(product.brand, columns);
    out.extend(centred(product.name, columns));
    out.push(rule);
    out.extend(pair(words.value, &written(order.face_value, comma), columns));
    if let (Kind::Por, Some(card)) = (product.kind, card) {
        let until = jiff::SignedDuration::from_hours(VALID_DAYS.saturating_mul(24));
        out.push(String::new());
        out.extend(centred(words.code, columns));
        out.extend(centred(&grouped(&card.code), columns));
        out.extend(centred(&format!("PIN {}", card.pin), columns));
        out.push(String::new());
        out.extend(pair(
            words.valid_until,
            &day(completed.saturating_add(until).unwrap_or(completed)),
            columns,
        ));
        out.extend(wrapped(words.redeem, columns));
        out.push(String::new());
        out.extend(wrapped(words.keep, columns));
    } else {
        out.extend(pair(words.activated, &day(completed), columns));
        out.push(String::new());
        out.extend(wrapped(words.support, columns));
    }
    out.push(String::new());
    out.extend(wrapped(words.hotline, columns));
    let reference: String = order.id.chars().rev().take(10).collect::<Vec<_>>().into_iter().rev().collect();
    out.extend(pair(words.reference, &reference.to_uppercase(), columns));
    out
}

/// Lines that no provider should send: a drawer pulse and a cut in the printer's language, a bell, a text that runs
/// backwards, pictures, and one that is far longer than any paper.
const HOSTILE: [&str; 5] = [
    "drawer \u{1b}p\u{0}\u{19}\u{fa} cut \u{1d}VA\u{0} reset \u{1b}@",
    "bell \u{7} escape \u{9b}2J",
    "backwards \u{202e}edoc\u{202c}",
    "🎁🎁🎁 gift",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789END",
];

/// The lines as elements of the answer.
pub(crate) fn shaped(lines: &[String], shape: LineShape) -> Value {
    let object = |text: &String| json!({"text": text});
    let mut elements: Vec<Value> = match shape {
        LineShape::Text | LineShape::Hostile => lines.iter().map(|text| json!(text)).collect(),
        LineShape::Object => lines.iter().map(object).collect(),
        LineShape::Mixed => lines
            .iter()
            .enumerate()
            .map(|(place, text)| if place % 2 == 0 { json!(text) } else { object(text) })
            .collect(),
    };
    if shape == LineShape::Hostile {
        elements.extend(HOSTILE.iter().map(|line| json!(line)));
    }
    if shape == LineShape::Mixed {
        elements.push(json!({"type": "ornament", "style": "dotted", "weight": 2}));
    }
    Value::Array(elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finperks::catalogue;
    use crate::finperks::order::tests::order;
    use rust_decimal::Decimal;

    const CODE: &str = "6034123456789012345";

    fn card() -> Card {
        Card { code: CODE.to_owned(), pin: "4711".to_owned() }
    }

    #[test]
    fn no_line_is_longer_than_the_columns_in_any_language() {
        for product in catalogue::all() {
            for locale in ["de-DE", "en-GB", "fr-FR", "pl-PL", "ja-JP", "x"] {
                for columns in [16, 20, 24, 32, 40, 42, 48, 120] {
                    let mut order = order(product);
                    order.columns = columns;
                    order.locale = locale.to_owned();
                    let card = (product.kind == Kind::Por).then(card);
                    for line in lines(&order, product, card.as_ref(), Timestamp::UNIX_EPOCH) {
                        assert!(line.chars().count() <= usize::from(columns), "{columns} {locale}: {line}");
                        assert!(!line.chars().any(char::is_control));
                    }
                }
            }
        }
    }

    #[test]
    fn a_printed_card_shows_its_code_and_an_activated_one_shows_support_only() {
        let printed = catalogue::find("4001232232332").unwrap();
        let text = lines(&order(printed), printed, Some(&card()), Timestamp::UNIX_EPOCH).join("\n");
        for part in
            ["6034 1234 5678 9012 345", "PIN 4711", "50,00 €", "Gültig bis", "31.12.1972", "lösen", "Hotline"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let activated = catalogue::find("4001232100022").unwrap();
        let text = lines(&order(activated), activated, Some(&card()), Timestamp::UNIX_EPOCH).join("\n");
        assert!(!text.contains("6034") && !text.contains("4711"));
        assert!(text.contains("freigeschaltet") && text.contains("Rückseite"));
    }

    #[test]
    fn amounts_are_written_as_the_language_does() {
        let money = |currency, minor, scale| Money { currency, amount: Decimal::new(minor, scale) };
        for (money, comma, text) in [
            (money(Currency::Eur, 500, 1), true, "50,00 €"),
            (money(Currency::Eur, 5025, 2), false, "€50.25"),
            (money(Currency::Gbp, 10, 0), false, "£10.00"),
            (money(Currency::Chf, 10, 0), true, "CHF 10,00"),
            (money(Currency::Jpy, 10000, 1), false, "¥1000"),
        ] {
            assert_eq!(written(money, comma), text);
        }
    }

    #[test]
    fn lines_are_strings_or_objects_or_both() {
        let two = ["a".to_owned(), "b".to_owned()];
        assert_eq!(shaped(&two, LineShape::Text), json!(["a", "b"]));
        assert_eq!(shaped(&two, LineShape::Object), json!([{"text": "a"}, {"text": "b"}]));
        let mixed = shaped(&two, LineShape::Mixed);
        assert_eq!(mixed[0], "a");
        assert_eq!(mixed[1], json!({"text": "b"}));
        assert!(mixed[2].get("text").is_none() && mixed[2].is_object());
    }
}
