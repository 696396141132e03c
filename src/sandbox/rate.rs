//! How often a provider may be asked, and how it says when to come again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// IMF-fixdate (RFC 9110 5.6.7).
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// A moment as an IMF-fixdate.
pub fn date_text(moment: Timestamp) -> String {
    moment.strftime(HTTP_DATE).to_string()
}

/// How `Retry-After` is written (RFC 9110 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterForm {
    /// A number of seconds.
    #[default]
    Seconds,
    /// An IMF-fixdate.
    HttpDate,
}

impl RetryAfterForm {
    /// The header's text for a pause.
    pub fn text(self, seconds: u32, now: Timestamp) -> String {
        match self {
            Self::Seconds => seconds.to_string(),
            Self::HttpDate => {
                let pause = SignedDuration::from_secs(i64::from(seconds));
                date_text(now.saturating_add(pause).unwrap_or(now))
            }
        }
    }
}

/// A rate limit over fixed windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// So many requests are let through in a window.
    pub requests: u32,
    /// The length of a window in seconds.
    pub per_s: u32,
    /// What `Retry-After` says, in seconds.
    pub retry_after_s: u32,
}

/// Where the present window began, and what it has let through.
#[derive(Debug, Default)]
pub struct Window {
    began: Timestamp,
    count: u32,
}

impl Window {
    /// Lets a request through, or not.
    pub fn lets_through(&mut self, limit: RateLimit, now: Timestamp) -> bool {
        let age = now.duration_since(self.began);
        let open = !age.is_negative() && age < SignedDuration::from_secs(i64::from(limit.per_s));
        if !open {
            *self = Self { began: now, count: 0 };
        }
        if self.count >= limit.requests {
            return false;
        }
        self.count = self.count.saturating_add(1);
        true
    }
}
