//! Plain tables for a terminal: columns as wide as what stands in them, two blanks apart, nothing at the ends of lines.

use super::escape::terminal;

/// No column is made wider than this; what is longer pushes the rest of its own line to the right.
const WIDEST: usize = 60;

/// The rows under their headings. Every cell is escaped; none that is empty leaves a gap unsaid: it shows as `-`.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let shown = |cell: &String| if cell.is_empty() { "-".to_owned() } else { terminal(cell) };
    let lines: Vec<Vec<String>> = std::iter::once(headings.map(str::to_owned).to_vec())
        .chain(rows.iter().map(|row| row.iter().map(shown).collect()))
        .collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().min(WIDEST)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_cells_harmless() {
        let rows = [["a".to_owned(), String::new()], ["\u{1b}[0m".to_owned(), "x".repeat(70)]];
        assert_eq!(
            table(["ONE", "TWO"], &rows),
            format!("ONE        TWO\na          -\n\\u{{1b}}[0m  {}\n", "x".repeat(70))
        );
    }
}
