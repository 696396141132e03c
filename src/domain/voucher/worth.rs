//! What a voucher is worth, or what is taken from it: an amount of money, or a whole number of items.

use std::cmp::Ordering;
use std::fmt;

use crate::money::Money;

/// An amount of money or a number of items. Two worths of different sorts, or of different currencies, do not compare.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worth {
    /// Of a monetary gift.
    Money(Money),
    /// Of an item gift: whole ones only.
    Items(u32),
}

impl Worth {
    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        match self {
            Self::Money(money) => money.is_positive(),
            Self::Items(count) => count > 0,
        }
    }

    /// What remains after `other` was taken; none if they do not compare, or if that is less than nothing.
    pub fn less(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Money(all), Self::Money(part)) => {
                all.minus(part).ok().filter(|rest| rest.minor() >= 0).map(Self::Money)
            }
            (Self::Items(all), Self::Items(part)) => all.checked_sub(part).map(Self::Items),
            _ => None,
        }
    }

    /// Which of the two is more; none if they do not compare.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Money(one), Self::Money(two)) if one.currency() == two.currency() => {
                Some(one.minor().cmp(&two.minor()))
            }
            (Self::Items(one), Self::Items(two)) => Some(one.cmp(&two)),
            _ => None,
        }
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(money) => fmt::Display::fmt(money, out),
            Self::Items(1) => out.write_str("1 item"),
            Self::Items(count) => write!(out, "{count} items"),
        }
    }
}

impl fmt::Debug for Worth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The numbers by which what happened to a voucher is told. They differ where a provider limits what may be redeemed at once,
/// here, or for a basket; so each compares with itself alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// What is on it in all, if the provider says so.
    pub left: Option<Worth>,
    /// What of that may be redeemed now, if that is said, and said of the voucher alone.
    pub eligible: Option<Worth>,
}

impl Balance {
    /// What a guest has left: all of it, or what may be redeemed of it where only that is known.
    pub fn rest(self) -> Option<Worth> {
        self.left.or(self.eligible)
    }

    /// The same after `worth` was taken.
    #[must_use]
    pub fn less(self, worth: Worth) -> Self {
        let less = |number: Option<Worth>| number.and_then(|number| number.less(worth));
        Self { left: less(self.left), eligible: less(self.eligible) }
    }

    /// What was taken between this and `after`, by a number that is in both.
    pub fn taken_until(self, after: Self) -> Option<Worth> {
        let taken = |before: Option<Worth>, after: Option<Worth>| before?.less(after?);
        taken(self.left, after.left).or_else(|| taken(self.eligible, after.eligible))
    }
}

/// Who gave the voucher, which decides how it is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VoucherKind {
    /// A guest paid for it: a gift card, and so a means of payment.
    Gift,
    /// The shop gave it away: it has terms, and it lowers the price.
    Promotional,
}

/// How a till books what was redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Booking {
    /// As a payment.
    Tender,
    /// As a lower price.
    Discount,
}

impl VoucherKind {
    /// How it is booked.
    pub const fn booking(self) -> Booking {
        match self {
            Self::Gift => Booking::Tender,
            Self::Promotional => Booking::Discount,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn money(minor: i64, code: &str) -> Worth {
        Worth::Money(Money::new(minor, Currency::from_code(code).unwrap()))
    }

    #[test]
    fn worths_compare_only_within_their_sort_and_currency() {
        for (one, two, rest, order) in [
            (money(2500, "USD"), money(1250, "USD"), Some(money(1250, "USD")), Some(Ordering::Greater)),
            (money(2500, "USD"), money(2500, "USD"), Some(money(0, "USD")), Some(Ordering::Equal)),
            (money(1250, "USD"), money(2500, "USD"), None, Some(Ordering::Less)),
            (money(2500, "USD"), money(1250, "EUR"), None, None),
            (Worth::Items(3), Worth::Items(2), Some(Worth::Items(1)), Some(Ordering::Greater)),
            (Worth::Items(2), Worth::Items(3), None, Some(Ordering::Less)),
            (Worth::Items(2), money(1, "USD"), None, None),
            (money(i64::MIN, "USD"), money(1, "USD"), None, Some(Ordering::Less)),
        ] {
            assert_eq!((one.less(two), one.compare(two)), (rest, order), "{one} {two}");
        }
    }

    #[test]
    fn nothing_and_less_than_nothing_are_not_positive() {
        assert!(money(1, "USD").is_positive() && Worth::Items(1).is_positive());
        for none in [money(0, "USD"), money(-1, "USD"), Worth::Items(0)] {
            assert!(!none.is_positive(), "{none}");
        }
    }

    #[test]
    fn a_worth_reads_as_people_say_it() {
        for (worth, text) in
            [(money(1250, "USD"), "12.50 USD"), (Worth::Items(1), "1 item"), (Worth::Items(2), "2 items")]
        {
            assert_eq!(worth.to_string(), text);
        }
    }
}
