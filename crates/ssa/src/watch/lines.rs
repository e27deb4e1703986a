//! Cuts a stream of bytes into lines.

/// Longest line, in bytes: what no object can reach that the API server stores.
const LONGEST: usize = 16 << 20;

/// Bytes that were received and not yet taken as lines.
#[derive(Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Start of what hasn't been taken.
    start: usize,
    /// Up to here there is no line end.
    searched: usize,
}

/// A line is longer than allowed.
#[derive(Debug)]
pub(super) struct TooLong;

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() <= LONGEST || self.buffer.contains(&b'\n') { Ok(()) } else { Err(TooLong) }
    }

    /// The next line that isn't blank, without its end.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let Some(found) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return None;
            };
            let end = self.searched + found;
            let line = self.buffer[self.start..end].trim_ascii().to_vec();
            self.start = end + 1;
            self.searched = self.start;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], expected: &[&str]) {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece.as_bytes()).unwrap();
            while let Some(line) = lines.next() {
                found.push(String::from_utf8(line).unwrap());
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_put_together_from_pieces() {
        check(&["a\nb\n"], &["a", "b"]);
        check(&["a", "b\r", "\nc", "\n"], &["ab", "c"]);
        check(&["\n\n a \n", "\n"], &["a"]);
    }

    #[test]
    fn a_line_without_an_end_is_none() {
        check(&["a\nb"], &["a"]);
        check(&[""], &[]);
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; LONGEST / 2];
        assert!(lines.push(&piece).is_ok());
        assert!(lines.push(&piece).is_ok());
        assert!(lines.push(b"x").is_err());
    }
}
