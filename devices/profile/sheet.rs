//! A profile's file: TOML, every field optional, what is missing inherited.
//!
//! A shop may write one of its own, so it is hostile until read: a regular file of at most [`LONGEST`] bytes, known fields
//! alone, every number within its bounds. The first thing that is wrong is named with its line, its field and what would be
//! right; nothing that the file says is shown beyond a short piece without control characters, for the path may be that of
//! another file by mistake.
//!
//! A table (`pages`) is inherited whole or replaced whole: a printer that lacks a page must be able to say so.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, de};
use tilld_domain::slip::{DrawerPin, DrawerPulse};

use super::{Ability, Codes, Cut, Language, Profile, Raster};
use crate::codepage::CodePage;
use crate::double_byte::DoubleByte;
use crate::given;
use crate::text;

/// The most bytes of a file: those of the house have some hundreds.
const LONGEST: u64 = 64 * 1024;
/// The most characters that are shown of what the parser says.
const SHOWN: usize = 200;

/// What is wrong with a profile's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its line, from 1; none if it is the file as a whole.
    pub line: Option<usize>,
    /// The field, dotted; empty if it is none.
    pub field: String,
    /// What is wrong, and what to do.
    pub why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        if !self.field.is_empty() {
            write!(out, "{}: ", self.field)?;
        }
        out.write_str(&self.why)
    }
}

impl std::error::Error for Wrong {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    #[serde(deserialize_with = "name")]
    name: String,
    inherits: Option<String>,
    #[serde(default)]
    models: Vec<String>,
    language: Option<Language>,
    #[serde(default, deserialize_with = "between::<_, 16, 96>")]
    columns: Option<u16>,
    #[serde(default, deserialize_with = "between::<_, 16, 128>")]
    columns_b: Option<u16>,
    #[serde(default, deserialize_with = "between::<_, 96, 2000>")]
    dots: Option<u16>,
    pages: Option<BTreeMap<CodePage, u8>>,
    double_byte: Option<Wide>,
    cut: Option<Cut>,
    drawer: Option<Drawer>,
    qr: Option<Codes>,
    barcodes: Option<Codes>,
    raster: Option<Raster>,
    real_time_status: Option<Ability>,
    queued_status: Option<Ability>,
    process_id: Option<Ability>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Wide {
    None,
    #[serde(untagged)]
    Code(DoubleByte),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawer {
    #[serde(deserialize_with = "pin")]
    pin: DrawerPin,
    #[serde(deserialize_with = "between::<_, 2, 510>")]
    on_ms: Option<u16>,
    #[serde(deserialize_with = "between::<_, 2, 510>")]
    off_ms: Option<u16>,
}

fn between<'de, D: Deserializer<'de>, const LEAST: u16, const MOST: u16>(
    deserializer: D,
) -> Result<Option<u16>, D::Error> {
    let number = u64::deserialize(deserializer)?;
    let fits = u16::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
    let wanted = || de::Error::custom(format_args!("wanted: a whole number from {LEAST} to {MOST}"));
    fits.map(Some).ok_or_else(wanted)
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=40).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(name);
    }
    Err(de::Error::custom("wanted: 1 to 40 small letters, digits and hyphens"))
}

fn pin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DrawerPin, D::Error> {
    match u64::deserialize(deserializer)? {
        2 => Ok(DrawerPin::Two),
        5 => Ok(DrawerPin::Five),
        _ => Err(de::Error::custom("wanted: 2 or 5, the pin of the drawer's plug")),
    }
}

/// A shop's own file.
pub(super) fn from_file(path: &Path, known: &[Profile]) -> Result<Profile, Wrong> {
    let as_a_whole = |why: String| Wrong { line: None, field: String::new(), why };
    let bytes = given::bytes(path, LONGEST, "; it is no printer's profile").map_err(as_a_whole)?;
    let text = String::from_utf8(bytes).map_err(|_| as_a_whole("is no text in UTF-8".to_owned()))?;
    let profile = read(&text, known)?;
    if profile.language == Language::Star {
        return Err(as_a_whole(super::Unfit::Star.to_string()));
    }
    Ok(profile)
}

/// A file's text.
pub(super) fn read(text: &str, known: &[Profile]) -> Result<Profile, Wrong> {
    let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1);
    let wrong = |error: &toml::de::Error, field: String| Wrong {
        line: error.span().map(|span| line_of(span.start)),
        field,
        why: shown(error.message()),
    };
    let parser = toml::Deserializer::parse(text).map_err(|error| wrong(&error, String::new()))?;
    let sheet: Sheet = serde_path_to_error::deserialize(parser).map_err(|error| {
        let mut wrong = wrong(error.inner(), String::new());
        // A key that is no text, as the name of a page, has no path.
        let key = wrong.line.and_then(|line| text.lines().nth(line.saturating_sub(1))?.split('=').next());
        let path = error.path().to_string().replace('?', key.unwrap_or_default().trim());
        wrong.field = shown(path.trim_start_matches('.'));
        wrong
    })?;
    let base = match sheet.inherits.as_deref() {
        None => known.first().cloned().unwrap_or_else(bare),
        Some(name) => {
            let found = known.iter().find(|profile| *profile.name == *name).cloned();
            found.ok_or_else(|| Wrong {
                line: line_with(text, "inherits"),
                field: "inherits".to_owned(),
                why: format!("there is no profile {}", shown(name)),
            })?
        }
    };
    let profile = filled(sheet, base);
    consistent(&profile).map_err(|(field, why)| Wrong {
        line: line_with(text, field),
        field: field.to_owned(),
        why,
    })?;
    Ok(profile)
}

/// The line on which a field of the file's top is set, if it is set there.
fn line_with(text: &str, field: &str) -> Option<usize> {
    let sets = |line: &str| line.trim_start().trim_start_matches('[').starts_with(field);
    text.lines().position(sets).map(|at| at.saturating_add(1))
}

fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SHOWN).collect()
}

fn filled(sheet: Sheet, base: Profile) -> Profile {
    let pages: Arc<[(CodePage, u8)]> = sheet.pages.map_or(base.pages, |pages| pages.into_iter().collect());
    let double_byte = match sheet.double_byte {
        None => base.double_byte,
        Some(Wide::None) => None,
        Some(Wide::Code(code)) => Some(code),
    };
    let drawer = sheet.drawer.map_or(base.drawer, |drawer| DrawerPulse {
        pin: drawer.pin,
        on_ms: drawer.on_ms.unwrap_or(base.drawer.on_ms),
        off_ms: drawer.off_ms.unwrap_or(base.drawer.off_ms),
    });
    Profile {
        name: sheet.name.into(),
        models: sheet.models.into(),
        language: sheet.language.unwrap_or(base.language),
        columns: sheet.columns.unwrap_or(base.columns),
        columns_b: sheet.columns_b.unwrap_or(base.columns_b),
        dots: sheet.dots.unwrap_or(base.dots),
        prints: text::letters(&pages, double_byte),
        pages,
        double_byte,
        cut: sheet.cut.unwrap_or(base.cut),
        drawer,
        qr: sheet.qr.unwrap_or(base.qr),
        barcodes: sheet.barcodes.unwrap_or(base.barcodes),
        raster: sheet.raster.unwrap_or(base.raster),
        font: None,
        real_time_status: sheet.real_time_status.unwrap_or(base.real_time_status),
        queued_status: sheet.queued_status.unwrap_or(base.queued_status),
        process_id: sheet.process_id.unwrap_or(base.process_id),
    }
}

/// What no field alone can say: which field contradicts another, and how.
fn consistent(profile: &Profile) -> Result<(), (&'static str, String)> {
    if profile.pages.is_empty() {
        return Err(("pages", "wanted: at least one page".to_owned()));
    }
    for (at, (page, number)) in profile.pages.iter().enumerate() {
        if let Some((twin, _)) =
            profile.pages.iter().skip(at.saturating_add(1)).find(|(_, its)| its == number)
        {
            return Err(("pages", format!("{page:?} and {twin:?} cannot both have the number {number}")));
        }
    }
    // The narrowest font of any such printer is seven dots wide.
    if profile.dots.checked_div(profile.columns).unwrap_or(0) < 7 {
        return Err(("dots", format!("{} dots are too few for {} columns", profile.dots, profile.columns)));
    }
    if profile.raster == Raster::None {
        for (field, codes) in [("qr", profile.qr), ("barcodes", profile.barcodes)] {
            if codes == Codes::Raster {
                return Err((field, "cannot be raster where raster is none".to_owned()));
            }
        }
    }
    Ok(())
}

/// What every printer is taken to be until a file says more: it takes bytes, and nothing else is known of it.
pub(super) fn bare() -> Profile {
    let pages = [(CodePage::Cp437, 0)];
    Profile {
        name: "bare".into(),
        models: Arc::new([]),
        language: Language::EscPos,
        columns: 42,
        columns_b: 56,
        dots: 504,
        prints: text::letters(&pages, None),
        pages: pages.into(),
        double_byte: None,
        cut: Cut::Legacy,
        drawer: DrawerPulse { pin: DrawerPin::Two, on_ms: 50, off_ms: 500 },
        qr: Codes::Text,
        barcodes: Codes::Text,
        raster: Raster::None,
        font: None,
        real_time_status: Ability::Lacks,
        queued_status: Ability::Lacks,
        process_id: Ability::Lacks,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn wrong(text: &str) -> String {
        read(text, Profile::all()).unwrap_err().to_string()
    }

    #[test]
    fn a_file_inherits_what_it_does_not_say() {
        let text = "name = \"ours\"\ninherits = \"pos-5890\"\ncolumns = 30\ndrawer = { pin = 5, on_ms = 200, off_ms = 100 }\n";
        let ours = read(text, Profile::all()).unwrap();
        let base = Profile::named("pos-5890").unwrap();
        assert_eq!((&*ours.name, ours.columns, ours.dots), ("ours", 30, base.dots));
        assert_eq!((&ours.pages, ours.cut, ours.qr), (&base.pages, base.cut, base.qr));
        assert_eq!(ours.drawer, DrawerPulse { pin: DrawerPin::Five, on_ms: 200, off_ms: 100 });
        let default = read("name = \"x\"", Profile::all()).unwrap();
        assert_eq!((default.columns, &default.pages), (48, &Profile::epson().pages));
    }

    #[test]
    fn pages_are_replaced_whole() {
        let ours = read("name = \"ours\"\n[pages]\ncp437 = 0\ncp858 = 20\n", Profile::all()).unwrap();
        assert_eq!(*ours.pages, [(CodePage::Cp437, 0), (CodePage::Cp858, 20)]);
        assert!(ours.prints.has('€') && !ours.prints.has('Ł'));
        let none = read("name = \"x\"\ninherits = \"epson-japan\"\ndouble_byte = \"none\"\n", Profile::all())
            .unwrap();
        assert_eq!(none.double_byte, None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_field() {
        for (text, shown) in [
            ("name = \"x\"\ncolumns = 4000\n", "line 2: columns: wanted: a whole number from 16 to 96"),
            ("name = \"x\"\ncolumns = -1\n", "line 2: columns: "),
            ("name = \"x\"\n\ncut = \"saw\"\n", "line 3: cut: unknown variant `saw`, expected one of `full`"),
            ("name = \"x\"\ncolums = 42\n", "line 2: colums: unknown field `colums`, expected one of"),
            ("name = \"x\"\n[pages]\ncp859 = 3\n", "line 3: pages"),
            ("name = \"x\"\n[pages]\ncp858 = 300\n", "line 3: pages.cp858: "),
            ("name = \"x\"\n[pages]\ncp858 = 3\ncp437 = 3\n", "line 2: pages: Cp437 and Cp858 cannot both"),
            ("name = \"x\"\ninherits = \"epsom\"\n", "line 2: inherits: there is no profile epsom"),
            ("name = \"x\"\ndots = 100\n", "line 2: dots: 100 dots are too few for 48 columns"),
            ("name = \"x\"\nraster = \"none\"\nqr = \"raster\"\n", "line 3: qr: cannot be raster"),
            (
                "name = \"x\"\ndrawer = { pin = 3, on_ms = 50, off_ms = 50 }\n",
                "line 2: drawer.pin: wanted: 2 or 5",
            ),
            ("name = \"Nice Printer\"\n", "line 1: name: wanted: 1 to 40 small letters"),
            ("name = \"x\"\ndouble_byte = \"utf-8\"\n", "line 2: double_byte: "),
            ("name = \n", "line 1: "),
            ("columns = 42\n", "missing field `name`"),
        ] {
            assert!(wrong(text).contains(shown), "{text:?}: {}", wrong(text));
        }
    }

    #[test]
    fn what_a_file_says_is_shown_shortly_and_harmlessly() {
        let long = format!("name = \"x\"\ncut = \"\\u001b[2J{}\"\n", "s".repeat(1000));
        let shown = wrong(&long);
        assert!(!shown.contains('\u{1b}') && shown.chars().count() < 300, "{shown:?}");
    }

    #[test]
    fn only_a_small_regular_file_of_text_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ours.toml");
        assert!(from_file(&path, &[]).unwrap_err().to_string().starts_with("cannot be read: "));
        assert_eq!(from_file(folder.path(), &[]).unwrap_err().to_string(), "is no regular file");
        assert_eq!(from_file(Path::new("/dev/zero"), &[]).unwrap_err().to_string(), "is no regular file");
        for (bytes, why) in [
            (vec![b'#'; 70_000], "has more than 65536 bytes; it is no printer's profile"),
            (vec![0xff, 0xfe], "is no text in UTF-8"),
            (b"name = \"x\"\nlanguage = \"star\"\n".to_vec(), "in Star mode"),
        ] {
            std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
            assert!(from_file(&path, Profile::all()).unwrap_err().to_string().starts_with(why), "{why}");
        }
        std::fs::write(&path, "name = \"ours\"\ncolumns = 40\n").unwrap();
        assert_eq!(from_file(&path, Profile::all()).unwrap().columns, 40);
    }
}
