//! The three books at rest: the provider's ledger, the money, and the paper (or the card from the rack) that customers hold.
//! Nobody asks the daemon.
//!
//! A card is *sold* if it is live and in a customer's hand, and its price was kept. It is *undone* if it is not live, nobody
//! holds it, and nothing was kept for it. One more end is right: the provider refused for good to undo a live card; then
//! nobody holds it, its price was given back, and the shop has a claim.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use tilld_domain::product::CardKind;

use super::Inner;
use super::printer::Piece;
use super::provider::{CODE, CODE_END, Order, Stage};
use super::till::Money;

/// How a sale ended, by the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct End {
    pub sold: usize,
    pub undone: usize,
    /// Live, refused to be undone, and paid back.
    pub claimed: usize,
    /// Orders that nobody ever confirmed and nobody needs.
    pub without_value: usize,
    /// Whether any money was ever taken.
    pub paid: bool,
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.sold, "sold and kept"),
            (self.undone, "undone"),
            (self.claimed, "refused by the provider, a claim"),
            (self.without_value, "left without value"),
        ];
        let parts: Vec<String> = names
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        let parts = if parts.is_empty() { "no card".to_owned() } else { parts.join(", ") };
        let money = match (self.paid, self.sold) {
            (false, _) => "no money taken",
            (true, 0) => "all paid back",
            (true, _) => "paid",
        };
        write!(out, "{parts}; {money}")
    }
}

/// Compares the books: how every receipt ended, and every way in which the books contradict each other.
pub fn compare(inner: &Inner) -> (BTreeMap<String, End>, Vec<String>) {
    compare_books(inner.ledger.orders.iter(), &inner.papers, &inner.taken, &inner.money)
}

/// On how many complete slips in customers' hands each code stands.
fn codes(papers: &[Piece]) -> HashMap<&str, usize> {
    let mut codes = HashMap::new();
    for piece in papers.iter().filter(|piece| !piece.torn && piece.complete) {
        let marks = piece.text.match_indices(CODE).filter_map(|(at, _)| {
            let code = &piece.text[at..];
            Some(&code[..code.find(CODE_END)? + CODE_END.len()])
        });
        for code in marks.collect::<BTreeSet<_>>() {
            *codes.entry(code).or_default() += 1;
        }
    }
    codes
}

/// The same of a part of the books: orders, and all papers, cards and money that belong to them.
pub fn compare_books<'a>(
    orders: impl Iterator<Item = (&'a String, &'a Order)>,
    papers: &[Piece],
    taken: &[String],
    money: &BTreeMap<String, Money>,
) -> (BTreeMap<String, End>, Vec<String>) {
    let codes = codes(papers);
    let mut cards: HashMap<&str, usize> = HashMap::new();
    for id in taken {
        *cards.entry(id).or_default() += 1;
    }
    let mut wrong = Vec::new();
    let mut ends: BTreeMap<String, End> = BTreeMap::new();
    let mut kept_for: BTreeMap<&'a str, i64> = BTreeMap::new();
    for (id, order) in orders {
        let end = ends.entry(order.receipt.clone()).or_default();
        let held = match order.kind {
            CardKind::Por => codes.get(order.code.as_str()),
            CardKind::Posa => cards.get(id.as_str()),
        };
        let held = held.copied().unwrap_or(0);
        match (order.stage, held) {
            (_, 2..) => wrong.push(format!("{id} is in customers' hands {held} times")),
            (Stage::Live, 1) => {
                end.sold += 1;
                *kept_for.entry(&order.receipt).or_default() += order.minor;
            }
            (Stage::Live, _) if order.undo_refused => end.claimed += 1,
            (Stage::Live, _) => wrong.push(format!("{id} is live, and nobody holds it")),
            (Stage::Open | Stage::Invalidated, 1) => {
                wrong.push(format!("a customer holds {id}, which is {:?}", order.stage));
            }
            (Stage::Invalidated, _) => end.undone += 1,
            (Stage::Open, _) => end.without_value += 1,
        }
    }
    for (receipt, money) in money {
        ends.entry(receipt.clone()).or_default().paid = money.paid > 0;
        let kept = money.paid - money.back;
        let worth = kept_for.get(receipt.as_str()).copied().unwrap_or(0);
        if kept != worth {
            wrong.push(format!("{receipt}: {kept} cents are kept for cards worth {worth}"));
        }
    }
    for receipt in kept_for.keys().filter(|receipt| !money.contains_key(**receipt)) {
        wrong.push(format!("{receipt}: sold, and never paid"));
    }
    (ends, wrong)
}
