//! The provider's own books: accounts, stores, orders, and what each call does to them.
//!
//! For every currency, at every moment: `opening + reversed = available + reserved + charged`. Each of a create, a
//! confirm, an invalidation and an ending confirm moves an amount from one of these to another and never makes any.
//!
//! Orders are never removed, only the whole ledger is (by a reset), so that a test can compare any slip with what was
//! issued; the number of orders and stores is therefore bounded, and a full ledger answers 500.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::amount::Currency;
use super::catalogue::{self, Kind};
use super::lines;
use super::order::{Card, Order, State, Wanted};
use super::refusal::{Code, Refusal};
use super::request::Payment;
use super::switches::{ConfirmEnd, ConfirmMode, SecondConfirm, Switches};
use crate::draw;

/// More orders than any test or demonstration makes between two resets.
const MOST_ORDERS: usize = 200_000;
/// More stores than any test registers.
const MOST_STORES: usize = 1_000;
/// Digits of a code, and of its PIN.
const CODE_DIGITS: usize = 19;
const PIN_DIGITS: usize = 4;

/// The sums of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Account {
    /// What the client paid in.
    pub opening: Decimal,
    /// Set aside for orders that are not done.
    pub reserved: Decimal,
    /// Ever charged for cards.
    pub charged: Decimal,
    /// Ever given back by invalidations.
    pub reversed: Decimal,
}

impl Account {
    /// What can still be ordered for; below zero only after the opening sum was lowered by a person.
    pub fn available(&self) -> Decimal {
        self.opening.saturating_add(self.reversed).saturating_sub(self.reserved).saturating_sub(self.charged)
    }

    fn set_aside(&mut self, order: &mut Order) -> Result<(), Refusal> {
        if order.reserved {
            return Ok(());
        }
        if self.available() < order.face_value.amount {
            return Err(Code::InsufficientBalance.into());
        }
        self.reserved = self.reserved.saturating_add(order.face_value.amount);
        order.reserved = true;
        Ok(())
    }

    fn put_back(&mut self, order: &mut Order) {
        if order.reserved {
            self.reserved = self.reserved.saturating_sub(order.face_value.amount);
            order.reserved = false;
        }
    }

    /// Only what was set aside is ever charged.
    fn charge(&mut self, order: &mut Order) {
        self.put_back(order);
        self.charged = self.charged.saturating_add(order.face_value.amount);
    }

    fn reverse(&mut self, order: &Order) {
        self.reversed = self.reversed.saturating_add(order.face_value.amount);
    }
}

/// What holds while a call is worked on.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub switches: &'a Switches,
    pub now: Timestamp,
}

/// The books.
#[derive(Default)]
pub(crate) struct Ledger {
    pub accounts: BTreeMap<Currency, Account>,
    pub stores: BTreeMap<String, Map<String, Value>>,
    orders: HashMap<String, Order>,
    /// Ids in the order of their creation.
    order_ids: Vec<String>,
}

impl Ledger {
    /// Orders from the first to the last.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.order_ids.iter().filter_map(|id| self.orders.get(id))
    }

    /// Adds a store; one id can be registered once.
    pub fn register(&mut self, id: String, data: Map<String, Value>) -> Result<(), Refusal> {
        if self.stores.contains_key(&id) {
            return Err(Refusal::of_fields(vec![("id", "is already registered")]));
        }
        if self.stores.len() >= MOST_STORES {
            return Err(Code::Internal.into());
        }
        self.stores.insert(id, data);
        Ok(())
    }

    /// The preliminary check: an order without value, or a refusal.
    pub fn create(&mut self, wanted: Wanted, rules: Rules<'_>) -> Result<Value, Refusal> {
        if self.orders.len() >= MOST_ORDERS {
            return Err(Code::Internal.into());
        }
        if !self.stores.contains_key(&wanted.store_id) {
            return Err(Refusal::of_fields(vec![("store_id", "is not a registered store")]));
        }
        let product = catalogue::find(&wanted.product_code)
            .filter(|product| product.enabled(rules.switches))
            .ok_or(Code::ProductNotAvailable)?;
        let face_value = wanted.face_value;
        if product.country != wanted.country {
            return Err(Refusal::of_fields(vec![("country", "is not one the product is sold in")]));
        }
        if product.currency != face_value.currency {
            return Err(Refusal::of_fields(vec![("face_value.currency", "is not the product's")]));
        }
        if !product.offers(face_value.amount) {
            return Err(Refusal::of_fields(vec![("face_value.amount", "is not offered by the product")]));
        }
        let id = format!("ro_{}", Uuid::now_v7().simple());
        let mut order = Order::new(id.clone(), product, wanted, rules.now);
        self.check_limits(&order, rules.switches)?;
        let account = self.accounts.entry(face_value.currency).or_default();
        if rules.switches.create_reserves {
            account.set_aside(&mut order)?;
        } else if account.available() < face_value.amount {
            return Err(Code::InsufficientBalance.into());
        }
        let shown = order.json(None);
        self.order_ids.push(id.clone());
        self.orders.insert(id, order);
        Ok(shown)
    }

    fn check_limits(&self, new: &Order, switches: &Switches) -> Result<(), Refusal> {
        let limits = switches.limits;
        let counts = |order: &&Order| match order.state {
            State::Created => switches.create_reserves,
            State::Processing { .. } | State::Completed => true,
            State::Failed | State::Invalidated => false,
        };
        let exceeded = |limit: Option<u32>, alike: &dyn Fn(&Order) -> bool| {
            limit.is_some_and(|limit| {
                let sum = self
                    .orders
                    .values()
                    .filter(counts)
                    .filter(|order| order.face_value.currency == new.face_value.currency && alike(order))
                    .fold(new.face_value.amount, |sum, order| sum.saturating_add(order.face_value.amount));
                sum > Decimal::from(limit)
            })
        };
        let same_store = |order: &Order| order.store_id == new.store_id;
        let same_terminal = |order: &Order| same_store(order) && order.terminal_id == new.terminal_id;
        let same_receipt = |order: &Order| same_store(order) && order.receipt_id == new.receipt_id;
        let same_product = |order: &Order| order.product.code == new.product.code;
        let cards = || self.orders.values().filter(counts).filter(|order| same_receipt(order)).count();
        if exceeded(limits.store, &same_store) {
            return Err(Code::StoreLimit.into());
        }
        if exceeded(limits.terminal, &same_terminal) {
            return Err(Code::TerminalLimit.into());
        }
        let too_many =
            limits.receipt_count.is_some_and(|most| cards() >= usize::try_from(most).unwrap_or(usize::MAX));
        if too_many || exceeded(limits.receipt_amount, &same_receipt) {
            return Err(Code::ReceiptLimit.into());
        }
        if exceeded(limits.product, &same_product) {
            return Err(Code::ProductLimit.into());
        }
        Ok(())
    }

    /// An order with its account, ended if its time has come.
    fn at_hand(&mut self, id: &str, rules: Rules<'_>) -> Result<(&mut Order, &mut Account), Refusal> {
        let order = self.orders.get_mut(id).ok_or(Code::EntityNotFound)?;
        let account = self.accounts.entry(order.face_value.currency).or_default();
        if let State::Processing { polls: 0, until, ends } = order.state
            && rules.now >= until
        {
            end(order, account, ends)?;
        }
        Ok((order, account))
    }

    /// Reads an order.
    pub fn get(&mut self, id: &str, rules: Rules<'_>) -> Result<Value, Refusal> {
        let (order, _) = self.at_hand(id, rules)?;
        order.counts.reads = order.counts.reads.saturating_add(1);
        if let State::Processing { polls, .. } = &mut order.state {
            *polls = polls.saturating_sub(1);
        }
        Ok(shown(order, rules.switches.get_shows_lines, rules.switches))
    }

    /// Activates: from here on the card is charged.
    pub fn confirm(&mut self, id: &str, payment: Payment, rules: Rules<'_>) -> Result<Value, Refusal> {
        let switches = rules.switches;
        let (order, account) = self.at_hand(id, rules)?;
        order.counts.confirms = order.counts.confirms.saturating_add(1);
        match order.state {
            State::Created => {
                account.set_aside(order)?;
                order.confirmed = Some(rules.now);
                order.payment_method = payment.method;
                order.receipt_value = payment.receipt_value;
                match switches.confirm {
                    ConfirmMode::Sync => end(order, account, ConfirmEnd::Completed)?,
                    ConfirmMode::Async { polls, ms, ends } => {
                        let pause = SignedDuration::from_millis(i64::from(ms));
                        let until = rules.now.saturating_add(pause).unwrap_or(rules.now);
                        order.state = State::Processing { polls, until, ends };
                    }
                }
                Ok(shown(order, true, switches))
            }
            State::Processing { .. } => match switches.second_confirm {
                SecondConfirm::Error => Err(Code::OrderProcessing.into()),
                SecondConfirm::Replay | SecondConfirm::ReplayWithoutLines => {
                    Ok(shown(order, false, switches))
                }
            },
            State::Completed => match switches.second_confirm {
                SecondConfirm::Error => Err(Code::OrderCompleted.into()),
                SecondConfirm::Replay => Ok(shown(order, true, switches)),
                SecondConfirm::ReplayWithoutLines => Ok(shown(order, false, switches)),
            },
            State::Failed => Err(Code::OrderFailed.into()),
            State::Invalidated => Err(Code::OrderInvalidated.into()),
        }
    }

    /// Takes an order back.
    pub fn invalidate(&mut self, id: &str, rules: Rules<'_>) -> Result<Value, Refusal> {
        let switches = rules.switches;
        let (order, account) = self.at_hand(id, rules)?;
        order.counts.invalidations = order.counts.invalidations.saturating_add(1);
        match order.state {
            State::Created if switches.unconfirmed_can_be_invalidated => account.put_back(order),
            State::Created => return Err(Code::OrderNotCompleted.into()),
            State::Processing { .. } => return Err(Code::OrderProcessing.into()),
            State::Failed => return Err(Code::OrderFailed.into()),
            State::Invalidated => return Err(Code::OrderInvalidated.into()),
            State::Completed => {
                if !order.product.invalidation_supported(switches) {
                    return Err(Code::NotInvalidatable.into());
                }
                if order.redeemed {
                    return Err(Code::OrderRedeemed.into());
                }
                let own = switches.products.get(order.product.code).and_then(|own| own.invalidation_window_s);
                let window =
                    SignedDuration::from_secs(i64::from(own.unwrap_or(switches.invalidation_window_s)));
                let age = rules.now.duration_since(order.confirmed.unwrap_or(order.created));
                if age >= window {
                    return Err(Code::WindowOver.into());
                }
                account.reverse(order);
            }
        }
        order.state = State::Invalidated;
        Ok(shown(order, false, switches))
    }

    /// Marks a card as spent; false unless there is a completed order of this id.
    pub fn redeem(&mut self, id: &str, rules: Rules<'_>) -> bool {
        match self.at_hand(id, rules) {
            Ok((order, _)) if order.state == State::Completed => {
                order.redeemed = true;
                true
            }
            _ => false,
        }
    }

    /// Ends a confirm that is running, as it was to end; false unless there is such an order in processing.
    pub fn finish(&mut self, id: &str, rules: Rules<'_>) -> bool {
        let Ok((order, account)) = self.at_hand(id, rules) else { return false };
        match order.state {
            State::Processing { ends, .. } => end(order, account, ends).is_ok(),
            _ => false,
        }
    }
}

/// Ends a confirm. The code is drawn before any sum moves, so that a failure of the machine leaves all as it was.
fn end(order: &mut Order, account: &mut Account, ends: ConfirmEnd) -> Result<(), Refusal> {
    match ends {
        ConfirmEnd::Completed => {
            if order.product.kind == Kind::Por {
                let drawn = |count| draw::digits(count).ok_or(Refusal::from(Code::Internal));
                order.card = Some(Card { code: drawn(CODE_DIGITS)?, pin: drawn(PIN_DIGITS)? });
            }
            account.charge(order);
            order.state = State::Completed;
        }
        ConfirmEnd::Failed => {
            account.put_back(order);
            order.state = State::Failed;
        }
    }
    Ok(())
}

/// The order for an answer; lines exist only when it is completed.
fn shown(order: &Order, with_lines: bool, switches: &Switches) -> Value {
    let lines = (with_lines && order.state == State::Completed).then(|| {
        let completed = order.confirmed.unwrap_or(order.created);
        lines::shaped(
            &lines::lines(order, order.product, order.card.as_ref(), completed),
            switches.line_shape,
        )
    });
    order.json(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finperks::amount::Money;

    struct Desk {
        ledger: Ledger,
        switches: Switches,
        now: Timestamp,
    }

    impl Desk {
        fn new(opening: i64) -> Self {
            let mut ledger = Ledger::default();
            ledger.register("A1234".to_owned(), Map::new()).unwrap();
            let account = Account { opening: Decimal::from(opening), ..Account::default() };
            ledger.accounts.insert(Currency::Eur, account);
            Self { ledger, switches: Switches::default(), now: Timestamp::UNIX_EPOCH }
        }

        fn create(&mut self, product: &str, amount: i64) -> Result<String, String> {
            let wanted = Wanted {
                product_code: product.to_owned(),
                store_id: "A1234".to_owned(),
                terminal_id: "T01".to_owned(),
                receipt_id: "R1".to_owned(),
                country: "DE".to_owned(),
                face_value: Money { currency: Currency::Eur, amount: Decimal::from(amount) },
                columns: 40,
                locale: "de-DE".to_owned(),
                extra: Map::new(),
            };
            let rules = Rules { switches: &self.switches, now: self.now };
            let shown = self.ledger.create(wanted, rules).map_err(|refusal| refusal.code.into_owned())?;
            Ok(shown["id"].as_str().unwrap().to_owned())
        }

        fn act(&mut self, what: &str, id: &str) -> Result<String, String> {
            let rules = Rules { switches: &self.switches, now: self.now };
            let shown = match what {
                "get" => self.ledger.get(id, rules),
                "confirm" => self.ledger.confirm(id, Payment::default(), rules),
                _ => self.ledger.invalidate(id, rules),
            };
            let shown = shown.map_err(|refusal| refusal.code.into_owned())?;
            let lines = if shown["receipt_printing"].get("lines").is_some() { "+lines" } else { "" };
            Ok(format!("{}{lines}", shown["state"].as_str().unwrap()))
        }

        /// Available, reserved, charged, reversed.
        fn sums(&self) -> [i64; 4] {
            let account = self.ledger.accounts[&Currency::Eur];
            assert_eq!(
                account.opening + account.reversed,
                account.available() + account.reserved + account.charged,
                "money is conserved"
            );
            [account.available(), account.reserved, account.charged, account.reversed]
                .map(|sum| i64::try_from(sum).unwrap())
        }
    }

    const POR: &str = "4001232232332";

    #[test]
    fn money_moves_with_the_order_and_none_is_made() {
        let mut desk = Desk::new(100);
        let id = desk.create(POR, 60).unwrap();
        assert_eq!(desk.sums(), [40, 60, 0, 0]);
        assert_eq!(desk.create(POR, 60).unwrap_err(), "insufficient_available_balance");
        assert_eq!(desk.act("confirm", &id).unwrap(), "completed+lines");
        assert_eq!(desk.sums(), [40, 0, 60, 0]);
        assert_eq!(desk.act("confirm", &id).unwrap(), "completed+lines");
        assert_eq!(desk.sums(), [40, 0, 60, 0]);
        assert_eq!(desk.act("invalidate", &id).unwrap(), "invalidated");
        assert_eq!(desk.sums(), [100, 0, 60, 60]);
        assert_eq!(desk.act("invalidate", &id).unwrap_err(), "order_invalidated");
        assert_eq!(desk.act("confirm", &id).unwrap_err(), "order_invalidated");
        let abandoned = desk.create(POR, 100).unwrap();
        assert_eq!(desk.act("invalidate", &abandoned).unwrap(), "invalidated");
        assert_eq!(desk.sums(), [100, 0, 60, 60]);
    }

    #[test]
    fn without_reservation_the_balance_is_looked_at_again_on_confirm() {
        let mut desk = Desk::new(100);
        desk.switches.create_reserves = false;
        let first = desk.create(POR, 60).unwrap();
        let second = desk.create(POR, 60).unwrap();
        assert_eq!(desk.sums(), [100, 0, 0, 0]);
        assert_eq!(desk.act("confirm", &first).unwrap(), "completed+lines");
        assert_eq!(desk.act("confirm", &second).unwrap_err(), "insufficient_available_balance");
        assert_eq!(desk.act("get", &second).unwrap(), "created");
        assert_eq!(desk.sums(), [40, 0, 60, 0]);
    }

    #[test]
    fn an_asynchronous_confirm_is_processing_for_so_many_reads_and_so_long() {
        for (ends, last, sums) in [
            (ConfirmEnd::Completed, "completed+lines", [40, 0, 60, 0]),
            (ConfirmEnd::Failed, "failed", [100, 0, 0, 0]),
        ] {
            let mut desk = Desk::new(100);
            desk.switches.confirm = ConfirmMode::Async { polls: 2, ms: 50, ends };
            let id = desk.create(POR, 60).unwrap();
            assert_eq!(desk.act("confirm", &id).unwrap(), "processing");
            assert_eq!(desk.act("confirm", &id).unwrap(), "processing");
            assert_eq!(desk.act("invalidate", &id).unwrap_err(), "order_processing");
            for _ in 0..3 {
                assert_eq!(desk.act("get", &id).unwrap(), "processing");
            }
            assert_eq!(desk.sums(), [40, 60, 0, 0]);
            desk.now += SignedDuration::from_millis(50);
            assert_eq!(desk.act("get", &id).unwrap(), last);
            assert_eq!(desk.sums(), sums);
        }
    }

    #[test]
    fn a_failed_order_can_neither_be_confirmed_nor_invalidated() {
        let mut desk = Desk::new(100);
        desk.switches.confirm = ConfirmMode::Async { polls: 0, ms: 0, ends: ConfirmEnd::Failed };
        let id = desk.create(POR, 60).unwrap();
        assert_eq!(desk.act("confirm", &id).unwrap(), "processing");
        assert_eq!(desk.act("invalidate", &id).unwrap_err(), "order_failed");
        assert_eq!(desk.act("confirm", &id).unwrap_err(), "order_failed");
    }

    #[test]
    fn the_invalidation_window_is_the_products_own_or_the_general_one() {
        let mut desk = Desk::new(1000);
        let early = desk.create(POR, 10).unwrap();
        let late = desk.create(POR, 10).unwrap();
        let short = desk.create("4001232100015", 15).unwrap();
        let never = desk.create("4001232100046", 20).unwrap();
        for id in [&early, &late, &short, &never] {
            desk.act("confirm", id).unwrap();
        }
        let own = desk.switches.products.entry("4001232100015".to_owned()).or_default();
        own.invalidation_window_s = Some(5);
        desk.now += SignedDuration::from_secs(5);
        assert_eq!(desk.act("invalidate", &short).unwrap_err(), "order_invalidation_period_expired");
        assert_eq!(desk.act("invalidate", &never).unwrap_err(), "order_invalidation_not_supported");
        desk.now += SignedDuration::from_secs(894);
        assert_eq!(desk.act("invalidate", &early).unwrap(), "invalidated");
        desk.now += SignedDuration::from_secs(1);
        assert_eq!(desk.act("invalidate", &late).unwrap_err(), "order_invalidation_period_expired");
    }

    #[test]
    fn a_spent_card_cannot_be_taken_back() {
        let mut desk = Desk::new(100);
        let id = desk.create(POR, 60).unwrap();
        let switches = desk.switches.clone();
        let rules = Rules { switches: &switches, now: desk.now };
        assert!(!desk.ledger.redeem(&id, rules));
        desk.act("confirm", &id).unwrap();
        assert!(desk.ledger.redeem(&id, rules));
        assert_eq!(desk.act("invalidate", &id).unwrap_err(), "order_redeemed");
        assert_eq!(desk.sums(), [40, 0, 60, 0]);
    }

    #[test]
    fn issued_codes_are_nineteen_digits_and_all_different() {
        let mut desk = Desk::new(10_000);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let id = desk.create(POR, 10).unwrap();
            desk.act("confirm", &id).unwrap();
        }
        for order in desk.ledger.orders() {
            let card = order.card.as_ref().unwrap();
            assert!(card.code.len() == 19 && card.code.bytes().all(|byte| byte.is_ascii_digit()));
            assert!(seen.insert(card.code.clone()));
        }
        assert_eq!(seen.len(), 50);
    }
}
