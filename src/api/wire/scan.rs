//! What a scanner read, as a listener gets it.

use serde::Serialize;
use tilld_counter::Scan;
use utoipa::ToSchema;

/// What a scanner read, once. It may be the code of a voucher: it is to be shown and kept nowhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScanRead<'a> {
    /// The scanner's name in the configuration.
    #[schema(example = "counter")]
    source: &'a str,
    /// What was read, as it was read, without what frames it; group separators of GS1 (U+001D) and an AIM identifier stay. To be
    /// sent on as the `scan` of `/v1/vouchers/check`, or as the `code` of a card.
    #[schema(min_length = 1, max_length = 1024, example = "4012 0000 0011")]
    text: &'a str,
}

impl<'a> From<&'a Scan> for ScanRead<'a> {
    fn from(scan: &'a Scan) -> Self {
        Self { source: &scan.source, text: scan.text.reveal() }
    }
}
