//! The scanner: text outside of delimiters, tokens inside.

use memchr::memmem;

use super::token::{Token, TokenKind};
use crate::node::Position;
use crate::strconv;
use crate::unicode::{is_digit, is_letter};
use crate::utf8::{self, Rune};

/// What opens and closes an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delimiters {
    pub(crate) left: Box<[u8]>,
    pub(crate) right: Box<[u8]>,
}

pub(super) struct Lexer<'a> {
    input: &'a [u8],
    delimiters: &'a Delimiters,
    position: usize,
    /// Where the token starts that is being scanned.
    start: usize,
    paren_depth: usize,
    inside_action: bool,
    /// `break` and `continue` are keywords unless functions are called so.
    pub(super) break_is_keyword: bool,
    pub(super) continue_is_keyword: bool,
    error: Option<(Token, String)>,
}

const LEFT_COMMENT: &[u8] = b"/*";
const RIGHT_COMMENT: &[u8] = b"*/";
/// A dash and the space that it needs.
const TRIM_MARKER_WIDTH: usize = 2;

impl Default for Delimiters {
    fn default() -> Self {
        Self { left: Box::from(*b"{{"), right: Box::from(*b"}}") }
    }
}

impl<'a> Lexer<'a> {
    /// The text's length fits a [`Position`].
    pub(super) fn new(input: &'a [u8], delimiters: &'a Delimiters) -> Self {
        Self {
            input,
            delimiters,
            position: 0,
            start: 0,
            paren_depth: 0,
            inside_action: false,
            break_is_keyword: true,
            continue_is_keyword: true,
            error: None,
        }
    }

    /// The next token. After the end it is the end again, after an error the error.
    pub(super) fn next(&mut self) -> Token {
        if let Some((token, _)) = &self.error {
            return *token;
        }
        if self.inside_action { self.action() } else { self.text() }
    }

    /// What is wrong, when the last token was an error.
    pub(super) fn error(&self) -> &str {
        self.error.as_ref().map_or("", |(_, message)| message)
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        &self.input[self.position..]
    }

    fn peek(&self) -> Option<Rune> {
        utf8::decode(self.rest())
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let accepted = self.rest().first().is_some_and(|byte| valid.contains(byte));
        self.position += usize::from(accepted);
        accepted
    }

    fn accept_run(&mut self, valid: &[u8]) {
        while self.accept(valid) {}
    }

    fn word(&self) -> &'a [u8] {
        &self.input[self.start..self.position]
    }

    #[inline]
    fn emit(&mut self, kind: TokenKind) -> Token {
        let token = Token { kind, start: self.start as Position, end: self.position as Position };
        self.start = self.position;
        token
    }

    /// Drops what was skipped.
    fn ignore(&mut self) {
        self.start = self.position;
    }

    #[cold]
    fn fail(&mut self, message: String) -> Token {
        let start = self.start as Position;
        let token = Token { kind: TokenKind::Error, start, end: start };
        self.error = Some((token, message));
        token
    }

    /// Text up to an action, or what follows when there is none.
    fn text(&mut self) -> Token {
        loop {
            let Some(length) = find(self.rest(), &self.delimiters.left) else {
                self.position = self.input.len();
                if self.position == self.start {
                    return self.emit(TokenKind::Eof);
                }
                return self.emit(TokenKind::Text);
            };
            if let Some(text) = self.text_before_action(length) {
                return text;
            }
            if let Some(token) = self.left_delimiter() {
                return token;
            }
        }
    }

    fn text_before_action(&mut self, length: usize) -> Option<Token> {
        if length == 0 {
            return None;
        }
        self.position += length;
        let action = &self.rest()[self.delimiters.left.len()..];
        let trimmed = if has_left_trim_marker(action) { trailing_space(self.word()) } else { 0 };
        self.position -= trimmed;
        let text = self.emit(TokenKind::Text);
        self.position += trimmed;
        self.ignore();
        (text.start < text.end).then_some(text)
    }

    /// The delimiter that is known to be there; nothing after a comment.
    fn left_delimiter(&mut self) -> Option<Token> {
        self.position += self.delimiters.left.len();
        let marker = if has_left_trim_marker(self.rest()) { TRIM_MARKER_WIDTH } else { 0 };
        if self.rest()[marker..].starts_with(LEFT_COMMENT) {
            self.position += marker;
            self.ignore();
            return self.comment();
        }
        let token = self.emit(TokenKind::LeftDelimiter);
        self.inside_action = true;
        self.position += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(token)
    }

    /// Skips a comment; its error, if it has one.
    fn comment(&mut self) -> Option<Token> {
        self.position += LEFT_COMMENT.len();
        let Some(length) = memmem::find(self.rest(), RIGHT_COMMENT) else {
            return Some(self.fail("unclosed comment".to_owned()));
        };
        self.position += length + RIGHT_COMMENT.len();
        let Some(trims) = self.at_right_delimiter() else {
            return Some(self.fail("comment ends before closing delimiter".to_owned()));
        };
        self.skip_right_delimiter(trims);
        self.ignore();
        None
    }

    #[inline]
    fn is_right(&self, text: &[u8]) -> bool {
        let right = &self.delimiters.right;
        // Most of the time the first byte tells.
        text.first() == right.first() && text.starts_with(right)
    }

    /// Whether an action ends here, and then whether it trims the space that follows.
    #[inline]
    fn at_right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && self.is_right(&rest[TRIM_MARKER_WIDTH..]) {
            return Some(true);
        }
        self.is_right(rest).then_some(false)
    }

    fn skip_right_delimiter(&mut self, trims: bool) {
        if trims {
            self.position += TRIM_MARKER_WIDTH;
        }
        self.position += self.delimiters.right.len();
        if trims {
            self.position += leading_space(self.rest());
        }
    }

    fn right_delimiter(&mut self, trims: bool) -> Token {
        if trims {
            self.position += TRIM_MARKER_WIDTH;
            self.ignore();
        }
        self.position += self.delimiters.right.len();
        let token = self.emit(TokenKind::RightDelimiter);
        if trims {
            self.position += leading_space(self.rest());
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token {
        if let Some(trims) = self.at_right_delimiter() {
            if self.paren_depth == 0 {
                return self.right_delimiter(trims);
            }
            return self.fail("unclosed left paren".to_owned());
        }
        let Some(&first) = self.rest().first() else { return self.fail("unclosed action".to_owned()) };
        match first {
            b' ' | b'\t' | b'\r' | b'\n' => return self.space(),
            b'+' | b'-' | b'0'..=b'9' => return self.number(),
            _ if has_class(first, NAME) => return self.identifier(),
            0x80.. => return self.beyond_ascii(),
            _ => self.position += 1,
        }
        match first {
            b'=' => self.emit(TokenKind::Assign),
            b':' if self.accept(b"=") => self.emit(TokenKind::Declare),
            b':' => self.fail("expected :=".to_owned()),
            b'|' => self.emit(TokenKind::Pipe),
            b'"' => self.quoted(b'"', TokenKind::String, "unterminated quoted string"),
            b'\'' => self.quoted(b'\'', TokenKind::CharConstant, "unterminated character constant"),
            b'`' => self.raw_string(),
            b'$' => self.name(TokenKind::Variable, TokenKind::Variable),
            b'.' if self.rest().first().is_none_or(u8::is_ascii_digit) => {
                self.position -= 1;
                self.number()
            }
            b'.' => self.name(TokenKind::Field, TokenKind::Dot),
            b'(' => {
                self.paren_depth += 1;
                self.emit(TokenKind::LeftParen)
            }
            b')' => self.right_paren(),
            b' '..=b'~' => self.emit(TokenKind::Char),
            other => self.unrecognized(other.into()),
        }
    }

    fn beyond_ascii(&mut self) -> Token {
        match self.peek() {
            Some(rune) if is_alphanumeric(rune.char) => self.identifier(),
            rune => self.unrecognized(rune.map_or(char::REPLACEMENT_CHARACTER, |rune| rune.char)),
        }
    }

    fn unrecognized(&mut self, char: char) -> Token {
        self.fail(format!("unrecognized character in action: {}", describe(char)))
    }

    fn right_paren(&mut self) -> Token {
        match self.paren_depth.checked_sub(1) {
            Some(depth) => self.paren_depth = depth,
            None => return self.fail("unexpected right paren".to_owned()),
        }
        self.emit(TokenKind::RightParen)
    }

    fn space(&mut self) -> Token {
        self.position += leading_space(self.rest());
        // The last space may belong to the delimiter.
        let last = self.position - 1;
        let tail = &self.input[last..];
        if has_right_trim_marker(tail) && self.is_right(&tail[TRIM_MARKER_WIDTH..]) {
            self.position = last;
            if last == self.start {
                return self.right_delimiter(true);
            }
        }
        self.emit(TokenKind::Space)
    }

    fn identifier(&mut self) -> Token {
        self.skip_alphanumerics();
        if let Some(error) = self.unless_at_terminator() {
            return error;
        }
        let kind = match self.word() {
            b"true" | b"false" => TokenKind::Bool,
            b"break" if !self.break_is_keyword => TokenKind::Identifier,
            b"continue" if !self.continue_is_keyword => TokenKind::Identifier,
            word => TokenKind::keyword(word).unwrap_or(TokenKind::Identifier),
        };
        self.emit(kind)
    }

    /// A field or variable whose `.` or `$` has been scanned; `bare` is the kind of those alone.
    fn name(&mut self, kind: TokenKind, bare: TokenKind) -> Token {
        if self.at_terminator() {
            return self.emit(bare);
        }
        self.skip_alphanumerics();
        match self.unless_at_terminator() {
            Some(error) => error,
            None => self.emit(kind),
        }
    }

    #[inline]
    fn skip_alphanumerics(&mut self) {
        loop {
            let rest = self.rest();
            let end = rest.iter().position(|byte| !has_class(*byte, NAME)).unwrap_or(rest.len());
            self.position += end;
            match rest.get(end) {
                Some(0x80..) => {}
                _ => return,
            }
            match self.peek().filter(|rune| is_alphanumeric(rune.char)) {
                Some(rune) => self.position += rune.width,
                None => return,
            }
        }
    }

    #[inline]
    fn unless_at_terminator(&mut self) -> Option<Token> {
        if self.at_terminator() { None } else { self.bad_character() }
    }

    #[cold]
    fn bad_character(&mut self) -> Option<Token> {
        let char = self.peek()?.char;
        Some(self.fail(format!("bad character {}", describe(char))))
    }

    /// Whether a name may end here.
    #[inline]
    fn at_terminator(&self) -> bool {
        match self.rest().first() {
            None => true,
            Some(byte) => has_class(*byte, NAME_END) || self.is_right(self.rest()),
        }
    }

    fn quoted(&mut self, quote: u8, kind: TokenKind, unterminated: &str) -> Token {
        while let Some(length) = memchr::memchr3(quote, b'\\', b'\n', self.rest()) {
            self.position += length + 1;
            match self.input[self.position - 1] {
                b'\\' if self.rest().first().is_some_and(|next| *next != b'\n') => self.position += 1,
                byte if byte == quote => return self.emit(kind),
                _ => break,
            }
        }
        self.fail(unterminated.to_owned())
    }

    fn raw_string(&mut self) -> Token {
        let Some(length) = memchr::memchr(b'`', self.rest()) else {
            return self.fail("unterminated raw quoted string".to_owned());
        };
        self.position += length + 1;
        self.emit(TokenKind::RawString)
    }

    /// A number, loosely; the parser looks closely.
    fn number(&mut self) -> Token {
        let mut kind = TokenKind::Number;
        let mut good = self.scan_number();
        if good && matches!(self.rest().first(), Some(b'+' | b'-')) {
            // A complex number: no spaces, ends in an i.
            good = self.scan_number() && self.word().ends_with(b"i");
            kind = TokenKind::Complex;
        }
        if good {
            return self.emit(kind);
        }
        self.fail(format!("bad number syntax: {}", strconv::quote(self.word())))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        let (mut is_decimal, mut is_hex) = (true, false);
        if self.accept(b"0") {
            if self.accept(b"xX") {
                (digits, is_decimal, is_hex) = (b"0123456789abcdefABCDEF_", false, true);
            } else if self.accept(b"oO") {
                (digits, is_decimal) = (b"01234567_", false);
            } else if self.accept(b"bB") {
                (digits, is_decimal) = (b"01_", false);
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if is_decimal && self.accept(b"eE") || is_hex && self.accept(b"pP") {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        match self.peek().filter(|rune| is_alphanumeric(rune.char)) {
            Some(rune) => {
                self.position += rune.width;
                false
            }
            None => true,
        }
    }
}

/// Where a delimiter starts. It is short, so this is quicker than a search that first prepares.
fn find(text: &[u8], delimiter: &[u8]) -> Option<usize> {
    let first = *delimiter.first()?;
    memchr::memchr_iter(first, text).find(|at| text[*at..].starts_with(delimiter))
}

/// Bytes of a name.
const NAME: u8 = 1;
/// Bytes that may follow a name.
const NAME_END: u8 = 2;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => NAME,
            b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(' => NAME_END,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn has_class(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] == class
}

fn is_alphanumeric(char: char) -> bool {
    char == '_' || is_letter(char) || is_digit(char)
}

fn is_space_byte(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space_byte(space))
}

fn has_right_trim_marker(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space_byte(space))
}

fn trailing_space(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| is_space_byte(byte)).count()
}

fn leading_space(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space_byte(byte)).count()
}

/// Go's `%#U`: the code point, and the character when it can be seen.
fn describe(char: char) -> String {
    let code = format!("U+{:04X}", u32::from(char));
    if strconv::is_print(char) { format!("{code} '{char}'") } else { code }
}
