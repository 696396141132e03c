//! The manager: closes what only a manager can, by what the provider's own people say.
//!
//! At the provider the manager sees which redemptions stand, of which voucher and of how much; which of two alike is whose, nobody
//! sees. So one that is in doubt was taken if more is taken for its basket than the till counts. What was taken and cannot
//! be taken back by a call is replaced by the shop, which has a claim.

use std::time::Duration;

use tilld_counter::{Asked, Counter, RedemptionNow};
use tilld_domain::attention::{self, Case as CardCase};
use tilld_domain::ids::{RedemptionId, SaleId};
use tilld_domain::redemption::attention::{About, Case};
use tilld_domain::redemption::{Answer, StuckWhy, UnclearWhy, Verdict};
use tilld_domain::sale::CardNo;

use super::guest::Bought;
use super::till::asked;
use super::vouchers::{Debit, Vouchers};
use super::{Inner, World};

/// What is younger is left alone: a request may still be on its way.
const YOUNG: Duration = Duration::from_mins(6);

/// What is to be done about a redemption.
#[derive(Clone, Copy)]
enum Decision {
    TryAgain,
    Settle(Verdict, &'static str),
}

/// What the daemon is asked for.
enum Wish {
    Card(SaleId, CardNo),
    Redemption(RedemptionId, Decision),
}

impl Wish {
    async fn ask(&self, counter: &Counter, key: Asked) -> bool {
        let by = "Ada Berg".parse().unwrap();
        match self {
            Self::Card(sale, card) => {
                let reason = "Claimed from the provider.".to_owned();
                counter.settle(key, *sale, *card, by, reason).await.is_ok()
            }
            Self::Redemption(id, Decision::TryAgain) => {
                counter.tell(key, *id, Answer::TryAgain, Some(by), true).await.is_ok()
            }
            Self::Redemption(id, Decision::Settle(verdict, _)) => {
                counter.decide(key, *id, *verdict, by, "Seen at the provider.".to_owned()).await.is_ok()
            }
        }
    }
}

/// Closes every case that is a manager's; how many there were.
pub async fn close(world: &World, counter: &Counter) -> u64 {
    let waiting = counter.attention().await.unwrap_or_default();
    let mut closed = 0;
    for (now, cases) in waiting.sales {
        for case in cases.iter().filter(|case| is_final(case)) {
            let wish = Wish::Card(now.sale.opening.sale, case.card);
            if persist(world, &format!("settle-{}-{}", now.seq, case.card.number()), &wish).await {
                let receipt = &now.sale.opening.receipt;
                world.act(|| format!("manager: settles card {} of {receipt}", case.card.number()));
                closed += 1;
            }
        }
    }
    let mut baskets = Vec::new();
    for (now, case) in &waiting.redemptions {
        let basket = now.redemption.opening.basket.to_string();
        // One case of a basket at a time: the next may look different then.
        if baskets.contains(&basket) {
            continue;
        }
        let known = known_elsewhere(&waiting.redemptions, now);
        let Some(decision) = decide(world, &basket, now, case, &known) else { continue };
        let wish = Wish::Redemption(now.redemption.id(), decision);
        if persist(world, &format!("decide-{}", now.seq), &wish).await {
            let ended = note(&mut world.inner(), &basket, decision, &known);
            world.act(|| format!("manager: {} of {basket}: {ended}", case.code()));
            closed += 1;
        }
        baskets.push(basket);
    }
    closed
}

/// What was decided about a redemption is done, and noted.
fn note(inner: &mut Inner, basket: &str, decision: Decision, known: &[String]) -> &'static str {
    let word = match decision {
        Decision::TryAgain => "reversed on a manager's word",
        Decision::Settle(_, word) => word,
    };
    if word == REPLACED {
        replace(inner, basket, known);
    }
    inner.visits.get_mut(basket).unwrap().by_manager.push(word.to_owned());
    word
}

/// Asks whatever daemon runs until it answers, under one key, as a till does.
async fn persist(world: &World, what: &str, wish: &Wish) -> bool {
    world.inner().tills.insert("manager".to_owned(), (what.to_owned(), None));
    let daemon = &world.daemon;
    let answer = loop {
        let (counter, life) = daemon.until(Option::is_some).await.unwrap();
        tokio::select! {
            biased;
            () = life.over() => {}
            answer = wish.ask(&counter, asked(what)) => break answer,
        }
        daemon.until(Option::is_none).await;
    };
    world.inner().tills.remove("manager");
    answer
}

/// What the provider will not do any more. An undo that only takes long is left to go on.
fn is_final(case: &CardCase) -> bool {
    matches!(case.about, attention::About::Spent | attention::About::Stuck(_))
}

const REPLACED: &str = "replaced by the shop, a claim";
const TAKEN: &str = "found taken by a manager";
const NOT_TAKEN: &str = "found not taken by a manager";
const WITHOUT_ID: &str = "without id, closed by a manager";

/// The provider's names of other redemptions of the same basket that are to be taken back.
fn known_elsewhere(waiting: &[(RedemptionNow, Case)], this: &RedemptionNow) -> Vec<String> {
    let others = waiting.iter().filter(|(now, case)| {
        let (it, this) = (&now.redemption, &this.redemption);
        it.id() != this.id()
            && it.opening.basket == this.opening.basket
            && matches!(case.about, About::Stuck(_))
    });
    others.filter_map(|(now, _)| Some(now.redemption.past.redemption.as_ref()?.as_str().to_owned())).collect()
}

fn decide(
    world: &World,
    basket: &str,
    now: &RedemptionNow,
    case: &Case,
    known: &[String],
) -> Option<Decision> {
    if case.since.is_some_and(|since| world.clock.now().long_since(since) < YOUNG) {
        return None;
    }
    let inner = world.inner();
    let others: i64 = known.iter().map(|id| inner.vouchers.debits[id].net()).sum();
    let bought = &inner.visits[basket];
    let excess = taken(bought, &inner.vouchers) - others - bought.counted;
    let not_used = if excess > 0 { REPLACED } else { NOT_TAKEN };
    match &case.about {
        About::Question(_) | About::NotApplied { moved: false } | About::ReversalLate { .. } => None,
        About::Unclear(UnclearWhy::NotRead(_) | UnclearWhy::Odd) if excess == bought.wish => {
            Some(Decision::Settle(Verdict::Used, TAKEN))
        }
        // The till was never told, so it was not used.
        About::Unclear(_) | About::NotApplied { moved: true } => {
            Some(Decision::Settle(Verdict::NotUsed, not_used))
        }
        About::WithoutId => Some(Decision::Settle(Verdict::Used, WITHOUT_ID)),
        About::Stuck(StuckWhy::Unanswered { .. }) => {
            let id = now.redemption.past.redemption.as_ref().unwrap();
            let debit = &inner.vouchers.debits[id.as_str()];
            Some(if debit.restored == 0 {
                Decision::TryAgain
            } else {
                Decision::Settle(Verdict::NotUsed, "seen reversed by a manager")
            })
        }
        About::Stuck(_) => Some(Decision::Settle(Verdict::NotUsed, not_used)),
    }
}

/// What stands at the provider for a basket.
pub fn taken(bought: &Bought, vouchers: &Vouchers) -> i64 {
    vouchers.debits.values().filter(|debit| bought.is_of(debit)).map(Debit::net).sum()
}

/// The guest gets a replacement for one redemption of a basket that is no other's: for the one that is too much, if one is.
fn replace(inner: &mut Inner, basket: &str, known: &[String]) {
    let bought = &inner.visits[basket];
    let excess = taken(bought, &inner.vouchers) - bought.counted;
    let mut standing: Vec<&mut Debit> = inner
        .vouchers
        .debits
        .iter_mut()
        .filter(|(id, debit)| bought.is_of(debit) && debit.net() > 0 && !known.contains(id))
        .map(|(_, debit)| debit)
        .collect();
    let place = standing.iter().position(|debit| debit.net() == excess).unwrap_or(0);
    standing[place].replaced = true;
}
