//! Three books, kept by three who know nothing of each other.
//!
//! The *provider's*: which cards are live, by its own ledger. The *paper's*: which codes stand on a complete slip. The
//! *till's*: what it was told to take and to give back. The daemon's own opinion is not asked.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use serde_json::Value;
use tilld_devices::simulated::{SimulatedPaper, SimulatedPrinter};
use tilld_domain::slip::{Part, Slip, Symbology};
use tilld_sandbox::finperks::{OrderStatement, Sandbox};

/// What the till was told about one sale.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Money {
    pub taken: i64,
    pub given_back: i64,
}

/// The text of a slip without blanks, so that a grouped code can be found.
pub fn text_of(slip: &Slip) -> String {
    slip.parts
        .iter()
        .filter_map(|part| match part {
            Part::Row(row) => Some(row.text.reveal().replace(' ', "")),
            _ => None,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// What a scanner reads at the foot of a paper: bars with nothing but the cut below them.
pub fn foot_of(slip: &Slip) -> Option<&str> {
    let last = slip.parts.iter().rfind(|part| !matches!(part, Part::Cut | Part::Feed(_) | Part::Drawer(_)));
    match last {
        Some(Part::Barcode(Symbology::Code128, number)) => Some(number.reveal()),
        _ => None,
    }
}

/// Whether a slip bears the mark of a copy: the only white on black.
fn is_copy(slip: &Slip) -> bool {
    slip.parts.iter().any(|part| matches!(part, Part::Row(row) if row.style.inverse))
}

/// Minor units of decimal text with at most two decimals.
pub fn minor(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = format!("{part}00").chars().take(2).collect();
    format!("{whole}{part}").parse().unwrap()
}

/// What a sale's answer says about money.
pub fn money_of(sale: &Value) -> Money {
    let amount = |path: &str| sale.pointer(path).and_then(Value::as_str).map_or(0, minor);
    Money { taken: amount("/payment/amount/amount"), given_back: amount("/money_back/amount") }
}

/// The complete slips that left a printer, as text without blanks.
#[derive(Default)]
pub struct Pile(Vec<String>);

impl Pile {
    /// What a printer has given out so far, and keeps.
    pub fn of(printer: &SimulatedPrinter) -> Self {
        Self::but(printer, &BTreeSet::new())
    }

    /// The same but for the papers that somebody has torn up: their places, from 0.
    pub fn but(printer: &SimulatedPrinter, torn_up: &BTreeSet<usize>) -> Self {
        let mut pile = Self::default();
        let papers = printer.papers().into_iter().enumerate();
        pile.add(papers.filter(|(place, _)| !torn_up.contains(place)).map(|(_, paper)| paper).collect());
        pile
    }

    /// Lays papers on it; of torn ones nobody reads a code, and a marked copy is not the card.
    pub fn add(&mut self, papers: Vec<SimulatedPaper>) {
        let cards = papers.iter().filter(|paper| paper.complete && !is_copy(&paper.slip));
        self.0.extend(cards.map(|paper| text_of(&paper.slip)));
    }

    /// Whether a code stands on one of the slips.
    fn holds(&self, code: &str) -> bool {
        self.0.iter().any(|text| text.contains(code))
    }

    /// On how many slips each code stands. All are looked for at once: a long run has tens of thousands of both.
    fn count(&self, codes: &[&str]) -> Vec<usize> {
        let search = AhoCorasick::new(codes).unwrap();
        let mut counts = vec![0; codes.len()];
        for text in &self.0 {
            let found: BTreeSet<usize> =
                search.find_overlapping_iter(text).map(|found| found.pattern().as_usize()).collect();
            for code in found {
                counts[code] += 1;
            }
        }
        counts
    }
}

/// Whether the code of an order stands on a complete slip.
pub fn is_on_paper(finperks: &Sandbox, pile: &Pile, order: &str) -> bool {
    let code = finperks.ledger().order(order).and_then(|order| order.code.clone());
    code.is_some_and(|code| pile.holds(code.reveal()))
}

/// What a person answers who has looked at the paper.
pub fn answer_to(asks: &str, complete: bool) -> &'static str {
    match (asks, complete) {
        (_, true) => "complete",
        ("is_it_complete", false) => "nothing",
        ("print_again", false) => "print_again",
        ("print_or_money_back", false) => "print",
        ("finish_or_money_back", false) => "money_back",
        ("collect_the_paper", false) => "collected",
        (asks, _) => panic!("no such question: {asks}"),
    }
}

/// Live cards that a manager has written off, by their orders.
#[derive(Debug, Default)]
pub struct Lost {
    /// The provider charges for them, the customer has the money, and nobody has the card.
    pub billed: BTreeSet<String>,
    /// Somebody spent them, and the till keeps the money; of the paper nobody knows.
    pub spent: BTreeSet<String>,
}

/// Every way in which the books contradict each other. Empty: they agree.
pub fn contradictions(finperks: &Sandbox, pile: &Pile, money: &[Money]) -> Vec<String> {
    contradictions_but(finperks, pile, money, &Lost::default())
}

/// The same but for what a manager has written off.
pub fn contradictions_but(finperks: &Sandbox, pile: &Pile, money: &[Money], lost: &Lost) -> Vec<String> {
    let mut found = Vec::new();
    let orders = finperks.ledger().orders;
    let counts = |order: &&OrderStatement| order.state == "completed" && !lost.billed.contains(&order.id);
    let live: Vec<_> = orders.iter().filter(counts).collect();
    let por: Vec<_> = live
        .iter()
        .filter(|order| order.kind == "por" && !lost.spent.contains(&order.id))
        .map(|order| (&order.id, order.code.as_ref().map_or("no code", |code| code.reveal())))
        .collect();
    let codes: Vec<&str> = por.iter().map(|(_, code)| *code).collect();
    for ((id, _), slips) in por.iter().zip(pile.count(&codes)) {
        match slips {
            0 => found.push(format!("order {id} is live, and nobody holds its code")),
            1 => {}
            many => found.push(format!("order {id} is on {many} complete slips")),
        }
    }
    let charged: i64 = live.iter().map(|order| minor(&order.amount)).sum();
    let kept: i64 = money.iter().map(|money| money.taken - money.given_back).sum();
    if charged != kept {
        found.push(format!("the provider charges {charged}, the till keeps {kept}"));
    }
    found
}
