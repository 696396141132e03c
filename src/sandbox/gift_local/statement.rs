//! What a test or an integrator is told about the books: every gift, every redemption, every movement with its time.
//!
//! Codes and tokens are masked in every text form; [`Issued::reveal`], or `?reveal=1` at the control door, gives them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::catalogue::Location;
use super::ledger::{Ledger, Movement, Redemption};
use super::request::Wanted;
use super::voucher::{Voucher, Worth};
use crate::issued::Issued;

/// The sums of a unit, as decimal text. `debited − reversed = issued − left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Ever put on gifts.
    pub issued: String,
    /// Ever taken by redemptions.
    pub debited: String,
    /// Ever given back by reversals.
    pub reversed: String,
    /// On all gifts now.
    pub left: String,
}

/// A gift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoucherStatement {
    /// The provider's id of it: a Guid.
    pub id: String,
    /// For people and scripts.
    pub name: String,
    /// Twelve digits.
    pub code: Issued,
    /// What its QR code holds.
    pub token: Issued,
    /// `money` or `items`.
    pub kind: &'static str,
    /// ISO 4217, or `items`.
    pub unit: String,
    /// The item, where it is one.
    pub label: Option<String>,
    /// The terms, where it is promotional.
    pub terms: Option<String>,
    /// The only location that takes it, as a Guid.
    pub only_at: Option<String>,
    /// RFC 3339, UTC.
    pub from: Option<String>,
    /// RFC 3339, UTC; no longer valid at this moment.
    pub until: Option<String>,
    /// Whether it was taken out of use.
    pub blocked: bool,
    /// Decimal text, as all sums here.
    pub issued: String,
    /// Taken by redemptions.
    pub debited: String,
    /// Given back by reversals.
    pub reversed: String,
    /// Come from another gift whose rest it carries.
    pub moved_in: String,
    /// Gone to another gift that carries its rest.
    pub moved_out: String,
    /// On it now: `issued + moved_in − moved_out − debited + reversed`.
    pub left: String,
}

/// A redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedemptionStatement {
    /// The provider's id of it: a Guid.
    pub id: String,
    /// The gift.
    pub voucher_id: String,
    /// By the location's Guid; absent: at another site.
    pub organization_id: Option<String>,
    /// Decimal text; absent: no amount was sent, or `null`.
    pub asked: Option<String>,
    /// Decimal text.
    pub granted: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Its number in the call log; absent: another site.
    pub call: Option<u64>,
    /// RFC 3339, UTC; the last time.
    pub reversed_at: Option<String>,
    /// How often its value was given back.
    pub reversals: u32,
}

/// A movement of value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub n: usize,
    /// RFC 3339, UTC.
    pub at: String,
    /// `issued`, `debit`, `reversal`, `moved_out` or `moved_in`.
    pub movement: &'static str,
    /// The gift.
    pub voucher_id: String,
    /// Of a debit or a reversal.
    pub redemption_id: Option<String>,
    /// Decimal text, never negative.
    pub amount: String,
    /// ISO 4217, or `items`.
    pub unit: String,
    /// The number in the call log of what caused it; absent: the start, or the control door.
    pub call: Option<u64>,
}

/// The whole ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// By ISO 4217 code, and `items`.
    pub totals: BTreeMap<String, Total>,
    /// Of the merchant.
    pub locations: Vec<Location>,
    /// From the first to the last.
    pub vouchers: Vec<VoucherStatement>,
    /// From the first to the last.
    pub redemptions: Vec<RedemptionStatement>,
    /// From the first to the last.
    pub entries: Vec<Entry>,
}

/// What moved on one gift.
#[derive(Default, Clone, Copy)]
struct Sums {
    issued: Decimal,
    debited: Decimal,
    reversed: Decimal,
    moved_in: Decimal,
    moved_out: Decimal,
}

impl Sums {
    fn add(&mut self, movement: Movement, amount: Decimal) {
        let sum = match movement {
            Movement::Issued => &mut self.issued,
            Movement::Debit => &mut self.debited,
            Movement::Reversal => &mut self.reversed,
            Movement::MovedIn => &mut self.moved_in,
            Movement::MovedOut => &mut self.moved_out,
        };
        *sum = sum.saturating_add(amount);
    }
}

fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

impl Statement {
    pub(crate) fn of(ledger: &Ledger, revealed: bool) -> Self {
        let mut sums = vec![Sums::default(); ledger.vouchers.len()];
        for entry in &ledger.entries {
            if let Some(sums) = sums.get_mut(entry.voucher) {
                sums.add(entry.movement, entry.amount);
            }
        }
        let mut units: BTreeMap<&str, (Sums, Decimal, &Voucher)> = BTreeMap::new();
        for (voucher, sums) in ledger.vouchers.iter().zip(&sums) {
            let (total, left, _) =
                units.entry(voucher.unit()).or_insert((Sums::default(), Decimal::ZERO, voucher));
            total.add(Movement::Issued, sums.issued);
            total.add(Movement::Debit, sums.debited);
            total.add(Movement::Reversal, sums.reversed);
            *left = left.saturating_add(voucher.left);
        }
        let totals = units.into_iter().map(|(unit, (sums, left, voucher))| {
            let text = |amount| voucher.plain_text(amount);
            let total = Total {
                issued: text(sums.issued),
                debited: text(sums.debited),
                reversed: text(sums.reversed),
                left: text(left),
            };
            (unit.to_owned(), total)
        });
        let entries = ledger.entries.iter().zip(1..).filter_map(|(entry, n)| {
            let voucher = ledger.vouchers.get(entry.voucher)?;
            Some(Entry {
                n,
                at: moment(entry.at),
                movement: entry.movement.word(),
                voucher_id: voucher.id.to_string(),
                redemption_id: entry.redemption.map(|id| id.to_string()),
                amount: voucher.plain_text(entry.amount),
                unit: voucher.unit().to_owned(),
                call: entry.call,
            })
        });
        Self {
            totals: totals.collect(),
            locations: ledger.locations.clone(),
            vouchers: (0..ledger.vouchers.len())
                .zip(&sums)
                .filter_map(|(place, sums)| {
                    ledger.vouchers.get(place).map(|voucher| VoucherStatement::of(voucher, *sums, revealed))
                })
                .collect(),
            redemptions: ledger
                .redemptions
                .iter()
                .filter_map(|redemption| RedemptionStatement::of(ledger, redemption))
                .collect(),
            entries: entries.collect(),
        }
    }

    /// A gift by its id or its name.
    pub fn voucher(&self, id_or_name: &str) -> Option<&VoucherStatement> {
        self.vouchers.iter().find(|voucher| voucher.id == id_or_name || voucher.name == id_or_name)
    }

    /// A redemption by its id.
    pub fn redemption(&self, id: &str) -> Option<&RedemptionStatement> {
        self.redemptions.iter().find(|redemption| redemption.id == id)
    }
}

impl VoucherStatement {
    /// A single gift with its movements.
    pub(crate) fn at(ledger: &Ledger, place: usize, revealed: bool) -> Option<Self> {
        let mut sums = Sums::default();
        for entry in ledger.entries.iter().filter(|entry| entry.voucher == place) {
            sums.add(entry.movement, entry.amount);
        }
        ledger.vouchers.get(place).map(|voucher| Self::of(voucher, sums, revealed))
    }

    fn of(voucher: &Voucher, sums: Sums, revealed: bool) -> Self {
        let text = |amount| voucher.plain_text(amount);
        let (kind, label) = match &voucher.worth {
            Worth::Money(_) => ("money", None),
            Worth::Items { label, .. } => ("items", Some(label.clone())),
        };
        Self {
            id: voucher.id.to_string(),
            name: voucher.name.clone(),
            code: Issued::new(&voucher.code, revealed),
            token: Issued::new(&voucher.token, revealed),
            kind,
            unit: voucher.unit().to_owned(),
            label,
            terms: voucher.terms.clone(),
            only_at: voucher.location.map(|id| id.to_string()),
            from: voucher.from.map(moment),
            until: voucher.until.map(moment),
            blocked: voucher.blocked,
            issued: text(sums.issued),
            debited: text(sums.debited),
            reversed: text(sums.reversed),
            moved_in: text(sums.moved_in),
            moved_out: text(sums.moved_out),
            left: text(voucher.left),
        }
    }
}

impl RedemptionStatement {
    pub(crate) fn of(ledger: &Ledger, redemption: &Redemption) -> Option<Self> {
        let voucher = ledger.vouchers.get(redemption.voucher)?;
        Some(Self {
            id: redemption.id.to_string(),
            voucher_id: voucher.id.to_string(),
            organization_id: redemption.location.map(|id| id.to_string()),
            asked: match redemption.wanted {
                Wanted::Everything => None,
                Wanted::Amount(amount) => Some(voucher.plain_text(amount)),
            },
            granted: voucher.plain_text(redemption.granted),
            at: moment(redemption.at),
            call: redemption.call,
            reversed_at: redemption.reversed.map(moment),
            reversals: redemption.reversals,
        })
    }
}
