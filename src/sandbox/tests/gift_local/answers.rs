//! The shapes that answers come in: every switch that changes how the provider says it, and not what.

use serde_json::{Value, json};
use tilld_sandbox::gift_local::{
    CurrencyShown, EligiblePlace, EmptyNumber, Envelope, ErrorShape, JsonType, NumberForm, Oddity, Sandbox,
    Switches, Texts,
};

use crate::guest::{FIFTY, code, here, open, redeem, reverse, validate};

/// The text of a validate under one switch.
async fn under(sandbox: &Sandbox, name: &str, change: impl FnOnce(&mut Switches)) -> String {
    sandbox.switch(|switches| *switches = Switches::default());
    sandbox.switch(change);
    validate(sandbox, name).send(sandbox).await.answer().text
}

#[tokio::test]
async fn an_amount_is_written_in_each_way_that_a_serializer_has() {
    let sandbox = open().await;
    for (form, fifty, odd) in [
        (NumberForm::TwoDecimals, "50.00", "12.34"),
        (NumberForm::Shortest, "50", "12.34"),
        (NumberForm::OneDecimal, "50.0", "12.34"),
        (NumberForm::Exponent, "5e1", "1.234e1"),
        (NumberForm::Text, "\"50.00\"", "\"12.34\""),
        (NumberForm::TooFine, "50.000000000000004", "12.340000000000004"),
    ] {
        for (name, expected) in [(FIFTY, fifty), ("odd-cents", odd)] {
            let text = under(&sandbox, name, |switches| switches.number_form = form).await;
            for field in ["voucherEligibleValue", "voucherRemainingValue"] {
                assert!(text.contains(&format!("\"{field}\":{expected},")), "{form:?}: {text}");
            }
        }
    }
    sandbox.switch(|switches| switches.number_form = NumberForm::Exponent);
    let redeemed = redeem(&sandbox, FIFTY, "2.5e1").send(&sandbox).await.answer();
    assert!(redeemed.text.contains(r#""amount":2.5e1"#), "{}", redeemed.text);
    assert!(redeemed.text.contains(r#""voucherEligibleValue":2.5e1"#), "{}", redeemed.text);
}

#[tokio::test]
async fn the_number_that_does_not_apply_is_zero_or_null_or_absent() {
    let sandbox = open().await;
    for (switch, expected) in [
        (EmptyNumber::Zero, Some(json!(0))),
        (EmptyNumber::Null, Some(Value::Null)),
        (EmptyNumber::Absent, None),
    ] {
        let text = under(&sandbox, FIFTY, |switches| switches.empty_number = switch).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["voucher"].get("voucherEligibleItemQuantity").cloned(), expected);
        assert_eq!(body["voucher"]["voucherEligibleValue"], json!(50.0));
    }
}

#[tokio::test]
async fn the_voucher_stands_in_an_envelope_or_is_the_answer_and_its_numbers_in_it_or_beside_it() {
    let sandbox = open().await;
    for (envelope, place, voucher, eligible) in [
        (Envelope::Voucher, EligiblePlace::Inside, "/voucher", "/voucher"),
        (Envelope::Voucher, EligiblePlace::Beside, "/voucher", ""),
        (Envelope::Data, EligiblePlace::Inside, "/data/voucher", "/data/voucher"),
        (Envelope::Data, EligiblePlace::Beside, "/data/voucher", "/data"),
        (Envelope::Result, EligiblePlace::Inside, "/result/voucher", "/result/voucher"),
        (Envelope::Result, EligiblePlace::Beside, "/result/voucher", "/result"),
        (Envelope::Root, EligiblePlace::Inside, "", ""),
        (Envelope::Root, EligiblePlace::Beside, "", ""),
    ] {
        let change = |switches: &mut Switches| {
            switches.envelope = envelope;
            switches.eligible_place = place;
        };
        let text = under(&sandbox, FIFTY, change).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        let at = |holder: &str, field: &str| body.pointer(&format!("{holder}/{field}")).cloned();
        assert_eq!(at(voucher, "isRedeemable"), Some(json!(true)), "{envelope:?} {place:?}: {text}");
        for field in ["voucherEligibleValue", "voucherEligibleItemQuantity", "voucherPresentValueDescription"]
        {
            assert!(at(eligible, field).is_some(), "{envelope:?} {place:?} {field}: {text}");
            assert_eq!(text.matches(field).count(), 1, "{text}");
        }
    }
}

#[tokio::test]
async fn ids_have_the_names_that_the_switches_say_or_none() {
    let sandbox = open().await;
    let text = under(&sandbox, FIFTY, |switches| switches.voucher_id_field = "id".to_owned()).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    assert!(body["voucher"]["id"].is_string() && body["voucher"].get("voucherID").is_none());
    for (object, field, pointer) in [
        ("redemption", "redemptionID", Some("/redemption/redemptionID")),
        ("transaction", "id", Some("/transaction/id")),
        ("voucherRedemption", "redemptionTransactionID", Some("/voucherRedemption/redemptionTransactionID")),
        ("redemption", "", None),
        ("", "redemptionID", None),
    ] {
        sandbox.switch(|switches| {
            switches.redemption_object = object.to_owned();
            switches.redemption_id_field = field.to_owned();
        });
        let answer = redeem(&sandbox, FIFTY, "1").send(&sandbox).await.answer();
        let id = sandbox.ledger().redemptions.last().unwrap().id.clone();
        assert_eq!(answer.status, 200);
        match pointer {
            Some(pointer) => assert_eq!(answer.json().pointer(pointer), Some(&json!(id)), "{}", answer.text),
            None => assert!(!answer.text.contains(&id), "{}", answer.text),
        }
    }
}

#[tokio::test]
async fn the_currency_is_hidden_or_shown_or_wrong() {
    let sandbox = open().await;
    for (name, switch, expected) in [
        (FIFTY, CurrencyShown::Hidden, None),
        (FIFTY, CurrencyShown::Shown, Some("EUR")),
        ("gift-100-chf", CurrencyShown::Shown, Some("CHF")),
        (FIFTY, CurrencyShown::Wrong, Some("USD")),
        ("coffee", CurrencyShown::Shown, None),
    ] {
        let text = under(&sandbox, name, |switches| switches.currency = switch).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["voucher"]["currencyCode"].as_str(), expected, "{name} {switch:?}");
    }
}

#[tokio::test]
async fn json_comes_as_application_json_or_as_text_json() {
    let sandbox = open().await;
    for (switch, expected) in [
        (JsonType::Application, "application/json; charset=utf-8"),
        (JsonType::Text, "text/json; charset=utf-8"),
    ] {
        sandbox.switch(|switches| switches.json_type = switch);
        let answer = validate(&sandbox, FIFTY).send(&sandbox).await.answer();
        assert_eq!(answer.header("content-type").as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn an_error_comes_in_the_shape_that_is_switched() {
    let sandbox = open().await;
    for (shape, kind, pointer) in [
        (ErrorShape::ProblemDetails, "application/problem+json; charset=utf-8", "/detail"),
        (ErrorShape::Message, "application/json; charset=utf-8", "/message"),
        (ErrorShape::ErrorMessage, "application/json; charset=utf-8", "/errorMessage"),
        (ErrorShape::Error, "application/json; charset=utf-8", "/error"),
    ] {
        sandbox.switch(|switches| switches.error_shape = shape);
        let answer = redeem(&sandbox, FIFTY, "50.01").send(&sandbox).await.answer();
        assert_eq!((answer.status, answer.header("content-type").as_deref()), (422, Some(kind)));
        assert_eq!(
            answer.json().pointer(pointer),
            Some(&json!("The amount exceeds what is left on the gift."))
        );
    }
    sandbox.switch(|switches| switches.error_shape = ErrorShape::Text);
    let answer = redeem(&sandbox, FIFTY, "50.01").send(&sandbox).await.answer();
    assert_eq!(answer.text, "The amount exceeds what is left on the gift.");
}

#[tokio::test]
async fn a_refusal_repeats_the_code_only_where_the_switch_says_so() {
    let sandbox = open().await;
    let gift = code(&sandbox, "used-up");
    let body = json!({"organizationID": here(&sandbox), "voucherCode": gift, "amount": 1});
    let request = crate::guest::Request::post(crate::guest::REDEEM, body);
    for echoes in [false, true] {
        sandbox.switch(|switches| switches.errors_echo_codes = echoes);
        let answer = request.send(&sandbox).await.answer();
        assert_eq!((answer.status, answer.text.contains(&gift.to_string())), (422, echoes));
    }
}

#[tokio::test]
async fn hostile_texts_hold_what_no_printer_should_get() {
    let sandbox = open().await;
    for name in ["promo-10-eur", "coffee", "used-up"] {
        let plain = under(&sandbox, name, |_| {}).await;
        assert!(!plain.contains("\\u001b"), "{plain}");
        let text = under(&sandbox, name, |switches| switches.texts = Texts::Hostile).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        let said = body["voucher"]["voucherPresentValueDescription"].as_str().unwrap();
        assert!(said.contains('\u{1b}') && said.contains('\u{202e}') && said.chars().count() > 1_000);
    }
}

#[tokio::test]
async fn unknown_fields_stand_in_every_object_and_change_nothing() {
    let sandbox = open().await;
    sandbox.switch(|switches| {
        switches.unknown_fields = true;
        switches.envelope = Envelope::Data;
    });
    let answer = redeem(&sandbox, FIFTY, "1").send(&sandbox).await.answer();
    for holder in ["", "/data", "/data/voucher", "/data/redemption"] {
        assert!(answer.json().pointer(&format!("{holder}/futureFlag")).is_some(), "{holder}");
    }
    assert!(answer.text.contains(r#""futureNumber":12345678901234567890.12345678901234567890"#));
    assert_eq!(answer.json()["data"]["voucher"]["isRedeemable"], true);
}

#[tokio::test]
async fn each_oddity_contradicts_the_rest_in_its_own_way() {
    let sandbox = open().await;
    let voucher = async |oddity| {
        let text = under(&sandbox, FIFTY, |switches| switches.oddity = oddity).await;
        serde_json::from_str::<Value>(&text).unwrap()["voucher"].clone()
    };
    assert_eq!(voucher(Oddity::None).await["isRedeemable"], true);
    assert!(voucher(Oddity::NoIsRedeemable).await.get("isRedeemable").is_none());
    assert_eq!(voucher(Oddity::IsRedeemableAsText).await["isRedeemable"], "true");
    let both = voucher(Oddity::BothEligible).await;
    assert_eq!(
        (&both["voucherEligibleValue"], &both["voucherEligibleItemQuantity"]),
        (&json!(50.0), &json!(1))
    );
    let eligible = voucher(Oddity::EligibleButNotRedeemable).await;
    assert_eq!((&eligible["isRedeemable"], &eligible["voucherEligibleValue"]), (&json!(false), &json!(50.0)));
    let nothing = voucher(Oddity::RedeemableButNothingEligible).await;
    assert_eq!((&nothing["isRedeemable"], &nothing["voucherEligibleValue"]), (&json!(true), &json!(0.0)));
    assert!(voucher(Oddity::NoVoucherId).await.get("voucherID").is_none());
    assert_eq!(voucher(Oddity::NoVoucher).await, Value::Null);
}

#[tokio::test]
async fn a_reversal_shows_the_redemption_with_its_reversal() {
    let sandbox = open().await;
    let id = crate::guest::redeemed(&sandbox, FIFTY, "1").await;
    let body = reverse(&sandbox, &id).send(&sandbox).await.answer().json();
    assert_eq!(
        (&body["redemption"]["redemptionID"], &body["redemption"]["isReversed"]),
        (&json!(id), &json!(true))
    );
    assert!(body["redemption"]["reversedAt"].is_string());
    assert_eq!(body["voucher"]["voucherEligibleValue"], json!(50.0));
}
