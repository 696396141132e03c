//! Events to disk and back, and what a hostile disk can do: nothing but be refused.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::{OrderSeen, OrderStage, Outcome, ReceiptLines};
use tilld_domain::product::{CardKind, FaceValues, Product};
use tilld_domain::sale::{CardNo, Opening, Sale, SaleEvent};

use super::samples;
use crate::failure::DecodeError;
use crate::form;

/// Writes an event, looks that nothing secret is public, and reads it.
fn there_and_back(event: &SaleEvent) -> SaleEvent {
    let sale = Sale::open(samples::opening(1, 2), tilld_domain::moment::Moment::from_ms(0)).0;
    let body = form::encode(event).unwrap();
    for secret in [samples::POR_CODE, samples::POSA_CODE] {
        assert!(!body.contains(secret), "{body}");
    }
    let mut read = form::decode(form::kind(event), form::card(event), &body).unwrap();
    for (order, packed) in form::secrets::take(event, &sale) {
        form::secrets::put_back(&mut read, order, &packed).unwrap();
    }
    read
}

#[test]
fn every_event_comes_back_as_it_was_written() {
    for event in samples::events() {
        assert_eq!(there_and_back(&event), event);
    }
}

#[test]
fn an_event_of_an_unknown_shape_is_refused_by_name() {
    use DecodeError::{Body, Column, Version};
    let body = |text: &str| Body(text.to_owned());
    for (kind, text, expected) in [
        ("resumed", r#"{"v":2,"event":{"whatever":1}}"#, Version(2)),
        ("paid", r#"{"v":1,"event":"resumed"}"#, Column("kind")),
        (
            "resumed",
            r#"{"v":1,"event":"eaten"}"#,
            body("unknown variant `eaten`, expected one of `opened`, `paid`, `cancelled`, `resumed`, `card`"),
        ),
        (
            "resumed",
            r#"{"v":1,"event":"resumed","more":1}"#,
            body("unknown field `more`, expected `v` or `event`"),
        ),
        ("resumed", r#"{"v":1}"#, body("missing field `event`")),
        ("resumed", r#"{"event":"resumed"}"#, body("missing field `v`")),
        ("cancelled", r#"{"v":1,"event":{"cancelled":{}}}"#, body("missing field `by`")),
        (
            "cancelled",
            r#"{"v":1,"event":{"cancelled":{"by":"\u0007"}}}"#,
            body("it holds a character that is not allowed there"),
        ),
        ("time_up", r#"{"v":1,"event":{"card":[21,"time_up"]}}"#, body("no sale has a card of that number")),
        ("time_up", r#"{"v":1,"event":{"card":[2,"time_up"]}}"#, Column("card")),
        ("resumed", "", body("EOF while parsing a value")),
    ] {
        let refused = match form::decode(kind, CardNo::new(1), text).unwrap_err() {
            Body(why) => body(why.split(" at line").next().unwrap()),
            other => other,
        };
        assert_eq!(refused, expected, "{text}");
    }
    let unknown_refusal =
        r#"{"v":1,"event":{"card":[1,{"create_ended":{"refused":{"code":"moon_phase"}}}]}}"#;
    let Err(Body(why)) = form::decode("create_ended", CardNo::new(1), unknown_refusal) else { panic!() };
    assert!(why.starts_with("unknown refusal `moon_phase`"), "{why}");
    let long = format!(r#"{{"v":1,"event":"{}"}}"#, "\u{7}".repeat(10_000).replace('\u{7}', "\\u001b"));
    let Err(Body(why)) = form::decode("resumed", None, &long) else { panic!() };
    assert!(why.chars().count() == 200 && !why.chars().any(char::is_control));
}

#[test]
fn a_secret_that_belongs_elsewhere_is_not_put_into_an_event() {
    let sale = Sale::open(samples::opening(1, 2), tilld_domain::moment::Moment::from_ms(0)).0;
    let opened = SaleEvent::Opened(Box::new(samples::opening(1, 2)));
    let (posa, code) = form::secrets::take(&opened, &sale).pop().unwrap();
    let por = sale.orders[0].facts.id;
    let mut other = SaleEvent::Resumed;
    assert_eq!(form::secrets::put_back(&mut other, posa, &code), Err(DecodeError::Sealed));
    let three = ReceiptLines::gone(3, 0);
    let seen = OrderSeen { stage: OrderStage::Done, lines: Some(three) };
    let mut confirmed =
        SaleEvent::Card(CardNo::new(1).unwrap(), OrderEvent::ConfirmEnded(Outcome::Done(seen)));
    for packed in [
        &b""[..],
        b"\x01x",
        b"\x02",
        b"\x02\0\0\x01\0\xff\xff\xff\xff",
        b"\x02\0\0\x01\0\0\0\0\0",
        b"\x02\0\0\0\0x",
    ] {
        assert_eq!(
            form::secrets::put_back(&mut confirmed, por, packed),
            Err(DecodeError::Sealed),
            "{packed:?}"
        );
    }
}

#[test]
fn products_come_back_as_they_were_cached() {
    let (eur, jpy) = (Currency::from_code("EUR").unwrap(), Currency::from_code("JPY").unwrap());
    let product = |face_values, currency, kind| Product {
        code: "4001232232332".parse().unwrap(),
        name: "Blumen für 5 €".to_owned(),
        brand: String::new(),
        kind,
        currency,
        face_values,
        country: "DE".parse().unwrap(),
        sellable: true,
    };
    let products = [
        product(FaceValues::Fixed(vec![Money::new(1000, eur), Money::new(5000, eur)]), eur, CardKind::Por),
        product(FaceValues::Fixed(Vec::new()), eur, CardKind::Posa),
        product(
            FaceValues::Open { least: Money::new(1, jpy), most: Money::new(i64::MAX, jpy) },
            jpy,
            CardKind::Por,
        ),
    ];
    let body = form::encode_products(&products).unwrap();
    assert_eq!(form::decode_products(&body).unwrap(), products);
    assert!(form::decode_products(&body.replace("por", "pox")).is_err());
}

fn lines() -> impl Strategy<Value = ReceiptLines> {
    (prop::collection::vec(".{0,64}", 0..20), any::<u16>())
        .prop_map(|(lines, odd)| ReceiptLines::new(lines, odd).unwrap())
}

fn opening() -> impl Strategy<Value = Opening> {
    let texts = (any::<String>(), any::<String>(), any::<String>(), "[a-z0-9._~-]{1,2}[A-Za-z]{1,30}");
    (texts, any::<i64>(), any::<Duration>(), any::<[u16; 2]>(), any::<bool>(), 1_u16..=20).prop_map(
        |((provider, name, request, code), minor, span, [columns, attempts], repeatable, cards)| {
            let mut opening = samples::opening(5, cards);
            opening.provider = provider;
            opening.columns = columns;
            opening.rules.quiet = span;
            opening.rules.print_attempts = attempts;
            opening.rules.confirm_repeatable = repeatable;
            for facts in &mut opening.cards {
                facts.product_name.clone_from(&name);
                facts.create_request.clone_from(&request);
                facts.face_value = samples::eur(minor);
                facts.code = facts.code.as_ref().map(|_| code.parse().unwrap());
                facts.code_tail = facts.code.as_ref().map(|_| name.clone());
            }
            opening
        },
    )
}

static EVENTS: LazyLock<Vec<SaleEvent>> = LazyLock::new(samples::events);

proptest! {
    #[test]
    fn any_opening_comes_back(opening in opening()) {
        let event = SaleEvent::Opened(Box::new(opening));
        prop_assert_eq!(there_and_back(&event), event);
    }

    #[test]
    fn any_lines_come_back(lines in lines(), card in 1_u16..=2) {
        let seen = OrderSeen { stage: OrderStage::Done, lines: Some(lines) };
        let event = SaleEvent::Card(CardNo::new(card).unwrap(), OrderEvent::LookupEnded(Outcome::Done(seen)));
        prop_assert_eq!(there_and_back(&event), event);
    }

    #[test]
    fn any_texts_come_back(request in any::<String>(), reason in any::<String>(), pause in any::<Option<Duration>>()) {
        for event in [
            OrderEvent::Paid { confirm_request: request },
            OrderEvent::Settled { by: "Ann".parse().unwrap(), reason },
            OrderEvent::UndoEnded(Outcome::Later { retry_after: pause }),
        ] {
            let event = SaleEvent::Card(CardNo::new(20).unwrap(), event);
            prop_assert_eq!(there_and_back(&event), event);
        }
    }

    #[test]
    fn no_text_makes_reading_panic(kind in "[a-z_]{0,12}", text in ".{0,200}") {
        let _ = form::decode(&kind, None, &text);
        let _ = form::decode_products(&text);
        let _ = form::decode(&kind, None, &format!(r#"{{"v":1,"event":{text}}}"#));
    }

    #[test]
    fn a_damaged_entry_is_read_or_refused_but_never_panics(
        which in 0..EVENTS.len(),
        place in any::<prop::sample::Index>(),
        byte in prop::sample::select(br#"0129-"{}[],:ae. u\"#.to_vec()),
    ) {
        let event = &EVENTS[which];
        let mut body = form::encode(event).unwrap().into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        if let Ok(body) = String::from_utf8(body) {
            let _ = form::decode(form::kind(event), form::card(event), &body);
        }
    }

    #[test]
    fn no_packed_secret_makes_reading_panic(packed in prop::collection::vec(any::<u8>(), 0..64)) {
        let order = samples::opening(1, 2).cards[1].id;
        for event in [SaleEvent::Opened(Box::new(samples::opening(1, 2))), SaleEvent::Resumed] {
            let _ = form::secrets::put_back(&mut event.clone(), order, &packed);
        }
        let _ = crate::seal::unpack(&packed);
    }
}
