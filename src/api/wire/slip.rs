//! A slip as it looks on paper, part by part from top to bottom. What a code drawn as bars or squares holds is never in it (law L11).

use serde::Serialize;
use tilld_domain::slip;
use utoipa::ToSchema;

use super::parts::words;

/// A slip as it looks on paper.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Slip {
    /// Characters of normal width in a row.
    columns: u16,
    /// Its parts from top to bottom.
    parts: Vec<SlipPart>,
}

/// A part of a slip.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SlipPart {
    /// A row of text. It is never wider than the paper: at most `columns` / `width` characters of normal width.
    Row {
        /// The text, with dots in the place of a code.
        text: String,
        /// Where it stands.
        align: SlipAlign,
        /// The width of its characters, as a multiple of the normal one.
        width: u8,
        /// Their height, likewise.
        height: u8,
        /// Heavier; absent if not.
        #[serde(skip_serializing_if = "is_not")]
        bold: bool,
        /// A line under it; absent if not.
        #[serde(skip_serializing_if = "is_not")]
        underline: bool,
        /// White on black; absent if not.
        #[serde(skip_serializing_if = "is_not")]
        inverse: bool,
    },
    /// Blank rows.
    Feed {
        /// How many.
        rows: u8,
    },
    /// A QR code.
    Qr,
    /// A bar code.
    Barcode,
    /// A picture.
    Picture,
    /// Here the paper is cut.
    Cut,
}

words! {
    /// Where a row stands between the edges.
    enum SlipAlign as "SlipAlign" {
        /// At the left edge.
        Left = "left",
        /// In the middle.
        Centre = "centre",
        /// At the right edge.
        Right = "right",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_not(flag: &bool) -> bool {
    !flag
}

impl From<&slip::Slip> for Slip {
    fn from(slip: &slip::Slip) -> Self {
        Self { columns: slip.columns, parts: slip.parts.iter().filter_map(SlipPart::of).collect() }
    }
}

impl SlipPart {
    /// None of what is not seen on paper.
    fn of(part: &slip::Part) -> Option<Self> {
        Some(match part {
            slip::Part::Row(row) => Self::Row {
                text: row.text.reveal().to_owned(),
                align: match row.align {
                    slip::Align::Left => SlipAlign::Left,
                    slip::Align::Centre => SlipAlign::Centre,
                    slip::Align::Right => SlipAlign::Right,
                },
                width: row.style.width,
                height: row.style.height,
                bold: row.style.bold,
                underline: row.style.underline,
                inverse: row.style.inverse,
            },
            slip::Part::Feed(rows) => Self::Feed { rows: *rows },
            slip::Part::Qr(_) => Self::Qr,
            slip::Part::Barcode(..) => Self::Barcode,
            slip::Part::Picture(..) => Self::Picture,
            slip::Part::Cut => Self::Cut,
            slip::Part::Drawer(_) => return None,
        })
    }
}
