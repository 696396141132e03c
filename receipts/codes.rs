//! What in a provider's lines may be a code: so that a slip can be shown on a screen with dots in their place (law L11), and
//! so that a code that was read off the paper is known again (row A11).
//!
//! No provider says which of its lines holds the code (fact sheet finperks 7), so it is told by its looks, and in doubt it is one:
//!
//! | a word of | is | and with it |
//! |---|---|---|
//! | digits, with or without points and strokes | a code | a single word between two of them |
//! | letters and digits; four capitals or more; capitals in its middle; four letters without a vowel | a code | the whole line |
//! | other letters | plain text | |
//!
//! A label that ends in a colon stays. So headings in capitals, dates, amounts and telephone numbers become dots too: too much is hidden
//! rather than too little. Of a long code that stands in one piece the last four characters are left for a person to compare; in several pieces the
//! last one may be its PIN.
//!
//! Deliberately absent: what makes a code right. A code that looks like plain words throughout is shown; none is known to.

use std::ops::Range;

use tilld_domain::outcome::ReceiptLines;
use tilld_domain::secret::Secret;

use crate::rows::{self, cells};

/// From how many characters on a run is long enough to show its last four.
const SHOWS_TAIL: usize = 12;
/// How many of them are shown.
const TAIL: usize = 4;
/// The shortest run that is taken for the code of a card: shorter ones are PINs and amounts.
const SHORTEST: usize = 8;
/// From how many letters on capitals alone, or letters without a vowel, may be a code.
const WORD: usize = 4;

/// The lines with dots in the place of what may be a code, each as wide as it was. Lines that are gone stay so.
pub fn masked(lines: &ReceiptLines) -> ReceiptLines {
    let gone = || ReceiptLines::gone(lines.count(), lines.odd_elements());
    if lines.is_gone() {
        return gone();
    }
    let with = |dot| {
        let element = |text: &Secret| {
            let shown: Vec<String> = rows::lines(text.reveal()).map(|line| masked_line(line, dot)).collect();
            shown.join("\n")
        };
        ReceiptLines::new(lines.iter().map(element).collect(), lines.odd_elements())
    };
    // A dot has more bytes than what it stands for, and a line its limit.
    with('•').or_else(|| with('*')).unwrap_or_else(gone)
}

/// Whether this is the code on a slip: the longest run of what may be one, however it is grouped, with or without the plain words
/// that are hidden with it.
pub fn is_code_of(lines: &ReceiptLines, scanned: &Secret) -> bool {
    let scanned = bare(scanned.reveal());
    let is_longest = |runs: fn(&str) -> Vec<Range<usize>>| {
        let lines = lines.iter().flat_map(|element| rows::lines(element.reveal()));
        let found: Vec<&str> = lines
            .flat_map(|line| runs(line).into_iter().filter_map(|run| line.get(run)))
            // A link stands on leaflets too, and is longer than most codes.
            .filter(|run| !run.contains("://"))
            .collect();
        let length = |run: &str| bare(run).reveal().len();
        let longest = found.iter().map(|run| length(run)).max().unwrap_or_default();
        let mut candidates = found.into_iter().filter(|run| longest >= SHORTEST && length(run) == longest);
        candidates.any(|run| {
            // A code and its PIN may stand side by side, and a scanner reads the code alone.
            let mut pieces = run.split_whitespace().filter(|piece| length(piece) >= SHOWS_TAIL);
            bare(run) == scanned || pieces.any(|piece| bare(piece) == scanned)
        })
    };
    is_longest(hidden_runs) || is_longest(bare_runs)
}

/// Letters and digits, as a scanner and a hand write them alike.
fn bare(text: &str) -> Secret {
    // The whole capacity at once: a text that grows leaves copies behind that nobody wipes.
    let mut bare = String::with_capacity(text.len().saturating_mul(3));
    bare.extend(text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase));
    Secret::new(bare)
}

fn masked_line(line: &str, dot: char) -> String {
    let runs: Vec<(Range<usize>, usize)> = hidden_runs(line)
        .into_iter()
        .map(|run| {
            let shown = shown_from(line.get(run.clone()).unwrap_or_default()).saturating_add(run.start);
            (run, shown)
        })
        .collect();
    let mut shown = String::with_capacity(line.len().saturating_mul(3));
    for (at, letter) in line.char_indices() {
        let hidden = letter.is_alphanumeric()
            && runs.iter().any(|(run, shown_from)| run.contains(&at) && at < *shown_from);
        if hidden {
            shown.extend(std::iter::repeat_n(dot, cells(letter)));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// From which byte on a run is shown.
fn shown_from(run: &str) -> usize {
    let letters: Vec<usize> =
        run.char_indices().filter(|(_, letter)| letter.is_alphanumeric()).map(|(at, _)| at).collect();
    let in_one_piece = groups(run).count() == 1;
    let code = in_one_piece && letters.len() >= SHOWS_TAIL && run.chars().any(char::is_numeric);
    let tail = letters.len().saturating_sub(TAIL);
    letters.get(tail).copied().filter(|_| code).unwrap_or(run.len())
}

/// What a word is, by its looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Label,
    Digits,
    Letters,
}

/// What is hidden: what may be a code, and what may belong to it.
fn hidden_runs(line: &str) -> Vec<Range<usize>> {
    let (words, looks) = looked_at(line);
    let whole = looks.contains(&Look::Letters);
    let is_code = |look: Option<&Look>| look.is_some_and(|look| *look == Look::Digits);
    let hidden = looks.iter().enumerate().map(|(at, look)| match look {
        Look::Digits | Look::Letters => true,
        Look::Plain if whole => true,
        // A word between two groups of digits may be a group of letters.
        Look::Plain => {
            is_code(looks.get(at.saturating_add(1)))
                && at.checked_sub(1).is_some_and(|at| is_code(looks.get(at)))
        }
        Look::Label => false,
    });
    joined(words, hidden)
}

/// What may be a code by itself.
fn bare_runs(line: &str) -> Vec<Range<usize>> {
    let (words, looks) = looked_at(line);
    joined(words, looks.iter().map(|look| matches!(look, Look::Digits | Look::Letters)))
}

fn looked_at(line: &str) -> (Vec<Range<usize>>, Vec<Look>) {
    let words = words(line);
    let looks = words.iter().map(|word| look(line.get(word.clone()).unwrap_or_default())).collect();
    (words, looks)
}

/// Words next to each other that are chosen, each run as one.
fn joined(words: Vec<Range<usize>>, chosen: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut goes_on = false;
    for (word, chosen) in words.into_iter().zip(chosen) {
        match runs.last_mut() {
            Some(run) if chosen && goes_on => run.end = word.end,
            _ if chosen => runs.push(word),
            _ => {}
        }
        goes_on = chosen;
    }
    runs
}

fn words(line: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut begun = None;
    for (at, letter) in line.char_indices() {
        match (letter.is_whitespace(), begun) {
            (true, Some(from)) => {
                words.push(from..at);
                begun = None;
            }
            (false, None) => begun = Some(at),
            _ => {}
        }
    }
    words.extend(begun.map(|from| from..line.len()));
    words
}

fn groups(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|group| !group.is_empty())
}

fn look(word: &str) -> Look {
    let digits = word.chars().any(char::is_numeric);
    let letters = word.chars().any(char::is_alphabetic);
    match (digits, letters) {
        (true, false) => Look::Digits,
        (true, true) => Look::Letters,
        (false, _) if word.ends_with(':') => Look::Label,
        (false, _) if groups(word).all(is_plain) => Look::Plain,
        (false, _) => Look::Letters,
    }
}

/// Whether letters are a word as people write them.
fn is_plain(group: &str) -> bool {
    let long = group.chars().count() >= WORD;
    let capitals = !group.chars().any(char::is_lowercase) && group.chars().any(char::is_uppercase);
    let capital_inside = !capitals && group.chars().skip(1).any(char::is_uppercase);
    let vowel = |letter: char| !letter.is_ascii() || "aeiouy".contains(letter.to_ascii_lowercase());
    !(capital_inside || long && (capitals || !group.chars().any(vowel)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> ReceiptLines {
        ReceiptLines::new(text.iter().map(|line| (*line).to_owned()).collect(), 0).unwrap()
    }

    #[test]
    fn what_may_be_a_code_becomes_dots_and_plain_words_stay() {
        for (line, shown) in [
            (
                "So lösen Sie ein: Code auf karten.example eingeben.",
                "So lösen Sie ein: Code auf karten.example eingeben.",
            ),
            ("Gutscheincode", "Gutscheincode"),
            ("   2209 6262 9822 9763 235", "   •••• •••• •••• •••• •••"),
            ("Code: 2209626298229763235", "Code: •••••••••••••••3235"),
            ("PIN 7531", "PIN ••••"),
            ("Code: XKCD-7777-SLIP-CODE", "Code: ••••-••••-••••-••••"),
            // Whether PIN is a label or a group of the code nobody can tell.
            ("Code 2209626298229763235 PIN 7531", "Code ••••••••••••••••••• ••• ••••"),
            ("1234 abcd 5678", "•••• •••• ••••"),
            ("123 ABC 456", "••• ••• •••"),
            // A code and its PIN side by side: nobody can tell which is which.
            ("2209 6262 9822 97 7531", "•••• •••• •••• •• ••••"),
            ("2209 6262 9822 9763 7531", "•••• •••• •••• •••• ••••"),
            ("2209626298229763235 7531", "••••••••••••••••••• ••••"),
            ("Code: 2209626298229763235-7531", "Code: •••••••••••••••••••-••••"),
            ("Gutschein abcd 1f34 efgh", "••••••••• •••• •••• ••••"),
            ("ABCD-EFGH-", "••••-••••-"),
            ("aXbKdQzz", "••••••••"),
            ("kdjqwmzn", "••••••••"),
            ("https://karten.example/r/a8Kd", "•••••://••••••.•••••••/•/••••"),
            ("Gültig bis 20.11.2029", "Gültig bis ••.••.••••"),
            ("Wert 50,00 €", "Wert ••,•• €"),
            ("PIN: 7531", "PIN: ••••"),
            ("CODE: 7531", "CODE: ••••"),
            ("ギフト １２３４", "ギフト ••••••••"),
            ("", ""),
        ] {
            let masked = masked(&lines(&[line]));
            assert_eq!(masked.iter().next().unwrap().reveal(), shown, "{line}");
            assert_eq!(rows::width(line), rows::width(shown), "{line}");
        }
    }

    #[test]
    fn a_slip_that_came_as_one_text_is_masked_line_by_line() {
        let masked = masked(&lines(&["Code\n2209 6262 9822 9763\nDanke"]));
        assert_eq!(masked.iter().next().unwrap().reveal(), "Code\n•••• •••• •••• ••••\nDanke");
    }

    #[test]
    fn the_longest_line_is_masked_too_and_a_forgotten_one_stays_gone() {
        let long = "7".repeat(ReceiptLines::LONGEST);
        let masked_long = masked(&lines(&[&long]));
        let shown = masked_long.iter().next().unwrap().reveal().to_owned();
        assert_eq!(shown, format!("{}7777", "*".repeat(ReceiptLines::LONGEST - 4)));
        assert!(masked(&ReceiptLines::gone(3, 1)).is_gone());
    }

    #[test]
    fn the_code_is_known_again_however_it_is_grouped_and_nothing_else_is() {
        let slip = lines(&[
            "Gutscheincode",
            "2209 6262 9822 9763 235",
            "PIN 7531",
            "Gültig bis 20.11.2029",
            "Hotline: 030 23125 000",
            "https://www.karten.example/einloesen/mit-pin",
        ]);
        for (scanned, is_it) in [
            ("2209 6262 9822 9763 235", true),
            ("2209626298229763235", true),
            ("2209-6262-9822-9763-235", true),
            ("2209 6262 9822 9763 23", false),
            ("2209 6262 9822 9763 236", false),
            ("7531", false),
            ("20.11.2029", false),
            ("03023125000", false),
            ("Gutscheincode", false),
            ("https://www.karten.example/einloesen/mit-pin", false),
            ("", false),
        ] {
            assert_eq!(is_code_of(&slip, &Secret::new(scanned.to_owned())), is_it, "{scanned}");
        }
        let beside = lines(&["2209626298229763235 7531"]);
        for (scanned, is_it) in
            [("2209626298229763235", true), ("22096262982297632357531", true), ("7531", false)]
        {
            assert_eq!(is_code_of(&beside, &Secret::new(scanned.to_owned())), is_it, "{scanned}");
        }
        let letters = lines(&["Code: XKCD-7777-SLIP-CODE"]);
        assert!(is_code_of(&letters, &Secret::new("xkcd7777slipcode".to_owned())));
        let short = lines(&["PIN 7531"]);
        assert!(!is_code_of(&short, &Secret::new("7531".to_owned())), "too short to be one");
        assert!(!is_code_of(&ReceiptLines::gone(3, 0), &Secret::new("2209626298229763235".to_owned())));
    }
}

#[cfg(test)]
mod random {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn of_a_code_in_groups_at_most_four_characters_are_seen(
            groups in prop_oneof![
                prop::collection::vec("[0-9]{4}", 3..6),
                prop::collection::vec("[0-9A-Z]{4}", 3..6),
                prop::collection::vec("[0-9A-Z]{5}", 2..5),
                prop::collection::vec("[0-9]{1,6}", 1..5),
            ],
            stroke in prop_oneof![Just(" "), Just("-"), Just("")],
            label in prop_oneof![Just(""), Just("   "), Just("Code: "), Just("Gutscheincode ")],
        ) {
            let line = format!("{label}{}", groups.join(stroke));
            let lines = ReceiptLines::new(vec![line.clone()], 0).unwrap();
            let shown = masked(&lines).iter().next().unwrap().reveal().to_owned();
            let seen = shown.chars().skip(label.chars().count()).filter(|c| c.is_alphanumeric()).count();
            prop_assert!(seen <= TAIL, "{line} is shown as {shown}");
            prop_assert_eq!(rows::width(&line), rows::width(&shown));
            let code = groups.concat();
            if code.len() >= SHORTEST {
                prop_assert!(is_code_of(&lines, &Secret::new(code)), "{} is not known again", line);
            }
        }
    }
}
