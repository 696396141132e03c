//! The laws over random events at random moments: whatever comes, in whatever order, they hold. Half of the events are picked
//! among those that the state accepts, so that the walk gets somewhere.

use std::time::Duration;

use proptest::prelude::*;

use super::script::{EVENTS, START, event, opening, setup};
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::redemption::{
    Answer, ClearedHow, Counts, Effect, Evidence, Redemption, RedemptionEvent, Rules, State,
};
use crate::voucher::{Recourse, Reversal, ReverseAnswer};

/// What a walk remembers of a redemption in order to judge its next step.
#[derive(Default)]
pub(super) struct Watch {
    /// How many redeems were let out.
    redeems: u32,
    /// The till may know of the success (L7).
    offered: bool,
    /// The code was forgotten (L11).
    forgotten: bool,
    /// Since when the provider has said nothing but "not found" of the redemption (L6).
    not_found: Option<Moment>,
    /// What is known of the last reversal.
    reversal: Call,
}

/// What is known of a call.
#[derive(Default, PartialEq, Eq)]
enum Call {
    /// It has ended readably, or none was made, or a manager has looked.
    #[default]
    Known,
    /// It is on its way.
    Out,
    /// Nobody knows what became of it.
    Lost,
}

impl Watch {
    /// Of a redemption that has just begun: its redeem is out.
    pub(super) fn after_opening() -> Self {
        Self { redeems: 1, ..Self::default() }
    }

    pub(super) fn judge(
        &mut self,
        before: &Redemption,
        event: &RedemptionEvent,
        at: Moment,
        after: &Redemption,
        effects: &[Effect],
    ) {
        if matches!(event, RedemptionEvent::AskedAgain) {
            assert!(before == after && effects.is_empty(), "a question changes nothing: {before:?}");
            assert_ne!(after.counts(), Counts::Nothing, "what counts for nothing is begun anew");
            return;
        }
        let told = format!("{:?} + {event:?} -> {:?} {effects:?}", before.state, after.state);
        let Rules { offers, quiet, .. } = before.opening.rules;
        let does = |test: fn(&Effect) -> bool| effects.iter().any(test);

        // L2: a redeem is over only by a well-formed no, by "surely not sent", or by a look-up's word.
        if matches!(after.state, State::NotRedeemed { .. }) {
            let word = match event {
                RedemptionEvent::RedeemEnded(Outcome::Refused(_)) => true,
                RedemptionEvent::RedeemEnded(Outcome::NotSent(_) | Outcome::Later { .. }) => {
                    self.redeems == 1
                }
                RedemptionEvent::LookupEnded(Outcome::Done(_)) => true,
                _ => false,
            };
            assert!(word, "L2: {told}");
        }

        // Two identical redeems debit twice.
        self.redeems += u32::from(does(|effect| matches!(effect, Effect::Redeem { .. })));
        assert!(self.redeems == 1 || offers.recourse == Recourse::Repeatable, "sent again: {told}");

        // L4
        let behind_the_door = |state: &State| {
            matches!(
                state,
                State::Owed(_) | State::Stuck { .. } | State::Cleared { .. } | State::Settled { .. }
            )
        };
        if behind_the_door(&before.state) {
            assert!(behind_the_door(&after.state), "L4: {told}");
            assert_eq!(after.counts(), Counts::Nothing, "L4: {told}");
        }

        // L5
        if matches!(before.state, State::Owed(_)) && matches!(after.state, State::Cleared { .. }) {
            let word = matches!(
                event,
                RedemptionEvent::ReverseEnded(Outcome::Done(_) | Outcome::Refused(_))
                    | RedemptionEvent::LookupEnded(Outcome::Done(_) | Outcome::Refused(_))
                    | RedemptionEvent::RedeemEnded(Outcome::Refused(_))
            );
            assert!(word, "L5: {told}");
        }
        if matches!(after.state, State::Settled { .. }) {
            assert!(matches!(event, RedemptionEvent::Settled { .. }), "L5: {told}");
        }

        // L6
        match after.state {
            State::Cleared { how: ClearedHow::NotFound } => {
                assert!(self.not_found.is_some_and(|first| at.since(first) >= quiet), "L6: {told}");
            }
            State::Cleared { how: ClearedHow::Unchanged } => {
                let State::NotApplied { since, .. } = before.state else { panic!("L6: {told}") };
                assert!(at.since(since) >= quiet, "L6: {told}");
            }
            _ => {}
        }
        if matches!(before.state, State::Owed(_)) {
            use crate::refusal::Refusal::RedemptionNotFound;
            match event {
                RedemptionEvent::ReverseEnded(
                    Outcome::Done(ReverseAnswer::NotFound) | Outcome::Refused(RedemptionNotFound),
                )
                | RedemptionEvent::LookupEnded(Outcome::Refused(RedemptionNotFound)) => {
                    self.not_found = self.not_found.or(Some(at));
                }
                RedemptionEvent::ReverseEnded(Outcome::Done(_))
                | RedemptionEvent::LookupEnded(Outcome::Done(_))
                | RedemptionEvent::RedeemEnded(Outcome::Done(_)) => self.not_found = None,
                _ => {}
            }
        }

        // L7
        let goes_back = matches!(after.state, State::Owed(_) | State::Stuck { .. });
        if self.offered && !behind_the_door(&before.state) && goes_back {
            let by_a_person = matches!(
                event,
                RedemptionEvent::TakenBack { .. } | RedemptionEvent::Answered { answer: Answer::NotUsed, .. }
            );
            assert!(by_a_person, "L7: {told}");
        }
        self.offered |= matches!(
            event,
            RedemptionEvent::Offered | RedemptionEvent::Answered { answer: Answer::Accept, .. }
        );
        if let Counts::For(worth) = after.counts() {
            let settled = matches!(after.state, State::Settled { .. });
            assert!(self.offered || settled, "L7: {told}");
            assert!(worth.is_positive(), "{told}");
        }

        // What is known by a balance alone is never taken back by a call, and nothing is without its name there.
        match event {
            RedemptionEvent::ReverseEnded(outcome) => {
                let lost = matches!(outcome, Outcome::Unknown(_));
                self.reversal = if lost { Call::Lost } else { Call::Known };
            }
            RedemptionEvent::Resumed if self.reversal == Call::Out => self.reversal = Call::Lost,
            RedemptionEvent::Answered { answer: Answer::TryAgain, .. } => self.reversal = Call::Known,
            _ => {}
        }
        if does(|effect| matches!(effect, Effect::Reverse { .. })) {
            assert!(after.past.redemption.is_some(), "{told}");
            assert_ne!(after.past.taken.unwrap().by, Evidence::Balance, "{told}");
            let tried = matches!(event, RedemptionEvent::Answered { answer: Answer::TryAgain, .. });
            assert!(offers.reversal != Reversal::NotConfirmed || tried, "not confirmed: {told}");
            assert!(offers.reversal != Reversal::Once || self.reversal != Call::Lost, "twice: {told}");
            self.reversal = Call::Out;
        }

        // L11: the code is forgotten once, and never needed afterwards.
        let forgets = does(|effect| matches!(effect, Effect::Forget));
        assert!(!(forgets && self.forgotten), "forgotten twice: {told}");
        self.forgotten |= forgets;
        let needs = does(|effect| matches!(effect, Effect::Validate { .. } | Effect::Redeem { .. }));
        assert!(!(needs && self.forgotten), "forgotten too early: {told}");
        assert!(!after.is_closed() || self.forgotten, "L11: {told}");

        // L12
        if !after.at_rest() || after.counts() == Counts::Open {
            assert!(after.blocks_its_basket().is_some(), "L12: {told}");
        }

        // What the counter is told about a redemption agrees with itself.
        assert!(!after.is_closed() || after.at_rest(), "{told}");
        assert!(after.question().is_none() || after.at_rest() && !after.is_closed(), "{told}");
        assert!(after.attention(at).is_none() || !after.is_closed(), "{told}");
    }
}

pub(super) fn offers() -> impl Strategy<Value = (Recourse, Reversal)> {
    let recourse = prop_oneof![
        3 => Just(Recourse::Comparable),
        1 => Just(Recourse::Findable),
        1 => Just(Recourse::Repeatable),
    ];
    let reversal = prop_oneof![
        3 => Just(Reversal::Repeatable),
        1 => Just(Reversal::Once),
        1 => Just(Reversal::NotConfirmed),
    ];
    (recourse, reversal)
}

fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..2_000_u64,
        3 => Just(20_000_u64),
        2 => 2_000..60_000_u64,
        2 => 60_000..400_000_u64,
        1 => 400_000..1_000_000_u64,
        1 => Just(3_600_000_u64),
    ]
}

/// What leads deep into trouble: it is tried more often than the rest.
const USUAL: &[&str] = &[
    "redeem unknown",
    "redeem done",
    "lookup not_found",
    "read same",
    "read unknown",
    "read lower",
    "offered",
    "take_back",
    "reverse unknown",
    "reverse not_found",
];
/// How much more often.
const LIKELY: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_whatever_comes(
        (recourse, reversal) in offers(),
        acts in prop::collection::vec((pause(), any::<prop::sample::Index>(), prop::bool::weighted(0.15)), 1..40),
    ) {
        let mut at = START;
        let (mut redemption, _) = Redemption::open(opening(setup(recourse, reversal)), at);
        let mut watch = Watch::after_opening();
        for (pause, pick, anything) in acts {
            at = at.plus(Duration::from_millis(pause));
            let event_of = |word: &str| event(&redemption.opening, word);
            let fits = |word: &&&str| anything || redemption.clone().step(at, event_of(word)).is_ok();
            let words: Vec<&&str> =
                std::iter::repeat_n(USUAL, LIKELY).flatten().chain(EVENTS).filter(fits).collect();
            if words.is_empty() {
                continue;
            }
            let event = event_of(words[pick.index(words.len())]);
            if let Ok((next, effects)) = redemption.clone().step(at, event.clone()) {
                watch.judge(&redemption, &event, at, &next, &effects);
                redemption = next;
            }
        }
    }

    /// The same events give the same redemption, whatever was refused in between: what is journaled is all that counts.
    #[test]
    fn a_replay_of_what_was_accepted_leads_to_the_same_redemption(
        (recourse, reversal) in offers(),
        acts in prop::collection::vec((pause(), any::<prop::sample::Index>()), 1..30),
    ) {
        let mut at = START;
        let opening = opening(setup(recourse, reversal));
        let (mut redemption, _) = Redemption::open(opening.clone(), at);
        let mut journal = Vec::new();
        for (pause, pick) in acts {
            at = at.plus(Duration::from_millis(pause));
            let event = event(&redemption.opening, EVENTS[pick.index(EVENTS.len())]);
            if let Ok((next, effects)) = redemption.clone().step(at, event.clone()) {
                journal.push((at, event, effects));
                redemption = next;
            }
        }
        let (mut replayed, _) = Redemption::open(opening, START);
        for (at, event, effects) in journal {
            let (next, again) = replayed.step(at, event).unwrap();
            prop_assert_eq!(again, effects);
            replayed = next;
        }
        prop_assert_eq!(replayed, redemption);
    }
}
