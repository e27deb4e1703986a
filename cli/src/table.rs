//! Tables as Flux prints them: no borders, columns padded and ended by a tab.

/// Lays out a table; without a header its names don't count for the widths either.
///
/// A cell with line breaks continues in further lines whose other cells are blank. The header's last column ends in
/// a space in place of the tab: tablewriter's layout, which is what scripts around Flux were written against.
pub(crate) fn render(header: Option<&[&str]>, rows: &[Vec<String>]) -> String {
    let header: Option<Vec<String>> = header.map(|names| names.iter().map(|n| n.to_uppercase()).collect());
    let rows: Vec<Vec<Vec<String>>> =
        rows.iter().map(|row| row.iter().map(|cell| lines(cell)).collect()).collect();
    let mut widths = Vec::new();
    header.iter().flatten().enumerate().for_each(|(column, name)| widen(&mut widths, column, name));
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            cell.iter().for_each(|line| widen(&mut widths, column, line));
        }
    }
    let mut out = String::new();
    if let Some(header) = header {
        push_line(&mut out, &widths, |column| header.get(column).map(String::as_str));
        out.replace_range(out.len() - 2.., " \n");
    }
    for row in &rows {
        for line in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
            push_line(&mut out, &widths, |column| row.get(column)?.get(line).map(String::as_str));
        }
    }
    out
}

/// The lines of a cell, with control characters made visible: messages carry what servers answered.
fn lines(cell: &str) -> Vec<String> {
    cell.split('\n').map(|line| line.replace('\r', "\\r").replace('\u{1b}', "^[")).collect()
}

fn widen(widths: &mut Vec<usize>, column: usize, text: &str) {
    if widths.len() <= column {
        widths.resize(column + 1, 0);
    }
    widths[column] = widths[column].max(text.chars().count());
}

fn push_line<'a>(out: &mut String, widths: &[usize], cell: impl Fn(usize) -> Option<&'a str>) {
    for (column, width) in widths.iter().enumerate() {
        let text = cell(column).unwrap_or_default();
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', width - text.chars().count()));
        out.push('\t');
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::render;

    #[track_caller]
    fn check(header: Option<&[&str]>, rows: &[&[&str]], expected: &str) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        assert_eq!(render(header, &rows), expected);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        check(
            Some(&["Name", "Ready"]),
            &[&["a", "True"], &["abcdef", "Unknown"]],
            "NAME  \tREADY   \na     \tTrue   \t\nabcdef\tUnknown\t\n",
        );
    }

    #[test]
    fn the_header_counts_only_when_it_is_printed() {
        check(None, &[&["a", "True"]], "a\tTrue\t\n");
        check(Some(&["Name"]), &[&["a"]], "NAME \na   \t\n");
    }

    #[test]
    fn a_table_without_rows_is_its_header() {
        check(Some(&["Name", "Message"]), &[], "NAME\tMESSAGE \n");
        check(None, &[], "");
    }

    #[test]
    fn line_breaks_continue_in_rows_that_are_blank_otherwise() {
        check(None, &[&["a", "one\ntwo"]], "a\tone\t\n \ttwo\t\n");
        check(None, &[&["a", "one\n"]], "a\tone\t\n \t   \t\n");
    }

    #[test]
    fn width_is_counted_in_characters() {
        check(None, &[&["é", "x"], &["ab", "y"]], "é \tx\t\nab\ty\t\n");
    }

    #[test]
    fn terminal_escapes_are_made_visible() {
        check(None, &[&["\u{1b}[2Jx\r"]], "^[[2Jx\\r\t\n");
    }
}
