//! The laws over random events at random moments, and the proof that no order is ever left alone.
//!
//! Two walks. *Any event*: whatever comes, in whatever order, the laws hold; half of the events are picked among those
//! that the state accepts, so that the walk gets somewhere. *A counter at work*: only what follows from the effects that
//! are outstanding may happen, as with a real driver; then every order comes to rest by itself.

use std::time::Duration;

use proptest::prelude::*;

use super::script::{EVENTS, START, event, facts};
use crate::moment::Moment;
use crate::order::{ClearedHow, Effect, Order, OrderEvent, Rules, State};
use crate::outcome::Outcome;
use crate::printing::PrintEnd;
use crate::product::CardKind;

const RULES: Rules = Rules::DESIGN;

/// What a walk remembers of an order in order to judge its next step.
#[derive(Default)]
struct Watch {
    /// A byte of a POR slip may be on paper (L7).
    ink: bool,
    /// Since when the provider has said nothing but "not found" (L6).
    not_found: Option<Moment>,
    /// A confirm is on its way, and how many may have reached the provider: counted here, not taken from the order (L6).
    on_its_way: bool,
    sent: u32,
    /// The daemon was restarted after the payment, and nobody has said "finish" since (A6).
    restarted: bool,
    /// Confirms since the payment or the last "finish" that were not answered with "not sent" or "not now".
    confirms: u32,
}

impl Watch {
    fn judge(&mut self, before: &Order, event: &OrderEvent, at: Moment, after: &Order, effects: &[Effect]) {
        let told = format!("{:?} + {event:?} -> {:?} {effects:?}", before.state, after.state);
        let owes = matches!(after.state, State::Owed(_));
        let by_a_person = matches!(event, OrderEvent::Answered { .. } | OrderEvent::Settled { .. });

        // L4
        let behind_the_door = |state: &State| {
            matches!(
                state,
                State::Owed(_)
                    | State::Stuck { .. }
                    | State::Spent(_)
                    | State::Cleared { .. }
                    | State::Settled { .. }
            )
        };
        assert!(!behind_the_door(&before.state) || behind_the_door(&after.state), "L4: {told}");

        // L5
        if matches!(before.state, State::Owed(_)) && !owes {
            let word = matches!(
                event,
                OrderEvent::UndoEnded(Outcome::Done(_) | Outcome::Refused(_)) | OrderEvent::Settled { .. }
            );
            assert!(word, "L5: {told}");
        }

        // L6
        if self.on_its_way {
            let unsent = matches!(event, OrderEvent::ConfirmEnded(Outcome::NotSent(_)));
            self.sent += u32::from(!unsent || !matches!(before.state, State::Confirming { .. }));
            self.on_its_way = false;
        }
        self.on_its_way |= effects.contains(&Effect::Confirm);
        if matches!(after.state, State::Cleared { how: ClearedHow::NeverConfirmed }) {
            assert!(self.sent == 0, "L6: {told}");
        }
        if matches!(event, OrderEvent::Resumed) {
            // Between two runs the clock may have been set to anything.
            self.not_found = None;
        }
        if let OrderEvent::UndoEnded(Outcome::Done(answer)) = event {
            use crate::outcome::UndoAnswer::{NotFound, StillProcessing};
            if *answer == NotFound && matches!(after.state, State::Cleared { .. }) {
                let quiet = self.not_found.is_some_and(|first| at.since(first) >= RULES.quiet);
                assert!(self.sent == 0 || quiet, "L6: {told}");
            }
            match answer {
                NotFound => self.not_found = self.not_found.or(Some(at)),
                StillProcessing => self.not_found = None,
                _ => {}
            }
        }

        // L7
        if self.ink && effects.iter().any(|effect| matches!(effect, Effect::Print { .. })) {
            assert!(by_a_person, "printed again by itself: {told}");
        }
        if self.ink && !matches!(before.state, State::Owed(_)) {
            assert!(!owes || by_a_person, "L7: {told}");
        }
        if matches!(event, OrderEvent::PrintEnded(PrintEnd::Nothing(_)))
            && matches!(before.state, State::Printing { attempt: 1, .. })
        {
            self.ink = false;
        }
        self.ink |= before.facts.kind == CardKind::Por
            && effects.iter().any(|effect| matches!(effect, Effect::Print { .. }));

        // A6
        match event {
            OrderEvent::Resumed if before.past.paid.is_some() => self.restarted = true,
            OrderEvent::Answered { .. } => {
                self.restarted = false;
                self.confirms = 0;
            }
            OrderEvent::ConfirmEnded(Outcome::NotSent(_) | Outcome::Later { .. })
                if matches!(after.state, State::Paid { .. }) =>
            {
                self.confirms = self.confirms.saturating_sub(1);
            }
            _ => {}
        }
        if effects.contains(&Effect::Confirm) {
            self.confirms += 1;
            assert!(!self.restarted, "A6: {told}");
            assert!(self.confirms <= 2, "more than two confirms: {told}");
            assert!(after.past.confirm_sent, "L1: {told}");
            let created = after.past.created.unwrap();
            assert!(at.since(created) <= RULES.fresh + RULES.resume, "U16: {told}");
        }

        // L9
        let kept = matches!(after.state, State::Sold { .. });
        assert!(!(kept && after.money_back()), "L9: {told}");
        if after.money_back() {
            assert!(after.past.paid.is_some() && after.at_rest(), "L9: {told}");
        }

        // What the counter is told about an order agrees with itself.
        assert!(!after.is_closed() || after.at_rest(), "{told}");
        assert!(after.question(&RULES).is_none() || after.at_rest() && !after.is_closed(), "{told}");
        let forgets = effects.contains(&Effect::Forget);
        assert!(!forgets || after.is_closed(), "forgotten too early: {told}");
        // What never was paid is never confirmed, and what was never confirmed is never sold.
        assert!(after.past.paid.is_some() || !effects.contains(&Effect::Confirm), "{told}");
        assert!(!kept || after.past.confirm_sent, "{told}");
    }
}

fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..2_000_u64,
        2 => 2_000..15_000_u64,
        2 => 15_000..200_000_u64,
        1 => 200_000..1_000_000_u64,
        1 => Just(3_600_000_u64),
    ]
}

fn kind() -> impl Strategy<Value = CardKind> {
    prop_oneof![3 => Just(CardKind::Por), 1 => Just(CardKind::Posa)]
}

/// What leads deep into trouble: it is tried more often than the rest.
const USUAL: &[&str] = &[
    "created",
    "paid",
    "confirm unknown",
    "confirm unsent",
    "confirm later",
    "confirm done lines",
    "lookup open",
    "lookup working",
    "undo not_found",
    "print nothing",
    "print stopped",
    "ready",
    "say finish",
    "say print",
    "say print_again",
];
/// How much more often.
const LIKELY: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_whatever_comes(
        kind in kind(),
        acts in prop::collection::vec((pause(), any::<prop::sample::Index>(), prop::bool::weighted(0.15)), 1..40),
    ) {
        let mut at = START;
        let (mut order, _) = Order::open(facts(kind, 5000), at);
        let mut watch = Watch::default();
        for (pause, pick, anything) in acts {
            at = at.plus(Duration::from_millis(pause));
            let fits = |word: &&&str| anything || order.clone().step(&RULES, at, event(word)).is_ok();
            let words: Vec<&&str> = std::iter::repeat_n(USUAL, LIKELY).flatten().chain(EVENTS).filter(fits).collect();
            if words.is_empty() {
                continue;
            }
            let event = event(words[pick.index(words.len())]);
            if let Ok((next, effects)) = order.clone().step(&RULES, at, event.clone()) {
                watch.judge(&order, &event, at, &next, &effects);
                order = next;
            }
        }
    }

    /// The same events give the same order, whatever was refused in between: what is journaled is all that counts.
    #[test]
    fn a_replay_of_what_was_accepted_leads_to_the_same_order(
        kind in kind(),
        acts in prop::collection::vec((pause(), any::<prop::sample::Index>()), 1..30),
    ) {
        let mut at = START;
        let (mut order, _) = Order::open(facts(kind, 5000), at);
        let mut journal = Vec::new();
        for (pause, pick) in acts {
            at = at.plus(Duration::from_millis(pause));
            let event = event(EVENTS[pick.index(EVENTS.len())]);
            if let Ok((next, effects)) = order.clone().step(&RULES, at, event.clone()) {
                journal.push((at, event, effects));
                order = next;
            }
        }
        let (mut replayed, _) = Order::open(facts(kind, 5000), START);
        for (at, event, effects) in journal {
            let (next, again) = replayed.step(&RULES, at, event).unwrap();
            prop_assert_eq!(again, effects);
            replayed = next;
        }
        prop_assert_eq!(replayed, order);
    }

    #[test]
    fn an_order_whose_effects_are_performed_comes_to_rest_and_is_never_left_alone(
        kind in kind(),
        picks in prop::collection::vec((any::<u16>(), any::<u16>()), 200),
    ) {
        let mut work = Work::begin(kind);
        for (pick, chance) in picks {
            if !work.go_on(pick, chance) {
                break;
            }
        }
        // From here on the provider answers "unknown" to everything, and nobody says a word.
        let from = work.at;
        let patience = RULES.fresh + RULES.print_wait;
        while !work.order.at_rest() {
            prop_assert!(work.at.since(from) < patience, "no rest: {:?}", work.order.state);
            prop_assert!(work.go_on(u16::MAX, 50), "left alone: {:?}", work.order.state);
        }
    }
}

/// A counter that performs the effects of one order.
struct Work {
    order: Order,
    at: Moment,
    outstanding: Vec<(Moment, Effect)>,
    watch: Watch,
}

impl Work {
    fn begin(kind: CardKind) -> Self {
        let (order, effects) = Order::open(facts(kind, 5000), START);
        let mut work = Self { order, at: START, outstanding: Vec::new(), watch: Watch::default() };
        work.take(effects);
        work
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let due = match effect {
                Effect::Create { after } | Effect::Undo { after } | Effect::Ask { after, .. } => {
                    self.at.plus(after)
                }
                Effect::Wake { at } => at,
                _ => self.at,
            };
            self.outstanding.push((due, effect));
        }
        // Law of the driver: an order that is neither closed nor a person's has something on its way.
        let waits_for_a_person =
            self.order.question(&RULES).is_some() || matches!(self.order.state, State::Spent(_));
        let goes_on = self.outstanding.iter().any(|(_, effect)| *effect != Effect::Forget);
        assert!(
            goes_on || waits_for_a_person || self.order.is_closed(),
            "left alone: {:?}",
            self.order.state
        );
        if let Some(until) = self.order.question(&RULES).and_then(|question| question.until) {
            assert!(
                self.outstanding.contains(&(until, Effect::Wake { at: until })),
                "nobody watches {until:?}"
            );
        }
    }

    fn step(&mut self, event: OrderEvent) -> bool {
        match self.order.clone().step(&RULES, self.at, event.clone()) {
            Ok((next, effects)) => {
                self.watch.judge(&self.order, &event, self.at, &next, &effects);
                self.order = next;
                self.take(effects);
                true
            }
            Err(_) => false,
        }
    }

    /// One thing happens: a crash (rarely), a person's word (sometimes), or the next effect ends. `u16::MAX`: the worst
    /// answer. False when nothing can happen any more.
    fn go_on(&mut self, pick: u16, chance: u16) -> bool {
        let worst = pick == u16::MAX;
        if chance.is_multiple_of(23) && !self.order.is_closed() {
            self.outstanding.clear();
            self.at = self.at.plus(Duration::from_secs(u64::from(chance % 200)));
            assert!(self.step(OrderEvent::Resumed), "cannot be resumed: {:?}", self.order.state);
            return true;
        }
        if chance.is_multiple_of(7) && !worst {
            let people = [
                "paid",
                "cancelled",
                "say finish",
                "say print",
                "say print_again",
                "say nothing",
                "say complete",
                "say collected",
                "say money_back",
                "settle",
            ];
            let word = people[usize::from(pick) % people.len()];
            // Settling is for the desperate: mostly the debt is left to the provider.
            if word != "settle" || chance.is_multiple_of(5) {
                self.step(event(word));
            }
            return true;
        }
        self.outstanding.sort_by_key(|(due, _)| *due);
        if self.outstanding.is_empty() {
            return false;
        }
        let (due, effect) = self.outstanding.remove(0);
        self.at = self.at.max(due);
        let ends = |group: &str| -> Vec<&'static str> {
            EVENTS.iter().copied().filter(|word| word.starts_with(group)).collect()
        };
        let (words, worst_word, longest_ms) = match effect {
            Effect::Create { .. } => {
                ([vec!["created"; 8], ends("create ")].concat(), "create unknown", 10_000)
            }
            Effect::Confirm => (ends("confirm "), "confirm unknown", 10_000),
            Effect::Ask { until, .. } => {
                (ends("lookup "), "lookup unknown", until.since(self.at).as_millis())
            }
            Effect::Undo { .. } => (ends("undo "), "undo unknown", 10_000),
            Effect::Print { .. } | Effect::PrintCopy { .. } => (ends("print "), "print silent", 20_000),
            Effect::Wake { .. } => (vec!["time_up"], "time_up", 0),
            Effect::Forget => return !self.outstanding.is_empty(),
        };
        let word = if worst { worst_word } else { words[usize::from(pick) % words.len()] };
        if longest_ms > 0 {
            let longest = u64::try_from(longest_ms).unwrap();
            let took = if worst { longest } else { u64::from(chance) * longest / u64::from(u16::MAX) };
            self.at = self.at.plus(Duration::from_millis(took));
        }
        let answered = self.step(event(word));
        // The end of a call is misfit only where the order has moved on under it.
        if !answered && !matches!(effect, Effect::Wake { .. }) {
            assert!(
                !matches!(
                    self.order.state,
                    State::Creating { .. } | State::Asking { .. } | State::Printing { .. }
                ),
                "{word} is not taken by {:?}",
                self.order.state
            );
        }
        true
    }
}
