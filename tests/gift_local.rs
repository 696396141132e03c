//! The client of Gift Local against the simulated one, over real HTTP, in every shape that an answer may come in.
//!
//! The two share no code, and the books that are compared are the provider's own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what surrounds a test may stop at the first surprise as the test itself may"
)]

use tilld_domain::ids::{ProviderKey, ProviderRedemptionId};
use tilld_domain::money::{Currency, Money};
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::refusal::Refusal;
use tilld_domain::secret::Secret;
use tilld_domain::voucher::scan::ScanRules;
use tilld_domain::voucher::{
    Balance, Redeemed, ReverseAnswer, VoucherCode, VoucherKind, VoucherShown, Words, Worth,
};
use tilld_providers::gift_local::{GiftLocal, Location, ReverseCall, Settings};
use tilld_providers::pace::Limits;
use tilld_providers::vouchers::{RedeemFacts, TargetType, ValidateFacts, Vouchers};
use tilld_sandbox::gift_local::{
    CallKind, CurrencyShown, EligiblePlace, EmptyNumber, Envelope, ErrorShape, IdenticalRedeem, JsonType,
    KeyCovers, KeyStanding, NewVoucher, NumberForm, Oddity, OverBalance, QueuedFault, Rest, Sandbox,
    SecondReversal, Switches, Texts, VoucherChange, WrongLocation, start,
};
use tilld_sandbox::{ErrorBody, Fault, Loss};

const FIFTY: &str = "gift-50-eur";

async fn open() -> Sandbox {
    start(tilld_sandbox::gift_local::Settings::default()).await.unwrap()
}

fn euros() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn eur(minor: i64) -> Worth {
    Worth::Money(Money::new(minor, euros()))
}

fn settings(sandbox: &Sandbox) -> Settings {
    let here = sandbox.ledger().locations[0].organization_id.parse().unwrap();
    let key = Secret::new(sandbox.api_key().to_owned());
    let mut settings = Settings::new(sandbox.provider_url(), key, Location::Organization(here), euros());
    // The pace is not under test here.
    settings.pace = Limits { per_second: 1_000, burst: 1_000 };
    settings.reverse = Some(ReverseCall {
        path: "/api/integration/redemption/reverse-redemption".to_owned(),
        id_field: "redemptionID".to_owned(),
        repeatable: false,
    });
    settings
}

fn client(sandbox: &Sandbox) -> GiftLocal {
    GiftLocal::new(settings(sandbox)).unwrap()
}

fn code(sandbox: &Sandbox, name: &str) -> VoucherCode {
    VoucherCode::number(sandbox.ledger().voucher(name).unwrap().code.reveal()).unwrap()
}

fn left(sandbox: &Sandbox, name: &str) -> String {
    sandbox.ledger().voucher(name).unwrap().left.clone()
}

fn key() -> ProviderKey {
    "0199d8a0-7c5b-7c1e-a1b2-6f1f6f0c0001".parse().unwrap()
}

async fn look(client: &GiftLocal, sandbox: &Sandbox, name: &str) -> Outcome<VoucherShown> {
    client.validate(&code(sandbox, name), ValidateFacts::default()).await
}

async fn seen(client: &GiftLocal, sandbox: &Sandbox, name: &str) -> VoucherShown {
    match look(client, sandbox, name).await {
        Outcome::Done(shown) => shown,
        other => panic!("{name}: {other:?}"),
    }
}

async fn take(client: &GiftLocal, sandbox: &Sandbox, name: &str, amount: Worth) -> Outcome<Redeemed> {
    let voucher = sandbox.ledger().voucher(name).unwrap().id.parse().unwrap();
    let (store, terminal) = ("A1234".parse().unwrap(), "T01".parse().unwrap());
    let facts = RedeemFacts { voucher: &voucher, amount, store: &store, terminal: &terminal, target: None };
    let request = client.prepare_redeem(&facts).unwrap();
    let code = code(sandbox, name);
    assert!(!request.0.contains(code.secret().reveal()), "the journal never sees the code");
    client.redeem(&key(), &request, Some(&code)).await
}

fn taken(outcome: Outcome<Redeemed>) -> Redeemed {
    match outcome {
        Outcome::Done(redeemed) => redeemed,
        other => panic!("{other:?}"),
    }
}

/// Where nothing limits what may be redeemed.
fn both(worth: Worth) -> Balance {
    Balance { left: Some(worth), eligible: Some(worth) }
}

/// How many redeems were carried out; the books begin with one of another site.
fn made(sandbox: &Sandbox) -> usize {
    sandbox.ledger().redemptions.iter().filter(|redemption| redemption.call.is_some()).count()
}

fn last_redemption(sandbox: &Sandbox) -> ProviderRedemptionId {
    sandbox.ledger().redemptions.last().unwrap().id.parse().unwrap()
}

#[tokio::test]
async fn a_gift_is_looked_at_redeemed_in_part_and_given_back() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let shown = seen(&client, &sandbox, FIFTY).await;
    assert_eq!((shown.seen.worth(), shown.seen.kind), (Some(eur(5000)), VoucherKind::Gift));
    assert_eq!(shown.sender.as_ref().map(Words::as_str), Some("Mira Musterfrau"));

    let redeemed = taken(take(&client, &sandbox, FIFTY, eur(1999)).await);
    let expected = Redeemed {
        redemption: Some(last_redemption(&sandbox)),
        granted: Some(eur(1999)),
        remaining: both(eur(3001)),
    };
    assert_eq!((redeemed, left(&sandbox, FIFTY).as_str()), (expected, "30.01"));

    let redemption = last_redemption(&sandbox);
    assert_eq!(client.reverse(&redemption).await, Outcome::Done(ReverseAnswer::Reversed));
    assert_eq!(client.reverse(&redemption).await, Outcome::Done(ReverseAnswer::AlreadyReversed));
    assert_eq!(left(&sandbox, FIFTY), "50.00");

    // What was sent is the exact text of the amount, and the code went out as a number alone.
    let calls = sandbox.calls();
    let redeem = calls.iter().find(|call| call.call == Some(CallKind::Redeem)).unwrap();
    assert_eq!((redeem.detail.amount.as_deref(), redeem.detail.named_by), (Some("19.99"), Some("id")));
    let validate = calls.iter().find(|call| call.call == Some(CallKind::Validate)).unwrap();
    assert_eq!(validate.detail.named_by, Some("code"));
}

#[tokio::test]
async fn every_gift_of_the_catalogue_is_what_it_is() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let worth = |minor, code: &str| Some(Worth::Money(Money::new(minor, Currency::from_code(code).unwrap())));
    sandbox.switch(|switches| switches.currency = CurrencyShown::Shown);
    for (name, expected, promotional) in [
        (FIFTY, worth(5000, "EUR"), false),
        ("odd-cents", worth(1234, "EUR"), false),
        ("leading-zeros", worth(3000, "EUR"), false),
        ("gift-100-chf", worth(10_000, "CHF"), false),
        ("gift-20-gbp", worth(2000, "GBP"), false),
        ("coffee", Some(Worth::Items(3)), false),
        ("promo-10-eur", worth(1000, "EUR"), true),
        ("promo-cake", Some(Worth::Items(1)), true),
        ("pan-like", worth(2000, "EUR"), false),
        ("used-up", None, false),
        ("expired", None, true),
        ("not-yet-valid", None, true),
        ("blocked", None, false),
    ] {
        let shown = seen(&client, &sandbox, name).await;
        let kind = if promotional { VoucherKind::Promotional } else { VoucherKind::Gift };
        assert_eq!((shown.seen.worth(), shown.seen.kind), (expected, kind), "{name}");
        assert_eq!(shown.terms.is_some(), promotional, "{name}");
        assert!(!shown.description.is_empty(), "{name}");
        let id = sandbox.ledger().voucher(name).unwrap().id.clone();
        assert_eq!(shown.seen.voucher.as_str(), id);
    }
    let coffee = seen(&client, &sandbox, "coffee").await;
    assert_eq!(coffee.item.as_ref().map(Words::as_str), Some("Cappuccino"));
    // What is left of a gift that may not be used is no evidence that it was spent.
    let blocked = seen(&client, &sandbox, "blocked").await;
    assert_eq!((blocked.seen.redeemable, blocked.seen.eligible), (false, None));
    assert_eq!(blocked.seen.left, worth(2000, "EUR"));
    assert_eq!(seen(&client, &sandbox, "used-up").await.seen.eligible, None);
}

#[tokio::test]
async fn a_scanned_token_finds_its_gift_also_out_of_a_link() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let token = sandbox.ledger().voucher(FIFTY).unwrap().token.reveal().to_owned();
    for scan in [token.clone(), format!("https://gift.example/{token}?utm=1"), "4012 0000 0011".to_owned()] {
        let code = ScanRules::plain().read(&scan).unwrap();
        let outcome = client.validate(&code, ValidateFacts::default()).await;
        let Outcome::Done(shown) = outcome else { panic!("{outcome:?}") };
        assert_eq!(shown.seen.worth(), Some(eur(5000)));
    }
}

#[tokio::test]
async fn whatever_shape_an_answer_has_it_says_the_same() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let numbers = [
        NumberForm::TwoDecimals,
        NumberForm::Shortest,
        NumberForm::OneDecimal,
        NumberForm::Exponent,
        NumberForm::Text,
    ];
    let envelopes = [Envelope::Voucher, Envelope::Data, Envelope::Result, Envelope::Root];
    let mut tried = 0;
    for number_form in numbers {
        for envelope in envelopes {
            for eligible_place in [EligiblePlace::Inside, EligiblePlace::Beside] {
                for empty_number in [EmptyNumber::Zero, EmptyNumber::Null, EmptyNumber::Absent] {
                    sandbox.reset();
                    sandbox.switch(|switches| {
                        switches.number_form = number_form;
                        switches.envelope = envelope;
                        switches.eligible_place = eligible_place;
                        switches.empty_number = empty_number;
                        switches.json_type =
                            if tried % 2 == 0 { JsonType::Application } else { JsonType::Text };
                        switches.currency =
                            if tried % 3 == 0 { CurrencyShown::Shown } else { CurrencyShown::Hidden };
                        switches.unknown_fields = tried % 2 == 1;
                        switches.texts = if tried % 5 == 0 { Texts::Hostile } else { Texts::Plain };
                        if tried % 2 == 1 && envelope != Envelope::Root {
                            switches.voucher_id_field = "id".to_owned();
                        }
                    });
                    let shape = format!("{:?}", sandbox.switches());
                    for (name, all, part, rest) in [
                        ("odd-cents", eur(1234), eur(1), eur(1233)),
                        (FIFTY, eur(5000), eur(5000), eur(0)),
                        ("coffee", Worth::Items(3), Worth::Items(2), Worth::Items(1)),
                    ] {
                        let shown = seen(&client, &sandbox, name).await;
                        assert_eq!(shown.seen.worth(), Some(all), "{name} {shape}");
                        assert!(shown.description.as_str().chars().count() <= Words::MOST);
                        assert!(!shown.description.as_str().contains(char::is_control));
                        let redeemed = taken(take(&client, &sandbox, name, part).await);
                        let expected = Redeemed {
                            redemption: Some(last_redemption(&sandbox)),
                            granted: Some(part),
                            remaining: Balance {
                                eligible: both(rest)
                                    .eligible
                                    .filter(|_| rest.is_positive() || empty_number == EmptyNumber::Zero),
                                ..both(rest)
                            },
                        };
                        assert_eq!(redeemed, expected, "{name} {shape}");
                        let again = seen(&client, &sandbox, name).await.seen.worth();
                        assert_eq!(again, Some(rest).filter(|rest| rest.is_positive()), "{name} {shape}");
                        let reversed = client.reverse(&last_redemption(&sandbox)).await;
                        assert_eq!(reversed, Outcome::Done(ReverseAnswer::Reversed), "{name} {shape}");
                        tried += 1;
                    }
                }
            }
        }
    }
    println!("{tried} gifts in {} shapes", tried / 3);
}

#[tokio::test]
async fn an_amount_with_more_digits_than_the_currency_has_is_not_guessed_at() {
    let sandbox = open().await;
    let client = client(&sandbox);
    sandbox.switch(|switches| switches.number_form = NumberForm::TooFine);
    // A binary float would make exactly one hundred of it.
    let hundred = sandbox.issue(NewVoucher::money("100.00", "EUR")).unwrap();
    assert_eq!(look(&client, &sandbox, &hundred.name).await, Outcome::Unknown(Trouble::Unreadable));
    assert_eq!(look(&client, &sandbox, FIFTY).await, Outcome::Unknown(Trouble::Unreadable));
    let outcome = take(&client, &sandbox, FIFTY, eur(100)).await;
    assert_eq!(outcome, Outcome::Unknown(Trouble::Unreadable));
    // It was taken all the same, and exactly once.
    assert_eq!((left(&sandbox, FIFTY).as_str(), made(&sandbox)), ("49.00", 1));
    // A value that is almost nothing beside a quantity: neither is believed.
    assert_eq!(look(&client, &sandbox, "coffee").await, Outcome::Unknown(Trouble::Unreadable));
}

#[tokio::test]
async fn a_redemptions_id_is_found_under_its_names_or_it_is_done_without_one() {
    let sandbox = open().await;
    let client = client(&sandbox);
    for (object, field, has_one) in [
        ("redemption", "redemptionID", true),
        ("redemption", "id", true),
        ("voucherRedemption", "voucherRedemptionID", true),
        ("transaction", "transactionID", true),
        ("transaction", "redemptionTransactionID", true),
        ("redemption", "", false),
        ("redemption", "moon", false),
        ("", "redemptionID", false),
        ("moon", "redemptionID", false),
    ] {
        sandbox.switch(|switches| {
            switches.redemption_object = object.to_owned();
            switches.redemption_id_field = field.to_owned();
        });
        let redeemed = taken(take(&client, &sandbox, FIFTY, eur(1)).await);
        let expected = has_one.then(|| last_redemption(&sandbox));
        assert_eq!(redeemed.redemption, expected, "{object}.{field}");
    }
    assert_eq!((left(&sandbox, FIFTY).as_str(), made(&sandbox)), ("49.91", 9));
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_makes_nothing_redeemable() {
    let sandbox = open().await;
    let client = client(&sandbox);
    for (oddity, expected) in [
        (Oddity::None, Some((true, Some(eur(5000))))),
        (Oddity::NoIsRedeemable, Some((false, Some(eur(5000))))),
        (Oddity::IsRedeemableAsText, Some((false, Some(eur(5000))))),
        (Oddity::EligibleButNotRedeemable, Some((false, Some(eur(5000))))),
        (Oddity::RedeemableButNothingEligible, Some((true, None))),
        (Oddity::BothEligible, None),
        (Oddity::NoVoucherId, None),
        (Oddity::NoVoucher, None),
    ] {
        sandbox.switch(|switches| switches.oddity = oddity);
        let seen = match look(&client, &sandbox, FIFTY).await {
            Outcome::Done(shown) => {
                let worth = shown.seen.worth();
                assert_eq!(worth.is_some(), oddity == Oddity::None, "{oddity:?}");
                Some((shown.seen.redeemable, shown.seen.eligible))
            }
            Outcome::Unknown(Trouble::Unreadable) => None,
            other => panic!("{oddity:?}: {other:?}"),
        };
        assert_eq!(seen, expected, "{oddity:?}");
        // A redeem that was done is done in each of them.
        let redeemed = taken(take(&client, &sandbox, "gift-25-eur", eur(1)).await);
        assert_eq!(redeemed.redemption, Some(last_redemption(&sandbox)), "{oddity:?}");
    }
}

#[tokio::test]
async fn a_currency_that_an_answer_names_counts_more_than_the_shops() {
    let sandbox = open().await;
    let client = client(&sandbox);
    sandbox.switch(|switches| switches.currency = CurrencyShown::Wrong);
    let dollars = |minor| Worth::Money(Money::new(minor, Currency::from_code("USD").unwrap()));
    assert_eq!(seen(&client, &sandbox, FIFTY).await.seen.worth(), Some(dollars(5000)));
    let redeemed = taken(take(&client, &sandbox, FIFTY, eur(100)).await);
    assert_eq!(redeemed.granted, Some(dollars(100)), "it does not compare with what was asked for");
}

#[tokio::test]
async fn every_no_is_a_refusal_in_every_shape_of_an_error_and_nothing_is_taken() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let nobody = VoucherCode::number("999999999999").unwrap();
    let unknown_redemption = "019f0000-0000-7000-8000-00000000000a".parse().unwrap();
    for (shape, echo) in [
        (ErrorShape::ProblemDetails, false),
        (ErrorShape::ProblemDetails, true),
        (ErrorShape::Message, true),
        (ErrorShape::ErrorMessage, true),
        (ErrorShape::Error, false),
        (ErrorShape::Text, true),
    ] {
        sandbox.reset();
        sandbox.switch(|switches| {
            switches.error_shape = shape;
            switches.errors_echo_codes = echo;
        });
        let validated = client.validate(&nobody, ValidateFacts::default()).await;
        assert_eq!(validated, Outcome::Refused(Refusal::VoucherNotFound), "{shape:?}");
        let validated = look(&client, &sandbox, "only-nebenstadt").await;
        assert_eq!(validated, Outcome::Refused(Refusal::VoucherNotHere), "{shape:?}");
        for (name, amount) in [
            ("used-up", eur(1)),
            ("expired", eur(1)),
            ("blocked", eur(1)),
            (FIFTY, eur(5001)),
            ("coffee", Worth::Items(4)),
            ("coffee", eur(150)),
        ] {
            let outcome = take(&client, &sandbox, name, amount).await;
            assert_eq!(outcome, Outcome::Refused(Refusal::RedeemRefused), "{shape:?} {name}");
        }
        let reversed = client.reverse(&unknown_redemption).await;
        assert_eq!(reversed, Outcome::Done(ReverseAnswer::NotFound), "{shape:?}");
        sandbox.switch(|switches| switches.key = KeyStanding::Unknown);
        let key_refused = Refusal::NotAuthenticated;
        assert_eq!(look(&client, &sandbox, FIFTY).await, Outcome::Refused(key_refused.clone()), "{shape:?}");
        let redeemed = take(&client, &sandbox, FIFTY, eur(1)).await;
        assert_eq!(redeemed, Outcome::Refused(key_refused), "{shape:?}");
        sandbox.switch(|switches| switches.key = KeyStanding::WrongLevel);
        let validated = look(&client, &sandbox, FIFTY).await;
        assert_eq!(validated, Outcome::Refused(Refusal::ScopeMissing), "{shape:?}");
        assert_eq!(made(&sandbox), 0, "{shape:?}");
    }
}

type Spoil<'a> = &'a dyn Fn(&mut Settings);

#[tokio::test]
async fn a_wrong_key_location_or_base_is_never_taken_for_a_wrong_code() {
    let sandbox = open().await;
    let nobody = VoucherCode::number("999999999999").unwrap();
    let far =
        sandbox.ledger().locations.iter().find(|it| !it.attached).unwrap().organization_id.parse().unwrap();
    let cases: [(Spoil<'_>, Refusal); 4] = [
        (&|it| it.api_key = Secret::new("Bearer-0123456789".to_owned()), Refusal::NotAuthenticated),
        (&|it| it.location = Location::Organization(far), Refusal::ScopeMissing),
        (&|it| it.location = Location::OfTheKey, Refusal::RequestNotUnderstood),
        (&|it| it.location = Location::PointOfSale("A1234".to_owned()), Refusal::VoucherNotFound),
    ];
    for (spoil, expected) in cases {
        let mut settings = settings(&sandbox);
        spoil(&mut settings);
        let client = GiftLocal::new(settings).unwrap();
        let outcome = client.validate(&nobody, ValidateFacts::default()).await;
        assert_eq!(outcome, Outcome::Refused(expected));
    }
    sandbox.switch(|switches| switches.key_covers = KeyCovers::One);
    let mut settings = settings(&sandbox);
    settings.location = Location::OfTheKey;
    let client = GiftLocal::new(settings).unwrap();
    assert_eq!(seen(&client, &sandbox, FIFTY).await.seen.worth(), Some(eur(5000)));
}

#[tokio::test]
async fn what_the_till_says_of_its_basket_goes_through() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let with = |text: &str| Secret::new(text.to_owned());
    let (cake, tea) = (with(r#"{"items":[{"sku":"4012345000016"}]}"#), with(r#"{"items":[{"sku":"1"}]}"#));
    for (name, ticket, target, redeemable) in [
        ("promo-cake", Some(&cake), None, true),
        ("promo-cake", Some(&tea), None, false),
        ("promo-cake", None, Some(TargetType::NotGift), true),
        ("promo-cake", None, Some(TargetType::Gift), false),
        (FIFTY, None, Some(TargetType::Gift), true),
        (FIFTY, None, Some(TargetType::NotGift), false),
    ] {
        let facts = ValidateFacts { ticket, program: None, target };
        let outcome = client.validate(&code(&sandbox, name), facts).await;
        let Outcome::Done(shown) = outcome else { panic!("{outcome:?}") };
        assert_eq!(shown.seen.redeemable, redeemable, "{name} {target:?}");
    }
    let other = ValidateFacts {
        program: "5a3d0002-0000-4000-8000-00000000ffff".parse().ok(),
        ..ValidateFacts::default()
    };
    let outcome = client.validate(&code(&sandbox, FIFTY), other).await;
    let Outcome::Done(shown) = outcome else { panic!("{outcome:?}") };
    assert!(!shown.seen.redeemable);
}

#[tokio::test]
async fn a_place_where_a_gift_cannot_be_used_may_also_be_told_by_the_gift() {
    let sandbox = open().await;
    let client = client(&sandbox);
    sandbox.switch(|switches| switches.wrong_location = WrongLocation::NotRedeemable);
    let shown = seen(&client, &sandbox, "only-nebenstadt").await;
    assert_eq!(shown.seen.worth(), None);
    assert_eq!(shown.description.as_str(), "This gift cannot be used at this location.");
}

#[tokio::test]
async fn less_granted_than_asked_is_told_and_the_same_twice_debits_twice() {
    let sandbox = open().await;
    let client = client(&sandbox);
    sandbox.switch(|switches| switches.over_balance = OverBalance::GrantsRest);
    let redeemed = taken(take(&client, &sandbox, "gift-25-eur", eur(3000)).await);
    assert_eq!((redeemed.granted, redeemed.remaining), (Some(eur(2500)), both(eur(0))));
    for _ in 0..2 {
        taken(take(&client, &sandbox, FIFTY, eur(1000)).await);
    }
    assert_eq!(left(&sandbox, FIFTY), "30.00");
    sandbox.switch(|switches| switches.identical_redeem = IdenticalRedeem::Refused);
    let outcome = take(&client, &sandbox, FIFTY, eur(1000)).await;
    assert_eq!(outcome, Outcome::Refused(Refusal::RedeemRefused));
    sandbox.switch(|switches| switches.rest = Rest::NewCode);
    let redeemed = taken(take(&client, &sandbox, FIFTY, eur(500)).await);
    assert_eq!((redeemed.redemption, redeemed.granted), (Some(last_redemption(&sandbox)), Some(eur(500))));
}

#[tokio::test]
async fn a_second_reversal_is_what_the_provider_makes_of_it() {
    let sandbox = open().await;
    let client = client(&sandbox);
    for (second, answer, balance) in [
        (SecondReversal::Refused, ReverseAnswer::AlreadyReversed, "50.00"),
        (SecondReversal::SameAnswer, ReverseAnswer::Reversed, "50.00"),
        (SecondReversal::RestoresAgain, ReverseAnswer::Reversed, "60.00"),
    ] {
        sandbox.reset();
        sandbox.switch(|switches| switches.second_reversal = second);
        taken(take(&client, &sandbox, FIFTY, eur(1000)).await);
        let redemption = last_redemption(&sandbox);
        assert_eq!(client.reverse(&redemption).await, Outcome::Done(ReverseAnswer::Reversed));
        assert_eq!(client.reverse(&redemption).await, Outcome::Done(answer), "{second:?}");
        assert_eq!(left(&sandbox, FIFTY), balance);
    }
    sandbox.reset();
    sandbox.switch(|switches| switches.reversal_window_s = Some(60));
    taken(take(&client, &sandbox, FIFTY, eur(1000)).await);
    sandbox.set_clock_offset(3600);
    let late = client.reverse(&last_redemption(&sandbox)).await;
    assert_eq!(late, Outcome::Done(ReverseAnswer::Refused(Refusal::ReverseRefused)));
}

#[tokio::test]
async fn a_reversal_goes_where_the_shop_was_told_or_nowhere() {
    let sandbox = open().await;
    sandbox.switch(|switches| {
        switches.reverse_path = "/api/v2/take-back".to_owned();
        switches.reverse_id_field = "transaction".to_owned();
    });
    let guessed = client(&sandbox);
    taken(take(&guessed, &sandbox, FIFTY, eur(1000)).await);
    let redemption = last_redemption(&sandbox);
    let wrong_path = guessed.reverse(&redemption).await;
    assert_eq!(wrong_path, Outcome::Done(ReverseAnswer::Refused(Refusal::RequestNotUnderstood)));
    let mut told = settings(&sandbox);
    told.reverse = Some(ReverseCall {
        path: "/api/v2/take-back".to_owned(),
        id_field: "transaction".to_owned(),
        repeatable: true,
    });
    let told = GiftLocal::new(told).unwrap();
    assert_eq!(told.reverse(&redemption).await, Outcome::Done(ReverseAnswer::Reversed));
    let before = sandbox.calls().len();
    let mut silent = settings(&sandbox);
    silent.reverse = None;
    let silent = GiftLocal::new(silent).unwrap();
    let refused = silent.reverse(&redemption).await;
    assert_eq!(refused, Outcome::Done(ReverseAnswer::Refused(Refusal::ReversalNotSetUp)));
    assert_eq!(sandbox.calls().len(), before);
}

#[tokio::test]
async fn whatever_fails_on_the_way_is_unknown_and_sent_once() {
    let sandbox = open().await;
    let client = client(&sandbox);
    let unreadable = Outcome::Unknown(Trouble::Unreadable);
    for (fault, expected, applied) in [
        (Fault::DropRequest { how: Loss::Reset }, Outcome::Unknown(Trouble::Broken), false),
        (Fault::DropAnswer { how: Loss::Reset }, Outcome::Unknown(Trouble::Broken), true),
        (
            Fault::ServerError { status: 500, applied: true, body: ErrorBody::Json },
            Outcome::Unknown(Trouble::ServerError(500)),
            true,
        ),
        (
            Fault::ServerError { status: 503, applied: false, body: ErrorBody::Empty },
            Outcome::Unknown(Trouble::ServerError(503)),
            false,
        ),
        (Fault::Truncate, Outcome::Unknown(Trouble::Broken), true),
        (Fault::Html { status: 200, applied: true }, unreadable.clone(), true),
        (Fault::Html { status: 404, applied: false }, Outcome::Unknown(Trouble::OddStatus(404)), false),
        (Fault::Oversize, unreadable, true),
        (
            Fault::Refuse {
                code: "moon_phase".to_owned(),
                status: Some(418),
                retry_after_s: None,
                applied: false,
            },
            Outcome::Refused(Refusal::RedeemRefused),
            false,
        ),
    ] {
        sandbox.reset();
        let before = sandbox.calls().len();
        let text = format!("{fault:?}");
        let fault = QueuedFault { call: Some(CallKind::Redeem), after: 0, count: 1, fault };
        sandbox.fault(fault).unwrap();
        assert_eq!(take(&client, &sandbox, FIFTY, eur(1000)).await, expected, "{text}");
        let taken = if applied { "40.00" } else { "50.00" };
        assert_eq!(left(&sandbox, FIFTY), taken, "{text}");
        assert_eq!(sandbox.calls().len(), before + 1, "sent once: {text}");
    }
}

#[tokio::test]
async fn a_gift_of_any_currency_and_size_is_redeemed_to_the_last_cent() {
    let sandbox = open().await;
    let client = client(&sandbox);
    sandbox.switch(|switches| switches.currency = CurrencyShown::Shown);
    for (value, code, minor) in [
        ("0.01", "EUR", 1),
        ("999999.99", "USD", 99_999_999),
        ("0.10", "CHF", 10),
        ("1234567.00", "GBP", 123_456_700),
    ] {
        let issued = sandbox.issue(NewVoucher::money(value, code)).unwrap();
        let all = Worth::Money(Money::new(minor, Currency::from_code(code).unwrap()));
        assert_eq!(seen(&client, &sandbox, &issued.name).await.seen.worth(), Some(all));
        let redeemed = taken(take(&client, &sandbox, &issued.name, all).await);
        assert_eq!(redeemed.granted, Some(all));
        assert_eq!(left(&sandbox, &issued.name), "0.00");
    }
    sandbox.change(FIFTY, VoucherChange { blocked: Some(true), ..VoucherChange::default() }).unwrap();
    assert_eq!(seen(&client, &sandbox, FIFTY).await.seen.worth(), None);
    assert_eq!(sandbox.switches(), Switches { currency: CurrencyShown::Shown, ..Switches::default() });
}
