//! Answers as tables for people: columns as wide as their widest cell, two blanks between them.

use unicode_width::UnicodeWidthStr;

/// Lays rows out under their headings.
pub(crate) fn table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let heading = headings.map(str::to_owned);
    let all = || std::iter::once(&heading).chain(rows);
    let mut widths = [0_usize; COLUMNS];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let lines: Vec<String> = all()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width()))))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_also_in_wide_scripts() {
        let rows = [["1".to_owned(), "寿司".to_owned()], ["22".to_owned(), "ä".to_owned()]];
        assert_eq!(table(["n", "name"], &rows), "n   name\n1   寿司\n22  ä");
    }
}
