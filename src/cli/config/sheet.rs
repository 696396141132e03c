//! A configuration as a sheet of named fields, each of which remembers where it was written.
//!
//! The reader asks for every field that it knows, with a check; what is wrong is collected, so that an operator sees
//! everything at once, each with its line or its environment variable. A field that nobody asked for is wrong too: it is
//! mostly a known one, misspelled.
//!
//! Layers: the file, then environment variables (`TILLD_FINPERKS__URL` for `finperks.url`), which win. Values of secrets
//! are never read here, only the paths of their files; a wrong value is shown shortened and without control characters.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use config::{Environment, File, FileFormat, Value, ValueKind};
use toml::de::{DeTable, DeValue};

/// The prefix of environment variables that override a field.
pub const PREFIX: &str = "TILLD";

/// How many errors of a text that is not TOML are shown.
const MOST_ERRORS: usize = 20;
/// What the parser says of a key that stands twice, without the key.
const TWICE: &str = "duplicate key";

/// Where a field was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On a line of the file, from 1.
    Line(usize),
    /// In an environment variable.
    Variable(String),
    /// Nowhere.
    Missing,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its dotted name.
    pub field: String,
    /// Where it stands.
    pub place: Place,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Line(line) => write!(out, "line {line}: {}: {}", self.field, self.why),
            Place::Variable(name) => write!(out, "environment {name}: {}: {}", self.field, self.why),
            Place::Missing => write!(out, "missing: {}: {}", self.field, self.why),
        }
    }
}

/// The fields of a configuration, and what has been found wrong with them so far.
pub struct Sheet {
    values: BTreeMap<String, Value>,
    lines: HashMap<String, usize>,
    variables: HashMap<String, String>,
    known: BTreeSet<String>,
    wrong: Vec<Wrong>,
}

impl Sheet {
    /// Reads a file's text and the variables that override it. Text that is not TOML is one wrong thing, with its line.
    pub fn read(text: &str, environment: &HashMap<String, String>) -> Result<Self, Vec<Wrong>> {
        let not_toml = |line: usize, why: &str| {
            vec![Wrong {
                field: "the file".to_owned(),
                place: Place::Line(line),
                why: format!("not TOML: {why}"),
            }]
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What else is wrong on a line mostly follows from the first.
            let mut lines = BTreeSet::new();
            let all = errors.iter().take(MOST_ERRORS).flat_map(|error| {
                let span = error.span().unwrap_or_default();
                if !lines.insert(line_of(text, span.start)) {
                    return Vec::new();
                }
                let key = text.get(span.clone()).filter(|_| error.message() == TWICE);
                let key = key.map(|key| format!(" {}", shown(key))).unwrap_or_default();
                not_toml(line_of(text, span.start), &format!("{}{key}", error.message()))
            });
            return Err(all.collect());
        }
        let mut lines = HashMap::new();
        note_lines(text, "", table.get_ref(), &mut lines);
        let ours: HashMap<String, String> = environment
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let variables = ours.keys().map(|name| (field_of(name), name.clone())).collect();
        let environment =
            Environment::with_prefix(PREFIX).prefix_separator("_").separator("__").source(Some(ours));
        let merged = config::Config::builder()
            .add_source(File::from_str(text, FileFormat::Toml))
            .add_source(environment)
            .build()
            .map_err(|error| not_toml(1, &error.to_string()))?;
        let mut values = BTreeMap::new();
        flatten("", merged.cache, &mut values);
        Ok(Self { values, lines, variables, known: BTreeSet::new(), wrong: Vec::new() })
    }

    /// A text field that must be there.
    pub fn required<T: FromStr>(&mut self, field: &str, wanted: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        let value = self.optional(field, wanted);
        if value.is_none() && !self.values.contains_key(field) {
            self.note(field, wanted);
        }
        value
    }

    /// A field that may be left out. Numbers and truth values are read from their text, so a variable can hold them too.
    pub fn optional<T: FromStr>(&mut self, field: &str, wanted: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        self.known.insert(field.to_owned());
        let text = match &self.values.get(field)?.kind {
            ValueKind::String(text) => text.clone(),
            ValueKind::I64(number) => number.to_string(),
            ValueKind::Boolean(truth) => truth.to_string(),
            _ => {
                self.note(field, wanted);
                return None;
            }
        };
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.note(field, &format!("{} is not right: {error}; wanted: {wanted}", shown(&text)));
                None
            }
        }
    }

    /// A number between two bounds, both included.
    pub fn number(&mut self, field: &str, least: u64, most: u64, default: u64) -> u64 {
        let wanted = format!("a whole number from {least} to {most}");
        match self.optional::<u64>(field, &wanted) {
            Some(number) if (least..=most).contains(&number) => number,
            Some(number) => {
                self.note(field, &format!("{number} is not right; wanted: {wanted}"));
                default
            }
            None => default,
        }
    }

    /// Characters in a row of paper; none if left out.
    pub fn columns(&mut self, field: &str) -> Option<u16> {
        self.has(field)
            .then(|| self.number(field, 24, 64, 42))
            .and_then(|columns| u16::try_from(columns).ok())
    }

    /// A list of texts; empty if left out.
    pub fn texts(&mut self, field: &str, most: usize, longest: usize) -> Vec<String> {
        self.known.insert(field.to_owned());
        let wanted = format!("a list of at most {most} texts of at most {longest} characters each");
        let Some(value) = self.values.get(field) else { return Vec::new() };
        let texts: Option<Vec<String>> = match &value.kind {
            ValueKind::Array(values) => values
                .iter()
                .map(|value| match &value.kind {
                    ValueKind::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            ValueKind::String(text) => Some(vec![text.clone()]),
            _ => None,
        };
        match texts {
            Some(texts)
                if texts.len() <= most && texts.iter().all(|text| text.chars().count() <= longest) =>
            {
                texts
            }
            _ => {
                self.note(field, &wanted);
                Vec::new()
            }
        }
    }

    /// A list of one to `most` whole numbers between two bounds, both included; `usual` if left out. In a variable they are
    /// parted by commas.
    pub fn numbers(
        &mut self,
        field: &str,
        within: &RangeInclusive<u64>,
        most: usize,
        usual: &[u64],
    ) -> Vec<u64> {
        self.known.insert(field.to_owned());
        let Some(value) = self.values.get(field) else { return usual.to_vec() };
        let numbers: Option<Vec<u64>> = match &value.kind {
            ValueKind::Array(values) => values
                .iter()
                .map(|value| value.clone().into_uint().ok().filter(|_| is_number(value)))
                .collect(),
            ValueKind::String(text) => text.split(',').map(|number| number.trim().parse().ok()).collect(),
            _ => None,
        };
        match numbers {
            Some(numbers)
                if (1..=most).contains(&numbers.len())
                    && numbers.iter().all(|number| within.contains(number)) =>
            {
                numbers
            }
            _ => {
                let (least, highest) = (within.start(), within.end());
                self.note(
                    field,
                    &format!("wanted: a list of one to {most} whole numbers from {least} to {highest}"),
                );
                usual.to_vec()
            }
        }
    }

    /// The names directly below a table, for tables whose keys an operator chooses.
    pub fn names_below(&self, table: &str) -> Vec<String> {
        let prefix = format!("{table}.");
        let names: BTreeSet<String> = self
            .values
            .keys()
            .filter_map(|field| Some(field.strip_prefix(&prefix)?.split('.').next()?.to_owned()))
            .collect();
        names.into_iter().collect()
    }

    /// The numbers of the tables of a list, from 1.
    pub fn numbers_below(&mut self, list: &str) -> Vec<usize> {
        self.known.insert(list.to_owned());
        let mut numbers: Vec<usize> =
            self.names_below(list).iter().filter_map(|number| number.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Whether a field is there.
    pub fn has(&self, field: &str) -> bool {
        self.values.contains_key(field)
    }

    /// Notes that a field is wrong.
    pub fn note(&mut self, field: &str, why: &str) {
        let place = self
            .variables
            .get(field)
            .map(|name| Place::Variable(name.clone()))
            .or_else(|| self.lines.get(field).map(|line| Place::Line(*line)))
            .unwrap_or(Place::Missing);
        self.wrong.push(Wrong { field: field.to_owned(), place, why: why.to_owned() });
    }

    /// Everything that is wrong, fields that nobody knows included; in the order of the file.
    pub fn finish(mut self) -> Vec<Wrong> {
        let unknown: Vec<String> =
            self.values.keys().filter(|field| !self.known.contains(*field)).cloned().collect();
        for field in unknown {
            self.note(&field, "there is no such field; is it misspelled?");
        }
        self.wrong.sort_by_key(|wrong| match &wrong.place {
            Place::Missing => (0, 0),
            Place::Line(line) => (1, *line),
            Place::Variable(_) => (2, 0),
        });
        self.wrong
    }
}

/// The field that a variable overrides.
fn field_of(variable: &str) -> String {
    let rest = variable.strip_prefix(PREFIX).unwrap_or(variable).trim_start_matches('_');
    rest.to_lowercase().replace("__", ".")
}

fn flatten(prefix: &str, value: Value, fields: &mut BTreeMap<String, Value>) {
    match value.kind {
        ValueKind::Table(table) => {
            for (name, value) in table {
                let field = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                flatten(&field, value, fields);
            }
        }
        // A list of tables: each by its number.
        ValueKind::Array(values) if values.iter().any(is_table) => {
            for (number, value) in (1_usize..).zip(values) {
                flatten(&format!("{prefix}.{number}"), value, fields);
            }
        }
        kind => {
            fields.insert(prefix.to_owned(), Value::new(None, kind));
        }
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value.kind, ValueKind::I64(_) | ValueKind::U64(_))
}

fn is_table(value: &Value) -> bool {
    matches!(value.kind, ValueKind::Table(_))
}

fn note_lines(text: &str, prefix: &str, table: &DeTable<'_>, lines: &mut HashMap<String, usize>) {
    for (name, value) in table {
        let field = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        lines.insert(field.clone(), line_of(text, name.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => note_lines(text, &field, inner, lines),
            DeValue::Array(list) => {
                for (number, value) in (1_usize..).zip(list.iter()) {
                    if let DeValue::Table(inner) = value.get_ref() {
                        note_lines(text, &format!("{field}.{number}"), inner, lines);
                    }
                }
            }
            _ => {}
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// A wrong value as it may be shown: short, and harmless on a terminal.
fn shown(text: &str) -> String {
    let short: String = text.chars().filter(|character| !character.is_control()).take(40).collect();
    format!("\"{short}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str, variables: &[(&str, &str)]) -> Sheet {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sheet::read(text, &environment).unwrap_or_else(|wrong| panic!("{wrong:?}"))
    }

    #[test]
    fn every_wrong_field_is_named_with_its_line_and_all_at_once() {
        let mut sheet = sheet("[a]\nnumber = \"x\"\n\n[b]\ntypo = 1\n", &[]);
        sheet.number("a.number", 1, 5, 1);
        sheet.required::<String>("a.text", "a text");
        let wrong: Vec<String> = sheet.finish().iter().map(ToString::to_string).collect();
        assert_eq!(
            wrong,
            [
                "missing: a.text: a text",
                "line 2: a.number: \"x\" is not right: invalid digit found in string; wanted: a whole number from 1 to 5",
                "line 5: b.typo: there is no such field; is it misspelled?",
            ]
        );
    }

    #[test]
    fn a_variable_wins_over_the_file_and_is_named_when_it_is_wrong() {
        let mut sheet =
            sheet("[a]\nnumber = 3\n", &[("TILLD_A__NUMBER", "9"), ("TILLD_OTHER", "x"), ("PATH", "/")]);
        assert_eq!(sheet.number("a.number", 1, 5, 1), 1);
        assert_eq!(
            sheet.finish().iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["environment TILLD_A__NUMBER: a.number: 9 is not right; wanted: a whole number from 1 to 5"]
        );
    }

    #[test]
    fn digits_with_leading_zeros_stay_text() {
        let mut sheet = sheet("[till]\nstore = \"0012\"\n", &[("TILLD_TILL__TERMINAL", "007")]);
        assert_eq!(sheet.required::<String>("till.store", ""), Some("0012".to_owned()));
        assert_eq!(sheet.required::<String>("till.terminal", ""), Some("007".to_owned()));
    }

    #[test]
    fn what_is_not_toml_is_named_with_its_line() {
        let wrong = Sheet::read("a = 1\nb = = 2\nc = 3\nc = 4\n[b]\n", &HashMap::new()).err().unwrap();
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            wrong,
            [
                "line 2: the file: not TOML: extra `=`, expected nothing",
                "line 4: the file: not TOML: duplicate key \"c\"",
                "line 5: the file: not TOML: duplicate key \"b\""
            ]
        );
    }
}
