//! The rows B1, B2 and B14: a line is what happened to one look, `=>`, and what then must be: the state, the effects, and
//! what the cashier reads.
//!
//! `seen 25` is a gift card with 25.00 USD, `seen 3x` an item gift of three, `promo 5` a promotional voucher, `seen 0` one
//! that cannot be redeemed. `+1` is a pause in seconds before an event.

use super::*;
use crate::money::{Currency, Money};
use crate::outcome::Trouble;
use crate::voucher::Words;

const START: Moment = Moment::from_ms(1_767_225_600_000);

fn usd(units: i64) -> Worth {
    Worth::Money(Money::new(units * 100, Currency::from_code("USD").unwrap()))
}

fn worth(word: &str) -> Worth {
    match word.strip_suffix('x') {
        Some(count) => Worth::Items(count.parse().unwrap()),
        None => usd(word.parse().unwrap()),
    }
}

fn shown(kind: VoucherKind, word: &str, voucher: &str) -> VoucherShown {
    let eligible = worth(word);
    VoucherShown {
        seen: VoucherSeen {
            voucher: voucher.parse().unwrap(),
            redeemable: eligible.is_positive(),
            eligible: eligible.is_positive().then_some(eligible),
            left: Some(eligible),
            kind,
        },
        description: Words::new("as the provider says"),
        item: None,
        terms: None,
        sender: None,
        recipient: None,
    }
}

fn event(word: &str) -> Event {
    let words: Vec<&str> = word.split(' ').collect();
    Event::ValidateEnded(match words.as_slice() {
        ["seen", worth] => Outcome::Done(shown(VoucherKind::Gift, worth, "V1")),
        ["other", worth] => Outcome::Done(shown(VoucherKind::Gift, worth, "V2")),
        ["promo", worth] => Outcome::Done(shown(VoucherKind::Promotional, worth, "V1")),
        ["unknown_code"] => Outcome::Refused(Refusal::VoucherNotFound),
        ["blocked"] => Outcome::Refused(Refusal::Blocked),
        ["unknown"] => Outcome::Unknown(Trouble::Silent),
        ["unsent"] => Outcome::NotSent(Trouble::Connect),
        ["later"] => Outcome::Later { retry_after: None },
        ["later", seconds] => {
            Outcome::Later { retry_after: Some(Duration::from_secs(seconds.parse().unwrap())) }
        }
        ["again"] => return Event::LookAgain,
        _ => panic!("no such event: {word}"),
    })
}

fn play(line: &str) -> (Result<(Check, Vec<Effect>), Misfit>, Moment) {
    let mut at = START;
    let mut now = Ok(Check::open(Rules::DESIGN, at));
    for act in line.split(',').map(str::trim).filter(|act| !act.is_empty()) {
        let (pause, word) = match act.strip_prefix('+') {
            Some(act) => act.split_once(' ').unwrap(),
            None => ("0", act),
        };
        let (whole, part) = pause.split_once('.').unwrap_or((pause, ""));
        let ms = whole.parse::<u64>().unwrap() * 1_000 + format!("{part:0<3}").parse::<u64>().unwrap();
        at = at.plus(Duration::from_millis(ms));
        now = now.unwrap().0.step(at, event(word));
    }
    (now, at)
}

fn told(line: &str) -> String {
    let (now, at) = play(line);
    let Ok((check, effects)) = now else { return "misfit".to_owned() };
    let effects = effects.iter().map(|Effect::Validate { after, until }| {
        format!(" ask {} until {};", after.as_secs_f32(), until.since(at).as_secs_f32())
    });
    let wrong = if check.was_a_wrong_code() { " wrong code;" } else { "" };
    format!("{}{wrong} {}", effects.collect::<String>(), check.sentence()).trim().to_owned()
}

fn check(table: &str) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (acts, expected) = line.split_once("=>").unwrap();
        let found = told(acts);
        if found != expected.trim() {
            wrong.push(format!("{acts}=> {found}\n        not: {}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "these lines end otherwise:\n{}", wrong.concat());
}

#[test]
fn b1_a_look_is_repeated_freely_while_a_guest_waits_and_then_given_up() {
    check(
        "
                                                  => ask 0 until 10; Please wait.
        seen 25                                   => 25.00 USD left.
        seen 3x                                   => 3 items left.
        seen 1x                                   => 1 item left.
        seen 0                                    => This voucher cannot be redeemed now: as the provider says. Nothing was taken from it.
        unknown                                   => ask 0.5 until 10; Please wait.
        +5 unknown, +0.5 unknown                  => ask 0.5 until 4.5; Please wait.
        +5 unknown, +1 seen 25                    => 25.00 USD left.
        +9.499 unknown                            => ask 0.5 until 0.501; Please wait.
        +9.5 unknown                              => No connection: the voucher cannot be checked now. Try again.
        later 9                                   => ask 9 until 10; Please wait.
        later 10                                  => No connection: the voucher cannot be checked now. Try again.
        later                                     => ask 0.5 until 10; Please wait.
        unknown_code                              => wrong code; There is no such voucher. Compare the digits.
        blocked                                   => The provider has blocked this shop for now. Call the manager.
        unknown_code, seen 25                     => misfit
        ",
    );
}

#[test]
fn b14_without_a_connection_nothing_is_hoped_for() {
    check(
        "
        unsent                                    => No connection: the voucher cannot be checked now. Try again.
        unsent, seen 25                           => misfit
        ",
    );
}

#[test]
fn what_was_seen_may_be_looked_at_again_until_it_is_too_old() {
    check(
        "
        seen 25, +60 again                        => ask 0 until 10; Please wait.
        seen 25, +60 again, seen 10               => 10.00 USD left.
        seen 25, +60 again, unknown               => ask 0.5 until 10; Please wait.
        seen 25, +60 again, unknown, other 25     => Too much time has passed. Scan the voucher again.
        seen 25, +119.999 again                   => ask 0 until 10; Please wait.
        seen 25, +120 again                       => misfit
        again                                     => misfit
        unknown_code, again                       => misfit
        seen 25, seen 25                          => misfit
        ",
    );
}

#[test]
fn b2_only_what_may_be_redeemed_now_is_redeemed() {
    for (line, later_s, amount, confirmed, expected) in [
        ("seen 25", 0, usd(25), false, "redeem"),
        ("seen 25", 0, usd(1), false, "redeem"),
        ("seen 25", 0, usd(26), false, "more_than_eligible"),
        ("seen 25", 0, usd(0), false, "nothing_to_redeem"),
        ("seen 25", 0, usd(-1), false, "nothing_to_redeem"),
        ("seen 25", 0, Worth::Items(1), false, "voucher_of_money"),
        (
            "seen 25",
            0,
            Worth::Money(Money::new(1, Currency::from_code("EUR").unwrap())),
            false,
            "voucher_currency",
        ),
        ("seen 3x", 0, Worth::Items(3), false, "redeem"),
        ("seen 3x", 0, Worth::Items(4), false, "more_than_eligible"),
        ("seen 3x", 0, Worth::Items(0), false, "nothing_to_redeem"),
        ("seen 3x", 0, usd(1), false, "voucher_of_items"),
        ("seen 0", 0, usd(1), false, "voucher_not_redeemable"),
        ("promo 5", 0, usd(5), false, "terms_not_confirmed"),
        ("promo 5", 0, usd(5), true, "redeem"),
        ("promo 5", 0, usd(6), true, "more_than_eligible"),
        ("unknown_code", 0, usd(1), true, "voucher_not_found"),
        ("unsent", 0, usd(1), true, "voucher_not_checked"),
        ("", 0, usd(1), true, "still_working"),
        // it gets old twice
        ("seen 25", 5, usd(25), false, "redeem"),
        ("seen 25", 6, usd(25), false, "look again"),
        ("seen 25", 6, usd(26), false, "more_than_eligible"),
        ("seen 25", 119, usd(25), false, "look again"),
        ("seen 25", 120, usd(25), false, "check_expired"),
        ("seen 25, +60 again, seen 10", 0, usd(25), false, "more_than_eligible"),
    ] {
        let (now, at) = play(line);
        let at = at.plus(Duration::from_secs(later_s));
        let found = match now.unwrap().0.ready(at, Wish { amount, terms_confirmed: confirmed }) {
            Ok(Ready::Redeem(seen)) => {
                assert_eq!(seen.voucher, "V1".parse().unwrap());
                "redeem"
            }
            Ok(Ready::LookAgain) => "look again",
            Err(why) => why.code(),
        };
        assert_eq!(found, expected, "{line} {later_s} {amount}");
    }
}

#[test]
fn a_check_is_dropped_when_nothing_can_come_of_it_any_more() {
    for (line, seconds) in [("", 130), ("seen 25", 120), ("+3 seen 25", 123), ("unknown_code", 120)] {
        let (now, _) = play(line);
        assert_eq!(now.unwrap().0.expires().since(START), Duration::from_secs(seconds), "{line}");
    }
}
