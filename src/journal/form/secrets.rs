//! The secret part of an event: which texts are sealed for whom, and how they come back.
//!
//! A packed secret is one byte that tells what it is, and then its text: 1, a POSA card's code; 2, the lines of a card as
//! `odd elements (u16) · count (u16) · for each line its length (u32) and its bytes`, all numbers little-endian; 3, a
//! voucher's number; 4, a voucher's token.

use tilld_domain::ids::CardCode;
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::{OrderSeen, Outcome, ReceiptLines};
use tilld_domain::sale::{Sale, SaleEvent};
use tilld_domain::secret::Secret;
use tilld_domain::voucher::VoucherCode;
use zeroize::Zeroizing;

use crate::entry::{Event, RedemptionStep};
use crate::failure::DecodeError;
use crate::seal::Owner;

const CODE: u8 = 1;
const LINES: u8 = 2;
const VOUCHER_NUMBER: u8 = 3;
const VOUCHER_TOKEN: u8 = 4;

/// A secret in the clear, on its way to or from the seal.
pub(crate) type Packed = Zeroizing<Vec<u8>>;

/// The secrets of what happened to a sale, by the order that each belongs to.
pub(crate) fn take_of_sale(event: &SaleEvent, after: &Sale) -> Vec<(Owner, Packed)> {
    match event {
        SaleEvent::Opened(opening) => opening
            .cards
            .iter()
            .filter_map(|facts| Some((facts.id.into(), pack_text(CODE, facts.code.as_ref()?.secret()))))
            .collect(),
        SaleEvent::Card(card, event) => {
            let packed = seen(event).and_then(|seen| pack_lines(seen.lines.as_ref()?));
            after
                .order(*card)
                .zip(packed)
                .map(|(order, packed)| (order.facts.id.into(), packed))
                .into_iter()
                .collect()
        }
        SaleEvent::Paid { .. } | SaleEvent::Cancelled { .. } | SaleEvent::Resumed => Vec::new(),
    }
}

/// The secret of what happened to a redemption: only its opening has one.
pub(crate) fn take_of_redemption(step: &RedemptionStep) -> Option<(Owner, Packed)> {
    let RedemptionStep::Opened(opening) = step else { return None };
    let code = opening.code.as_ref()?;
    let tag = match code {
        VoucherCode::Number(_) => VOUCHER_NUMBER,
        VoucherCode::Token(_) => VOUCHER_TOKEN,
    };
    Some((opening.redemption.into(), pack_text(tag, code.secret())))
}

/// Puts a secret back into the event that it was taken from.
pub(crate) fn put_back(event: &mut Event, owner: Owner, packed: &[u8]) -> Result<(), DecodeError> {
    let put_back = match event {
        Event::Sale(event) => put_back_of_sale(event, owner, packed),
        Event::Redemption(RedemptionStep::Opened(opening)) if owner == opening.redemption.into() => {
            unpack_voucher(packed).map(|code| opening.code = Some(code))
        }
        Event::Redemption(_) | Event::Device(_) | Event::Day(_) => None,
    };
    put_back.ok_or(DecodeError::Sealed)
}

fn put_back_of_sale(event: &mut SaleEvent, owner: Owner, packed: &[u8]) -> Option<()> {
    match (event, packed.split_first()) {
        (SaleEvent::Opened(opening), Some((&CODE, text))) => opening
            .cards
            .iter_mut()
            .find(|facts| owner == facts.id.into())
            .zip(unpack_code(text))
            .map(|(facts, code)| facts.code = Some(code)),
        (SaleEvent::Card(_, event), Some((&LINES, text))) => {
            lines_mut(event).zip(unpack_lines(text)).and_then(|(place, lines)| {
                let same = lines.count() == place.count() && lines.odd_elements() == place.odd_elements();
                same.then(|| *place = lines)
            })
        }
        _ => None,
    }
}

/// The lines of an event, to be replaced.
pub(crate) fn lines_mut(event: &mut OrderEvent) -> Option<&mut ReceiptLines> {
    match event {
        OrderEvent::ConfirmEnded(Outcome::Done(seen)) | OrderEvent::LookupEnded(Outcome::Done(seen)) => {
            seen.lines.as_mut()
        }
        OrderEvent::ConfirmEnded(_)
        | OrderEvent::LookupEnded(_)
        | OrderEvent::CreateEnded(_)
        | OrderEvent::Paid { .. }
        | OrderEvent::Cancelled
        | OrderEvent::UndoEnded(_)
        | OrderEvent::PrintEnded(_)
        | OrderEvent::PrinterReady
        | OrderEvent::TimeUp
        | OrderEvent::Resumed
        | OrderEvent::Answered { .. }
        | OrderEvent::CopyAsked { .. }
        | OrderEvent::Settled { .. } => None,
    }
}

/// The order as the event saw it at the provider. Without a default arm: a new event must say whether it holds lines.
fn seen(event: &OrderEvent) -> Option<&OrderSeen> {
    match event {
        OrderEvent::ConfirmEnded(Outcome::Done(seen)) | OrderEvent::LookupEnded(Outcome::Done(seen)) => {
            Some(seen)
        }
        OrderEvent::ConfirmEnded(_)
        | OrderEvent::LookupEnded(_)
        | OrderEvent::CreateEnded(_)
        | OrderEvent::Paid { .. }
        | OrderEvent::Cancelled
        | OrderEvent::UndoEnded(_)
        | OrderEvent::PrintEnded(_)
        | OrderEvent::PrinterReady
        | OrderEvent::TimeUp
        | OrderEvent::Resumed
        | OrderEvent::Answered { .. }
        | OrderEvent::CopyAsked { .. }
        | OrderEvent::Settled { .. } => None,
    }
}

fn pack_text(tag: u8, secret: &Secret) -> Packed {
    let text = secret.reveal().as_bytes();
    // The whole capacity at once: a buffer that grows leaves copies behind that nobody wipes.
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
    packed.push(tag);
    packed.extend_from_slice(text);
    packed
}

fn unpack_code(text: &[u8]) -> Option<CardCode> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn unpack_voucher(packed: &[u8]) -> Option<VoucherCode> {
    let (tag, text) = packed.split_first()?;
    let text = std::str::from_utf8(text).ok()?;
    match *tag {
        VOUCHER_NUMBER => VoucherCode::number(text),
        VOUCHER_TOKEN => VoucherCode::token(text),
        _ => None,
    }
}

fn pack_lines(lines: &ReceiptLines) -> Option<Packed> {
    if lines.is_gone() || lines.is_empty() {
        return None;
    }
    let length =
        lines.iter().fold(5_usize, |sum, line| sum.saturating_add(line.reveal().len()).saturating_add(4));
    let mut packed = Zeroizing::new(Vec::with_capacity(length));
    packed.push(LINES);
    packed.extend_from_slice(&lines.odd_elements().to_le_bytes());
    packed.extend_from_slice(&u16::try_from(lines.count()).ok()?.to_le_bytes());
    for line in lines.iter() {
        let text = line.reveal().as_bytes();
        packed.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        packed.extend_from_slice(text);
    }
    Some(packed)
}

fn unpack_lines(packed: &[u8]) -> Option<ReceiptLines> {
    let (odd_elements, rest) = packed.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<2>()?;
    let count = usize::from(u16::from_le_bytes(*count));
    let mut lines = Vec::with_capacity(count.min(ReceiptLines::MOST));
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (text, after) = after.split_at_checked(length)?;
        lines.push(std::str::from_utf8(text).ok()?.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    ReceiptLines::new(lines, u16::from_le_bytes(*odd_elements))
}
