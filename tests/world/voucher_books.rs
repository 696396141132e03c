//! The books of redemption at rest: what the provider has taken from a voucher for a basket and not given back, and what the till
//! counts for that basket. Nobody asks the daemon.
//!
//! They agree to the cent, or the item. One end is right although they differ: where another store has spent exactly as much
//! from the same voucher, its balance says what a redemption would say, and the till may count what was never taken here.

use std::collections::BTreeMap;

use super::guest::Bought;
use super::manager;
use super::vouchers::{Debit, Vouchers};

impl Bought {
    /// Whether the provider took it for this basket.
    pub fn is_of(&self, debit: &Debit) -> bool {
        debit.voucher == self.voucher && debit.wanted == self.wish
    }

    /// How it ended, if the books agree.
    fn end(&self, taken: i64, debits: usize) -> String {
        let mut end = match (self.counted, taken, debits) {
            (0, _, 0) => "voucher: nothing taken, nothing counted",
            (0, _, _) => "voucher: taken and given back, nothing counted",
            (counted, taken, _) if taken < counted => {
                "voucher: counted on a balance that another store had lowered"
            }
            _ => "voucher: taken and counted",
        }
        .to_owned();
        for word in &self.by_manager {
            end.push_str("; ");
            end.push_str(word);
        }
        end
    }
}

/// Compares the books: how every basket ended, and every way in which the books contradict each other.
pub fn compare(
    visits: &BTreeMap<String, Bought>,
    vouchers: &Vouchers,
) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut ends, mut wrong) = (BTreeMap::new(), Vec::new());
    for (basket, bought) in visits {
        let Bought { voucher, counted, goods, .. } = bought;
        let taken = manager::taken(bought, vouchers);
        let debits = vouchers.debits.values().filter(|debit| bought.is_of(debit)).count();
        // Less was granted than asked for, nobody heard it, and the rest went elsewhere: it reads the same.
        let elsewhere = vouchers.vouchers[voucher].elsewhere;
        let alike = vouchers.vouchers[voucher].alike && (taken == 0 || taken + elsewhere == *counted);
        if taken != *counted && !alike {
            wrong.push(format!(
                "{basket}: {counted} are counted for {voucher}, and {taken} are taken from it"
            ));
        }
        if *counted > 0 && !goods {
            wrong.push(format!("{basket}: {voucher} is counted, and the goods are still here"));
        }
        ends.insert(basket.clone(), bought.end(taken, debits));
    }
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, debit) in &vouchers.debits {
        let Debit { voucher, key, restored, .. } = debit;
        let redeems = keys.entry(key).or_default();
        *redeems += 1;
        if *redeems > 1 {
            wrong.push(format!("{id}: one redeem has debited {voucher} {redeems} times"));
        }
        if *restored > 1 {
            wrong.push(format!("{id}: it was given back to {voucher} {restored} times"));
        }
        if *restored > 0 && debit.replaced {
            wrong.push(format!("{id}: it was given back to {voucher}, and replaced by the shop"));
        }
        if !visits.values().any(|bought| bought.is_of(debit)) {
            wrong.push(format!("{id}: nobody wanted that from {voucher}"));
        }
    }
    for (name, voucher) in &vouchers.vouchers {
        let gone: i64 =
            vouchers.debits.values().filter(|debit| debit.voucher == *name).map(Debit::gone).sum();
        if voucher.left != voucher.issued - voucher.elsewhere - gone {
            wrong.push(format!("{name}: the ledger itself does not add up"));
        }
    }
    (ends, wrong)
}
