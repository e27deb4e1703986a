//! Plain, quoted and literal texts.

use super::Reader;

impl<'a> Reader<'a> {
    /// Reads a plain text, whose further lines stand deeper than the parent's column.
    pub(super) fn plain(&mut self, parent: usize) -> Option<String> {
        let (first, mut goes_on) = self.plain_line()?;
        let mut text = first.to_owned();
        while goes_on && let Some((breaks, content)) = self.continuation(parent) {
            if self.byte(content)? == b'#' {
                break;
            }
            self.at = content;
            self.line += u32::try_from(breaks).ok()?;
            fold(&mut text, breaks);
            let line;
            (line, goes_on) = self.plain_line()?;
            text.push_str(line);
        }
        self.skip()?;
        Some(text)
    }

    /// How many empty lines come before the next line of a text, and where that begins; none if the text ends.
    fn continuation(&self, parent: usize) -> Option<(usize, usize)> {
        let (mut start, mut breaks) = (self.at, 0);
        loop {
            let content = self.after_blanks(start);
            match self.byte(content)? {
                b'\n' => (start, breaks) = (content + 1, breaks + 1),
                _ if content - start > parent => return Some((breaks, content)),
                _ => return None,
            }
        }
    }

    /// Reads the plain text that is left of a line and goes to the next; tells whether that may go on with the text.
    fn plain_line(&mut self) -> Option<(&'a str, bool)> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut end = start;
        loop {
            match self.byte(end) {
                None | Some(b'\n') => break,
                Some(b'\t') => return None,
                Some(b':') if self.is_blank(end + 1) => return None,
                Some(b'#') if bytes[end - 1] == b' ' => break,
                Some(_) => end += 1,
            }
        }
        let text = self.text[start..end].trim_end_matches(' ');
        let is_commented = self.byte(end) == Some(b'#');
        self.next_line(if is_commented { self.line_end(end) } else { end });
        Some((text, !is_commented))
    }

    /// Reads a text in quotes, up to the closing one.
    pub(super) fn quoted(&mut self, parent: usize, quote: u8) -> Option<String> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let length = rest.iter().position(|b| matches!(b, b'\n' | b'\t' | b'\\') || *b == quote)?;
            text.push_str(&self.text[self.at..self.at + length]);
            let special = rest[length];
            self.at += length + 1;
            match special {
                b'\n' => {
                    text.truncate(text.trim_end_matches(' ').len());
                    self.line += 1;
                    let (breaks, content) = self.continuation(parent)?;
                    self.at = content;
                    self.line += u32::try_from(breaks).ok()?;
                    fold(&mut text, breaks);
                }
                b'\\' if quote == b'\'' => text.push('\\'),
                b'\\' => {
                    text.push(match self.byte(self.at)? {
                        b'n' => '\n',
                        escaped @ (b'"' | b'\\') => char::from(escaped),
                        _ => return None,
                    });
                    self.at += 1;
                }
                b'\t' => return None,
                _ if quote == b'\'' && self.byte(self.at) == Some(b'\'') => {
                    text.push('\'');
                    self.at += 1;
                }
                _ => return Some(text),
            }
        }
    }

    /// Reads a literal text; also tells the line of its first word.
    pub(super) fn literal(&mut self, parent: usize) -> Option<(String, u32)> {
        let chomping = self.byte(self.at + 1)?;
        let header = if matches!(chomping, b'-' | b'+') { self.at + 2 } else { self.at + 1 };
        if self.byte(header) != Some(b'\n') {
            return None;
        }
        self.next_line(header);
        let (column, first) = self.literal_column(parent)?;
        let mut text = String::new();
        while let Some(line) = self.literal_line(column)? {
            text.push_str(line);
            text.push('\n');
        }
        if chomping != b'+' {
            text.truncate(text.trim_end_matches('\n').len());
            if chomping != b'-' {
                text.push('\n');
            }
        }
        self.skip()?;
        Some((text, first))
    }

    /// Column and number of a literal text's first line; empty lines before it may not reach beyond.
    fn literal_column(&self, parent: usize) -> Option<(usize, u32)> {
        let (mut start, mut longest) = (self.at, 0);
        for line in self.line.. {
            let content = self.after_blanks(start);
            let column = content - start;
            match self.byte(content)? {
                b'\n' => longest = longest.max(column),
                b'\t' => return None,
                _ => return (column > parent && column >= longest).then_some((column, line)),
            }
            start = content + 1;
        }
        None
    }

    /// Reads a line of a literal text; inside is none behind the last one.
    fn literal_line(&mut self, column: usize) -> Option<Option<&'a str>> {
        let blanks = self.after_blanks(self.at) - self.at;
        let content = self.at + blanks.min(column);
        let Some(first) = self.byte(content) else { return Some(None) };
        if blanks < column && first != b'\n' {
            return (first != b'\t').then_some(None);
        }
        let end = self.line_end(content);
        // A text that ends without a line break has rules of its own.
        self.byte(end)?;
        self.next_line(end);
        Some(Some(&self.text[content..end]))
    }
}

/// Joins two lines of a text: by a blank, or by the line breaks between them.
fn fold(text: &mut String, breaks: usize) {
    if breaks == 0 {
        text.push(' ');
    }
    text.extend(std::iter::repeat_n('\n', breaks));
}
