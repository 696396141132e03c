//! What Gift Local's answers say, read with tolerance where names and places are unknown, and with none where value is at stake.
//!
//! The vendor names four fields (fact sheet 2) and shows no answer in full. So a voucher is looked for in the places, and an id
//! under the names, of fact sheet 8. What cannot be read exactly is not read at all:
//!
//! | an answer to | is unreadable, and so unknown, where |
//! |---|---|
//! | validate | there is no voucher or no id of it; a number for what is eligible is there and is none; both sorts are more than nothing; or neither the gate nor an eligible number is there, because "nothing left" is evidence too (row B3) |
//! | redeem | there is neither a voucher nor a redemption; it is about another voucher; it says that it was reversed; or what was taken is there and cannot be read |
//! | reverse | it names another redemption; says that it is not reversed; or neither names this one nor says that it is reversed |
//!
//! A redeem that is accepted with a readable voucher and without a redemption's id is done, and cannot be taken back by a call
//! (fact sheet 8). An empty answer is nobody's word, and is unknown.
//!
//! What is left after a redeem is only told to people, so an unreadable rest is as good as none: the id, by which the redemption
//! can be taken back, is worth more.

use tilld_domain::ids::{ProviderRedemptionId, VoucherId};
use tilld_domain::money::Currency;
use tilld_domain::voucher::{
    Balance, Redeemed, ReverseAnswer, VoucherKind, VoucherSeen, VoucherShown, Words, Worth,
};

use crate::gift_local::amount;
use crate::gift_local::wire::{Asked, Sort};
use crate::json::Node;
use crate::vouchers::TargetType;

const GATE: &str = "isRedeemable";
const VALUE: &str = "voucherEligibleValue";
const QUANTITY: &str = "voucherEligibleItemQuantity";
const DESCRIPTION: &str = "voucherPresentValueDescription";

const WRAPPERS: [&str; 2] = ["data", "result"];
const VOUCHER_IDS: [&str; 3] = ["voucherID", "voucherId", "id"];
const REDEMPTIONS: [&str; 3] = ["redemption", "voucherRedemption", "transaction"];
const REDEMPTION_IDS: [&str; 4] =
    ["redemptionID", "voucherRedemptionID", "redemptionTransactionID", "transactionID"];
const TAKEN_MONEY: [&str; 3] = ["amount", "redeemedAmount", "value"];
const TAKEN_ITEMS: [&str; 3] = ["amount", "redeemedQuantity", "quantity"];
const LEFT_MONEY: [&str; 3] = ["voucherRemainingValue", "remainingValue", "remainingBalance"];
const LEFT_ITEMS: [&str; 3] = ["voucherRemainingItemQuantity", "remainingItemQuantity", "remainingQuantity"];
const CURRENCIES: [&str; 2] = ["currencyCode", "currency"];
const ITEMS: [&str; 3] = ["itemLabel", "giftLabel", "itemDescription"];
const TERMS: [&str; 3] = ["termsDescription", "terms", "termsAndConditions"];
const SENDERS: [&str; 2] = ["senderDescription", "senderName"];
const RECIPIENTS: [&str; 2] = ["recipientDescription", "recipientName"];

/// A voucher in an answer, and what stands around it.
struct Found<'a> {
    voucher: &'a Node,
    around: &'a Node,
}

impl<'a> Found<'a> {
    fn in_answer(root: &'a Node) -> Option<Self> {
        let holders = || [Some(root)].into_iter().chain(WRAPPERS.map(|name| root.get(name))).flatten();
        let inside = |around: &'a Node| {
            let voucher = around.get("voucher").filter(|voucher| voucher.is_map())?;
            Some(Self { voucher, around })
        };
        let bare = |holder: &'a Node| {
            let says = holder.first(&[GATE, VALUE, QUANTITY]).is_some();
            says.then_some(Self { voucher: holder, around: holder })
        };
        holders().find_map(inside).or_else(|| holders().find_map(bare))
    }

    fn first(&self, names: &[&str]) -> Option<&'a Node> {
        self.voucher.first(names).or_else(|| self.around.first(names))
    }

    /// The voucher's id: the outer `None` if there is one that cannot be an id.
    #[expect(clippy::option_option, reason = "unusable and absent are two things")]
    fn id(&self) -> Option<Option<VoucherId>> {
        match self.voucher.first(&VOUCHER_IDS) {
            None => Some(None),
            Some(node) => Some(Some(node.text()?.parse().ok()?)),
        }
    }

    /// The currency that the answer names, or else `default`; none if it names one that is none.
    fn currency(&self, default: Currency) -> Option<Currency> {
        match self.first(&CURRENCIES) {
            None => Some(default),
            Some(node) => Currency::from_code(node.text()?).ok(),
        }
    }

    /// The currency that its description names beside an amount, or else the shop's; none if it names several others. Of a
    /// validation only: what was asked to be taken was asked for in a currency.
    fn described_currency(&self, shops: Currency) -> Option<Currency> {
        let described = self.words(&[DESCRIPTION]).map(|words| described(words.as_str())).unwrap_or_default();
        match described.as_slice() {
            [] => Some(shops),
            [one] => Some(*one),
            several => several.contains(&shops).then_some(shops),
        }
    }

    /// What stands under the first of some names; the outer `None` if it cannot be read.
    #[expect(clippy::option_option, reason = "unreadable and absent are two things")]
    fn worth(&self, names: &[&str], sort: Sort, currency: Currency) -> Option<Option<Worth>> {
        match self.first(names) {
            None => Some(None),
            Some(node) => Some(Some(worth(node, sort, self.currency(currency)?)?)),
        }
    }

    fn words(&self, names: &[&str]) -> Option<Words> {
        let words = Words::new(self.first(names)?.text()?);
        (!words.is_empty()).then_some(words)
    }

    fn kind(&self, target: Option<TargetType>) -> VoucherKind {
        let promotional = match self.first(&["isPromotional"]) {
            Some(Node::Bool(promotional)) => *promotional,
            // Terms that a cashier must compare are those of a promotional voucher (fact sheet 6). Where nothing is said, the
            // provider has found the voucher to be what the till asked for.
            _ => self.words(&TERMS).is_some() || target == Some(TargetType::NotGift),
        };
        if promotional { VoucherKind::Promotional } else { VoucherKind::Gift }
    }
}

/// The currencies that a description names beside an amount, as "100.00 CHF", "CHF 100" or "£20". Only so can it be told that a
/// voucher is in another currency than the shop's: answers need not name one (fact sheet 2). `$` and `¥` are of several.
fn described(text: &str) -> Vec<Currency> {
    let sort = |character: char| match character {
        '0'..='9' | '.' | ',' => Piece::Number,
        '€' | '£' => Piece::Sign,
        character if character.is_alphabetic() => Piece::Word,
        _ => Piece::Between,
    };
    let mut pieces: Vec<(Piece, String)> = Vec::new();
    for character in text.chars() {
        match pieces.last_mut() {
            Some((piece, run)) if *piece == sort(character) => run.push(character),
            _ => pieces.push((sort(character), character.to_string())),
        }
    }
    pieces.retain(|(piece, _)| *piece != Piece::Between);
    let mut found = Vec::new();
    for pair in pieces.windows(2) {
        let name = match pair {
            [(Piece::Number, _), (Piece::Word | Piece::Sign, name)]
            | [(Piece::Word | Piece::Sign, name), (Piece::Number, _)] => name.as_str(),
            _ => continue,
        };
        let code = match name {
            "€" => "EUR",
            "£" => "GBP",
            code => code,
        };
        if let Ok(currency) = Currency::from_code(code)
            && !found.contains(&currency)
        {
            found.push(currency);
        }
    }
    found
}

/// What a description is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Number,
    Word,
    Sign,
    Between,
}

fn worth(node: &Node, sort: Sort, currency: Currency) -> Option<Worth> {
    match sort {
        Sort::Money => amount::money(node, currency).map(Worth::Money),
        Sort::Items => amount::items(node).map(Worth::Items),
    }
}

/// The answer to a validation. `target` is what the till asked the voucher to be.
pub(super) fn validated(root: &Node, currency: Currency, target: Option<TargetType>) -> Option<VoucherShown> {
    let found = Found::in_answer(root)?;
    let voucher = found.id()??;
    let gate = found.first(&[GATE]);
    // Anything but a plain "true" is not one.
    let redeemable = matches!(gate, Some(Node::Bool(true)));
    let currency = found.described_currency(currency)?;
    let value = found.worth(&[VALUE], Sort::Money, currency)?;
    let quantity = found.worth(&[QUANTITY], Sort::Items, currency)?;
    if gate.is_none() && value.is_none() && quantity.is_none() {
        return None;
    }
    let positive = |worth: &Worth| worth.is_positive();
    let eligible = match (value.filter(positive), quantity.filter(positive)) {
        (Some(_), Some(_)) => return None,
        (worth, None) | (None, worth) => worth,
    };
    let left = |names: &[&str], sort| found.worth(names, sort, currency).flatten();
    let left = match eligible {
        Some(Worth::Money(_)) => left(&LEFT_MONEY, Sort::Money),
        Some(Worth::Items(_)) => left(&LEFT_ITEMS, Sort::Items),
        // Blocked or expired meanwhile is not spent: it must not look like that when balances are compared.
        None => match (left(&LEFT_MONEY, Sort::Money), left(&LEFT_ITEMS, Sort::Items)) {
            (money, None) => money,
            (None, items) => items,
            (money, items) => match (money.filter(positive), items.filter(positive)) {
                (Some(_), Some(_)) => None,
                (money, items) => money.or(items),
            },
        },
    };
    Some(VoucherShown {
        seen: VoucherSeen { voucher, redeemable, eligible, left, kind: found.kind(target) },
        description: found.words(&[DESCRIPTION]).unwrap_or_else(|| Words::new("")),
        item: found.words(&ITEMS),
        terms: found.words(&TERMS),
        sender: found.words(&SENDERS),
        recipient: found.words(&RECIPIENTS),
    })
}

/// A redemption in an answer: its record, or just the place where its id stands.
struct Record<'a> {
    id: Option<&'a Node>,
    record: Option<&'a Node>,
}

impl<'a> Record<'a> {
    fn in_answer(root: &'a Node) -> Option<Self> {
        let holders = [Some(root)].into_iter().chain(WRAPPERS.map(|name| root.get(name))).flatten();
        let holders = holders.flat_map(|holder| [Some(holder), holder.get("voucher")]).flatten();
        let mut bare = None;
        for holder in holders {
            if let Some(record) = holder.first(&REDEMPTIONS).filter(|record| record.is_map()) {
                let id = record.first(&REDEMPTION_IDS).or_else(|| record.get("id"));
                return Some(Self { id: id.or_else(|| holder.first(&REDEMPTION_IDS)), record: Some(record) });
            }
            bare = bare.or_else(|| holder.first(&REDEMPTION_IDS));
        }
        bare.map(|id| Self { id: Some(id), record: None })
    }

    fn id(&self) -> Option<ProviderRedemptionId> {
        self.id?.word()?.parse().ok()
    }

    /// Whether it was taken back; none if it does not say.
    fn reversed(&self) -> Option<bool> {
        let record = self.record?;
        match record.first(&["isReversed", "reversed"]) {
            Some(Node::Bool(reversed)) => Some(*reversed),
            // A moment, or a word that nobody knows.
            Some(_) => Some(false),
            None => record.first(&["reversedAt", "reversedOn"]).map(|_| true),
        }
    }
}

/// The answer to a redeem of what was `asked`.
pub(super) fn redeemed(root: &Node, asked: &Asked, currency: Currency) -> Option<Redeemed> {
    let (found, record) = (Found::in_answer(root), Record::in_answer(root));
    if found.is_none() && record.is_none() {
        return None;
    }
    let mut currency = Some(currency);
    let mut remaining = Balance::default();
    if let Some(found) = &found {
        let same = |voucher: VoucherId| voucher.as_str().eq_ignore_ascii_case(asked.voucher.as_str());
        if !found.id()?.is_none_or(same) {
            return None;
        }
        currency = found.currency(currency?);
        let left = |names: &[&str]| found.worth(names, asked.sort, currency?).flatten();
        remaining = match asked.sort {
            Sort::Money => Balance { left: left(&LEFT_MONEY), eligible: left(&[VALUE]) },
            Sort::Items => Balance { left: left(&LEFT_ITEMS), eligible: left(&[QUANTITY]) },
        };
    }
    if record.as_ref().and_then(Record::reversed) == Some(true) {
        return None;
    }
    let names = if asked.sort == Sort::Money { TAKEN_MONEY } else { TAKEN_ITEMS };
    let granted = match record.as_ref().and_then(|record| record.record?.first(&names)) {
        None => None,
        Some(node) => Some(worth(node, asked.sort, currency?)?),
    };
    Some(Redeemed { redemption: record.and_then(|record| record.id()), granted, remaining })
}

/// The answer to a reversal of `redemption`.
pub(super) fn reversed(root: &Node, redemption: &ProviderRedemptionId) -> Option<ReverseAnswer> {
    let record = Record::in_answer(root)?;
    let same = |id: ProviderRedemptionId| id.as_str().eq_ignore_ascii_case(redemption.as_str());
    match (record.id.map(|_| record.id().is_some_and(same)), record.reversed()) {
        (Some(false), _) | (_, Some(false)) | (None, None) => None,
        (Some(true), _) | (None, Some(true)) => Some(ReverseAnswer::Reversed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "019f0000-0000-7000-8000-00000000000a";

    fn euros() -> Currency {
        Currency::from_code("EUR").unwrap()
    }

    fn read(json: &str) -> Node {
        Node::read_exactly(json.as_bytes()).unwrap_or(Node::Null)
    }

    /// What a validation shows: whether it may be redeemed, how much, and whether it is promotional.
    fn shown(json: &str) -> Option<String> {
        let shown = validated(&read(json), euros(), None)?;
        let (gate, kind) = (if shown.seen.redeemable { "yes" } else { "no" }, shown.seen.kind);
        let worth = match (shown.seen.eligible, shown.seen.left) {
            (Some(eligible), None) => eligible.to_string(),
            (Some(eligible), Some(left)) => format!("{eligible} of {left}"),
            (None, Some(left)) => format!("nothing of {left}"),
            (None, None) => "nothing".to_owned(),
        };
        let promotional = if kind == VoucherKind::Promotional { ", promotional" } else { "" };
        Some(format!("{gate}, {worth}{promotional}"))
    }

    #[test]
    fn a_voucher_is_found_in_every_place_that_it_may_stand_in() {
        for (json, expected) in [
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":50.00}}"#,
                Some("yes, 50.00 EUR"),
            ),
            (
                r#"{"data":{"voucher":{"id":"v","isRedeemable":true},"voucherEligibleValue":50}}"#,
                Some("yes, 50.00 EUR"),
            ),
            (
                r#"{"result":{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleItemQuantity":3}}}"#,
                Some("yes, 3 items"),
            ),
            (
                r#"{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":"50.00"}"#,
                Some("yes, 50.00 EUR"),
            ),
            (r#"{"data":{"id":"v","isRedeemable":true,"voucherEligibleValue":5e1}}"#, Some("yes, 50.00 EUR")),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":0,"voucherEligibleItemQuantity":2.0}}"#,
                Some("yes, 2 items"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"currencyCode":"USD"}}"#,
                Some("yes, 9.00 USD"),
            ),
            // The currency may stand in the description alone.
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":100,"voucherPresentValueDescription":"100.00 CHF"}}"#,
                Some("yes, 100.00 CHF"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":20,"voucherPresentValueDescription":"Gift of £20"}}"#,
                Some("yes, 20.00 GBP"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":500,"voucherPresentValueDescription":"JPY500"}}"#,
                Some("yes, 500 JPY"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"voucherPresentValueDescription":"9 EUR, was 10 CHF"}}"#,
                Some("yes, 9.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"voucherPresentValueDescription":"9 USD, was 10 CHF"}}"#,
                None,
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"voucherPresentValueDescription":"Free coffee for 2 of US, $9"}}"#,
                Some("yes, 9.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"currency":"EUR","voucherPresentValueDescription":"10 CHF"}}"#,
                Some("yes, 9.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"isPromotional":true}}"#,
                Some("yes, 9.00 EUR, promotional"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"terms":"x"}}"#,
                Some("yes, 9.00 EUR, promotional"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9,"terms":"x","isPromotional":false}}"#,
                Some("yes, 9.00 EUR"),
            ),
            // Success of the call is not redeemability.
            (r#"{"voucher":{"voucherID":"v","isRedeemable":false}}"#, Some("no, nothing")),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherEligibleValue":null}}"#,
                Some("no, nothing"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherEligibleValue":0.00}}"#,
                Some("no, nothing"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherEligibleValue":50}}"#,
                Some("no, 50.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherEligibleValue":0,"voucherRemainingValue":50}}"#,
                Some("no, nothing of 50.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherRemainingItemQuantity":2}}"#,
                Some("no, nothing of 2 items"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherRemainingItemQuantity":2,"voucherRemainingValue":0}}"#,
                Some("no, nothing of 2 items"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherRemainingItemQuantity":0,"voucherRemainingValue":0}}"#,
                Some("no, nothing"),
            ),
            // What may be redeemed here and now is not always all there is.
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":30,"voucherRemainingValue":50}}"#,
                Some("yes, 30.00 EUR of 50.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":0,"voucherRemainingValue":50}}"#,
                Some("yes, nothing of 50.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":"true","voucherEligibleValue":50}}"#,
                Some("no, 50.00 EUR"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":1,"voucherEligibleValue":50}}"#,
                Some("no, 50.00 EUR"),
            ),
            (r#"{"voucher":{"voucherID":"v","voucherEligibleValue":50}}"#, Some("no, 50.00 EUR")),
            // Unreadable.
            (r#"{"voucher":{"voucherID":"v"}}"#, None),
            (r#"{"voucher":{"isRedeemable":true,"voucherEligibleValue":50}}"#, None),
            (r#"{"voucher":{"voucherID":"a/b","isRedeemable":true,"voucherEligibleValue":50}}"#, None),
            (r#"{"voucher":{"voucherID":7,"isRedeemable":true,"voucherEligibleValue":50}}"#, None),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":1,"voucherEligibleItemQuantity":1}}"#,
                None,
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":50.000000000000004}}"#,
                None,
            ),
            (r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":-50}}"#, None),
            (r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherEligibleValue":{}}}"#, None),
            (r#"{"voucher":{"voucherID":"v","isRedeemable":false,"voucherEligibleItemQuantity":0.5}}"#, None),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":50,"currencyCode":"XTS"}}"#,
                None,
            ),
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":50,"currencyCode":7}}"#,
                None,
            ),
            (r#"{"voucher":[]}"#, None),
            (r#"{"message":"ok"}"#, None),
            ("{}", None),
            ("[]", None),
            ("null", None),
        ] {
            assert_eq!(shown(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn what_people_wrote_is_shown_and_is_in_no_debug_text() {
        let json = r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleItemQuantity":3,
            "voucherPresentValueDescription":"3 x\u001b Cappuccino 401200000011","itemLabel":"Cappuccino","senderDescription":"Mira",
            "recipientDescription":"Gerda","termsDescription":"","isPromotional":false}}"#;
        let shown = validated(&read(json), euros(), None).unwrap();
        let text = |words: &Option<Words>| words.as_ref().map(|words| words.as_str().to_owned());
        assert_eq!(shown.description.as_str(), "3 x Cappuccino ••••••••••••");
        assert_eq!(text(&shown.item).as_deref(), Some("Cappuccino"));
        assert_eq!(
            (text(&shown.sender).as_deref(), text(&shown.recipient).as_deref()),
            (Some("Mira"), Some("Gerda"))
        );
        assert_eq!(shown.terms, None);
        let debug = format!("{shown:?}");
        assert!(!debug.contains("Mira") && !debug.contains("Gerda"), "{debug}");
    }

    #[test]
    fn where_an_answer_does_not_say_of_which_sort_a_voucher_is_it_is_what_the_till_asked_for() {
        let json = r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":9}}"#;
        for (target, kind) in [
            (None, VoucherKind::Gift),
            (Some(TargetType::Gift), VoucherKind::Gift),
            (Some(TargetType::NotGift), VoucherKind::Promotional),
        ] {
            assert_eq!(validated(&read(json), euros(), target).unwrap().seen.kind, kind);
        }
    }

    /// What a redeem of voucher `v` did: id, taken, left.
    fn done(json: &str, sort: Sort) -> Option<String> {
        let asked = Asked { voucher: "v".parse().unwrap(), sort };
        let redeemed = redeemed(&read(json), &asked, euros())?;
        let text = |worth: Option<Worth>| worth.map_or_else(|| "?".to_owned(), |worth| worth.to_string());
        let id = redeemed.redemption.map_or_else(|| "?".to_owned(), |id| id.to_string());
        Some(format!("{id}, {}, {}", text(redeemed.granted), text(redeemed.remaining.rest())))
    }

    #[test]
    fn a_redeem_is_done_with_an_id_or_without_one_or_cannot_be_read() {
        use Sort::{Items, Money};
        for (json, sort, expected) in [
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":30.00},"redemption":{"redemptionID":"r","amount":20.00}}"#,
                Money,
                Some("r, 20.00 EUR, 30.00 EUR"),
            ),
            (
                r#"{"data":{"voucher":{"voucherID":"V"},"transaction":{"id":"r","amount":"2e1"}}}"#,
                Money,
                Some("r, 20.00 EUR, ?"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","voucherRedemption":{"redemptionTransactionID":"r"}}}"#,
                Money,
                Some("r, ?, ?"),
            ),
            (r#"{"redemptionID":"r"}"#, Money, Some("r, ?, ?")),
            (r#"{"redemption":{"id":7,"amount":2}}"#, Items, Some("7, 2 items, ?")),
            (
                r#"{"voucherID":"v","isRedeemable":false,"voucherRemainingItemQuantity":0,"redemption":{"redemptionID":"r","amount":2,"isReversed":false,"reversedAt":null}}"#,
                Items,
                Some("r, 2 items, 0 items"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","currencyCode":"USD","voucherEligibleValue":30},"redemption":{"redemptionID":"r","amount":20}}"#,
                Money,
                Some("r, 20.00 USD, 30.00 USD"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","voucherEligibleValue":10,"voucherRemainingValue":30},"redemptionID":"r"}"#,
                Money,
                Some("r, ?, 30.00 EUR"),
            ),
            // Done, and not to be taken back by a call.
            (
                r#"{"voucher":{"voucherID":"v","isRedeemable":true,"voucherEligibleValue":30}}"#,
                Money,
                Some("?, ?, 30.00 EUR"),
            ),
            (
                r#"{"voucher":{"isRedeemable":true,"voucherEligibleValue":30},"redemption":{"amount":20}}"#,
                Money,
                Some("?, 20.00 EUR, 30.00 EUR"),
            ),
            (r#"{"voucher":{"voucherID":"v"},"redemption":{"redemptionID":"a/b"}}"#, Money, Some("?, ?, ?")),
            (r#"{"voucher":{"voucherID":"v"},"redemption":{"redemptionID":null}}"#, Money, Some("?, ?, ?")),
            // What is left is only told.
            (
                r#"{"voucher":{"voucherID":"v","voucherEligibleValue":30.000000000000004},"redemption":{"redemptionID":"r","amount":20}}"#,
                Money,
                Some("r, 20.00 EUR, ?"),
            ),
            (
                r#"{"voucher":{"voucherID":"v","voucherEligibleValue":-1},"redemption":{"redemptionID":"r"}}"#,
                Money,
                Some("r, ?, ?"),
            ),
            // Unknown.
            (
                r#"{"voucher":{"voucherID":"v"},"redemption":{"redemptionID":"r","amount":20.000000000000004}}"#,
                Money,
                None,
            ),
            (r#"{"voucher":{"voucherID":"v"},"redemption":{"redemptionID":"r","amount":-20}}"#, Money, None),
            (r#"{"voucher":{"voucherID":"v"},"redemption":{"redemptionID":"r","amount":1.5}}"#, Items, None),
            (
                r#"{"voucher":{"voucherID":"v","currencyCode":"XTS"},"redemption":{"redemptionID":"r","amount":20}}"#,
                Money,
                None,
            ),
            (
                r#"{"voucher":{"voucherID":"other"},"redemption":{"redemptionID":"r","amount":20}}"#,
                Money,
                None,
            ),
            (
                r#"{"voucher":{"voucherID":"v"},"redemption":{"redemptionID":"r","isReversed":true}}"#,
                Money,
                None,
            ),
            (r#"{"message":"done"}"#, Money, None),
            (r#"{"status":"ok","id":"r"}"#, Money, None),
            ("{}", Money, None),
            ("[]", Money, None),
            ("true", Money, None),
        ] {
            assert_eq!(done(json, sort).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_reversal_is_believed_only_of_this_redemption_or_in_so_many_words() {
        let id = ID.parse().unwrap();
        for (json, believed) in [
            (r#"{"redemption":{"redemptionID":"ID","isReversed":true}}"#, true),
            (r#"{"data":{"voucherRedemption":{"id":"ID","reversedAt":"2026-11-22T10:00:00Z"}}}"#, true),
            (r#"{"redemption":{"redemptionID":"ID"}}"#, true),
            (r#"{"redemptionID":"ID"}"#, true),
            (r#"{"redemption":{"isReversed":true}}"#, true),
            (r#"{"redemption":{"redemptionID":"ID","isReversed":false}}"#, false),
            (r#"{"redemption":{"redemptionID":"ID","isReversed":"true"}}"#, false),
            (r#"{"redemption":{"redemptionID":"other","isReversed":true}}"#, false),
            (r#"{"redemption":{"redemptionID":{},"isReversed":true}}"#, false),
            (r#"{"redemption":{"amount":20}}"#, false),
            (r#"{"voucher":{"voucherID":"v","isRedeemable":true}}"#, false),
            (r#"{"isReversed":true}"#, false),
            ("{}", false),
            ("[]", false),
        ] {
            let answer = reversed(
                &read(
                    &json
                        .replace("ID\"", &format!("{ID}\""))
                        .replace(&format!("redemption{ID}"), "redemptionID"),
                ),
                &id,
            );
            assert_eq!(answer, believed.then_some(ReverseAnswer::Reversed), "{json}");
        }
    }
}
