//! What kinds of printers there are, as data: a new kind is a new file in `profiles/`, or a file of the shop's own, never
//! a new branch.
//!
//! Each file inherits what it does not say from another one, at the end from `epson.toml`, the default; its comments say
//! where its numbers come from and under which licence. What a printer can answer is a hint, because clones carry the names of
//! others: an ability that is [`Ability::Ask`] is tried once on the device and remembered.
//!
//! A shop's own file is hostile until read: see [`sheet`]. The files of the house are read once and checked by tests; were
//! one of them broken, its kind would be unknown rather than half right.

mod sheet;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use tilld_domain::slip::{DrawerPulse, Letters, Paper};

use crate::codepage::CodePage;
use crate::double_byte::DoubleByte;
use crate::font::Font;

pub use sheet::Wrong;

/// How a printer cuts its paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// `GS V 65 0`: feed to the knife, cut off.
    Full,
    /// `GS V 66 0`: feed to the knife, leave a bridge.
    Partial,
    /// Feed five rows and `ESC i`: old clones.
    Legacy,
    /// No knife: feed four rows, so that the last printed row passes the tear bar.
    TearOff,
}

/// Whether a printer answers a kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// It does; silence is then a fault.
    Has,
    /// Not known: tried on the device, and remembered once it answered.
    Ask,
    /// It does not, and must not be asked (old firmware prints the question).
    Lacks,
}

/// How QR codes or bars come to paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codes {
    /// The printer draws them from their text.
    Native,
    /// They are sent as a picture.
    Raster,
    /// Neither can be trusted: their text is printed.
    Text,
}

/// How pictures are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Raster {
    /// `GS v 0`: row by row. Called obsolete by Epson, and the one that most printers have.
    GsV0,
    /// `ESC * 33`: columns of 24 dots.
    EscStar24,
    /// Not at all.
    None,
}

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// ESC/POS.
    EscPos,
    /// Star's own, which nothing here speaks.
    Star,
}

/// One kind of printer. A clone shares its lists.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Models of the kind, for people who look for theirs.
    pub models: Arc<[String]>,
    /// What it speaks.
    pub language: Language,
    /// Characters of font A in a row. Depends on the paper and on the printer's own settings.
    pub columns: u16,
    /// Characters of the smaller font B in a row.
    pub columns_b: u16,
    /// Dots in a row: a bar code that is wider is not printed at all.
    pub dots: u16,
    /// Its code pages, each with its number for `ESC t`.
    pub pages: Arc<[(CodePage, u8)]>,
    /// Its code of wide characters, if it has one.
    pub double_byte: Option<DoubleByte>,
    /// What it prints as itself; must agree with `pages` and `double_byte`.
    pub prints: Letters,
    /// How it cuts.
    pub cut: Cut,
    /// A pulse that opens the usual drawer.
    pub drawer: DrawerPulse,
    /// How it gets QR codes.
    pub qr: Codes,
    /// How it gets EAN-13 and CODE128.
    pub barcodes: Codes,
    /// How it gets pictures.
    pub raster: Raster,
    /// For rows that its own characters cannot express: the shop's, never a file's of the house.
    pub font: Option<Font>,
    /// Real-time status (`DLE EOT`).
    pub real_time_status: Ability,
    /// Queued status (`GS r`).
    pub queued_status: Ability,
    /// Process ids (`GS ( H`).
    pub process_id: Ability,
}

/// The files of the house, those that others inherit from first.
const FILES: [(&str, &str); 21] = [
    ("epson", include_str!("profiles/epson.toml")),
    ("epson-japan", include_str!("profiles/epson-japan.toml")),
    ("tm-t88v", include_str!("profiles/tm-t88v.toml")),
    ("tm-t88iv", include_str!("profiles/tm-t88iv.toml")),
    ("tm-t88iii", include_str!("profiles/tm-t88iii.toml")),
    ("tm-t88ii", include_str!("profiles/tm-t88ii.toml")),
    ("tm-m30iii", include_str!("profiles/tm-m30iii.toml")),
    ("tm-u220", include_str!("profiles/tm-u220.toml")),
    ("bixolon", include_str!("profiles/bixolon.toml")),
    ("citizen", include_str!("profiles/citizen.toml")),
    ("star", include_str!("profiles/star.toml")),
    ("star-mode", include_str!("profiles/star-mode.toml")),
    ("rongta", include_str!("profiles/rongta.toml")),
    ("pos-5890", include_str!("profiles/pos-5890.toml")),
    ("zj-5870", include_str!("profiles/zj-5870.toml")),
    ("munbyn", include_str!("profiles/munbyn.toml")),
    ("yhd-8390", include_str!("profiles/yhd-8390.toml")),
    ("th230", include_str!("profiles/th230.toml")),
    ("hp-a779", include_str!("profiles/hp-a779.toml")),
    ("mpt-ii", include_str!("profiles/mpt-ii.toml")),
    ("plain", include_str!("profiles/plain.toml")),
];

static ALL: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let mut known: Vec<Profile> = Vec::with_capacity(FILES.len());
    for (_, text) in FILES {
        if let Ok(profile) = sheet::read(text, &known) {
            known.push(profile);
        }
    }
    known
});

/// Why a name is no printer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such kind.
    Unknown,
    /// It speaks another language.
    Star,
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                out.write_str("there is no such family; wanted: one of ")?;
                let usable = Profile::all().iter().filter(|profile| profile.language == Language::EscPos);
                for (number, profile) in usable.enumerate() {
                    write!(out, "{}{}", if number == 0 { "" } else { ", " }, profile.name)?;
                }
                Ok(())
            }
            Self::Star => out.write_str(
                "in Star mode a printer does not understand ESC/POS; set its emulation to ESC/POS (by its switches or \
                 Star's own program) and take the family star",
            ),
        }
    }
}

impl std::error::Error for Unfit {}

impl Profile {
    /// Every kind that is known, also those that cannot be used.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// An 80 mm Epson TM or one of the many printers that behave like it: the default.
    pub fn epson() -> Self {
        ALL.first().cloned().unwrap_or_else(sheet::bare)
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Result<Self, Unfit> {
        match ALL.iter().find(|profile| *profile.name == *name) {
            None => Err(Unfit::Unknown),
            Some(profile) if profile.language == Language::Star => Err(Unfit::Star),
            Some(profile) => Ok(profile.clone()),
        }
    }

    /// The kind that a shop's own file describes, or what is wrong with the file.
    pub fn from_file(path: &Path) -> Result<Self, Wrong> {
        sheet::from_file(path, &ALL)
    }

    /// The same kind with another number of columns, as the shop's paper and the printer's switches make it. Dots
    /// follow, at twelve a column. At least 1.
    #[must_use]
    pub fn with_columns(self, columns: u16) -> Self {
        let columns = columns.max(1);
        Self { columns, dots: columns.saturating_mul(12), ..self }
    }

    /// The same kind with a font for rows that its own characters cannot express.
    #[must_use]
    pub fn with_font(self, font: Font) -> Self {
        Self { font: Some(font), ..self }
    }

    /// What its paper can take.
    pub fn paper(&self) -> Paper {
        let bars = if self.barcodes == Codes::Text { 0 } else { self.dots };
        Paper { columns: self.columns, prints: self.prints.clone(), bars }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::epson()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_house_is_read_under_its_own_name() {
        let known: Vec<&str> = Profile::all().iter().map(|profile| &*profile.name).collect();
        for (name, text) in FILES {
            assert!(known.contains(&name), "{name}: {:?}", sheet::read(text, Profile::all()).err());
            assert!(
                text.contains("# Source: ") && text.contains("# Licence: "),
                "{name} does not say whose it is"
            );
        }
        assert_eq!(known.len(), FILES.len());
    }

    #[test]
    fn a_profile_is_found_by_its_name_alone() {
        for profile in Profile::all().iter().filter(|profile| profile.language == Language::EscPos) {
            assert_eq!(Profile::named(&profile.name).unwrap().name, profile.name);
        }
        assert_eq!(Profile::named("Epson").unwrap_err(), Unfit::Unknown);
        assert_eq!(Profile::named("").unwrap_err(), Unfit::Unknown);
        assert_eq!(Profile::named("star-mode").unwrap_err(), Unfit::Star);
        assert!(Unfit::Unknown.to_string().contains("one of epson, epson-japan, tm-t88v"));
        assert!(!Unfit::Unknown.to_string().contains("star-mode"));
    }

    #[test]
    fn what_a_paper_prints_is_what_its_pages_have() {
        for profile in Profile::all() {
            for letter in "aß€Łя≥漢\u{1b}".chars() {
                let in_a_page = profile.pages.iter().any(|(page, _)| page.byte(letter).is_some());
                let has = in_a_page
                    || profile.double_byte.is_some_and(|code| code.code(letter).is_some() && letter != 'я');
                assert_eq!(profile.paper().prints.has(letter), has, "{} {letter:?}", profile.name);
            }
        }
        assert!(Profile::epson().paper().prints.has('€'));
        assert!(!Profile::named("plain").unwrap().paper().prints.has('€'));
    }

    #[test]
    fn every_kind_has_cp437_at_zero() {
        for profile in Profile::all().iter().filter(|profile| profile.language == Language::EscPos) {
            assert_eq!(profile.pages.first(), Some(&(CodePage::Cp437, 0)), "{}", profile.name);
        }
    }

    /// The table of fact sheet ESCPOS 3.1: the first number where a family has several.
    #[test]
    fn pages_have_the_numbers_of_the_fact_sheet() {
        use CodePage::{Cp437, Cp850, Cp852, Cp858, Cp866, Cp1250, Cp1251, Cp1252, Iso8859x15};
        let columns = [Cp437, Cp850, Cp858, Cp1252, Cp852, Cp1250, Iso8859x15, Cp866, Cp1251];
        for row in [
            "epson       0  2 19 16 18 45 40 17 46",
            "tm-t88iv    0  2 19 16 18  -  - 17  -",
            "tm-t88ii    0  2  - 16 18 45 40 17 46",
            "tm-m30iii   0  2  - 16 18 45 40 17 46",
            "tm-t88iii   0  2 19 16  -  -  - 17  6",
            "bixolon     0  2 19 16 18  -  - 17  -",
            "citizen     0  2 19 16 18  -  - 17  -",
            "star        0  2 19 16 18  -  - 17  -",
            "rongta      0  2 19 16 18 30 44  7  6",
            "pos-5890    0  2 19 16 18 72  - 17 73",
            "zj-5870     0  2  - 16 18  -  - 17  -",
            "munbyn      0  2 19  6 18  -  - 17  -",
            "yhd-8390    0  2 14 11 13  -  - 12 18",
            "th230       0  1  6  8  2 17  -  7  -",
            "hp-a779     0  1  6  8  2  -  -  7 13",
            "mpt-ii      0  -  -  -  -  -  -  7  6",
            "plain       0  -  -  -  -  -  -  -  -",
        ] {
            let mut words = row.split_whitespace();
            let name = words.next().unwrap();
            let profile = Profile::named(name).unwrap();
            for (page, wanted) in columns.into_iter().zip(words) {
                let number = profile.pages.iter().find(|(its, _)| *its == page).map(|(_, number)| *number);
                assert_eq!(number, wanted.parse().ok(), "{name} {page:?}");
            }
        }
    }
}
