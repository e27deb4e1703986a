//! The line, read from left to right.

/// What is left of a line.
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    pub(super) const fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    /// Goes past the character if it comes next.
    pub(super) fn skip(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// The text up to one of the characters, and which one; none at the end of the line.
    ///
    /// With escapes, a character behind a backslash stands for itself.
    pub(super) fn until(&mut self, stops: &[char], escapes: bool) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.next() {
            if stops.contains(&c) {
                return (text, Some(c));
            }
            if c != '\\' || !escapes {
                text.push(c);
            } else if let Some(c) = self.next() {
                text.push(c);
            }
        }
        (text, None)
    }

    /// Goes past blanks and one comma; says whether that, or the end, came before anything else.
    pub(super) fn is_empty_value(&mut self) -> bool {
        while let Some(c) = self.rest.chars().next() {
            if c != ',' && !c.is_whitespace() {
                return false;
            }
            self.next();
            if c == ',' {
                return true;
            }
        }
        true
    }
}
