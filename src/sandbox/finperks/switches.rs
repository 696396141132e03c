//! How this provider behaves where the real one's behaviour is not known, or may be either way.
//!
//! Each switch names the row of the fact sheet's section 9 that it stands for. A missing field has its default; an
//! unknown field is refused, so that a misspelt switch never lets a test pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::refusal::ErrorShape;
use super::signature::SigningProfile;
use crate::rate::{RateLimit, RetryAfterForm};

/// What happens to a key that comes again with the same request (U6). With another request it is always an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedKey {
    /// The first answer again.
    #[default]
    Replay,
    /// `reused_idempotency_key`.
    Error,
}

/// What a second confirm of a completed order gets (U9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondConfirm {
    /// The order with its lines.
    #[default]
    Replay,
    /// `order_completed`.
    Error,
    /// The order without its lines.
    ReplayWithoutLines,
}

/// How an asynchronous confirm ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmEnd {
    /// The card is live.
    #[default]
    Completed,
    /// Nothing was charged.
    Failed,
}

/// Whether confirm answers when the card is live, or before (U12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConfirmMode {
    /// The answer is final.
    #[default]
    Sync,
    /// The answer is `processing`, which lasts until both conditions are met.
    Async {
        /// So many reads of the order still say `processing`.
        #[serde(default)]
        polls: u32,
        /// So many milliseconds pass.
        #[serde(default)]
        ms: u32,
        /// What comes then.
        #[serde(default)]
        ends: ConfirmEnd,
    },
}

/// How the elements of `receipt_printing.lines` look (U18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineShape {
    /// Strings.
    #[default]
    Text,
    /// `{"text": …}`.
    Object,
    /// Both in turn, and one object of a kind that nobody told the client about.
    Mixed,
    /// Strings, and after them some that hold control characters, a printer's commands, and more than a row.
    Hostile,
}

/// How a list is wrapped (U22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListShape {
    /// A bare array.
    #[default]
    Array,
    /// `{"data": […]}`.
    Data,
    /// `{"products": […], "next_cursor": …}`, a page at a time; the next page is `?cursor=…`.
    Paged,
}

/// The greatest sums, each in whatever currency the order has; nothing is limited where there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Whole currency units for one store.
    pub store: Option<u32>,
    /// Whole currency units for one terminal of a store.
    pub terminal: Option<u32>,
    /// Whole currency units for one receipt of a store.
    pub receipt_amount: Option<u32>,
    /// Cards on one receipt of a store.
    pub receipt_count: Option<u32>,
    /// Whole currency units for one product.
    pub product: Option<u32>,
}

/// What a product names as its picture, and what lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureShape {
    /// It names none.
    None,
    /// A picture, also of a product that has none by itself.
    Drawn,
    /// Another one at another address.
    DrawnAnew,
    /// A picture, at an address that leads to a host which nobody has named.
    Elsewhere,
    /// A redirect to such a host.
    Redirect,
    /// A picture of more than 1 MiB.
    TooLarge,
    /// A small file that unpacks into 65,000 dots each way.
    TooWide,
    /// A page with a script, said to be a PNG.
    Html,
    /// An SVG with a script.
    Svg,
    /// A picture that comes a byte at a time, and never whole.
    Drip,
    /// 404.
    Gone,
}

/// What differs for one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductSwitches {
    /// Whether it may be sold; the catalogue's word if absent.
    pub enabled: Option<bool>,
    /// Whether its orders can be invalidated; the catalogue's word if absent.
    pub invalidation_supported: Option<bool>,
    /// Its own window in seconds; the general one if absent.
    pub invalidation_window_s: Option<u32>,
    /// Its picture; the catalogue's own, or none, if absent.
    pub picture: Option<PictureShape>,
}

/// Every switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// U1.
    pub signing_profile: SigningProfile,
    /// U3: how far `Date` may be off, in seconds, either way.
    pub date_skew_s: u32,
    /// U5.
    pub error_shape: ErrorShape,
    /// U6.
    pub repeated_key: RepeatedKey,
    /// U9: whether reading a completed order shows its lines.
    pub get_shows_lines: bool,
    /// U9.
    pub second_confirm: SecondConfirm,
    /// U12.
    pub confirm: ConfirmMode,
    /// U13: whether an order that was never confirmed can be invalidated.
    pub unconfirmed_can_be_invalidated: bool,
    /// U15: seconds from confirm in which a completed order can be invalidated; 0 closes it at once.
    pub invalidation_window_s: u32,
    /// U17: whether an order takes from the available balance, and counts to the limits, before it is confirmed.
    pub create_reserves: bool,
    /// Fact sheet 4.2.
    pub limits: Limits,
    /// U18.
    pub line_shape: LineShape,
    /// U22.
    pub list_shape: ListShape,
    /// Entries of a page where lists are paged; at least 1.
    pub page_size: u32,
    /// By product code.
    pub products: BTreeMap<String, ProductSwitches>,
    /// U24; absent: none.
    pub rate_limit: Option<RateLimit>,
    /// Fact sheet 6.
    pub retry_after: RetryAfterForm,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            signing_profile: SigningProfile::default(),
            date_skew_s: 300,
            error_shape: ErrorShape::default(),
            repeated_key: RepeatedKey::default(),
            get_shows_lines: true,
            second_confirm: SecondConfirm::default(),
            confirm: ConfirmMode::default(),
            unconfirmed_can_be_invalidated: true,
            invalidation_window_s: 900,
            create_reserves: true,
            limits: Limits::default(),
            line_shape: LineShape::default(),
            list_shape: ListShape::default(),
            page_size: 5,
            products: BTreeMap::new(),
            rate_limit: None,
            retry_after: RetryAfterForm::default(),
        }
    }
}

impl Switches {
    /// Wraps a list as the switch says. A cursor is the place of the page's first entry.
    pub(crate) fn list(&self, name: &str, all: Vec<Value>, query: &str) -> Value {
        match self.list_shape {
            ListShape::Array => Value::Array(all),
            ListShape::Data => json!({"data": all}),
            ListShape::Paged => {
                let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor="));
                let first: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
                let size = usize::try_from(self.page_size.max(1)).unwrap_or(usize::MAX);
                let next = first.saturating_add(size);
                let more = next < all.len();
                let page: Vec<Value> = all.into_iter().skip(first).take(size).collect();
                let mut body = Map::new();
                body.insert(name.to_owned(), Value::Array(page));
                body.insert(
                    "next_cursor".to_owned(),
                    if more { json!(next.to_string()) } else { Value::Null },
                );
                Value::Object(body)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_switch_is_refused_and_a_missing_one_has_its_default() {
        assert_eq!(serde_json::from_str::<Switches>("{}").unwrap(), Switches::default());
        for text in [
            r#"{"second_confrim": "error"}"#,
            r#"{"second_confirm": "maybe"}"#,
            r#"{"limits": {"shop": 1}}"#,
            r#"{"confirm": {"mode": "async", "poll": 1}}"#,
        ] {
            assert!(serde_json::from_str::<Switches>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn switches_come_back_from_their_own_text() {
        let switches = Switches {
            confirm: ConfirmMode::Async { polls: 2, ms: 0, ends: ConfirmEnd::Failed },
            rate_limit: Some(RateLimit { requests: 1, per_s: 60, retry_after_s: 7 }),
            ..Switches::default()
        };
        let text = serde_json::to_string(&switches).unwrap();
        assert_eq!(serde_json::from_str::<Switches>(&text).unwrap(), switches);
    }
}
