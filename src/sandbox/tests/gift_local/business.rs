//! What the provider does with gifts, under each switch of its rules.

use serde_json::json;
use tilld_sandbox::gift_local::{
    IdenticalRedeem, KeyCovers, NewVoucher, NullAmount, OverBalance, Rest, SecondReversal, WrongLocation,
};

use crate::guest::{
    FIFTY, REDEEM, REVERSE, Request, VALIDATE, adds_up, code, contradictions, here, left, open, place,
    redeem, redeemed, reverse, told, validate, voucher,
};

#[tokio::test]
async fn a_gift_is_looked_up_redeemed_in_parts_and_given_back() {
    let sandbox = open().await;
    let looked = validate(&sandbox, FIFTY).send(&sandbox).await.answer();
    assert!(looked.text.contains(r#""voucherEligibleValue":50.00"#), "{}", looked.text);
    assert!(looked.text.contains(r#""voucherEligibleItemQuantity":0"#), "{}", looked.text);
    assert_eq!(looked.json()["voucher"]["voucherPresentValueDescription"], "50.00 EUR");
    assert_eq!(looked.json()["voucher"]["voucherID"], voucher(&sandbox, FIFTY).id);
    let answer = redeem(&sandbox, FIFTY, "12.34").send(&sandbox).await.answer();
    assert!(answer.text.contains(r#""voucherEligibleValue":37.66"#), "{}", answer.text);
    assert!(answer.text.contains(r#""amount":12.34"#), "{}", answer.text);
    let redemption = answer.json()["redemption"].clone();
    assert_eq!(redemption["isReversed"], false);
    let id = redemption["redemptionID"].as_str().unwrap();
    assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "37.66")).await, "200 not redeemable");
    assert_eq!(told(&sandbox, validate(&sandbox, FIFTY)).await, "200 not redeemable");
    assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "0.01")).await, "422 not_redeemable");
    let back = reverse(&sandbox, id).send(&sandbox).await.answer();
    assert_eq!(back.json()["redemption"]["isReversed"], true);
    assert_eq!(left(&sandbox, FIFTY), "12.34");
    assert_eq!(told(&sandbox, reverse(&sandbox, id)).await, "409 already_reversed");
    let books = sandbox.ledger();
    let standing = books.redemption(id).unwrap();
    assert_eq!((standing.granted.as_str(), standing.reversals, standing.call), ("12.34", 1, Some(2)));
    let moved: Vec<_> =
        books.entries.iter().filter(|entry| entry.call.is_some()).map(|entry| entry.movement).collect();
    assert_eq!(moved, ["debit", "debit", "reversal"]);
    adds_up(&sandbox);
}

#[tokio::test]
async fn validate_succeeds_for_every_gift_that_is_there_and_says_whether_it_is_redeemable() {
    let sandbox = open().await;
    for (name, expected, description) in [
        (FIFTY, "200 redeemable", "50.00 EUR"),
        ("odd-cents", "200 redeemable", "12.34 EUR"),
        ("leading-zeros", "200 redeemable", "30.00 EUR"),
        ("gift-100-chf", "200 redeemable", "100.00 CHF"),
        ("gift-20-gbp", "200 redeemable", "20.00 GBP"),
        ("coffee", "200 redeemable", "3 x Cappuccino"),
        ("promo-10-eur", "200 redeemable", "10.00 EUR"),
        ("promo-cake", "200 redeemable", "1 x Cheesecake"),
        ("pan-like", "200 redeemable", "20.00 EUR"),
        ("used-up", "200 not redeemable", "This gift has already been redeemed."),
        ("expired", "200 not redeemable", "This gift expired on "),
        ("not-yet-valid", "200 not redeemable", "This gift is not valid before "),
        ("blocked", "200 not redeemable", "This gift has been deactivated."),
    ] {
        let answer = validate(&sandbox, name).send(&sandbox).await.answer();
        assert_eq!(crate::guest::word(&answer), expected, "{name}");
        let said = answer.json()["voucher"]["voucherPresentValueDescription"].as_str().unwrap().to_owned();
        assert!(said.starts_with(description), "{name}: {said}");
        let redeemable = expected == "200 redeemable";
        let redeem = told(&sandbox, redeem(&sandbox, name, "1")).await;
        assert_eq!(redeem == "422 not_redeemable", !redeemable, "{name}: {redeem}");
    }
    let nobody = Request::post(
        VALIDATE,
        json!({"organizationID": here(&sandbox), "voucherCode": 999_999_999_999_u64}),
    );
    assert_eq!(told(&sandbox, nobody).await, "404 gift_not_found");
    adds_up(&sandbox);
}

#[tokio::test]
async fn a_lookup_tells_by_flags_whether_it_is_the_balance_the_status_or_the_period() {
    let sandbox = open().await;
    for (name, balance, status, period) in [
        (FIFTY, true, true, true),
        ("used-up", false, true, true),
        ("blocked", true, false, true),
        ("expired", true, true, false),
        ("not-yet-valid", true, true, false),
    ] {
        let shown = validate(&sandbox, name).send(&sandbox).await.answer().json()["voucher"].clone();
        for (flag, expected) in [
            ("hasRemainingBalance", balance),
            ("isInRedeemableStatus", status),
            ("isInRedeemablePeriod", period),
        ] {
            assert_eq!(shown[flag], expected, "{name} {flag}");
        }
    }
}

#[tokio::test]
async fn a_gift_is_found_by_code_by_token_by_its_url_and_for_a_redeem_by_its_id() {
    let sandbox = open().await;
    let gift = voucher(&sandbox, "leading-zeros");
    let token = gift.token.reveal();
    for (name, value, validates, redeems) in [
        ("voucherCode", json!(412_345_678), "200 redeemable", "200 redeemable"),
        ("voucherPublicToken", json!(token), "200 redeemable", "200 redeemable"),
        (
            "voucherPublicToken",
            json!(format!("https://qa.gift.example/{token}?s=1")),
            "200 redeemable",
            "200 redeemable",
        ),
        ("voucherPublicToken", json!("gl-0aC6dRw30EURd5"), "404 gift_not_found", "404 gift_not_found"),
        ("voucherID", json!(gift.id), "400 voucher_missing", "200 redeemable"),
    ] {
        let body = json!({"organizationID": here(&sandbox), name: value, "amount": 1});
        assert_eq!(told(&sandbox, Request::post(VALIDATE, &body)).await, validates, "{body}");
        assert_eq!(told(&sandbox, Request::post(REDEEM, &body)).await, redeems, "{body}");
    }
    let both =
        json!({"organizationID": here(&sandbox), "voucherCode": 412_345_678, "voucherPublicToken": token});
    assert_eq!(told(&sandbox, Request::post(VALIDATE, &both)).await, "400 voucher_ambiguous");
    assert_eq!(left(&sandbox, "leading-zeros"), "26.00");
    let named: Vec<_> = sandbox.calls().iter().map(|call| call.detail.named_by.unwrap_or("-")).collect();
    assert_eq!(
        named,
        ["code", "code", "token", "token", "token", "token", "token", "token", "id", "id", "several"]
    );
}

#[tokio::test]
async fn a_missing_or_null_amount_redeems_everything_or_is_refused() {
    let sandbox = open().await;
    let id = voucher(&sandbox, FIFTY).id;
    for body in [
        json!({"organizationID": here(&sandbox), "voucherID": id}),
        json!({"organizationID": here(&sandbox), "voucherID": id, "amount": null}),
        json!({"organizationID": here(&sandbox), "voucherID": id, "Amount": 5}),
    ] {
        sandbox.reset();
        sandbox.switch(|switches| switches.null_amount = NullAmount::Refused);
        assert_eq!(told(&sandbox, Request::post(REDEEM, &body)).await, "400 amount_missing", "{body}");
        sandbox.switch(|switches| switches.null_amount = NullAmount::RedeemsAll);
        let answer = Request::post(REDEEM, &body).send(&sandbox).await.answer();
        assert!(answer.text.contains(r#""amount":50.00"#), "{}", answer.text);
        assert_eq!(left(&sandbox, FIFTY), "0.00");
        assert_eq!(sandbox.ledger().redemptions.last().unwrap().asked, None);
        let sent = sandbox.calls().pop().unwrap().detail.amount.unwrap();
        assert!(sent == "null" || sent == "absent", "{sent}");
    }
    adds_up(&sandbox);
}

#[tokio::test]
async fn an_amount_is_a_positive_number_in_cents_or_in_whole_items() {
    let sandbox = open().await;
    for (name, amount, expected) in [
        (FIFTY, "0.01", "200 redeemable"),
        (FIFTY, "1", "200 redeemable"),
        (FIFTY, "1.0", "200 redeemable"),
        (FIFTY, "1.50000", "200 redeemable"),
        (FIFTY, "1e0", "200 redeemable"),
        (FIFTY, "0.001", "400 amount_invalid"),
        (FIFTY, "0", "400 amount_invalid"),
        (FIFTY, "-1", "400 amount_invalid"),
        (FIFTY, "\"1.00\"", "400 amount_invalid"),
        (FIFTY, "true", "400 amount_invalid"),
        (FIFTY, "50.01", "422 amount_exceeds_balance"),
        (FIFTY, "1e9", "422 amount_exceeds_balance"),
        ("coffee", "1", "200 redeemable"),
        ("coffee", "1.00", "200 redeemable"),
        ("coffee", "0.5", "400 amount_invalid"),
        ("coffee", "2", "422 amount_exceeds_balance"),
        ("coffee", "1", "200 not redeemable"),
    ] {
        assert_eq!(told(&sandbox, redeem(&sandbox, name, amount)).await, expected, "{name} {amount}");
    }
    assert_eq!((left(&sandbox, FIFTY), left(&sandbox, "coffee")), ("45.49".to_owned(), "0".to_owned()));
    assert_eq!(sandbox.calls()[3].detail.amount.as_deref(), Some("1.50000"));
    adds_up(&sandbox);
}

#[tokio::test]
async fn more_than_is_left_is_refused_or_cut_down_or_taken_all_the_same() {
    for (switch, expected, granted, rest) in [
        (OverBalance::Refused, "422 amount_exceeds_balance", None, "50.00"),
        (OverBalance::GrantsRest, "200 not redeemable", Some("50.00"), "0.00"),
        (OverBalance::GoesBelowZero, "200 not redeemable", Some("62.50"), "-12.50"),
    ] {
        let sandbox = open().await;
        sandbox.switch(|switches| switches.over_balance = switch);
        assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "62.50")).await, expected);
        let books = sandbox.ledger();
        let made = books.redemptions.iter().find(|redemption| redemption.call.is_some());
        assert_eq!(made.map(|made| made.granted.as_str()), granted);
        assert_eq!(made.and_then(|made| made.asked.as_deref()), granted.map(|_| "62.50"));
        assert_eq!(left(&sandbox, FIFTY), rest);
        let below = switch == OverBalance::GoesBelowZero;
        assert_eq!(contradictions(&books, true), Vec::<String>::new());
        assert_eq!(contradictions(&books, false).len(), usize::from(below));
        if below {
            assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "1")).await, "200 not redeemable");
            assert_eq!(left(&sandbox, FIFTY), "-13.50");
        }
    }
}

#[tokio::test]
async fn two_identical_redeems_debit_twice_or_are_one_or_are_refused() {
    for (switch, expected, rest) in [
        (IdenticalRedeem::DebitsAgain, "200 redeemable", "30.00"),
        (IdenticalRedeem::SameAnswer, "200 redeemable", "40.00"),
        (IdenticalRedeem::Refused, "409 duplicate_redemption", "40.00"),
    ] {
        let sandbox = open().await;
        sandbox.switch(|switches| switches.identical_redeem = switch);
        let first = redeemed(&sandbox, FIFTY, "10.00").await;
        assert_eq!(told(&sandbox, redeem(&sandbox, FIFTY, "10")).await, expected);
        assert_eq!(left(&sandbox, FIFTY), rest);
        let same = sandbox.calls().pop().unwrap().detail.redemption_id;
        assert_eq!(same == Some(first.clone()), switch == IdenticalRedeem::SameAnswer);
        assert_eq!(
            told(&sandbox, redeem(&sandbox, FIFTY, "5")).await,
            "200 redeemable",
            "another amount is another redeem"
        );
        assert_eq!(
            told(&sandbox, redeem(&sandbox, FIFTY, "10")).await,
            "200 redeemable",
            "and then it is no repetition"
        );
        let other = redeemed(&sandbox, FIFTY, "7").await;
        assert_eq!(told(&sandbox, reverse(&sandbox, &other)).await, "200 redeemable");
        assert_ne!(
            redeemed(&sandbox, FIFTY, "7").await,
            other,
            "what was given back is no repetition either"
        );
        adds_up(&sandbox);
    }
}

#[tokio::test]
async fn after_a_part_the_rest_stays_or_is_on_a_new_code() {
    let sandbox = open().await;
    sandbox.switch(|switches| switches.rest = Rest::NewCode);
    let id = redeemed(&sandbox, FIFTY, "20.00").await;
    assert_eq!(told(&sandbox, validate(&sandbox, FIFTY)).await, "200 not redeemable");
    let books = sandbox.ledger();
    let new = books.vouchers.last().unwrap();
    let old = books.voucher(FIFTY).unwrap();
    assert!(
        new.name.starts_with("gift-50-eur-rest-")
            && new.id != old.id
            && new.code != old.code
            && new.token != old.token
    );
    assert_eq!(
        [&new.left, &new.moved_in, &new.issued, &old.left, &old.moved_out],
        ["30.00", "30.00", "0.00", "0.00", "30.00"]
    );
    assert_eq!(told(&sandbox, validate(&sandbox, &new.name)).await, "200 redeemable");
    assert_eq!(told(&sandbox, redeem(&sandbox, &new.name, "30")).await, "200 not redeemable");
    assert_eq!(sandbox.ledger().vouchers.len(), books.vouchers.len(), "nothing is left to move");
    assert_eq!(told(&sandbox, reverse(&sandbox, &id)).await, "200 redeemable");
    assert_eq!(left(&sandbox, FIFTY), "20.00");
    let items = redeemed(&sandbox, "coffee", "1").await;
    assert_eq!(
        (left(&sandbox, "coffee").as_str(), sandbox.ledger().vouchers.last().unwrap().left.as_str()),
        ("0", "2")
    );
    assert!(sandbox.ledger().redemption(&items).is_some());
    adds_up(&sandbox);
}

#[tokio::test]
async fn a_second_reversal_is_refused_or_answered_again_or_restores_again() {
    for (switch, expected, rest) in [
        (SecondReversal::Refused, "409 already_reversed", "50.00"),
        (SecondReversal::SameAnswer, "200 redeemable", "50.00"),
        (SecondReversal::RestoresAgain, "200 redeemable", "60.00"),
    ] {
        let sandbox = open().await;
        sandbox.switch(|switches| switches.second_reversal = switch);
        let id = redeemed(&sandbox, FIFTY, "10").await;
        assert_eq!(told(&sandbox, reverse(&sandbox, &id)).await, "200 redeemable");
        assert_eq!(told(&sandbox, reverse(&sandbox, &id)).await, expected);
        assert_eq!(left(&sandbox, FIFTY), rest);
        adds_up(&sandbox);
    }
}

#[tokio::test]
async fn a_reversal_needs_a_redemption_of_this_location_within_the_window() {
    let sandbox = open().await;
    let id = redeemed(&sandbox, FIFTY, "10").await;
    let elsewhere = json!({"organizationID": place(&sandbox, "A1235"), "redemptionID": id});
    assert_eq!(told(&sandbox, Request::post(REVERSE, elsewhere)).await, "404 redemption_not_found");
    let nobody = "00000000-0000-4000-8000-000000000000";
    assert_eq!(told(&sandbox, reverse(&sandbox, nobody)).await, "404 redemption_not_found");
    assert_eq!(told(&sandbox, reverse(&sandbox, "R1")).await, "400 invalid_field");
    let missing = Request::post(REVERSE, json!({"organizationID": here(&sandbox)}));
    assert_eq!(told(&sandbox, missing).await, "400 invalid_field");
    sandbox.switch(|switches| switches.reversal_window_s = Some(60));
    sandbox.set_clock_offset(61);
    assert_eq!(told(&sandbox, reverse(&sandbox, &id)).await, "422 reversal_window_over");
    sandbox.set_clock_offset(0);
    assert_eq!(told(&sandbox, reverse(&sandbox, &id)).await, "200 redeemable");
    adds_up(&sandbox);
}

#[tokio::test]
async fn the_reverse_call_is_where_and_as_the_switches_say() {
    let sandbox = open().await;
    let id = redeemed(&sandbox, FIFTY, "10").await;
    sandbox.switch(|switches| {
        switches.reverse_path = "/api/integration/redemption/void".to_owned();
        switches.reverse_id_field = "voucherRedemptionID".to_owned();
    });
    assert_eq!(told(&sandbox, reverse(&sandbox, &id)).await, "404 path_not_found");
    let moved = Request { path: "/api/integration/redemption/void".to_owned(), ..reverse(&sandbox, &id) };
    assert_eq!(told(&sandbox, moved.clone()).await, "400 invalid_field");
    let body = json!({"organizationID": here(&sandbox), "voucherRedemptionID": id});
    assert_eq!(told(&sandbox, Request { body: body.to_string(), ..moved }).await, "200 redeemable");
    assert_eq!(left(&sandbox, FIFTY), "50.00");
}

#[tokio::test]
async fn a_location_must_be_named_unless_the_key_covers_only_one() {
    let sandbox = open().await;
    let gift = code(&sandbox, FIFTY);
    let (first, second, foreign) = (here(&sandbox), place(&sandbox, "A1235"), place(&sandbox, "X0001"));
    let pos = |id: &str| json!({"voucherCode": gift, "pointOfSaleSystemOrganizationIdentifier": id});
    let guid = |id: &str| json!({"voucherCode": gift, "organizationID": id});
    let both = json!({"voucherCode": gift, "organizationID": first, "pointOfSaleSystemOrganizationIdentifier": "A1234"});
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (covers, configured, body, expected) in [
        (KeyCovers::Several, true, json!({"voucherCode": gift}), "400 location_missing"),
        (KeyCovers::Several, true, guid(&first), "200 redeemable"),
        (KeyCovers::Several, true, guid(&second), "200 redeemable"),
        (KeyCovers::Several, true, guid(&foreign), "403 location_forbidden"),
        (KeyCovers::Several, true, guid(unknown), "403 location_forbidden"),
        (KeyCovers::Several, true, guid("Musterstadt"), "400 invalid_field"),
        (KeyCovers::Several, true, pos("A1234"), "200 redeemable"),
        (KeyCovers::Several, true, pos("Z9"), "403 location_forbidden"),
        (KeyCovers::Several, false, pos("A1234"), "403 location_forbidden"),
        (KeyCovers::Several, true, both, "400 location_ambiguous"),
        (KeyCovers::One, true, json!({"voucherCode": gift}), "200 redeemable"),
        (KeyCovers::One, true, guid(&first), "200 redeemable"),
        (KeyCovers::One, true, guid(&second), "403 location_forbidden"),
    ] {
        sandbox.switch(|switches| {
            switches.key_covers = covers;
            switches.pos_identifiers = configured;
        });
        assert_eq!(told(&sandbox, Request::post(VALIDATE, &body)).await, expected, "{covers:?} {body}");
    }
}

#[tokio::test]
async fn a_gift_of_one_location_is_refused_at_another_or_is_not_redeemable_there() {
    let sandbox = open().await;
    let there =
        json!({"organizationID": place(&sandbox, "A1235"), "voucherCode": code(&sandbox, "only-nebenstadt")});
    assert_eq!(told(&sandbox, Request::post(VALIDATE, &there)).await, "200 redeemable");
    for (switch, expected) in
        [(WrongLocation::Refused, "422 wrong_location"), (WrongLocation::NotRedeemable, "200 not redeemable")]
    {
        sandbox.switch(|switches| switches.wrong_location = switch);
        assert_eq!(told(&sandbox, validate(&sandbox, "only-nebenstadt")).await, expected);
        assert_eq!(told(&sandbox, redeem(&sandbox, "only-nebenstadt", "1")).await, "422 wrong_location");
    }
}

#[tokio::test]
async fn validation_options_are_checked_when_they_are_given() {
    let sandbox = open().await;
    let program = async |name| {
        let answer = validate(&sandbox, name).send(&sandbox).await.answer();
        answer.json()["voucher"]["programID"].clone()
    };
    let (gifts, promotions) = (program(FIFTY).await, program("promo-10-eur").await);
    let cake = json!({"items": [{"sku": "4012345000016"}]});
    let bread = json!({"items": [{"sku": "4012345000023"}], "total": 3.5});
    for (name, extra, expected) in [
        (FIFTY, json!({"targetTypeCode": "GIFT"}), "redeemable"),
        (FIFTY, json!({"targetTypeCode": "NOT_GIFT"}), "not redeemable"),
        (FIFTY, json!({"targetTypeCode": "NOT_GIFT", "validateTargetType": false}), "redeemable"),
        ("promo-10-eur", json!({"targetTypeCode": "NOT_GIFT"}), "redeemable"),
        ("promo-10-eur", json!({"targetTypeCode": "GIFT"}), "not redeemable"),
        (FIFTY, json!({"targetProgramID": gifts}), "redeemable"),
        (FIFTY, json!({"targetProgramID": promotions}), "not redeemable"),
        (FIFTY, json!({"targetProgramID": promotions, "validateTargetProgram": false}), "redeemable"),
        ("promo-cake", json!({"ticketData": cake}), "redeemable"),
        ("promo-cake", json!({"ticketData": bread}), "not redeemable"),
        (FIFTY, json!({"ticketData": bread}), "redeemable"),
    ] {
        let mut body = json!({"organizationID": here(&sandbox), "voucherCode": code(&sandbox, name)});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(
            told(&sandbox, Request::post(VALIDATE, &body)).await,
            format!("200 {expected}"),
            "{name} {extra}"
        );
    }
    let body = json!({"organizationID": here(&sandbox), "voucherCode": code(&sandbox, FIFTY), "amount": 1, "targetTypeCode": "NOT_GIFT"});
    assert_eq!(told(&sandbox, Request::post(REDEEM, &body)).await, "422 not_redeemable");
}

#[tokio::test]
async fn promotional_vouchers_show_their_terms_and_period_and_gift_cards_have_none() {
    let sandbox = open().await;
    let promo = validate(&sandbox, "promo-10-eur").send(&sandbox).await.answer().json()["voucher"].clone();
    assert_eq!((&promo["isPromotional"], &promo["isInRedeemablePeriod"]), (&json!(true), &json!(true)));
    assert!(promo["termsDescription"].as_str().unwrap().contains("30 EUR or more"));
    assert!(promo["redeemableFrom"].is_string() && promo["redeemableUntil"].is_string());
    let gift = validate(&sandbox, FIFTY).send(&sandbox).await.answer().json()["voucher"].clone();
    assert_eq!(gift["isPromotional"], false);
    assert!(gift.get("termsDescription").is_none() && gift.get("redeemableUntil").is_none());
    assert!(gift["senderDescription"].is_string() && gift["recipientDescription"].is_string());
}

#[tokio::test]
async fn periods_begin_and_end_with_the_clock() {
    let sandbox = open().await;
    let day = 24 * 3600;
    for (days, name, expected) in [
        (29, "not-yet-valid", "200 not redeemable"),
        (31, "not-yet-valid", "200 redeemable"),
        (61, "not-yet-valid", "200 not redeemable"),
        (-31, "expired", "200 redeemable"),
        (-61, "expired", "200 not redeemable"),
        (31, "promo-10-eur", "200 not redeemable"),
        (3000, FIFTY, "200 redeemable"),
    ] {
        sandbox.set_clock_offset(days * day);
        assert_eq!(told(&sandbox, validate(&sandbox, name)).await, expected, "{name} on day {days}");
    }
}

#[tokio::test]
async fn an_item_gift_says_its_kind_by_the_number_above_zero() {
    let sandbox = open().await;
    let coffee = validate(&sandbox, "coffee").send(&sandbox).await.answer();
    assert!(coffee.text.contains(r#""voucherEligibleValue":0.00"#), "{}", coffee.text);
    assert!(coffee.text.contains(r#""voucherEligibleItemQuantity":3"#), "{}", coffee.text);
    assert_eq!(coffee.json()["voucher"]["itemLabel"], "Cappuccino");
    let answer = redeem(&sandbox, "coffee", "2").send(&sandbox).await.answer();
    assert!(
        answer.text.contains(r#""amount":2"#) && answer.text.contains(r#""voucherEligibleItemQuantity":1"#)
    );
    adds_up(&sandbox);
}

#[tokio::test]
async fn what_looks_like_a_card_number_is_a_gift_here_too() {
    let sandbox = open().await;
    assert_eq!(told(&sandbox, validate(&sandbox, "pan-like")).await, "200 redeemable");
    let body = json!({"organizationID": here(&sandbox), "voucherPublicToken": "4111111111111111"});
    assert_eq!(told(&sandbox, Request::post(VALIDATE, body)).await, "200 redeemable");
}

#[tokio::test]
async fn gifts_of_any_kind_are_issued_as_a_test_needs_them() {
    let sandbox = open().await;
    let mine = NewVoucher {
        code: Some("000000000007".to_owned()),
        name: Some("mine".to_owned()),
        ..NewVoucher::money("9.99", "USD")
    };
    let issued = sandbox.issue(mine.clone()).unwrap();
    assert_eq!(
        (issued.code.reveal(), issued.left.as_str(), issued.unit.as_str()),
        ("000000000007", "9.99", "USD")
    );
    assert_eq!(told(&sandbox, validate(&sandbox, "mine")).await, "200 redeemable");
    assert!(sandbox.issue(mine).is_err(), "its name and code are taken");
    let terms = NewVoucher {
        terms: Some("Mondays only.".to_owned()),
        until_s: Some(60),
        ..NewVoucher::items(2, "Espresso")
    };
    let espresso = sandbox.issue(terms).unwrap();
    assert_eq!(told(&sandbox, validate(&sandbox, &espresso.name)).await, "200 redeemable");
    sandbox.set_clock_offset(61);
    assert_eq!(told(&sandbox, validate(&sandbox, &espresso.name)).await, "200 not redeemable");
    adds_up(&sandbox);
}
