//! One of every event of a redemption, and of every value that such an event can hold.

use tilld_domain::ids::RedemptionId;
use tilld_domain::outcome::{Outcome, Trouble};
use tilld_domain::redemption::{Answer, Opening, RedemptionEvent, Rules, Verdict};
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::{
    Balance, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherCode, VoucherKind,
    VoucherSeen, Words, Worth,
};
use uuid::Uuid;

use super::{VOUCHER_NUMBER, VOUCHER_TOKEN, eur, outcomes};
use crate::entry::RedemptionStep;

one_of_each!(kinds: VoucherKind =
    VoucherKind::Gift => VoucherKind::Gift,
    VoucherKind::Promotional => VoucherKind::Promotional,
);

one_of_each!(recourses: Recourse =
    Recourse::Repeatable => Recourse::Repeatable,
    Recourse::Findable => Recourse::Findable,
    Recourse::Comparable => Recourse::Comparable,
);

one_of_each!(reversals: Reversal =
    Reversal::Repeatable => Reversal::Repeatable,
    Reversal::Once => Reversal::Once,
    Reversal::NotConfirmed => Reversal::NotConfirmed,
);

one_of_each!(worths: Worth =
    Worth::Money(_) => Worth::Money(eur(i64::MIN)),
    Worth::Items(_) => Worth::Items(u32::MAX),
);

one_of_each!(reverse_answers: ReverseAnswer =
    ReverseAnswer::Reversed => ReverseAnswer::Reversed,
    ReverseAnswer::AlreadyReversed => ReverseAnswer::AlreadyReversed,
    ReverseAnswer::StillProcessing => ReverseAnswer::StillProcessing,
    ReverseAnswer::NotFound => ReverseAnswer::NotFound,
    ReverseAnswer::Refused(_) => ReverseAnswer::Refused(Refusal::ReverseRefused),
);

one_of_each!(answers: Answer =
    Answer::Accept => Answer::Accept,
    Answer::TakeBack => Answer::TakeBack,
    Answer::Used => Answer::Used,
    Answer::NotUsed => Answer::NotUsed,
    Answer::TryAgain => Answer::TryAgain,
);

one_of_each!(verdicts: Verdict =
    Verdict::Used => Verdict::Used,
    Verdict::NotUsed => Verdict::NotUsed,
);

one_of_each!(looks_of_a_kind: RedemptionSeen =
    RedemptionSeen::Done(_) => RedemptionSeen::Done(redeemed()),
    RedemptionSeen::Nothing => RedemptionSeen::Nothing,
    RedemptionSeen::InProgress => RedemptionSeen::InProgress,
);

one_of_each!(events_of_a_kind: RedemptionEvent =
    RedemptionEvent::RedeemEnded(_) => RedemptionEvent::RedeemEnded(Outcome::Unknown(Trouble::Silent)),
    RedemptionEvent::LookupEnded(_) => RedemptionEvent::LookupEnded(Outcome::Unknown(Trouble::Silent)),
    RedemptionEvent::ReadEnded { .. } =>
        RedemptionEvent::ReadEnded { outcome: Outcome::Unknown(Trouble::Silent), scanned: false },
    RedemptionEvent::CodeLost => RedemptionEvent::CodeLost,
    RedemptionEvent::VoucherMoved => RedemptionEvent::VoucherMoved,
    RedemptionEvent::AskedAgain => RedemptionEvent::AskedAgain,
    RedemptionEvent::Offered => RedemptionEvent::Offered,
    RedemptionEvent::Completed { .. } => RedemptionEvent::Completed { by: None },
    RedemptionEvent::TakenBack { .. } => RedemptionEvent::TakenBack { by: None },
    RedemptionEvent::ReverseEnded(_) => RedemptionEvent::ReverseEnded(Outcome::Unknown(Trouble::Silent)),
    RedemptionEvent::TimeUp => RedemptionEvent::TimeUp,
    RedemptionEvent::Resumed => RedemptionEvent::Resumed,
    RedemptionEvent::Answered { .. } => RedemptionEvent::Answered { answer: Answer::Accept, by: None },
    RedemptionEvent::Settled { .. } => settled(Verdict::Used),
);

one_of_each!(steps_of_a_kind: RedemptionStep =
    RedemptionStep::Opened(_) => RedemptionStep::Opened(Box::new(redemption(1))),
    RedemptionStep::Happened(_) => RedemptionStep::Happened(RedemptionEvent::Offered),
);

fn settled(verdict: Verdict) -> RedemptionEvent {
    let reason = "the provider's \"books\"\nsay so".to_owned();
    RedemptionEvent::Settled { by: "Ann".parse().unwrap(), reason, verdict }
}

/// Both numbers.
fn balance(worth: Option<Worth>) -> Balance {
    Balance { left: worth, eligible: worth }
}

/// An answer that says everything.
pub(in crate::proof) fn redeemed() -> Redeemed {
    Redeemed {
        redemption: Some("RD_0193-AB.c~1".parse().unwrap()),
        granted: Some(Worth::Money(eur(1250))),
        remaining: balance(Some(Worth::Money(eur(1250)))),
    }
}

fn all_redeemed() -> Vec<Redeemed> {
    let mut all = vec![redeemed(), Redeemed { redemption: None, granted: None, remaining: balance(None) }];
    for worth in worths() {
        all.push(Redeemed { granted: Some(worth), ..redeemed() });
        all.push(Redeemed { remaining: Balance { left: Some(worth), eligible: None }, ..redeemed() });
        all.push(Redeemed { remaining: Balance { left: None, eligible: Some(worth) }, ..redeemed() });
    }
    all
}

fn sights() -> Vec<VoucherSeen> {
    let mut all = Vec::new();
    for kind in kinds() {
        for eligible in worths().into_iter().map(Some).chain([None]) {
            for redeemable in [false, true] {
                for left in [eligible, None] {
                    all.push(VoucherSeen {
                        voucher: "V-1".parse().unwrap(),
                        redeemable,
                        eligible,
                        left,
                        kind,
                    });
                }
            }
        }
    }
    all
}

fn openings() -> Vec<Opening> {
    let like = redemption(1);
    let mut all = vec![
        Opening { code: None, ..like.clone() },
        Opening { code: VoucherCode::token(VOUCHER_TOKEN), ..like.clone() },
        Opening { item: Some(Words::new("Two coffees ☕ for José")), ..like.clone() },
        Opening { cashier: None, ..like.clone() },
    ];
    all.extend(kinds().into_iter().map(|kind| Opening { kind, ..like.clone() }));
    all.extend(worths().into_iter().map(|worth| Opening {
        amount: worth,
        before: balance(Some(worth)),
        ..like.clone()
    }));
    all.push(Opening { before: balance(None), ..like.clone() });
    for recourse in recourses() {
        for reversal in reversals() {
            let rules = Rules { offers: Offers { recourse, reversal }, ..like.rules };
            all.push(Opening { rules, ..like.clone() });
        }
    }
    all
}

/// Every step that there is, with every value of every closed list in it.
pub(in crate::proof) fn redemption_steps() -> Vec<RedemptionStep> {
    let by = || Some("O’Neill".parse().unwrap());
    let mut looks = looks_of_a_kind();
    looks.extend(all_redeemed().into_iter().map(RedemptionSeen::Done));
    let mut events = events_of_a_kind();
    events.extend(outcomes(all_redeemed()).into_iter().map(RedemptionEvent::RedeemEnded));
    events.extend(outcomes(looks).into_iter().map(RedemptionEvent::LookupEnded));
    events.extend(outcomes(sights()).into_iter().flat_map(|outcome| {
        [false, true].map(|scanned| RedemptionEvent::ReadEnded { outcome: outcome.clone(), scanned })
    }));
    events.extend(outcomes(reverse_answers()).into_iter().map(RedemptionEvent::ReverseEnded));
    events.extend(answers().into_iter().map(|answer| RedemptionEvent::Answered { answer, by: by() }));
    events.extend(verdicts().into_iter().map(settled));
    events.extend([RedemptionEvent::Completed { by: by() }, RedemptionEvent::TakenBack { by: by() }]);
    let mut all = steps_of_a_kind();
    all.extend(openings().into_iter().map(|opening| RedemptionStep::Opened(Box::new(opening))));
    all.extend(events.into_iter().map(RedemptionStep::Happened));
    all
}

/// A redemption of 12.50 of 25.00.
pub(in crate::proof) fn redemption(number: u128) -> Opening {
    let code = VoucherCode::number(VOUCHER_NUMBER).unwrap();
    Opening {
        redemption: RedemptionId::new(Uuid::from_u128(1 << 100 | number)),
        basket: format!("B{number}").parse().unwrap(),
        provider: "giftlocal".to_owned(),
        store: "S1".parse().unwrap(),
        terminal: "T1".parse().unwrap(),
        country: "US".parse().unwrap(),
        cashier: Some("O’Neill".parse().unwrap()),
        locale: "en-US".parse().unwrap(),
        rules: Rules::DESIGN,
        voucher: format!("V-{number}").parse().unwrap(),
        kind: VoucherKind::Gift,
        item: None,
        code_tail: code.tail(),
        code: Some(code),
        amount: Worth::Money(eur(1250)),
        before: balance(Some(Worth::Money(eur(2500)))),
        key: format!("K-{number}").parse().unwrap(),
        request: format!(r#"{{"voucherID":"V-{number}","amount":12.50}}"#),
    }
}
