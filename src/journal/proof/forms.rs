//! Events to disk and back, and what a hostile disk can do: nothing but be refused.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use tilld_domain::money::{Currency, Money};
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::{OrderSeen, OrderStage, Outcome, ReceiptLines};
use tilld_domain::pauses::UndoTimes;
use tilld_domain::product::{CardKind, FaceValues, Product};
use tilld_domain::redemption::{self, RedemptionEvent};
use tilld_domain::sale::{CardNo, Opening, Sale, SaleEvent};
use tilld_domain::voucher::{Balance, Redeemed, RedemptionSeen, VoucherCode, Words, Worth};

use super::samples;
use crate::entry::{Event, RedemptionStep, Subject};
use crate::failure::DecodeError;
use crate::form;
use crate::seal::Owner;

/// The public part of an event.
fn encode(event: &Event) -> String {
    match event {
        Event::Sale(event) => form::encode_of_sale(event),
        Event::Redemption(step) => form::encode_of_redemption(step),
        Event::Device(device) => form::encode_of_device(device),
        Event::Day(closing) => form::encode_of_day(closing),
    }
    .unwrap()
}

/// The secrets of an event of [`samples`].
fn take(event: &Event) -> Vec<(Owner, form::secrets::Packed)> {
    match event {
        Event::Sale(event) => {
            let sale = Sale::open(samples::opening(1, 2), tilld_domain::moment::Moment::from_ms(0)).0;
            form::secrets::take_of_sale(event, &sale)
        }
        Event::Redemption(step) => form::secrets::take_of_redemption(step).into_iter().collect(),
        Event::Device(_) | Event::Day(_) => Vec::new(),
    }
}

/// Writes an event, looks that nothing secret is public, and reads it.
fn there_and_back(event: &Event) -> Event {
    let body = encode(event);
    for secret in samples::SECRETS {
        assert!(!body.contains(secret), "{body}");
    }
    let mut read = form::decode(form::kind(event), form::card(event), &body).unwrap();
    for (owner, packed) in take(event) {
        form::secrets::put_back(&mut read, owner, &packed).unwrap();
    }
    read
}

#[test]
fn every_event_comes_back_as_it_was_written() {
    for event in samples::events() {
        assert_eq!(there_and_back(&event), event);
    }
}

/// A kind tells of what an entry is: none is a word of two.
#[test]
fn every_kind_is_a_word_of_sales_of_redemptions_of_devices_or_of_days() {
    let id = uuid::Uuid::from_u128(1);
    for event in samples::events() {
        let subject = form::subject(form::kind(&event), id);
        let fits = matches!(
            (&event, subject),
            (Event::Sale(_), Subject::Sale(_))
                | (Event::Redemption(_), Subject::Redemption(_))
                | (Event::Device(_), Subject::Device(_))
                | (Event::Day(_), Subject::Day(_))
        );
        assert!(fits, "{}", form::kind(&event));
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
    let opened = encode(&Event::Redemption(RedemptionStep::Opened(Box::new(samples::redemption(1)))));
    for (kind, from, to, expected) in [
        ("redemption_opened", r#""v":1"#, r#""v":7"#, Version(7)),
        ("offered", r#""v":1"#, r#""v":1"#, Column("kind")),
        (
            "redemption_opened",
            r#""opened""#,
            r#""shut""#,
            body("unknown variant `shut`, expected `opened` or `happened`"),
        ),
        (
            "redemption_opened",
            r#""kind":"gift""#,
            r#""kind":"loan""#,
            body("unknown variant `loan`, expected `gift` or `promotional`"),
        ),
        (
            "redemption_opened",
            r#""amount":{"money""#,
            r#""amount":{"hours""#,
            body("unknown variant `hours`, expected `money` or `items`"),
        ),
        (
            "redemption_opened",
            r#""comparable""#,
            r#""lucky""#,
            body("unknown variant `lucky`, expected one of `repeatable`, `findable`, `comparable`"),
        ),
        ("redemption_opened", r#""code_tail":"8901""#, r#""code_tail":"78901""#, body("no tail of a code")),
        (
            "redemption_opened",
            r#""item":null"#,
            r#""item":" two  blanks""#,
            body("words that nobody made fit"),
        ),
        (
            "redemption_opened",
            r#""item":null"#,
            r#""item":"code 012345678901""#,
            body("words that nobody made fit"),
        ),
        ("redemption_opened", r#""item":null,"#, "", body("missing field `item`")),
        (
            "redemption_opened",
            r#""request":"#,
            r#""code":"012345678901","request":"#,
            body(
                "unknown field `code`, expected one of `redemption`, `basket`, `provider`, `store`, `terminal`, `country`, `cashier`, `locale`, `rules`, `voucher`, `kind`, `item`, `code_tail`, `amount`, `before`, `key`, `request`",
            ),
        ),
    ] {
        let text = opened.replacen(from, to, 1);
        assert!(text != opened || from == to, "{from} is in the form");
        let refused = match form::decode(kind, None, &text).unwrap_err() {
            Body(why) => body(why.split(" at line").next().unwrap()),
            other => other,
        };
        let expected = match expected {
            Body(why) => Body(why.chars().take(200).collect()),
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
    let opened = Event::Sale(SaleEvent::Opened(Box::new(samples::opening(1, 2))));
    let (posa, code) = take(&opened).pop().unwrap();
    let redemption = Event::Redemption(RedemptionStep::Opened(Box::new(samples::redemption(1))));
    let (voucher, number) = take(&redemption).pop().unwrap();
    let por = samples::opening(1, 2).cards[0].id.into();
    let three = ReceiptLines::gone(3, 0);
    let seen = OrderSeen { stage: OrderStage::Done, lines: Some(three) };
    let confirmed = SaleEvent::Card(CardNo::new(1).unwrap(), OrderEvent::ConfirmEnded(Outcome::Done(seen)));
    let confirmed = Event::Sale(confirmed);
    let happened = Event::Redemption(RedemptionStep::Happened(RedemptionEvent::Offered));
    for (event, owner, packed) in [
        (&Event::Sale(SaleEvent::Resumed), posa, &code[..]),
        (&opened, voucher, &number),
        (&opened, posa, &number),
        (&redemption, posa, &number),
        (&redemption, voucher, &code),
        (&redemption, voucher, b""),
        (&redemption, voucher, b"\x03"),
        (&redemption, voucher, b"\x0301234567890"),
        (&redemption, voucher, b"\x04short"),
        (&redemption, voucher, b"\x04\xff\xff\xff\xff\xff\xff\xff\xff"),
        (&redemption, voucher, b"\x05012345678901"),
        (&happened, voucher, &number),
        (&confirmed, por, b""),
        (&confirmed, por, b"\x01x"),
        (&confirmed, por, b"\x02"),
        (&confirmed, por, b"\x02\0\0\x01\0\xff\xff\xff\xff"),
        (&confirmed, por, b"\x02\0\0\x01\0\0\0\0\0"),
        (&confirmed, por, b"\x02\0\0\0\0x"),
    ] {
        let mut event = event.clone();
        let refused = form::secrets::put_back(&mut event, owner, packed);
        assert_eq!(refused, Err(DecodeError::Sealed), "{packed:?}");
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
            if repeatable {
                let call_after_failures = 1 + u32::from(attempts) % 7;
                opening.rules.undo =
                    UndoTimes { pauses: [span; 7], stuck: span, call_after_failures, call_after: span };
            }
            for facts in &mut opening.cards {
                facts.product_name.clone_from(&name);
                facts.create_request.clone_from(&request);
                facts.face_value = samples::eur(minor);
                facts.code = facts.code.as_ref().map(|_| code.parse().unwrap());
                facts.code_tail = facts.code.as_ref().map(|_| name.clone());
                facts.undo_window = repeatable.then_some(span);
            }
            opening
        },
    )
}

fn worth() -> impl Strategy<Value = Worth> {
    prop_oneof![
        any::<i64>().prop_map(|minor| Worth::Money(samples::eur(minor))),
        any::<u32>().prop_map(Worth::Items)
    ]
}

fn redemption() -> impl Strategy<Value = redemption::Opening> {
    let code = prop_oneof![
        "[0-9]{12}".prop_map(|text| VoucherCode::number(&text).unwrap()),
        "[A-Za-z0-9_-]{8,40}(/[A-Za-z0-9_-]{8,40}){0,2}".prop_map(|text| VoucherCode::token(&text).unwrap()),
    ];
    let texts = (any::<String>(), any::<String>(), any::<Option<String>>(), "[a-zA-Z0-9._~-]{3,64}");
    (texts, code, any::<bool>(), worth(), worth(), any::<Duration>()).prop_filter_map(
        "names of vouchers that look like payment cards are refused",
        |((provider, request, item, voucher), code, kept, amount, before, span)| {
            let mut opening = samples::redemption(5);
            opening.provider = provider;
            opening.request = request;
            opening.item = item.map(|item| Words::new(&item));
            opening.voucher = voucher.parse().ok()?;
            opening.code_tail = code.tail();
            opening.code = kept.then_some(code);
            opening.amount = amount;
            opening.before = Balance { left: Some(before), eligible: Some(amount) };
            opening.rules.settle = span;
            if kept {
                opening.rules.undo.call_after = span;
            }
            Some(opening)
        },
    )
}

/// Journals of before they could be set say nothing of the pauses of undos, and mean the same.
#[test]
fn the_usual_pauses_of_undos_are_not_written() {
    let sale = Event::Sale(SaleEvent::Opened(Box::new(samples::opening(5, 1))));
    let redemption = Event::Redemption(RedemptionStep::Opened(Box::new(samples::redemption(5))));
    for event in [sale, redemption] {
        assert!(!encode(&event).contains("undo\""), "{}", encode(&event));
        assert_eq!(there_and_back(&event), event);
    }
}

static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(samples::events);

proptest! {
    #[test]
    fn any_opening_comes_back(opening in opening()) {
        let event = Event::Sale(SaleEvent::Opened(Box::new(opening.clone())));
        let body = encode(&event);
        let view = form::told::opened(body.as_bytes()).unwrap();
        prop_assert_eq!((&*view.receipt, &*view.provider), (opening.receipt.as_str(), &*opening.provider));
        let names = |names: Vec<&str>| names.join("|");
        prop_assert_eq!(
            names(view.cards.iter().map(|card| &*card.product_name).collect()),
            names(opening.cards.iter().map(|card| &*card.product_name).collect())
        );
        prop_assert_eq!(there_and_back(&event), event);
    }

    #[test]
    fn any_opening_of_a_redemption_comes_back(opening in redemption()) {
        let event = Event::Redemption(RedemptionStep::Opened(Box::new(opening)));
        prop_assert_eq!(there_and_back(&event), event);
    }

    #[test]
    fn any_end_of_a_redeem_comes_back(granted in prop::option::of(worth()), left in prop::option::of(worth()), eligible in prop::option::of(worth())) {
        let redeemed = Redeemed { redemption: None, granted, remaining: Balance { left, eligible } };
        for event in [
            RedemptionEvent::RedeemEnded(Outcome::Done(redeemed.clone())),
            RedemptionEvent::LookupEnded(Outcome::Done(RedemptionSeen::Done(redeemed))),
        ] {
            let event = Event::Redemption(RedemptionStep::Happened(event));
            prop_assert_eq!(there_and_back(&event), event);
        }
    }

    #[test]
    fn any_lines_come_back(lines in lines(), card in 1_u16..=2) {
        let seen = OrderSeen { stage: OrderStage::Done, lines: Some(lines) };
        let event = OrderEvent::LookupEnded(Outcome::Done(seen));
        let event = Event::Sale(SaleEvent::Card(CardNo::new(card).unwrap(), event));
        prop_assert_eq!(there_and_back(&event), event);
    }

    #[test]
    fn any_texts_come_back(request in any::<String>(), reason in any::<String>(), pause in any::<Option<Duration>>()) {
        for event in [
            OrderEvent::Paid { confirm_request: request },
            OrderEvent::Settled { by: "Ann".parse().unwrap(), reason },
            OrderEvent::UndoEnded(Outcome::Later { retry_after: pause }),
        ] {
            let event = Event::Sale(SaleEvent::Card(CardNo::new(20).unwrap(), event));
            prop_assert_eq!(there_and_back(&event), event);
        }
    }

    #[test]
    fn no_text_makes_reading_panic(kind in "[a-z_]{0,12}", text in ".{0,200}") {
        let _ = form::decode(&kind, None, &text);
        let _ = form::decode_products(&text);
        let _ = form::decode(&kind, None, &format!(r#"{{"v":1,"event":{text}}}"#));
        let _ = form::decode("redeem_ended", None, &format!(r#"{{"v":1,"event":{text}}}"#));
        let _ = form::shown("redeem_ended", text);
    }

    #[test]
    fn a_damaged_entry_is_read_or_refused_but_never_panics(
        which in 0..EVENTS.len(),
        place in any::<prop::sample::Index>(),
        byte in prop::sample::select(br#"0129-"{}[],:ae. u\"#.to_vec()),
    ) {
        let event = &EVENTS[which];
        let mut body = encode(event).into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        if let Ok(body) = String::from_utf8(body) {
            let _ = form::decode(form::kind(event), form::card(event), &body);
        }
    }

    #[test]
    fn no_packed_secret_makes_reading_panic(packed in prop::collection::vec(any::<u8>(), 0..64)) {
        let order = samples::opening(1, 2).cards[1].id;
        for (event, owner) in [
            (Event::Sale(SaleEvent::Opened(Box::new(samples::opening(1, 2)))), order.into()),
            (Event::Sale(SaleEvent::Resumed), order.into()),
            (
                Event::Redemption(RedemptionStep::Opened(Box::new(samples::redemption(1)))),
                samples::redemption(1).redemption.into(),
            ),
        ] {
            let _ = form::secrets::put_back(&mut event.clone(), owner, &packed);
        }
        let _ = crate::seal::unpack(&packed);
    }
}
