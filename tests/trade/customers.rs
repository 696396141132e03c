//! Who comes to the shop on a day, when, what they buy, and how they and their cashier are.

use std::time::Duration;

use tilld_domain::product::CardKind;

use super::chance::Chance;
use super::weather::opening_hours;
use crate::world::guest::{Then, Visit};
use crate::world::till::{Basket, Customer, Manner, Mistake, Pays};

/// The first day of trade is the 22nd of November.
const FIRST_OF_DECEMBER: u32 = 9;
const TENTH_OF_DECEMBER: u32 = 18;
const CHRISTMAS_EVE: u32 = 32;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// The customers of a day by their arrival. Towards Christmas there are up to twice as many, and they come together.
pub fn of(day: u32, seed: u64) -> Vec<(Duration, Basket)> {
    let mut chance = Chance::of(seed, day, 3);
    let (open, close) = opening_hours(day);
    let date = day % 365;
    let advent = (FIRST_OF_DECEMBER..=CHRISTMAS_EVE).contains(&date);
    let half_more = |many: u64| many * 3 / 2;
    let many = match 200 + chance.below(40) {
        many if advent && date > TENTH_OF_DECEMBER => half_more(half_more(many)),
        many if advent => half_more(many),
        many => many,
    };
    let mut last = open;
    let mut customers: Vec<(Duration, Basket)> = (1..=many)
        .map(|number| {
            let together = chance.in_thousand(if advent { 400 } else { 80 });
            let arrival = if together { last + SECOND } else { chance.between(open, close) };
            last = arrival;
            (arrival, basket(format!("D{}R{number}", day + 1), &mut chance))
        })
        .collect();
    customers.sort_by_key(|(arrival, _)| *arrival);
    customers
}

/// The guests of a day who bring a voucher, by their arrival: a tenth as many as the customers. What is on the voucher if it is a
/// new one; one in four comes with somebody who has the same, to another basket.
pub fn with_vouchers(day: u32, seed: u64) -> Vec<(Duration, Option<i64>, Visit)> {
    let mut chance = Chance::of(seed, day, 5);
    let (open, close) = opening_hours(day);
    let mut guests: Vec<(Duration, Option<i64>, Visit)> = Vec::new();
    for number in 1..=20 + chance.below(5) {
        // In tens of cents: no sum of what other stores spend is as much.
        let mut wish = 10 * i64::try_from(100 + chance.below(400)).unwrap();
        let last = guests.last().filter(|(_, issued, _)| issued.is_some() && chance.in_thousand(250));
        let (arrival, issued, voucher) = if let Some((arrival, _, before)) = last {
            wish += if wish == before.wish { 10 } else { 0 };
            (*arrival + chance.span(SECOND, 2 * MINUTE), None, before.voucher.clone())
        } else {
            let all = chance.in_thousand(200);
            let issued = if all { wish } else { wish + 10 * i64::try_from(chance.below(1_000)).unwrap() };
            (chance.between(open, close), Some(issued), format!("D{}V{number}", day + 1))
        };
        let then = [(80, Then::Completes), (8, Then::Cancels), (6, Then::Returns), (6, Then::Leaves)];
        let visit = Visit {
            basket: format!("D{}B{number}", day + 1),
            voucher,
            wish,
            then: chance.weighed(&then),
            takes_less: chance.in_thousand(500),
            manner: manner(&mut chance),
        };
        guests.push((arrival, issued, visit));
    }
    guests
}

fn basket(receipt: String, chance: &mut Chance) -> Basket {
    let cards = chance.weighed(&[(70, 1), (20, 2), (10, 3)]);
    let kinds = [(65, CardKind::Por), (35, CardKind::Posa)];
    Basket {
        receipt,
        cards: (0..cards).map(|_| chance.weighed(&kinds)).collect(),
        customer: chance.weighed(&[
            (92, Customer::Waits),
            (3, Customer::WantsMoney),
            (3, Customer::Cancels),
            (2, Customer::WalksAway),
        ]),
        manner: manner(chance),
    }
}

fn manner(chance: &mut Chance) -> Manner {
    let late = chance.in_thousand(50);
    let mistake = chance.in_thousand(40);
    Manner {
        // Some look for their purse until the order is no longer fresh.
        thinks: if chance.in_thousand(10) {
            chance.between(5 * MINUTE, 40 * MINUTE)
        } else {
            chance.span(2 * SECOND, 40 * SECOND)
        },
        answers_after: if late {
            chance.span(5 * MINUTE, 90 * MINUTE)
        } else {
            chance.span(3 * SECOND, MINUTE)
        },
        most_answers: 4 + usize::try_from(chance.below(8)).unwrap(),
        begins_within: chance.between(MINUTE, 5 * MINUTE),
        asks_rarer: true,
        pays: chance.weighed(&[(50, Pays::ByCard), (35, Pays::InCash), (15, Pays::Mixed)]),
        mistake: mistake.then(|| {
            chance.one_of(&[
                Mistake::Product,
                Mistake::FaceValue,
                Mistake::Amount,
                Mistake::Cash,
                Mistake::Key,
                Mistake::Cancel,
                Mistake::PaysTwice,
            ])
        }),
    }
}
