//! The three books of a year: compared night by night, filed, and compared as a whole at the end.

use std::collections::{BTreeMap, HashSet};

use crate::world::books::{End, compare_books};
use crate::world::guest::Bought;
use crate::world::printer::Piece;
use crate::world::provider::Stage;
use crate::world::till::Money;
use crate::world::vouchers::Vouchers;
use crate::world::{Inner, World, voucher_books};

/// What was compared, and is not looked at again until the end.
#[derive(Debug, Default)]
pub struct Books {
    orders: HashSet<String>,
    papers: Vec<Piece>,
    taken: Vec<String>,
    money: BTreeMap<String, Money>,
    visits: BTreeMap<String, Bought>,
    vouchers: Vouchers,
    /// All baskets with a voucher by how they ended.
    pub baskets: BTreeMap<String, usize>,
    /// All orders by how they stand at the provider.
    pub stages: BTreeMap<&'static str, u64>,
    /// All receipts together.
    pub ends: Total,
}

/// How all sales ended.
#[derive(Debug, Default, Clone, Copy)]
pub struct Total {
    pub orders: usize,
    pub sold: usize,
    pub undone: usize,
    pub claimed: usize,
    pub without_value: usize,
    pub kept_cents: i64,
    pub back_cents: i64,
}

impl Books {
    /// How many orders were compared so far.
    pub fn filed(&self) -> usize {
        self.orders.len()
    }

    /// Compares what was not compared before; if all is well, and nothing else was `wrong`, it is filed.
    pub fn compare(&mut self, inner: &mut Inner, mut wrong: Vec<String>) -> Vec<String> {
        wrong.append(&mut inner.trouble);
        wrong.extend(inner.tills.iter().map(|(receipt, (what, _))| format!("{receipt}: still {what}")));
        let open = inner.ledger.orders.iter().filter(|(id, _)| !self.orders.contains(*id));
        wrong.extend(compare_books(open, &inner.papers, &inner.taken, &inner.money).1);
        wrong.extend(voucher_books::compare(&inner.visits, &inner.vouchers).1);
        if wrong.is_empty() {
            self.file(inner);
        }
        wrong
    }

    fn file(&mut self, inner: &mut Inner) {
        self.orders.extend(inner.ledger.orders.keys().cloned());
        self.papers.extend(inner.papers.drain(..).filter(|piece| piece.complete && !piece.torn));
        self.taken.append(&mut inner.taken);
        self.money.append(&mut inner.money);
        self.visits.append(&mut inner.visits);
        inner.vouchers.file(&mut self.vouchers);
        inner.seen.clear();
        inner.story.clear();
    }

    /// Compares all of it, as it stands at the end.
    pub fn close(&mut self, inner: &mut Inner) -> Vec<String> {
        let mut wrong = inner.trouble.clone();
        self.papers.extend_from_slice(&inner.papers);
        self.taken.extend_from_slice(&inner.taken);
        self.money.extend(inner.money.clone());
        self.visits.append(&mut inner.visits);
        inner.vouchers.file(&mut self.vouchers);
        let (baskets, contradictions) = voucher_books::compare(&self.visits, &self.vouchers);
        wrong.extend(contradictions);
        for end in baskets.into_values() {
            *self.baskets.entry(end).or_default() += 1;
        }
        let orders = &inner.ledger.orders;
        let (ends, contradictions) = compare_books(orders.iter(), &self.papers, &self.taken, &self.money);
        wrong.extend(contradictions);
        let sum = |part: fn(&End) -> usize| ends.values().map(part).sum();
        self.ends = Total {
            orders: orders.len(),
            sold: sum(|end| end.sold),
            undone: sum(|end| end.undone),
            claimed: sum(|end| end.claimed),
            without_value: sum(|end| end.without_value),
            kept_cents: self.money.values().map(|money| money.paid - money.back).sum(),
            back_cents: self.money.values().map(|money| money.back).sum(),
        };
        for order in orders.values() {
            let stage = match order.stage {
                Stage::Open => "open",
                Stage::Live => "live",
                Stage::Invalidated => "invalidated",
            };
            *self.stages.entry(stage).or_default() += 1;
        }
        wrong
    }
}

/// The books contradict each other, or something did not come to rest.
#[derive(Debug, Clone)]
pub struct Violation {
    /// At the end of which day, from 1.
    pub day: u32,
    pub wrong: Vec<String>,
    /// What is known of the first of it.
    pub story: Vec<String>,
}

impl Violation {
    /// None if nothing is wrong.
    pub fn of(day: u32, world: &World, wrong: Vec<String>) -> Option<Self> {
        let first = wrong.first()?;
        let story = story(&world.inner(), first);
        Some(Self { day, wrong, story })
    }
}

/// Of what happened since the books were last compared: all that names the receipt which `wrong` is about, its orders or
/// their keys, and in between what went wrong for everybody.
fn story(inner: &Inner, wrong: &str) -> Vec<String> {
    let words = || wrong.split(|letter: char| !letter.is_alphanumeric());
    let receipt = words().find_map(|word| match inner.ledger.orders.get(word) {
        Some(order) => Some(order.receipt.clone()),
        None => word.starts_with('D').then(|| word.to_owned()),
    });
    let Some(receipt) = receipt else { return inner.story.clone() };
    let mut names = HashSet::from([receipt.clone()]);
    if let Some(bought) = inner.visits.get(&receipt) {
        names.insert(bought.voucher.clone());
        let its_own = inner.vouchers.debits.iter().filter(|(_, debit)| bought.is_of(debit));
        names.extend(its_own.flat_map(|(id, debit)| [id.clone(), debit.key.clone()]));
    }
    for (id, order) in inner.ledger.orders.iter().filter(|(_, order)| order.receipt == receipt) {
        names.extend([id.clone(), order.key.clone()]);
    }
    let is_of_it = |line: &String| line.split([' ', ':', ',']).any(|word| names.contains(word));
    let Some(from) = inner.story.iter().position(is_of_it) else { return Vec::new() };
    let of_all = |line: &String| line.contains("**") || line.contains("  daemon: starts");
    let (before, after) = inner.story.split_at(from);
    // What was wrong for everybody when it began.
    let earlier: Vec<&String> = before.iter().rev().filter(|line| of_all(line)).take(3).collect();
    let its_own = after.iter().filter(|line| is_of_it(line) || of_all(line));
    earlier.into_iter().rev().chain(its_own).cloned().collect()
}
