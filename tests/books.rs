//! Three books, kept by three who know nothing of each other.
//!
//! The *provider's*: which cards are live, by its own ledger. The *paper's*: which codes stand on a complete slip. The
//! *till's*: what it was told to take and to give back. The daemon's own opinion is not asked.

use std::collections::BTreeMap;

use serde_json::Value;
use tilld_devices::simulated::SimulatedPrinter;
use tilld_domain::slip::{Part, Slip};
use tilld_sandbox::finperks::Sandbox;

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

/// Whether the code of an order stands on a complete slip.
pub fn is_on_paper(finperks: &Sandbox, printer: &SimulatedPrinter, order: &str) -> bool {
    let code = finperks.ledger().order(order).and_then(|order| order.code.clone());
    let papers = printer.papers();
    code.is_some_and(|code| {
        papers.iter().any(|paper| paper.complete && text_of(&paper.slip).contains(code.reveal()))
    })
}

/// What a person answers who has looked at the paper.
pub fn answer_to(asks: &str, complete: bool) -> &'static str {
    match (asks, complete) {
        (_, true) => "complete",
        ("is_it_complete", false) => "nothing",
        ("print_again" | "print_or_money_back", false) => "print",
        ("finish_or_money_back" | "collect_the_paper", false) => "money_back",
        (asks, _) => panic!("no such question: {asks}"),
    }
}

/// Every way in which the books contradict each other. Empty: they agree.
pub fn contradictions(finperks: &Sandbox, printer: &SimulatedPrinter, money: &[Money]) -> Vec<String> {
    let mut found = Vec::new();
    let orders = finperks.ledger().orders;
    let live: Vec<_> = orders.iter().filter(|order| order.state == "completed").collect();
    let mut on_paper: BTreeMap<&str, usize> = BTreeMap::new();
    let papers = printer.papers();
    for order in &orders {
        let Some(code) = &order.code else { continue };
        let slips = papers
            .iter()
            .filter(|paper| paper.complete && text_of(&paper.slip).contains(code.reveal()))
            .count();
        on_paper.insert(&order.id, slips);
    }
    for order in &live {
        if order.kind == "por" {
            match on_paper.get(order.id.as_str()).copied().unwrap_or(0) {
                0 => found.push(format!("order {} is live, and nobody holds its code", order.id)),
                1 => {}
                many => found.push(format!("order {} is on {many} complete slips", order.id)),
            }
        }
    }
    let charged: i64 = live.iter().map(|order| minor(&order.amount)).sum();
    let kept: i64 = money.iter().map(|money| money.taken - money.given_back).sum();
    if charged != kept {
        found.push(format!("the provider charges {charged}, the till keeps {kept}"));
    }
    found
}
