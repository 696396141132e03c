//! The provider's own books: gifts, redemptions, and every movement of value with its time.
//!
//! For every gift, at every moment: `left = issued + moved in − moved out − debits + reversals`. So over all gifts of a
//! unit, debits minus reversals are what was issued minus what is left. No gift is ever below zero, unless the switch
//! `over_balance` says `goes_below_zero`. A redeem, its debit and the move of its rest happen together or not at all.
//!
//! There is no lookup of a redemption and no key of the client's, because the vendor has none (fact sheet 3): two
//! identical redeems are two debits. Nothing is ever removed but by a reset; the number of gifts and of movements is
//! bounded, and full books answer 500.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::catalogue::{self, Location};
use super::refusal::{Code, Refusal};
use super::request::{Named, Options, Place, Wanted};
use super::switches::{
    IdenticalRedeem, KeyCovers, NullAmount, OverBalance, Rest, SecondReversal, Switches, WrongLocation,
};
use super::voucher::{Hindrance, Voucher};
use crate::draw;

/// More gifts than any test or demonstration makes between two resets.
const MOST_VOUCHERS: usize = 200_000;
/// More movements likewise.
const MOST_ENTRIES: usize = 1_000_000;
/// Letters of a drawn token after its prefix; each is one of ten.
const TOKEN_LETTERS: usize = 24;

/// How value moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    Issued,
    Debit,
    Reversal,
    MovedOut,
    MovedIn,
}

impl Movement {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Debit => "debit",
            Self::Reversal => "reversal",
            Self::MovedOut => "moved_out",
            Self::MovedIn => "moved_in",
        }
    }
}

/// One movement.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub at: Timestamp,
    pub movement: Movement,
    /// The place of the gift in the list.
    pub voucher: usize,
    pub amount: Decimal,
    pub redemption: Option<Uuid>,
    /// The call that caused it; absent: the start, or the control door.
    pub call: Option<u64>,
}

/// One redemption.
#[derive(Debug, Clone)]
pub struct Redemption {
    pub id: Uuid,
    /// The place of the gift in the list.
    pub voucher: usize,
    /// Absent: another site, which this client does not know.
    pub location: Option<Uuid>,
    pub wanted: Wanted,
    pub granted: Decimal,
    pub at: Timestamp,
    pub call: Option<u64>,
    pub reversed: Option<Timestamp>,
    pub reversals: u32,
}

/// What holds while a call is worked on.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub switches: &'a Switches,
    pub now: Timestamp,
    /// The call's number; absent: the control door.
    pub call: Option<u64>,
}

/// The books.
pub struct Ledger {
    pub locations: Vec<Location>,
    pub vouchers: Vec<Voucher>,
    pub redemptions: Vec<Redemption>,
    pub entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
    by_code: HashMap<String, usize>,
    by_token: HashMap<String, usize>,
    by_id: HashMap<Uuid, usize>,
    by_redemption: HashMap<Uuid, usize>,
    /// The newest redemption of a gift.
    newest: HashMap<usize, usize>,
}

impl Ledger {
    /// The books of the catalogue.
    pub fn new(now: Timestamp) -> Self {
        let mut ledger = Self {
            locations: catalogue::locations(),
            vouchers: Vec::new(),
            redemptions: Vec::new(),
            entries: Vec::new(),
            by_name: HashMap::new(),
            by_code: HashMap::new(),
            by_token: HashMap::new(),
            by_id: HashMap::new(),
            by_redemption: HashMap::new(),
            newest: HashMap::new(),
        };
        for voucher in catalogue::vouchers(now) {
            let spent = voucher.issued.saturating_sub(voucher.left);
            let place = ledger.add(Voucher { left: voucher.issued, ..voucher });
            let amount = ledger.vouchers.get(place).map_or(Decimal::ZERO, |voucher| voucher.issued);
            ledger.enter(Movement::Issued, place, amount, None, now, None);
            if !spent.is_zero() {
                ledger.debit(place, None, Wanted::Amount(spent), spent, now, None);
            }
        }
        ledger
    }

    /// A gift and its place.
    pub fn find(&self, named: &Named) -> Result<(usize, &Voucher), Refusal> {
        let place = match named {
            Named::Code(code) => self.by_code.get(code),
            Named::Token(token) => self.by_token.get(token),
            Named::Id(id) => self.by_id.get(id),
        };
        let place = *place.ok_or(Code::GiftNotFound)?;
        self.vouchers.get(place).map(|voucher| (place, voucher)).ok_or_else(|| Code::GiftNotFound.into())
    }

    /// A gift by its id or its name, for the control door.
    pub fn place_of(&self, id_or_name: &str) -> Option<usize> {
        let by_id = Uuid::parse_str(id_or_name).ok().and_then(|id| self.by_id.get(&id).copied());
        by_id.or_else(|| self.by_name.get(id_or_name).copied())
    }

    /// The location that a request means (fact sheet 2).
    pub fn locate(&self, place: &Place, switches: &Switches) -> Result<Uuid, Refusal> {
        let covered = |location: &&Location| {
            let first = self.locations.first().map(|first| first.id);
            match switches.key_covers {
                KeyCovers::Several => location.attached,
                KeyCovers::One => Some(location.id) == first,
            }
        };
        let found = match place {
            Place::Unsaid if switches.key_covers == KeyCovers::One => self.locations.first(),
            Place::Unsaid => return Err(Code::LocationMissing.into()),
            Place::Organization(id) => self.locations.iter().find(|location| location.id == *id),
            Place::PointOfSale(_) if !switches.pos_identifiers => None,
            Place::PointOfSale(text) => {
                self.locations.iter().find(|location| location.point_of_sale_identifier == text)
            }
        };
        let found = found.filter(covered).ok_or(Code::LocationForbidden)?;
        Ok(found.id)
    }

    /// Looks a gift up: its place, and what keeps it from being redeemed.
    pub fn validate(
        &self,
        named: &Named,
        location: Uuid,
        options: &Options,
        rules: Rules<'_>,
    ) -> Result<(usize, Option<Hindrance>), Refusal> {
        let (place, voucher) = self.find(named)?;
        if voucher.location.is_some_and(|only| only != location) {
            return match rules.switches.wrong_location {
                WrongLocation::Refused => Err(Code::WrongLocation.into()),
                WrongLocation::NotRedeemable => Ok((place, Some(Hindrance::OtherLocation))),
            };
        }
        Ok((place, voucher.hindrance(options, rules.now)))
    }

    /// Lowers the balance of a gift: the place of the redemption.
    pub fn redeem(
        &mut self,
        named: &Named,
        location: Uuid,
        wanted: Wanted,
        options: &Options,
        rules: Rules<'_>,
    ) -> Result<usize, Refusal> {
        let switches = rules.switches;
        let (place, voucher) = self.find(named)?;
        if voucher.location.is_some_and(|only| only != location) {
            return Err(Code::WrongLocation.into());
        }
        match wanted {
            Wanted::Everything if switches.null_amount == NullAmount::Refused => {
                return Err(Code::AmountMissing.into());
            }
            Wanted::Amount(amount) if !voucher.divides_into(amount) => {
                return Err(Code::AmountInvalid.into());
            }
            Wanted::Everything | Wanted::Amount(_) => {}
        }
        if let Some(same) = self.identical(place, location, wanted) {
            match switches.identical_redeem {
                IdenticalRedeem::DebitsAgain => {}
                IdenticalRedeem::SameAnswer => return Ok(same),
                IdenticalRedeem::Refused => return Err(Code::Duplicate.into()),
            }
        }
        let left = voucher.left;
        let below_zero = switches.over_balance == OverBalance::GoesBelowZero && wanted != Wanted::Everything;
        match voucher.hindrance(options, rules.now) {
            None => {}
            Some(Hindrance::UsedUp) if below_zero => {}
            Some(hindrance) => return Err(Refusal::not_redeemable(hindrance.sentence())),
        }
        let granted = match (wanted, switches.over_balance) {
            (Wanted::Everything, _) => left,
            (Wanted::Amount(amount), OverBalance::GoesBelowZero) => amount,
            (Wanted::Amount(amount), _) if amount <= left => amount,
            (Wanted::Amount(_), OverBalance::GrantsRest) => left,
            (Wanted::Amount(_), OverBalance::Refused) => return Err(Code::AmountExceeds.into()),
        };
        let rest = match switches.rest {
            Rest::NewCode if granted < left => Some(self.successor(place)?),
            Rest::NewCode | Rest::Stays => None,
        };
        self.has_room()?;
        let redemption = self.debit(place, Some(location), wanted, granted, rules.now, rules.call);
        if let Some(successor) = rest {
            self.move_rest(place, successor, rules);
        }
        Ok(redemption)
    }

    /// The same redeem as the newest one of a gift, if that still stands.
    fn identical(&self, voucher: usize, location: Uuid, wanted: Wanted) -> Option<usize> {
        let place = *self.newest.get(&voucher)?;
        let newest = self.redemptions.get(place)?;
        let same = newest.location == Some(location) && newest.wanted == wanted && newest.reversed.is_none();
        same.then_some(place)
    }

    /// Gives a redemption back: its place.
    pub fn reverse(&mut self, id: Uuid, location: Uuid, rules: Rules<'_>) -> Result<usize, Refusal> {
        let (place, redemption) = self.redemption(id).ok_or(Code::RedemptionNotFound)?;
        if redemption.location != Some(location) {
            return Err(Code::RedemptionNotFound.into());
        }
        if redemption.reversed.is_some() {
            match rules.switches.second_reversal {
                SecondReversal::Refused => return Err(Code::AlreadyReversed.into()),
                SecondReversal::SameAnswer => return Ok(place),
                SecondReversal::RestoresAgain => {}
            }
        }
        let age = rules.now.duration_since(redemption.at);
        let window =
            rules.switches.reversal_window_s.map(|window| SignedDuration::from_secs(i64::from(window)));
        if window.is_some_and(|window| age >= window) {
            return Err(Code::WindowOver.into());
        }
        self.has_room()?;
        self.restore(place, rules);
        Ok(place)
    }

    /// A redemption and its place.
    pub fn redemption(&self, id: Uuid) -> Option<(usize, &Redemption)> {
        let place = *self.by_redemption.get(&id)?;
        self.redemptions.get(place).map(|redemption| (place, redemption))
    }

    /// Another site of the merchant spends a gift; nothing is asked but that enough is left.
    pub fn spend(&mut self, voucher: usize, amount: Decimal, now: Timestamp) -> Result<usize, &'static str> {
        let found = self.vouchers.get(voucher).ok_or("there is no such voucher")?;
        if amount <= Decimal::ZERO || !found.divides_into(amount) {
            return Err("the amount must be positive, in cents or in whole items");
        }
        if amount > found.left {
            return Err("there is less left on it");
        }
        self.has_room().map_err(|_| "the books are full")?;
        Ok(self.debit(voucher, None, Wanted::Amount(amount), amount, now, None))
    }

    /// The vendor's support gives a redemption back, whoever made it; false unless it stands.
    pub fn give_back(&mut self, id: Uuid, rules: Rules<'_>) -> bool {
        match self.redemption(id) {
            Some((place, redemption)) if redemption.reversed.is_none() && self.has_room().is_ok() => {
                self.restore(place, rules);
                true
            }
            _ => false,
        }
    }

    /// A new gift, with what was on it at first: its place.
    pub fn issue(&mut self, voucher: Voucher, now: Timestamp) -> Result<usize, &'static str> {
        let taken = self.by_code.contains_key(&voucher.code)
            || self.by_token.contains_key(&voucher.token)
            || self.by_name.contains_key(&voucher.name);
        if taken {
            return Err("there is a voucher of this name, code or token already");
        }
        self.has_room().map_err(|_| "the books are full")?;
        let amount = voucher.issued;
        let place = self.add(voucher);
        self.enter(Movement::Issued, place, amount, None, now, None);
        Ok(place)
    }

    fn has_room(&self) -> Result<(), Refusal> {
        // One call makes at most three movements and one gift.
        if self.entries.len().saturating_add(3) > MOST_ENTRIES || self.vouchers.len() >= MOST_VOUCHERS {
            return Err(Code::Internal.into());
        }
        Ok(())
    }

    fn add(&mut self, voucher: Voucher) -> usize {
        let place = self.vouchers.len();
        self.by_name.insert(voucher.name.clone(), place);
        self.by_code.insert(voucher.code.clone(), place);
        self.by_token.insert(voucher.token.clone(), place);
        self.by_id.insert(voucher.id, place);
        self.vouchers.push(voucher);
        place
    }

    fn enter(
        &mut self,
        movement: Movement,
        voucher: usize,
        amount: Decimal,
        redemption: Option<Uuid>,
        at: Timestamp,
        call: Option<u64>,
    ) {
        self.entries.push(Entry { at, movement, voucher, amount, redemption, call });
    }

    fn debit(
        &mut self,
        voucher: usize,
        location: Option<Uuid>,
        wanted: Wanted,
        granted: Decimal,
        at: Timestamp,
        call: Option<u64>,
    ) -> usize {
        let (id, place) = (Uuid::now_v7(), self.redemptions.len());
        if let Some(found) = self.vouchers.get_mut(voucher) {
            found.left = found.left.saturating_sub(granted);
        }
        self.enter(Movement::Debit, voucher, granted, Some(id), at, call);
        self.redemptions.push(Redemption {
            id,
            voucher,
            location,
            wanted,
            granted,
            at,
            call,
            reversed: None,
            reversals: 0,
        });
        self.by_redemption.insert(id, place);
        self.newest.insert(voucher, place);
        place
    }

    fn restore(&mut self, place: usize, rules: Rules<'_>) {
        let Some(redemption) = self.redemptions.get_mut(place) else { return };
        redemption.reversed = Some(rules.now);
        redemption.reversals = redemption.reversals.saturating_add(1);
        let (id, voucher, amount) = (redemption.id, redemption.voucher, redemption.granted);
        if let Some(found) = self.vouchers.get_mut(voucher) {
            found.left = found.left.saturating_add(amount);
        }
        self.enter(Movement::Reversal, voucher, amount, Some(id), rules.now, rules.call);
    }

    /// An empty gift like another one, with an id, a code and a token of its own.
    fn successor(&self, place: usize) -> Result<Voucher, Refusal> {
        let old = self.vouchers.get(place).ok_or(Code::Internal)?;
        let (code, token) = drawn().ok_or(Code::Internal)?;
        if self.by_code.contains_key(&code) {
            return Err(Code::Internal.into());
        }
        let name = format!("{}-rest-{}", old.name, self.vouchers.len());
        let zero = Decimal::ZERO;
        Ok(Voucher { id: Uuid::now_v7(), name, code, token, issued: zero, left: zero, ..old.clone() })
    }

    fn move_rest(&mut self, from: usize, successor: Voucher, rules: Rules<'_>) {
        let Some(old) = self.vouchers.get_mut(from) else { return };
        let amount = std::mem::take(&mut old.left);
        let to = self.add(Voucher { left: amount, ..successor });
        self.enter(Movement::MovedOut, from, amount, None, rules.now, rules.call);
        self.enter(Movement::MovedIn, to, amount, None, rules.now, rules.call);
    }
}

/// A code and a token by lot. The token is in letters, so that it never looks like a card number by accident.
pub fn drawn() -> Option<(String, String)> {
    let code = draw::digits(super::request::CODE_DIGITS)?;
    let letter = |digit: u8| char::from(digit.saturating_sub(b'0').saturating_add(b'a'));
    let token: String = draw::digits(TOKEN_LETTERS)?.bytes().map(letter).collect();
    Some((code, format!("gl-{token}")))
}
