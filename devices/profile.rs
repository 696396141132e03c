//! What kinds of printers there are, as data: a new kind is a new constant (or a configuration that changes a field of
//! one), never a new branch.
//!
//! The numbers of `ESC t` and the widths come from the escpos-printer-db project (CC BY 4.0) and the vendors' manuals
//! (fact sheet ESCPOS 3.1). What a printer can answer is a hint, because clones carry the names of others: an ability
//! that is [`Ability::Ask`] is tried once on the device and remembered.

use tilld_domain::slip::{DrawerPin, DrawerPulse, Paper};

use crate::codepage::CodePage;

/// How a printer cuts its paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ability {
    /// It does; silence is then a fault.
    Has,
    /// Not known: tried on the device, and remembered once it answered.
    Ask,
    /// It does not, and must not be asked (old firmware prints the question).
    Lacks,
}

/// One kind of printer.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Characters of font A in a row. Depends on the paper and on the printer's own settings.
    pub columns: u16,
    /// Dots in a row: a bar code that is wider is not printed at all.
    pub dots: u16,
    /// Its code pages, each with its number for `ESC t`.
    pub pages: &'static [(CodePage, u8)],
    /// Whether one of its pages has a character; must agree with `pages`.
    pub prints: fn(char) -> bool,
    /// How it cuts.
    pub cut: Cut,
    /// A pulse that opens the usual drawer.
    pub drawer: DrawerPulse,
    /// Whether it draws QR codes by itself (`GS ( k`). Where not, the code's text is printed instead.
    pub native_qr: bool,
    /// Real-time status (`DLE EOT`).
    pub real_time_status: Ability,
    /// Queued status (`GS r`).
    pub queued_status: Ability,
    /// Process ids (`GS ( H`).
    pub process_id: Ability,
}

const WESTERN: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 2),
    (CodePage::Cp858, 19),
    (CodePage::Cp1252, 16),
    (CodePage::Cp852, 18),
];

const EPSON: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 2),
    (CodePage::Cp858, 19),
    (CodePage::Cp1252, 16),
    (CodePage::Cp852, 18),
    (CodePage::Cp1250, 45),
    (CodePage::Iso8859x15, 40),
    (CodePage::Cp866, 17),
];

const TM_T88II: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 2),
    (CodePage::Cp1252, 16),
    (CodePage::Cp852, 18),
    (CodePage::Cp1250, 45),
    (CodePage::Iso8859x15, 40),
    (CodePage::Cp866, 17),
];

const RONGTA: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 2),
    (CodePage::Cp858, 19),
    (CodePage::Cp1252, 16),
    (CodePage::Cp852, 18),
    (CodePage::Cp1250, 30),
    (CodePage::Iso8859x15, 44),
    (CodePage::Cp866, 7),
];

const ZJIANG: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 2),
    (CodePage::Cp858, 19),
    (CodePage::Cp1252, 16),
    (CodePage::Cp852, 18),
    (CodePage::Cp1250, 72),
    (CodePage::Cp866, 17),
];

const YHD_8390: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 2),
    (CodePage::Cp858, 14),
    (CodePage::Cp1252, 11),
    (CodePage::Cp852, 13),
];

const WINCOR: &[(CodePage, u8)] = &[
    (CodePage::Cp437, 0),
    (CodePage::Cp850, 1),
    (CodePage::Cp858, 6),
    (CodePage::Cp1252, 8),
    (CodePage::Cp852, 2),
    (CodePage::Cp1250, 17),
    (CodePage::Cp866, 7),
];

const ONLY_CP437: &[(CodePage, u8)] = &[(CodePage::Cp437, 0)];

fn any_has(pages: &[(CodePage, u8)], letter: char) -> bool {
    pages.iter().any(|(page, _)| page.byte(letter).is_some())
}

impl Profile {
    /// An 80 mm Epson TM or one of the many printers that behave like it: the default.
    pub const EPSON: Self = Self {
        name: "epson",
        columns: 48,
        dots: 576,
        pages: EPSON,
        prints: |letter| any_has(EPSON, letter),
        cut: Cut::Full,
        // 50 ms on, 500 ms off: what drawers are built for.
        drawer: DrawerPulse { pin: DrawerPin::Two, on_ms: 50, off_ms: 500 },
        native_qr: true,
        real_time_status: Ability::Has,
        queued_status: Ability::Ask,
        process_id: Ability::Ask,
    };

    /// Epson TM-T88II: 42 columns, no CP858, process ids absent (fact sheet ESCPOS 3.4).
    pub const TM_T88II: Self = Self {
        name: "tm-t88ii",
        columns: 42,
        dots: 512,
        pages: TM_T88II,
        prints: |letter| any_has(TM_T88II, letter),
        native_qr: false,
        process_id: Ability::Lacks,
        ..Self::EPSON
    };

    /// Bixolon SRP and Citizen CT-S in their Epson modes.
    pub const BIXOLON: Self =
        Self { name: "bixolon", pages: WESTERN, prints: |letter| any_has(WESTERN, letter), ..Self::EPSON };

    /// Rongta RP326 and RP332. Process ids are unproven there.
    pub const RONGTA: Self = Self {
        name: "rongta",
        pages: RONGTA,
        prints: |letter| any_has(RONGTA, letter),
        process_id: Ability::Lacks,
        ..Self::EPSON
    };

    /// The 58 mm clones (POS-5890, Netum): 32 columns, no knife, no QR codes of their own.
    pub const POS_5890: Self = Self {
        name: "pos-5890",
        columns: 32,
        dots: 384,
        pages: ZJIANG,
        prints: |letter| any_has(ZJIANG, letter),
        cut: Cut::TearOff,
        native_qr: false,
        process_id: Ability::Lacks,
        ..Self::EPSON
    };

    /// YHD-8390 and KR-306.
    pub const YHD_8390: Self = Self {
        name: "yhd-8390",
        pages: YHD_8390,
        prints: |letter| any_has(YHD_8390, letter),
        process_id: Ability::Lacks,
        ..Self::EPSON
    };

    /// Wincor Nixdorf TH230: 44 columns, page numbers of its own, no QR codes.
    pub const TH230: Self = Self {
        name: "th230",
        columns: 44,
        pages: WINCOR,
        prints: |letter| any_has(WINCOR, letter),
        cut: Cut::Partial,
        native_qr: false,
        process_id: Ability::Lacks,
        ..Self::EPSON
    };

    /// Anything that takes bytes and of which nothing is known: CP437 alone, the old cut, asked nothing.
    pub const PLAIN: Self = Self {
        name: "plain",
        pages: ONLY_CP437,
        prints: |letter| any_has(ONLY_CP437, letter),
        cut: Cut::Legacy,
        native_qr: false,
        real_time_status: Ability::Lacks,
        queued_status: Ability::Lacks,
        process_id: Ability::Lacks,
        ..Self::EPSON
    };

    /// Every kind that is known.
    pub const ALL: [Self; 8] = [
        Self::EPSON,
        Self::TM_T88II,
        Self::BIXOLON,
        Self::RONGTA,
        Self::POS_5890,
        Self::YHD_8390,
        Self::TH230,
        Self::PLAIN,
    ];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// The same kind with another number of columns, as the shop's paper and the printer's switches make it. Dots
    /// follow, at twelve a column. At least 1.
    #[must_use]
    pub fn with_columns(self, columns: u16) -> Self {
        let columns = columns.max(1);
        Self { columns, dots: columns.saturating_mul(12), ..self }
    }

    /// What its paper can take.
    pub fn paper(&self) -> Paper {
        Paper { columns: self.columns, prints: self.prints }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::EPSON
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_found_by_its_name_alone() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name).unwrap().name, profile.name);
        }
        assert!(Profile::named("Epson").is_none());
        assert!(Profile::named("").is_none());
    }

    #[test]
    fn what_a_paper_prints_is_what_its_pages_have() {
        for profile in Profile::ALL {
            for letter in "aß€Łя≥漢\u{1b}".chars() {
                let has = profile.pages.iter().any(|(page, _)| page.byte(letter).is_some());
                assert_eq!((profile.paper().prints)(letter), has, "{} {letter:?}", profile.name);
            }
        }
        assert!((Profile::EPSON.paper().prints)('€'));
        assert!(!(Profile::PLAIN.paper().prints)('€'));
    }

    #[test]
    fn every_kind_has_cp437_at_zero_and_no_number_twice() {
        for profile in Profile::ALL {
            assert_eq!(profile.pages.first(), Some(&(CodePage::Cp437, 0)), "{}", profile.name);
            let mut numbers: Vec<u8> = profile.pages.iter().map(|(_, number)| *number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), profile.pages.len(), "{}", profile.name);
        }
    }
}
