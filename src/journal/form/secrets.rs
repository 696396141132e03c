//! The secret part of an event: which texts are sealed for which order, and how they come back.
//!
//! A packed secret is one byte that tells what it is, and then its text: 1, a POSA card's code; 2, the lines of a
//! card as `odd elements (u16) · count (u16) · for each line its length (u32) and its bytes`, all numbers
//! little-endian.

use tilld_domain::ids::{CardCode, OrderId};
use tilld_domain::order::OrderEvent;
use tilld_domain::outcome::{OrderSeen, Outcome, ReceiptLines};
use tilld_domain::sale::{Sale, SaleEvent};
use zeroize::Zeroizing;

use crate::failure::DecodeError;

const CODE: u8 = 1;
const LINES: u8 = 2;

/// A secret in the clear, on its way to or from the seal.
pub(crate) type Packed = Zeroizing<Vec<u8>>;

/// The secrets of an event, by the order that each belongs to.
pub(crate) fn take(event: &SaleEvent, after: &Sale) -> Vec<(OrderId, Packed)> {
    match event {
        SaleEvent::Opened(opening) => opening
            .cards
            .iter()
            .filter_map(|facts| Some((facts.id, pack_code(facts.code.as_ref()?))))
            .collect(),
        SaleEvent::Card(card, event) => {
            let packed = seen(event).and_then(|seen| pack_lines(seen.lines.as_ref()?));
            after
                .order(*card)
                .zip(packed)
                .map(|(order, packed)| (order.facts.id, packed))
                .into_iter()
                .collect()
        }
        SaleEvent::Paid { .. } | SaleEvent::Cancelled { .. } | SaleEvent::Resumed => Vec::new(),
    }
}

/// Puts a secret back into the event that it was taken from.
pub(crate) fn put_back(event: &mut SaleEvent, order: OrderId, packed: &[u8]) -> Result<(), DecodeError> {
    let restored = match (event, packed.split_first()) {
        (SaleEvent::Opened(opening), Some((&CODE, text))) => opening
            .cards
            .iter_mut()
            .find(|facts| facts.id == order)
            .zip(unpack_code(text))
            .map(|(facts, code)| facts.code = Some(code)),
        (SaleEvent::Card(_, event), Some((&LINES, text))) => {
            lines_mut(event).zip(unpack_lines(text)).and_then(|(place, lines)| {
                let same = lines.count() == place.count() && lines.odd_elements() == place.odd_elements();
                same.then(|| *place = lines)
            })
        }
        _ => None,
    };
    restored.ok_or(DecodeError::Sealed)
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
        | OrderEvent::TimeUp
        | OrderEvent::Resumed
        | OrderEvent::Answered { .. }
        | OrderEvent::CopyAsked { .. }
        | OrderEvent::Settled { .. } => None,
    }
}

fn pack_code(code: &CardCode) -> Packed {
    let text = code.secret().reveal().as_bytes();
    // The whole capacity at once: a buffer that grows leaves copies behind that nobody wipes.
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
    packed.push(CODE);
    packed.extend_from_slice(text);
    packed
}

fn unpack_code(text: &[u8]) -> Option<CardCode> {
    std::str::from_utf8(text).ok()?.parse().ok()
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
