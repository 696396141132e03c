//! What the cashier reads in every row, and what waits for whom: who may decide, what may be answered, until when.

use super::script::{COMPARABLE, Setup, play, setup, snake};
use crate::attention::Who;
use crate::redemption::attention::Case;
use crate::redemption::screen::Screen;
use crate::redemption::state::State;
use crate::refusal::Refusal;
use crate::voucher::{Booking, Recourse, Reversal, VoucherKind};

fn check(table: &str, found_of: impl Fn(Setup, &str) -> String) {
    let mut wrong: Vec<String> = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (acts, expected) = line.split_once("=>").unwrap();
        let found = found_of(COMPARABLE, acts);
        if found != expected.trim() {
            wrong.push(format!("        {acts}=> {found}\n        not: {}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "people read something else:\n{}", wrong.concat());
}

#[test]
fn every_row_has_its_sentence() {
    check(
        "
                                                  => Please wait.
        redeem refused                            => The provider refused the voucher. Nothing was taken from it.
        redeem unsent                             => No connection. Nothing was taken from the voucher. Try again.
        # B3, B4
        redeem unknown                            => Checking. Do not take other payment yet.
        restart                                   => Checking. Do not take other payment yet.
        restart, code_lost                        => Scan the voucher once more. Do not take other payment yet.
        redeem unknown, +20 read same, +20 read same => Nothing was taken from the voucher. Take other payment, or redeem it again.
        redeem unknown, +20 read same, +20 read same, +300 read same => Nothing was taken from the voucher. Take other payment, or redeem it again.
        redeem unknown, +20 read lower, offered   => Redeemed: 25.00 USD. Book it as payment.
        redeem unknown, +20 read left 10          => Call the manager. Do not take other payment yet.
        redeem unknown, +120 time_up              => Call the manager. Do not take other payment yet.
        redeem unknown, +20 read left 10, settle used => Redeemed: 25.00 USD. Book it as payment.
        redeem unknown, +20 read left 10, settle not_used => NOT used. Take other payment.
        redeem unknown, +20 read same, +20 read same, +300 read lower => NOT used. Take other payment. Call the manager for the voucher.
        # B6
        redeem done 12.50                         => Only 12.50 USD on it. Accept?
        redeem done 12.50, say accept             => Redeemed: 12.50 USD. Book it as payment.
        redeem done 12.50, say take_back          => NOT used. Take other payment. The voucher gets its value back.
        # B7
        redeem done                               => Interrupted. Redeem the voucher again for the same basket.
        redeem done, +120 time_up                 => NOT used. Take other payment. The voucher gets its value back.
        # B8, B9
        redeem done, offered                      => Redeemed: 25.00 USD. Book it as payment.
        redeem done, offered, restart             => Was the voucher used for this sale?
        redeem done, offered, completed           => Redeemed: 25.00 USD. Book it as payment.
        redeem done, offered, take_back           => The voucher gets its value back.
        redeem done, offered, completed, take_back => The voucher gets its value back.
        # B10 to B12
        redeem done, offered, take_back, reverse done => The voucher has its value back.
        redeem done, offered, take_back, reverse not_found => The voucher gets its value back.
        redeem done, offered, take_back, reverse refused => The voucher did not get its value back. Call the manager for it.
        redeem done, +120 time_up, reverse done   => NOT used. Take other payment. The voucher has its value back.
        redeem done, +120 time_up, reverse refused => NOT used. Take other payment. Call the manager for the voucher.
        redeem done, offered, take_back, reverse refused, settle not_used => NOT used. Take other payment.
        ",
        |setup, line| Screen::of(&play(setup, line).unwrap().0).sentence(),
    );
}

#[test]
fn a_promotional_voucher_is_booked_as_a_discount() {
    let mut redemption = play(COMPARABLE, "redeem done, offered").unwrap().0;
    redemption.opening.kind = VoucherKind::Promotional;
    assert_eq!(redemption.booking(), Booking::Discount);
    assert_eq!(Screen::of(&redemption).sentence(), "Redeemed: 25.00 USD. Book it as a discount.");
}

fn words(case: &Case) -> String {
    let who = if case.who() == Who::Cashier { "cashier" } else { "manager" };
    let list = |words: Vec<String>| words.join(" ");
    let choices = list(case.choices.iter().map(snake).collect());
    let verdicts = list(case.verdicts.iter().map(snake).collect());
    let settle = if verdicts.is_empty() { String::new() } else { format!(" settle {verdicts}") };
    let until = case
        .until
        .map(|until| format!(" until {}", until.since(super::script::START).as_secs()))
        .unwrap_or_default();
    let urgent = if case.urgent { " urgent" } else { "" };
    format!("{who} {} [{choices}]{settle}{until}{urgent}", case.code())
}

#[test]
fn every_row_asks_for_whom_it_needs_and_for_nobody_else() {
    let found = |setup, line: &str| {
        let (redemption, _, at) = play(setup, line).unwrap();
        redemption.attention(at).map_or_else(|| "nothing".to_owned(), |case| words(&case))
    };
    check(
        "
                                                  => nothing
        redeem refused                            => nothing
        redeem unknown                            => nothing
        redeem done                               => nothing
        redeem done, offered                      => nothing
        redeem done, offered, completed           => nothing
        # B3, B4
        restart, code_lost                        => cashier scan_again [] until 120 urgent
        redeem unknown, +120 time_up              => manager voucher_not_read [] settle used not_used urgent
        redeem unknown, +20 read left 10          => manager voucher_unclear [] settle used not_used urgent
        redeem unknown, +120 time_up, +5 read lower => manager taken_and_not_told [] settle used not_used urgent
        redeem unknown, +20 read same, +20 read same => manager not_applied [] settle not_used
        redeem unknown, +20 read same, +20 read same, moved => manager not_applied [] settle not_used
        redeem unknown, +20 read same, +20 read same, +300 read same => nothing
        redeem unknown, +20 read lower, offered   => nothing
        redeem unknown, +20 read lower, offered, completed => manager applied_without_id [] settle used
        redeem unknown, +20 read lower, offered, completed, settle used => nothing
        # B6, B8
        redeem done 12.50                         => cashier accept_less [accept take_back] until 120 urgent
        redeem done, offered, restart             => cashier was_it_used [used not_used] urgent
        # B10, B11: a reversal that gets through is nobody's business, one that does not is the manager's
        redeem done, offered, take_back           => nothing
        redeem done, offered, take_back, +899 reverse unknown => nothing
        redeem done, offered, take_back, +900 reverse unknown => manager reversal_late [] settle not_used
        redeem done, offered, take_back, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown => nothing
        redeem done, offered, take_back, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown, reverse unknown => manager reversal_late [] settle not_used
        redeem done, offered, take_back, reverse done => nothing
        # B12
        redeem done, offered, take_back, reverse refused => manager reversal_refused [try_again] settle not_used
        redeem noid, offered, take_back           => manager reversal_without_id [] settle not_used
        redeem done, offered, take_back, reverse refused, settle not_used => nothing
        ",
        found,
    );
    let not_confirmed = setup(Recourse::Comparable, Reversal::NotConfirmed);
    assert_eq!(
        found(not_confirmed, "redeem done, offered, take_back"),
        "manager reversal_not_set_up [try_again] settle not_used"
    );
    let once = setup(Recourse::Comparable, Reversal::Once);
    assert_eq!(
        found(once, "redeem done, offered, take_back, reverse unknown"),
        "manager reversal_unanswered [try_again] settle not_used"
    );
}

const WAITING: &[&str] = &[
    "restart, code_lost",
    "redeem unknown, +120 time_up",
    "redeem unknown, +20 read left 10",
    "redeem unknown, +120 time_up, +5 read lower",
    "redeem unknown, +20 read same, +20 read same",
    "redeem unknown, +20 read same, +20 read same, moved",
    "redeem noid, offered, completed",
    "redeem done 12.50",
    "redeem done, offered, restart",
    "redeem done, offered, take_back, +900 reverse unknown",
    "redeem done, offered, take_back, reverse refused",
    "redeem noid, offered, take_back",
];

#[test]
fn every_case_has_a_sentence_that_says_what_to_do_and_fits_a_screen() {
    for line in WAITING {
        let (redemption, _, at) = play(COMPARABLE, line).unwrap();
        let case = redemption.attention(at).unwrap();
        let sentence = case.sentence();
        assert!(sentence.ends_with(['.', '?']) && sentence.len() <= 140, "{} {sentence}", sentence.len());
    }
}

#[test]
fn the_text_for_the_provider_says_what_they_need_and_nothing_that_spends_the_voucher() {
    let mut texts = 0;
    for line in WAITING {
        let (redemption, _, _) = play(COMPARABLE, line).unwrap();
        let Some(text) = redemption.replacement_text() else { continue };
        texts += 1;
        assert!(text.contains("••••8901") && text.contains("25.00 USD") && text.contains("T01"), "{text}");
        assert!(!text.contains("012345678901") && !text.contains("V1"), "{text}");
        let asks = match redemption.state {
            State::Unclear { .. } => "Was this redemption applied?",
            _ => "Please give this redemption's value back",
        };
        assert!(text.starts_with(asks), "{line}: {text}");
    }
    assert_eq!(texts, 6);
    let refused = play(COMPARABLE, "redeem done, offered, take_back, reverse refused").unwrap().0;
    assert!(refused.replacement_text().unwrap().contains("Redemption: R1"));
    assert_eq!(play(COMPARABLE, "redeem done, offered").unwrap().0.replacement_text(), None);
}

#[test]
fn every_screen_has_a_name_of_its_own_and_a_sentence_that_fits_a_customer_display() {
    let worth = super::script::usd(2500);
    let screens = [
        Screen::Wait,
        Screen::Checking,
        Screen::ScanAgain,
        Screen::NotRedeemed(Refusal::RedeemRefused),
        Screen::NotApplied,
        Screen::OnlySoMuch(worth),
        Screen::Interrupted,
        Screen::Redeemed(worth, Booking::Tender),
        Screen::Redeemed(worth, Booking::Discount),
        Screen::WasItUsed,
        Screen::NotUsedGivingBack,
        Screen::NotUsedGivenBack,
        Screen::NotUsedCallTheManager,
        Screen::GivingBack,
        Screen::GivenBack,
        Screen::NotGivenBack,
        Screen::CallTheManager,
        Screen::NotUsed,
    ];
    let mut codes: Vec<&str> = screens.iter().map(Screen::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), screens.len());
    let mut sentences: Vec<String> = screens.iter().map(Screen::sentence).collect();
    assert!(sentences.iter().all(|sentence| sentence.len() <= 130 && sentence.ends_with(['.', '?'])));
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), screens.len());
}

#[test]
fn no_state_and_no_case_tells_the_code_or_the_vouchers_name() {
    for line in WAITING {
        let (redemption, _, at) = play(COMPARABLE, line).unwrap();
        let told = format!("{redemption:?} {:?}", redemption.attention(at));
        assert!(!told.contains("012345678901") && !told.contains("V1"), "{told}");
    }
}
