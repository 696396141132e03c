//! Tables of text for spreadsheets: CSV (RFC 4180) that opens as what it is.
//!
//! A spreadsheet takes a cell that begins with one of `= + - @`, a tab or a line end for a formula, whoever wrote it: a cashier's name
//! could then read other files, or fetch something. Such a cell gets an apostrophe before it, which spreadsheets take for "this is text".
//! The byte order mark tells them that it is UTF-8; without it umlauts fall apart.

/// A row of texts.
pub(crate) type Columns<const COUNT: usize> = [String; COUNT];

/// Writes the mark and the names of the columns.
pub(crate) fn csv_head(out: &mut String, names: &[&str]) {
    out.push('\u{feff}');
    out.push_str(&names.join(","));
    out.push_str("\r\n");
}

/// Writes a row.
pub(crate) fn csv(out: &mut String, columns: &[String]) {
    for (place, text) in columns.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        cell(out, text);
    }
    out.push_str("\r\n");
}

fn cell(out: &mut String, text: &str) {
    let armed = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let quoted = text.contains(['"', ',', ';', '\t', '\r', '\n']);
    if quoted {
        out.push('"');
    }
    if armed {
        out.push('\'');
    }
    for letter in text.chars() {
        if letter == '"' {
            out.push('"');
        }
        out.push(letter);
    }
    if quoted {
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_place() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("\t=1", "\"'\t=1\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("a;b", "\"a;b\""),
            ("1-2", "1-2"),
            ("Größe", "Größe"),
        ] {
            let mut out = String::new();
            cell(&mut out, text);
            assert_eq!(out, expected, "{text:?}");
        }
        let mut out = String::new();
        csv_head(&mut out, &["a", "b"]);
        csv(&mut out, &["1".to_owned(), "=2".to_owned()]);
        assert_eq!(out, "\u{feff}a,b\r\n1,'=2\r\n");
    }
}
