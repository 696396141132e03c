//! Books against a modelled provider: whatever breaks, at the end what the provider took is what the basket counts.
//!
//! A counter performs the effects of one redemption; the provider loses requests and answers, applies them late (but never
//! after the quiet time: that is what the quiet time says), takes less or more than was asked for, gives no id, and refuses; the
//! process dies; people answer as they please. Then everything heals, a manager looks at the provider and tells the truth, and
//! the books are compared. The machine's own opinion of what it sent is not asked.
//!
//! Every walk is a seed. A proof that cannot fail is worthless: the same walks must find a violation where the quiet time is
//! no time, and where a provider that restores twice is said to restore once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::laws::Watch;
use super::script::{START, opening, person, setup, told, usd};
use crate::moment::Moment;
use crate::outcome::{Outcome, Trouble};
use crate::redemption::{
    Answer, Counts, Effect, Misfit, Redemption, RedemptionEvent, Rules, State, StuckWhy, Verdict,
};
use crate::refusal::Refusal;
use crate::voucher::{
    Balance, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherKind, VoucherSeen,
    Worth,
};

/// How long a call takes at the longest.
const DEADLINE_MS: u64 = 10_000;
/// How many things happen before everything heals.
const TROUBLE: usize = 40;

/// A small generator (splitmix64): a walk follows from its seed alone.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn in_hundred(&mut self, of_them: u64) -> bool {
        self.below(100) < of_them
    }
}

/// What the provider has in its books, in cents.
struct Provider {
    left: i64,
    /// What was taken.
    taken: Option<i64>,
    /// How often it was taken, and how often it was given back.
    debits: u32,
    credits: u32,
    /// What is on its way and arrives later.
    late: Option<(Moment, i64)>,
    refused: bool,
}

impl Provider {
    fn arrive(&mut self, at: Moment) {
        if let Some((due, cents)) = self.late
            && at >= due
        {
            self.late = None;
            self.take(cents);
        }
    }

    fn take(&mut self, cents: i64) {
        self.left -= cents;
        self.taken = Some(cents);
        self.debits += 1;
    }

    fn give_back(&mut self) {
        self.left += self.taken.unwrap_or_default();
        self.credits += 1;
    }

    /// What it has of the guest's money now.
    fn net(&self) -> i64 {
        5_000 - self.left
    }

    fn done(&self, with_id: bool) -> Redeemed {
        Redeemed {
            redemption: with_id.then(|| "R1".parse().unwrap()),
            granted: self.taken.map(usd),
            remaining: Balance { left: Some(usd(self.left)), eligible: None },
        }
    }
}

struct Walk {
    chance: Chance,
    at: Moment,
    redemption: Redemption,
    outstanding: Vec<(Moment, Effect)>,
    provider: Provider,
    watch: Watch,
    healed: bool,
    /// A provider that gives value back once more when it is asked twice.
    restores_twice: bool,
    acts: Vec<String>,
}

fn begin(seed: u64, rules: &Rules) -> Walk {
    let mut opening = opening(setup(rules.offers.recourse, rules.offers.reversal));
    opening.rules = *rules;
    let (redemption, effects) = Redemption::open(opening, START);
    let provider = Provider { left: 5_000, taken: None, debits: 0, credits: 0, late: None, refused: false };
    let mut walk = Walk {
        chance: Chance(seed),
        at: START,
        redemption,
        outstanding: Vec::new(),
        provider,
        watch: Watch::after_opening(),
        healed: false,
        restores_twice: rules.offers.reversal == Reversal::Once,
        acts: Vec::new(),
    };
    walk.put(effects);
    walk
}

impl Walk {
    fn put(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let due = match effect {
                Effect::Redeem { after, .. }
                | Effect::LookUp { after, .. }
                | Effect::Validate { after }
                | Effect::Reverse { after } => self.at.plus(after),
                Effect::Wake { at } => at,
                Effect::Forget => continue,
            };
            self.outstanding.push((due, effect));
        }
        // Law of the driver: what is neither closed nor a person's has something on its way.
        let waits = self.redemption.attention(self.at).is_some()
            || self.redemption.question().is_some()
            || matches!(self.redemption.state, State::Answered { asked: true, .. });
        assert!(
            !self.outstanding.is_empty() || waits || self.redemption.is_closed(),
            "left alone: {:?} after {:?}",
            self.redemption.state,
            self.acts
        );
    }

    fn step(&mut self, event: RedemptionEvent) -> bool {
        match self.redemption.clone().step(self.at, event.clone()) {
            Ok((next, effects)) => {
                self.watch.judge(&self.redemption, &event, self.at, &next, &effects);
                self.redemption = next;
                self.acts.push(format!(
                    "{} s: {event:?}: {}",
                    self.at.since(START).as_secs(),
                    told(&self.redemption, self.at)
                ));
                self.put(effects);
                true
            }
            Err(Misfit::Event | Misfit::TooEarly | Misfit::AnotherVoucher) => false,
        }
    }

    /// Something of the outside happens to a call, or it ends well.
    fn trouble<T>(&mut self) -> Option<Outcome<T>> {
        if self.healed {
            return None;
        }
        match self.chance.below(20) {
            0..4 => Some(Outcome::Unknown(Trouble::Silent)),
            4 | 5 => Some(Outcome::NotSent(Trouble::Connect)),
            6 => Some(Outcome::Later { retry_after: None }),
            7 => Some(Outcome::Refused(Refusal::Blocked)),
            _ => None,
        }
    }

    fn redeem(&mut self) -> Outcome<Redeemed> {
        let unknown = Outcome::Unknown(Trouble::Silent);
        let repeated = self.provider.taken.is_some() || self.provider.late.is_some() || self.provider.refused;
        if repeated && self.redemption.opening.rules.offers.recourse == Recourse::Repeatable {
            if let Some(trouble) = self.trouble() {
                return trouble;
            }
            return match (&self.provider.late, self.provider.taken) {
                (Some(_), _) => Outcome::Later { retry_after: None },
                (None, Some(_)) => Outcome::Done(self.provider.done(true)),
                (None, None) => Outcome::Refused(Refusal::RedeemRefused),
            };
        }
        let amount = 2_500;
        match if self.healed { 0 } else { self.chance.below(100) } {
            0..20 => {
                self.provider.take(amount);
                Outcome::Done(self.provider.done(true))
            }
            // the request is lost
            20..38 => unknown,
            // the answer is lost
            38..62 => {
                self.provider.take(amount);
                unknown
            }
            // it arrives late
            62..78 => {
                let ms = self.chance.below(u64::try_from(Rules::DESIGN.quiet.as_millis()).unwrap());
                self.provider.late = Some((self.at.plus(Duration::from_millis(ms)), amount));
                unknown
            }
            78..82 => {
                self.provider.refused = true;
                Outcome::Refused(Refusal::RedeemRefused)
            }
            82..86 => Outcome::NotSent(Trouble::Connect),
            86..90 => {
                self.provider.take(1_250);
                Outcome::Done(self.provider.done(true))
            }
            90..92 => {
                self.provider.take(1_250);
                unknown
            }
            92..94 => {
                self.provider.take(3_000);
                Outcome::Done(self.provider.done(true))
            }
            _ => {
                self.provider.take(amount);
                Outcome::Done(self.provider.done(false))
            }
        }
    }

    fn look_up(&mut self) -> Outcome<RedemptionSeen> {
        if let Some(trouble) = self.trouble() {
            return trouble;
        }
        match (&self.provider.late, self.provider.taken) {
            (Some(_), _) if self.chance.in_hundred(50) => Outcome::Done(RedemptionSeen::InProgress),
            (None, Some(_)) if self.provider.credits == 0 => {
                Outcome::Done(RedemptionSeen::Done(self.provider.done(true)))
            }
            (None, Some(_)) => Outcome::Done(RedemptionSeen::Nothing),
            _ => Outcome::Refused(Refusal::RedemptionNotFound),
        }
    }

    fn read(&mut self) -> Outcome<VoucherSeen> {
        if let Some(trouble) = self.trouble() {
            return trouble;
        }
        Outcome::Done(VoucherSeen {
            voucher: "V1".parse().unwrap(),
            redeemable: self.provider.left > 0,
            eligible: (self.provider.left > 0).then(|| usd(self.provider.left)),
            left: Some(usd(self.provider.left)),
            kind: VoucherKind::Gift,
        })
    }

    fn reverse(&mut self) -> Outcome<ReverseAnswer> {
        let repeated = self.provider.credits > 0 && !self.restores_twice;
        match if self.healed { 0 } else { self.chance.below(20) } {
            _ if repeated => Outcome::Done(ReverseAnswer::AlreadyReversed),
            0..8 => {
                self.provider.give_back();
                Outcome::Done(ReverseAnswer::Reversed)
            }
            8..11 => Outcome::Unknown(Trouble::Broken),
            11..15 => {
                self.provider.give_back();
                Outcome::Unknown(Trouble::Silent)
            }
            15 => Outcome::NotSent(Trouble::Connect),
            16 => Outcome::Later { retry_after: None },
            17 => Outcome::Refused(Refusal::Blocked),
            18 => Outcome::Done(ReverseAnswer::StillProcessing),
            _ => Outcome::Done(ReverseAnswer::Refused(Refusal::ReverseRefused)),
        }
    }

    /// The next effect ends. False if there is none.
    fn perform(&mut self) -> bool {
        self.outstanding.sort_by_key(|(due, _)| *due);
        if self.outstanding.is_empty() {
            return false;
        }
        let deadline = matches!(self.outstanding.first(), Some((_, Effect::Wake { .. })));
        if deadline && self.chance.in_hundred(80) {
            // People are quicker than deadlines, mostly.
            self.people();
            return true;
        }
        let (due, effect) = self.outstanding.remove(0);
        self.at = self.at.max(due);
        self.provider.arrive(self.at);
        let event = match effect {
            Effect::Redeem { .. } => RedemptionEvent::RedeemEnded(self.redeem()),
            Effect::LookUp { .. } => RedemptionEvent::LookupEnded(self.look_up()),
            Effect::Validate { .. } => RedemptionEvent::ReadEnded { outcome: self.read(), scanned: false },
            Effect::Reverse { .. } => RedemptionEvent::ReverseEnded(self.reverse()),
            Effect::Wake { .. } => RedemptionEvent::TimeUp,
            Effect::Forget => return true,
        };
        if event != RedemptionEvent::TimeUp {
            let took = if self.healed { 100 } else { self.chance.below(DEADLINE_MS) };
            self.at = self.at.plus(Duration::from_millis(took));
        }
        // The process may die between the provider's deed and its answer.
        if !self.healed && self.chance.in_hundred(4) {
            self.crash();
            return true;
        }
        self.step(event);
        // A till that waits is told in the same commit.
        if self.redemption.is_to_be_offered() && self.chance.in_hundred(80) {
            self.step(RedemptionEvent::Offered);
        }
        true
    }

    fn crash(&mut self) {
        if self.redemption.is_closed() {
            return;
        }
        self.outstanding.clear();
        let down = if self.chance.in_hundred(70) { 10_000 } else { 600_000 };
        self.at = self.at.plus(Duration::from_millis(self.chance.below(down)));
        self.provider.arrive(self.at);
        assert!(self.step(RedemptionEvent::Resumed), "cannot be resumed: {:?}", self.redemption.state);
    }

    /// A till or a cashier does what he may.
    fn people(&mut self) {
        let answer = |answer| RedemptionEvent::Answered { answer, by: Some(person()) };
        let pick = self.chance.below(100);
        match (&self.redemption.state, self.redemption.question()) {
            (State::Redeemed { .. }, _) if pick < 80 => {
                self.step(RedemptionEvent::Offered);
            }
            (State::Answered { asked: false, .. }, _) if pick < 50 => {
                self.step(RedemptionEvent::Completed { by: None });
            }
            (State::Answered { .. }, _) if pick < 60 => {
                self.step(RedemptionEvent::TakenBack { by: None });
            }
            (State::Completed, _) if pick < 1 => {
                self.step(RedemptionEvent::TakenBack { by: None });
            }
            (State::Comparing { .. }, _) if pick < 5 => {
                self.step(RedemptionEvent::CodeLost);
            }
            (State::Comparing { .. } | State::NotApplied { .. }, _) if pick < 30 => {
                let outcome = self.read();
                self.step(RedemptionEvent::ReadEnded { outcome, scanned: true });
            }
            (_, Some(question)) if question.asks != crate::redemption::Asks::TryAgain => {
                let choices = question.choices;
                if let Some(choice) = choices.get(usize::try_from(pick).unwrap() % choices.len().max(1)) {
                    self.step(answer(*choice));
                }
            }
            _ => {}
        }
    }

    /// A manager looks at the provider, has its people mend what only they can, and says what he saw.
    fn manager(&mut self) {
        // He takes his time: nothing is on its way any more.
        self.at = self.at.max(START.plus(Duration::from_hours(1)));
        self.provider.arrive(self.at);
        let settle = |verdict| RedemptionEvent::Settled {
            by: person(),
            reason: "Seen at the provider.".to_owned(),
            verdict,
        };
        let event = match &self.redemption.state {
            State::Unclear { .. } if self.provider.net() == 2_500 => settle(Verdict::Used),
            State::Completed => settle(Verdict::Used),
            State::Stuck { why, .. }
                if self.redemption.past.redemption.is_some()
                    && self.provider.net() > 0
                    && *why != StuckWhy::WithoutId =>
            {
                RedemptionEvent::Answered { answer: Answer::TryAgain, by: Some(person()) }
            }
            State::Unclear { .. } | State::Stuck { .. } | State::NotApplied { .. } => {
                if self.provider.net() > 0 {
                    self.provider.give_back();
                }
                settle(Verdict::NotUsed)
            }
            _ => return,
        };
        assert!(self.step(event), "the manager is not heard: {:?}", self.redemption.state);
    }

    /// Lets trouble happen, heals everything, and compares the books.
    fn run(&mut self) -> Result<&'static str, String> {
        for _ in 0..TROUBLE {
            match self.chance.below(100) {
                0..6 => self.crash(),
                6..30 => self.people(),
                _ if self.perform() => {}
                _ => self.people(),
            }
        }
        self.healed = true;
        for _ in 0..400 {
            if self.redemption.is_closed() {
                break;
            }
            self.people();
            if !self.perform() {
                self.manager();
            }
        }
        self.outstanding.clear();
        self.at = self.at.plus(Duration::from_hours(1));
        self.provider.arrive(self.at);
        if !self.redemption.is_closed() {
            return Err(self.violation("it never closes"));
        }
        let counts = match self.redemption.counts() {
            Counts::For(Worth::Money(money)) => money.minor(),
            Counts::Nothing => 0,
            _ => return Err(self.violation("nobody knows what it counts")),
        };
        if self.provider.debits > 1 {
            return Err(self.violation("it was taken twice"));
        }
        if counts != self.provider.net() {
            return Err(self.violation("the provider has taken something else than the basket counts"));
        }
        Ok(self.redemption.state_name())
    }

    fn violation(&self, what: &str) -> String {
        format!(
            "{what}: the basket counts {:?}, the provider has taken {} and given back {} times, {} cents net\n{}",
            self.redemption.counts(),
            self.provider.debits,
            self.provider.credits,
            self.provider.net(),
            self.acts.join("\n")
        )
    }
}

/// Walks from the first seed on: how many ended in which state, and the first violation.
fn walks(rules: &Rules, count: u64) -> Result<BTreeMap<&'static str, u64>, String> {
    let mut ended = BTreeMap::new();
    for seed in 0..count {
        let name =
            begin(seed, rules).run().map_err(|why| format!("seed {seed}, {:?}: {why}", rules.offers))?;
        *ended.entry(name).or_default() += 1;
    }
    Ok(ended)
}

fn rules(recourse: Recourse, reversal: Reversal) -> Rules {
    Rules { offers: Offers { recourse, reversal }, ..Rules::DESIGN }
}

#[test]
fn at_the_end_the_provider_has_taken_what_the_basket_counts() {
    let count = 1_000;
    for recourse in [Recourse::Comparable, Recourse::Findable, Recourse::Repeatable] {
        for reversal in [Reversal::Repeatable, Reversal::Once, Reversal::NotConfirmed] {
            let ended = walks(&rules(recourse, reversal), count).unwrap_or_else(|why| panic!("{why}"));
            println!("{count} redemptions, {recourse:?} {reversal:?}: {ended:?}, violations: 0");
            for state in ["completed", "cleared", "not_redeemed"] {
                assert!(ended.contains_key(state), "no walk ends {state}: it tries too little");
            }
        }
    }
}

#[test]
fn without_the_quiet_time_the_books_differ() {
    for recourse in [Recourse::Comparable, Recourse::Findable] {
        let hasty = Rules { quiet: Duration::ZERO, ..rules(recourse, Reversal::Repeatable) };
        let why = walks(&hasty, 3_000).expect_err("nothing tells that law L6 is off");
        assert!(why.contains("taken something else"), "{why}");
    }
}

#[test]
fn a_provider_that_gives_back_twice_and_is_said_not_to_is_found_out() {
    let mut found = 0;
    for seed in 0..3_000 {
        let mut walk = begin(seed, &rules(Recourse::Comparable, Reversal::Repeatable));
        walk.restores_twice = true;
        found += u32::from(walk.run().is_err());
    }
    assert!(found > 0, "the books do not see a second credit");
}
