//! Regular expressions of Go in the dialect of the crate `regex`.

use std::iter::Peekable;
use std::str::Chars;

/// Rewrites what the two dialects read differently: Go's classes are ASCII, `\Q…\E` is verbatim, a brace that begins
/// no repetition is itself, and in a class `[` and doubled signs are themselves.
pub(super) fn translated(expression: &str) -> String {
    let mut translator = Translator { chars: expression.chars().peekable(), out: String::new() };
    while let Some(c) = translator.chars.next() {
        match c {
            '\\' => translator.escape(false),
            '[' => translator.class(),
            '{' if !starts_repetition(translator.chars.clone()) => translator.out.push_str("\\{"),
            _ => translator.out.push(c),
        }
    }
    translator.out
}

struct Translator<'a> {
    chars: Peekable<Chars<'a>>,
    out: String,
}

impl Translator<'_> {
    fn escape(&mut self, in_class: bool) {
        let Some(c) = self.chars.next() else { return self.out.push('\\') };
        let class = match c {
            'd' | 'D' => "0-9",
            'w' | 'W' => "0-9A-Za-z_",
            's' | 'S' => "\\t\\n\\f\\r ",
            _ => "",
        };
        match c {
            'd' | 'w' | 's' if in_class => self.out.push_str(class),
            'd' | 'w' | 's' => self.out.push_str(&format!("[{class}]")),
            'D' | 'W' | 'S' => self.out.push_str(&format!("[^{class}]")),
            'b' | 'B' if !in_class => self.out.push_str(&format!("(?-u:\\{c})")),
            'Q' if !in_class => self.verbatim(),
            _ => self.out.extend(['\\', c]),
        }
    }

    fn verbatim(&mut self) {
        let mut text = String::new();
        while let Some(c) = self.chars.next() {
            if c == '\\' && self.chars.next_if_eq(&'E').is_some() {
                break;
            }
            text.push(c);
        }
        self.out.push_str(&regex::escape(&text));
    }

    fn class(&mut self) {
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        if self.chars.next_if_eq(&']').is_some() {
            self.out.push_str("\\]");
        }
        while let Some(c) = self.chars.next() {
            match c {
                ']' => return self.out.push(']'),
                '\\' => self.escape(true),
                '[' if self.chars.peek() == Some(&':') => self.named_class(),
                '[' | '&' | '~' => self.out.extend(['\\', c]),
                '-' if self.chars.peek() == Some(&'-') => self.out.push_str("\\-"),
                _ => self.out.push(c),
            }
        }
    }

    /// `[:alpha:]`, which both dialects read alike.
    fn named_class(&mut self) {
        self.out.push('[');
        for c in self.chars.by_ref() {
            self.out.push(c);
            if c == ']' {
                break;
            }
        }
    }
}

/// `{2}`, `{2,}` or `{2,3}`, behind the brace.
fn starts_repetition(chars: Peekable<Chars<'_>>) -> bool {
    let inside: String = chars.take_while(|c| *c != '}').take(16).collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match inside.split_once(',') {
        None => is_number(&inside),
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, matching: &[&str], other: &[&str]) {
        let regex = regex::bytes::Regex::new(&translated(expression)).expect(expression);
        for text in matching {
            assert!(regex.is_match(text.as_bytes()), "{expression} matches {text}");
        }
        for text in other {
            assert!(!regex.is_match(text.as_bytes()), "{expression} doesn't match {text}");
        }
    }

    #[test]
    fn classes_are_ascii() {
        check(r"^\d+$", &["12"], &["\u{661}"]);
        check(r"^[\d_]\w$", &["1a", "_Z"], &["1é"]);
        check(r"^\W\S\D$", &["é!x"], &["a!x"]);
        check(r"\bkey\b", &["a key", "ékey"], &["monkey"]);
    }

    #[test]
    fn signs_are_themselves_where_go_takes_them_so() {
        check(r"^\Qa.b(\E+$", &["a.b((("], &["axb("]);
        check("^a{b$", &["a{b"], &["ab"]);
        check("^a{2,}$", &["aaa"], &["a"]);
        check("^[[a]$", &["[", "a"], &["b"]);
        check("^[]a]$", &["]", "a"], &["b"]);
        check("^[a&&b]$", &["&", "a"], &["c"]);
        check("^[[:alpha:]1]$", &["x", "1"], &["2"]);
    }

    #[test]
    fn what_ends_in_the_middle_stays_broken() {
        for expression in ["\\", "[", "[a", "[[:alpha"] {
            assert!(regex::bytes::Regex::new(&translated(expression)).is_err(), "{expression}");
        }
    }
}
