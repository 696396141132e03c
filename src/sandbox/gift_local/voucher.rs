//! One gift at this provider: what is on it, and why it can be redeemed now or cannot.
//!
//! A gift is *redeemable* if something is left, it is not blocked, now lies in its period, and it fits what the client
//! asked for (fact sheet 6). Which location may take it is asked before that and refused otherwise (fact sheet 2).
//!
//! A voucher's code alone spends it, so it has no `Debug`.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::number::money_text;
use super::request::{Options, TargetType};

/// What is on a gift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// Money of a currency (ISO 4217) with two decimals.
    Money(String),
    /// So many of an item.
    Items {
        /// For people.
        label: String,
        /// The article that it stands for; absent: nobody checks.
        sku: Option<String>,
    },
}

/// One gift.
#[derive(Clone)]
pub struct Voucher {
    pub id: Uuid,
    /// For people and scripts; the real provider has no such thing.
    pub name: String,
    /// Twelve digits.
    pub code: String,
    /// What its QR code holds after the host.
    pub token: String,
    pub program: Uuid,
    pub worth: Worth,
    /// The terms of a promotional voucher; a gift card has none.
    pub terms: Option<String>,
    /// The only location that takes it; absent: every one.
    pub location: Option<Uuid>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub blocked: bool,
    pub sender: String,
    pub recipient: String,
    /// What was on it at first.
    pub issued: Decimal,
    /// What is on it.
    pub left: Decimal,
}

/// Why a gift cannot be redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    Blocked,
    NotYet(Timestamp),
    Over(Timestamp),
    UsedUp,
    OtherProgram,
    OtherType,
    OtherArticle(String),
    OtherLocation,
}

impl Hindrance {
    /// What the cashier reads.
    pub fn sentence(&self) -> String {
        let day = |moment: &Timestamp| moment.strftime("%Y-%m-%d").to_string();
        match self {
            Self::Blocked => "This gift has been deactivated.".to_owned(),
            Self::NotYet(from) => format!("This gift is not valid before {}.", day(from)),
            Self::Over(until) => format!("This gift expired on {}.", day(until)),
            Self::UsedUp => "This gift has already been redeemed.".to_owned(),
            Self::OtherProgram => "This gift belongs to another program.".to_owned(),
            Self::OtherType => "This gift cannot be used this way.".to_owned(),
            Self::OtherArticle(label) => format!("This gift can only be used for: {label}."),
            Self::OtherLocation => "This gift cannot be used at this location.".to_owned(),
        }
    }
}

impl Voucher {
    /// Whether something is left.
    pub fn has_balance(&self) -> bool {
        self.left > Decimal::ZERO
    }

    /// Whether now lies in its period.
    pub fn in_period(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| now >= from) && self.until.is_none_or(|until| now < until)
    }

    /// What keeps it from being redeemed, if anything does.
    pub fn hindrance(&self, options: &Options, now: Timestamp) -> Option<Hindrance> {
        if self.blocked {
            return Some(Hindrance::Blocked);
        }
        if let Some(from) = self.from.filter(|from| now < *from) {
            return Some(Hindrance::NotYet(from));
        }
        if let Some(until) = self.until.filter(|until| now >= *until) {
            return Some(Hindrance::Over(until));
        }
        if !self.has_balance() {
            return Some(Hindrance::UsedUp);
        }
        if options.program.is_some_and(|program| program != self.program) {
            return Some(Hindrance::OtherProgram);
        }
        let promotional = self.terms.is_some();
        if options.target.is_some_and(|target| (target == TargetType::NotGift) != promotional) {
            return Some(Hindrance::OtherType);
        }
        match (&self.worth, &options.articles) {
            (Worth::Items { label, sku: Some(sku) }, Some(articles)) if !articles.contains(sku) => {
                Some(Hindrance::OtherArticle(label.clone()))
            }
            _ => None,
        }
    }

    /// An amount of it, for people.
    pub fn amount_text(&self, amount: Decimal) -> String {
        match &self.worth {
            Worth::Money(currency) => format!("{} {currency}", money_text(amount)),
            Worth::Items { label, .. } => format!("{} x {label}", amount.normalize()),
        }
    }

    /// The unit that its sums are kept in: a currency, or `items`.
    pub fn unit(&self) -> &str {
        match &self.worth {
            Worth::Money(currency) => currency,
            Worth::Items { .. } => "items",
        }
    }

    /// An amount of it as plain decimal text.
    pub fn plain_text(&self, amount: Decimal) -> String {
        match &self.worth {
            Worth::Money(_) => money_text(amount),
            Worth::Items { .. } => amount.normalize().to_string(),
        }
    }

    /// Whether an amount can be one of it: cents, or whole items.
    pub fn divides_into(&self, amount: Decimal) -> bool {
        let decimals = match self.worth {
            Worth::Money(_) => 2,
            Worth::Items { .. } => 0,
        };
        amount.normalize().scale() <= decimals
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::SignedDuration;

    pub(crate) fn voucher(worth: Worth, left: Decimal) -> Voucher {
        Voucher {
            id: Uuid::from_u128(1),
            name: "test".to_owned(),
            code: "401200000011".to_owned(),
            token: "token".to_owned(),
            program: Uuid::from_u128(2),
            worth,
            terms: None,
            location: None,
            from: None,
            until: None,
            blocked: false,
            sender: String::new(),
            recipient: String::new(),
            issued: left,
            left,
        }
    }

    #[test]
    fn the_first_hindrance_is_told() {
        let now = Timestamp::UNIX_EPOCH;
        let (earlier, later) = (now - SignedDuration::from_secs(1), now + SignedDuration::from_secs(1));
        let euros = || voucher(Worth::Money("EUR".to_owned()), Decimal::TEN);
        let cake =
            || voucher(Worth::Items { label: "Cake".to_owned(), sku: Some("77".to_owned()) }, Decimal::ONE);
        let asks = |target| Options { target: Some(target), ..Options::default() };
        let ticket = |sku: &str| Options { articles: Some(vec![sku.to_owned()]), ..Options::default() };
        let program = |number| Options { program: Some(Uuid::from_u128(number)), ..Options::default() };
        let promotional = || Voucher { terms: Some("Terms".to_owned()), ..euros() };
        for (voucher, options, expected) in [
            (euros(), Options::default(), None),
            (Voucher { left: Decimal::ZERO, ..euros() }, Options::default(), Some(Hindrance::UsedUp)),
            (Voucher { left: -Decimal::ONE, ..euros() }, Options::default(), Some(Hindrance::UsedUp)),
            (
                Voucher { blocked: true, left: Decimal::ZERO, ..euros() },
                Options::default(),
                Some(Hindrance::Blocked),
            ),
            (Voucher { from: Some(later), ..euros() }, Options::default(), Some(Hindrance::NotYet(later))),
            (Voucher { from: Some(now), until: Some(later), ..euros() }, Options::default(), None),
            (Voucher { until: Some(now), ..euros() }, Options::default(), Some(Hindrance::Over(now))),
            (Voucher { until: Some(earlier), ..euros() }, Options::default(), Some(Hindrance::Over(earlier))),
            (euros(), asks(TargetType::Gift), None),
            (euros(), asks(TargetType::NotGift), Some(Hindrance::OtherType)),
            (promotional(), asks(TargetType::Gift), Some(Hindrance::OtherType)),
            (promotional(), asks(TargetType::NotGift), None),
            (euros(), program(2), None),
            (euros(), program(3), Some(Hindrance::OtherProgram)),
            (cake(), ticket("77"), None),
            (cake(), ticket("78"), Some(Hindrance::OtherArticle("Cake".to_owned()))),
            (cake(), Options::default(), None),
            (euros(), ticket("78"), None),
        ] {
            assert_eq!(voucher.hindrance(&options, now), expected, "{options:?}");
            let out_of_time = matches!(expected, Some(Hindrance::NotYet(_) | Hindrance::Over(_)));
            assert_eq!(voucher.in_period(now), !out_of_time, "{expected:?}");
        }
    }

    #[test]
    fn money_goes_down_to_the_cent_and_items_are_whole() {
        let euros = voucher(Worth::Money("EUR".to_owned()), Decimal::TEN);
        let cake = voucher(Worth::Items { label: "Cake".to_owned(), sku: None }, Decimal::ONE);
        for (text, money, item) in
            [("5", true, true), ("5.00", true, true), ("0.01", true, false), ("0.001", false, false)]
        {
            let amount = Decimal::from_str_exact(text).unwrap();
            assert_eq!((euros.divides_into(amount), cake.divides_into(amount)), (money, item), "{text}");
        }
        assert_eq!(euros.amount_text(Decimal::TEN), "10.00 EUR");
        assert_eq!(cake.amount_text(Decimal::ONE), "1 x Cake");
    }
}
