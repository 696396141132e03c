//! The modelled provider of vouchers: a ledger of vouchers, of what was redeemed from them, and of what was given back.
//!
//! It offers what it is told to ([`Offers`]): under one key it redeems once, or it can be asked for a redemption by its key, or
//! neither, and then every redeem that arrives takes value. Asked twice to reverse, it restores once, or twice where nobody has
//! said what it does. For a while it may not find a redemption that it has ([`Vouchers::hide`]), but only once, and never after it
//! has said so of one that had not arrived yet; and it may refuse to reverse one for good. Another store may spend from the same
//! voucher. Its ledger is one of the books.

use std::collections::{BTreeMap, BTreeSet};

use tilld_domain::outcome::Outcome;
use tilld_domain::refusal::Refusal;
use tilld_domain::voucher::{
    Balance, Offers, Recourse, Redeemed, RedemptionSeen, Reversal, ReverseAnswer, VoucherKind, VoucherSeen,
    VoucherShown, Words, Worth,
};

use super::network::euros;

/// How a voucher's public token begins; its id follows.
const TOKEN: &str = "voucher-";
/// What another store spends: no redemption here is ever of this, nor a half of one, nor a sum of some.
const ELSEWHERE: i64 = 711;
const ELSEWHERE_ITEMS: i64 = 3;

/// What is scanned of a voucher.
pub fn token(voucher: &str) -> String {
    format!("{TOKEN}{voucher}")
}

/// Whose token it is.
pub fn of_token(token: &str) -> &str {
    token.strip_prefix(TOKEN).unwrap()
}

/// What a voucher is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Money,
    Items,
}

impl Sort {
    /// So many cents, or items.
    pub fn worth(self, count: i64) -> Worth {
        match self {
            Self::Money => Worth::Money(euros(count)),
            Self::Items => Worth::Items(u32::try_from(count).unwrap()),
        }
    }
}

/// How many cents, or items.
pub fn count(worth: Worth) -> i64 {
    match worth {
        Worth::Money(money) => money.minor(),
        Worth::Items(items) => i64::from(items),
    }
}

/// A voucher as the provider has it; all counts are cents, or items.
#[derive(Debug, Clone)]
pub struct Voucher {
    pub sort: Sort,
    pub issued: i64,
    pub left: i64,
    /// What other stores have spent.
    pub elsewhere: i64,
    /// Another store has spent exactly as much as is redeemed here.
    pub alike: bool,
}

/// What was redeemed from a voucher by one request.
#[derive(Debug, Clone)]
pub struct Debit {
    pub voucher: String,
    pub key: String,
    pub wanted: i64,
    pub granted: i64,
    /// How often it was given back.
    pub restored: i64,
    /// The guest has got a replacement from the shop, which claims it from the provider.
    pub replaced: bool,
    reverse_refused: bool,
    hidden: bool,
}

impl Debit {
    /// What is gone from the voucher because of it.
    pub fn gone(&self) -> i64 {
        self.granted * (1 - self.restored)
    }

    /// What the guest is short of because of it.
    pub fn net(&self) -> i64 {
        if self.replaced { 0 } else { self.gone() }
    }
}

/// A redeem as it arrives.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub key: String,
    pub voucher: String,
    pub count: i64,
    /// Half of it is granted.
    pub less: bool,
    /// The answer names no redemption.
    pub without_id: bool,
}

/// The ledger.
#[derive(Debug, Default)]
pub struct Vouchers {
    /// None: no vouchers are redeemed in this world.
    pub offers: Option<Offers>,
    pub vouchers: BTreeMap<String, Voucher>,
    /// By the provider's name for the redemption.
    pub debits: BTreeMap<String, Debit>,
    numbers: usize,
    /// The keys under which a redeem was refused: repeated, it is refused again.
    refused: BTreeSet<String>,
    /// Redemptions and keys that were not found once.
    not_found: BTreeSet<String>,
}

impl Vouchers {
    pub fn issue(&mut self, voucher: &str, sort: Sort, count: i64) {
        let issued = Voucher { sort, issued: count, left: count, elsewhere: 0, alike: false };
        assert!(self.vouchers.insert(voucher.to_owned(), issued).is_none(), "{voucher} is issued twice");
    }

    fn offers(&self) -> Offers {
        self.offers.unwrap()
    }

    /// What may still be redeemed.
    pub fn left(&self, voucher: &str) -> i64 {
        self.vouchers[voucher].left
    }

    pub fn sort(&self, voucher: &str) -> Sort {
        self.vouchers[voucher].sort
    }

    /// What was compared goes to the files: nobody asks for it any more.
    pub fn file(&mut self, files: &mut Self) {
        files.vouchers.append(&mut self.vouchers);
        files.debits.append(&mut self.debits);
        self.refused.clear();
        self.not_found.clear();
    }

    /// A validation.
    pub fn look(&self, voucher: &str) -> Outcome<VoucherShown> {
        let Some(known) = self.vouchers.get(voucher) else {
            return Outcome::Refused(Refusal::VoucherNotFound);
        };
        let seen = VoucherSeen {
            voucher: voucher.parse().unwrap(),
            redeemable: known.left > 0,
            eligible: (known.left > 0).then(|| known.sort.worth(known.left)),
            left: Some(known.sort.worth(known.left)),
            kind: VoucherKind::Gift,
        };
        let item = (known.sort == Sort::Items).then(|| Words::new("Coffee"));
        Outcome::Done(VoucherShown {
            seen,
            description: Words::new(""),
            item,
            terms: None,
            sender: None,
            recipient: None,
        })
    }

    fn by_key(&self, key: &str) -> Option<(&String, &Debit)> {
        self.debits.iter().find(|(_, debit)| debit.key == key)
    }

    fn redeemed(&self, id: &str, without_id: bool) -> Redeemed {
        let debit = &self.debits[id];
        let voucher = &self.vouchers[&debit.voucher];
        Redeemed {
            redemption: (!without_id).then(|| id.parse().unwrap()),
            granted: Some(voucher.sort.worth(debit.granted)),
            remaining: Balance { left: Some(voucher.sort.worth(voucher.left)), eligible: None },
        }
    }

    pub fn redeem(&mut self, wanted: &Wanted) -> Outcome<Redeemed> {
        if self.offers().recourse != Recourse::Comparable
            && let Some((id, _)) = self.by_key(&wanted.key)
        {
            return Outcome::Done(self.redeemed(id, wanted.without_id));
        }
        if self.refused.contains(&wanted.key) {
            return Outcome::Refused(Refusal::RedeemRefused);
        }
        let granted = if wanted.less { (wanted.count / 2).max(1) } else { wanted.count };
        let Some(voucher) = self.vouchers.get_mut(&wanted.voucher).filter(|voucher| voucher.left >= granted)
        else {
            return Outcome::Refused(Refusal::RedeemRefused);
        };
        voucher.left -= granted;
        self.numbers += 1;
        let id = format!("E{}", self.numbers);
        let debit = Debit {
            voucher: wanted.voucher.clone(),
            key: wanted.key.clone(),
            wanted: wanted.count,
            granted,
            restored: 0,
            replaced: false,
            reverse_refused: false,
            hidden: false,
        };
        self.debits.insert(id.clone(), debit);
        Outcome::Done(self.redeemed(&id, wanted.without_id))
    }

    /// It refuses a redeem that it has not done, now and always.
    pub fn refuse(&mut self, wanted: &Wanted) -> Outcome<Redeemed> {
        if self.by_key(&wanted.key).is_none() {
            self.refused.insert(wanted.key.clone());
        }
        self.redeem(wanted)
    }

    /// A look-up by our key.
    pub fn look_up(&mut self, key: &str) -> Outcome<RedemptionSeen> {
        let found = self.by_key(key).filter(|(_, debit)| !debit.hidden);
        match found {
            Some((_, debit)) if debit.restored > 0 => Outcome::Done(RedemptionSeen::Nothing),
            Some((id, _)) => Outcome::Done(RedemptionSeen::Done(self.redeemed(id, false))),
            None => {
                self.not_found.insert(key.to_owned());
                Outcome::Refused(Refusal::RedemptionNotFound)
            }
        }
    }

    pub fn reverse(&mut self, id: &str) -> Outcome<ReverseAnswer> {
        let restores_twice = self.offers().reversal == Reversal::Once;
        let Some(debit) = self.debits.get_mut(id).filter(|debit| !debit.hidden) else {
            return Outcome::Done(ReverseAnswer::NotFound);
        };
        Outcome::Done(if debit.reverse_refused {
            ReverseAnswer::Refused(Refusal::Declined)
        } else if debit.restored > 0 && !restores_twice {
            ReverseAnswer::AlreadyReversed
        } else {
            debit.restored += 1;
            let granted = debit.granted;
            self.vouchers.get_mut(&debit.voucher.clone()).unwrap().left += granted;
            ReverseAnswer::Reversed
        })
    }

    /// From now on it refuses to reverse a redemption that is not reversed yet.
    pub fn refuse_reversal(&mut self, id: &str) {
        if let Some(debit) = self.debits.get_mut(id).filter(|debit| debit.restored == 0) {
            debit.reverse_refused = true;
        }
    }

    /// It does not find a redemption, by its id or its key, or finds it again.
    pub fn hide(&mut self, name: &str, hidden: bool) {
        let found = self.debits.iter_mut().find(|(id, debit)| *id == name || debit.key == name);
        if let Some((id, debit)) = found {
            debit.hidden = hidden;
            self.not_found.extend([id.clone(), debit.key.clone()]);
        }
    }

    /// Whether it was not found before, by its id or its key.
    pub fn was_not_found(&self, name: &str) -> bool {
        let other_name = |(id, debit): (&String, &Debit)| *id == name && self.not_found.contains(&debit.key);
        self.not_found.contains(name) || self.debits.iter().any(other_name)
    }

    /// Another store spends from a voucher: just what is redeemed here, or something else.
    pub fn spend_elsewhere(&mut self, voucher: &str, alike: Option<i64>) {
        let Some(voucher) = self.vouchers.get_mut(voucher) else { return };
        let odd = if voucher.sort == Sort::Money { ELSEWHERE } else { ELSEWHERE_ITEMS };
        let spent = alike.unwrap_or(odd).min(voucher.left);
        voucher.left -= spent;
        voucher.elsewhere += spent;
        voucher.alike |= alike.is_some();
    }
}
