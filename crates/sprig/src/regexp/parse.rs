//! The parser: Go's syntax with the flags that `regexp.Compile` sets.

use regex_syntax::hir::{ClassUnicode, Hir, Look};

use super::error::{ErrorCode, ParseError};
use super::item::{Item, Repeat};
use super::scan::{Parsing, check_utf8, class_range, counted, escaped_rune, next_rune, span};
use super::unicode::UnicodeClasses;
use super::{class, perl};

/// Deepest nesting of parentheses. Go counts only those that make its tree higher.
const MAX_DEPTH: usize = 1000;

/// A parsed pattern.
pub(super) struct Parsed {
    pub(super) hir: Hir,
    /// The names of the groups by number, the whole match first; unnamed ones are empty.
    pub(super) names: Vec<String>,
}

/// Parses a pattern.
pub(super) fn parse(pattern: &[u8]) -> Result<Parsed, ParseError> {
    let mut parser = Parser {
        pattern,
        flags: Flags::default(),
        names: vec![String::new()],
        outer: Vec::new(),
        open: Frame::default(),
        unicode: UnicodeClasses::default(),
    };
    let mut rest = pattern;
    let mut last_repeat = None;
    while let Some(&first) = rest.first() {
        match first {
            b'*' | b'+' | b'?' | b'{' => match parser.repetition(rest, last_repeat)? {
                Some(after) => {
                    last_repeat = Some(rest);
                    rest = after;
                    continue;
                }
                None => rest = parser.literal(rest)?,
            },
            b'\\' => rest = parser.escape(rest)?,
            _ => rest = parser.part(first, rest)?,
        }
        last_repeat = None;
    }
    if !parser.outer.is_empty() {
        return Err(ParseError::new(ErrorCode::MissingParen, pattern));
    }
    let item = parser.open.finish().map_err(|code| ParseError::new(code, pattern))?;
    Ok(Parsed { hir: item.hir, names: parser.names })
}

#[derive(Clone, Copy, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    ungreedy: bool,
}

/// What stands between two parentheses so far.
#[derive(Default)]
struct Frame {
    /// The number of the group; none when it captures nothing.
    group: Option<u32>,
    /// What to go back to behind the group.
    flags_before: Flags,
    alternatives: Vec<Item>,
    /// The parts of the last alternative.
    parts: Vec<Item>,
}

struct Parser<'a> {
    pattern: &'a [u8],
    flags: Flags,
    names: Vec<String>,
    /// The groups around the open one.
    outer: Vec<Frame>,
    open: Frame,
    unicode: UnicodeClasses,
}

impl<'a> Parser<'a> {
    /// Anything but repetitions and escapes. Returns what is behind it, as all of these do.
    fn part(&mut self, first: u8, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let item = match first {
            b'(' if rest.get(1) == Some(&b'?') => return self.perl_group(rest),
            b'(' => {
                self.open_capture(String::new())?;
                return Ok(&rest[1..]);
            }
            b')' => {
                self.close()?;
                return Ok(&rest[1..]);
            }
            b'|' => {
                self.open.end_alternative().map_err(|code| self.error(code))?;
                return Ok(&rest[1..]);
            }
            b'[' => {
                let (class, rest) = self.class(rest)?;
                self.push(Item::class(class));
                return Ok(rest);
            }
            b'^' => Item::look(if self.flags.multi_line { Look::StartLF } else { Look::Start }),
            b'$' => Item::look(if self.flags.multi_line { Look::EndLF } else { Look::End }),
            b'.' => Item::any(self.flags.dot_newline),
            _ => return self.literal(rest),
        };
        self.push(item);
        Ok(&rest[1..])
    }

    fn literal(&mut self, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let (char, rest) = next_rune(rest)?;
        self.push(Item::literal(char, self.flags.fold));
        Ok(rest)
    }

    /// A repetition of the last part; none when a `{` stands for itself.
    fn repetition(&mut self, rest: &'a [u8], last: Option<&'a [u8]>) -> Result<Option<&'a [u8]>, ParseError> {
        let (repeat, mut after) = match rest[0] {
            b'*' => (Repeat::Star, &rest[1..]),
            b'+' => (Repeat::Plus, &rest[1..]),
            b'?' => (Repeat::Quest, &rest[1..]),
            _ => {
                let Some((min, max, after)) = counted(rest) else { return Ok(None) };
                let limits = |count: Option<u32>| count.is_none_or(|count| count <= 1000);
                if !limits(Some(min)) || !limits(max) || max.is_some_and(|max| min > max) {
                    return Err(span(ErrorCode::InvalidRepeatSize, rest, after));
                }
                (Repeat::Counted(min, max), after)
            }
        };
        let lazy = after.first() == Some(&b'?');
        after = &after[usize::from(lazy)..];
        if let Some(last) = last {
            return Err(span(ErrorCode::InvalidRepeatOperator, last, after));
        }
        let Some(item) = self.open.parts.pop() else {
            return Err(span(ErrorCode::MissingRepeatArgument, rest, after));
        };
        let item = item.repeat(repeat, lazy == self.flags.ungreedy).map_err(|code| match code {
            ErrorCode::InvalidRepeatSize => span(code, rest, after),
            code => self.error(code),
        })?;
        self.push(item);
        Ok(Some(after))
    }

    /// A backslash and what belongs to it.
    fn escape(&mut self, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let look = match rest.get(1) {
            Some(b'A') => Look::Start,
            Some(b'z') => Look::End,
            Some(b'b') => Look::WordAscii,
            Some(b'B') => Look::WordAsciiNegate,
            Some(b'C') => return Err(ParseError::new(ErrorCode::InvalidEscape, &rest[..2])),
            Some(b'Q') => return self.quoted(&rest[2..]),
            _ => return self.escaped_character(rest),
        };
        self.push(Item::look(look));
        Ok(&rest[2..])
    }

    /// The text of `\Q…\E`, or to the end.
    fn quoted(&mut self, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let end = rest.windows(2).position(|window| window == br"\E");
        let (mut text, after) = match end {
            Some(end) => (&rest[..end], &rest[end + 2..]),
            None => (rest, &rest[rest.len()..]),
        };
        while !text.is_empty() {
            text = self.literal(text)?;
        }
        Ok(after)
    }

    fn escaped_character(&mut self, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
        if let Some((class, rest)) = self.escaped_class(rest)? {
            self.push(Item::class(class));
            return Ok(rest);
        }
        let (char, rest) = escaped_rune(rest)?;
        self.push(Item::literal(char, self.flags.fold));
        Ok(rest)
    }

    /// `\pL`, `\p{Greek}`, `\d` and the like, if the text begins with one.
    fn escaped_class(&mut self, rest: &'a [u8]) -> Result<Option<(ClassUnicode, &'a [u8])>, ParseError> {
        let &[b'\\', letter, ref after @ ..] = rest else { return Ok(None) };
        if matches!(letter, b'p' | b'P') {
            return self.unicode_class(rest).map(Some);
        }
        Ok(perl::escape(letter, self.flags.fold).map(|class| (class, after)))
    }

    fn unicode_class(&mut self, rest: &'a [u8]) -> Parsing<'a, ClassUnicode> {
        let (first, after) = next_rune(&rest[2..])?;
        let (name, after) = if first == u32::from('{') {
            let Some(end) = rest.iter().position(|&byte| byte == b'}') else {
                check_utf8(rest)?;
                return Err(ParseError::new(ErrorCode::InvalidCharRange, rest));
            };
            check_utf8(&rest[3..end])?;
            (&rest[3..end], &rest[end + 1..])
        } else {
            (&rest[2..rest.len() - after.len()], after)
        };
        let (negate, name) = match name.strip_prefix(b"^") {
            Some(name) => (rest[1] == b'p', name),
            None => (rest[1] == b'P', name),
        };
        let Some(class) = self.unicode.get(name, self.flags.fold) else {
            return Err(span(ErrorCode::InvalidCharRange, rest, after));
        };
        Ok((if negate { class::negated(class) } else { class }, after))
    }

    /// A class in brackets.
    fn class(&mut self, whole: &'a [u8]) -> Parsing<'a, ClassUnicode> {
        let (negate, mut rest) = match whole[1..].strip_prefix(b"^") {
            Some(rest) => (true, rest),
            None => (false, &whole[1..]),
        };
        let mut union = ClassUnicode::empty();
        let mut ranges = Vec::new();
        let mut first = true;
        while first || rest.first() != Some(&b']') {
            first = false;
            if let Some((class, after)) = self.class_in_class(rest)? {
                union.union(&class);
                rest = after;
                continue;
            }
            let (low, high, after) = class_range(rest, whole)?;
            ranges.push((low, high));
            rest = after;
        }
        let listed = class::of_ranges(ranges);
        union.union(&if self.flags.fold { class::folded(listed) } else { listed });
        Ok((if negate { class::negated(union) } else { union }, &rest[1..]))
    }

    /// `[:alpha:]`, `\pL`, `\d` and the like, if the text begins with one.
    fn class_in_class(&mut self, rest: &'a [u8]) -> Result<Option<(ClassUnicode, &'a [u8])>, ParseError> {
        let named = rest.strip_prefix(b"[:").filter(|name| !name.is_empty());
        if let Some(name) = named
            && let Some(end) = name.windows(2).position(|window| window == b":]")
        {
            let after = &name[end + 2..];
            return match perl::posix(&name[..end], self.flags.fold) {
                Some(class) => Ok(Some((class, after))),
                None => Err(span(ErrorCode::InvalidCharRange, rest, after)),
            };
        }
        self.escaped_class(rest)
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
    fn perl_group(&mut self, rest: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let name_start = match &rest[2..] {
            [b'P', b'<', _, ..] => Some(4),
            [b'<', _, ..] => Some(3),
            _ => None,
        };
        let Some(name_start) = name_start else { return self.flags(rest) };
        let Some(end) = rest.iter().position(|&byte| byte == b'>') else {
            check_utf8(rest)?;
            return Err(ParseError::new(ErrorCode::InvalidNamedCapture, rest));
        };
        let name = &rest[name_start..end];
        check_utf8(name)?;
        if name.is_empty() || !name.iter().all(|&byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return Err(ParseError::new(ErrorCode::InvalidNamedCapture, &rest[..=end]));
        }
        self.open_capture(String::from_utf8_lossy(name).into_owned())?;
        Ok(&rest[end + 1..])
    }

    fn flags(&mut self, whole: &'a [u8]) -> Result<&'a [u8], ParseError> {
        let mut flags = self.flags;
        let (mut value, mut seen) = (true, false);
        let mut rest = &whole[2..];
        while !rest.is_empty() {
            let (char, after) = next_rune(rest)?;
            rest = after;
            match char::from_u32(char) {
                Some('i') => (flags.fold, seen) = (value, true),
                Some('m') => (flags.multi_line, seen) = (value, true),
                Some('s') => (flags.dot_newline, seen) = (value, true),
                Some('U') => (flags.ungreedy, seen) = (value, true),
                Some('-') if value => (value, seen) = (false, false),
                Some(end @ (':' | ')')) if value || seen => {
                    if end == ':' {
                        self.open_group(None)?;
                    }
                    self.flags = flags;
                    return Ok(rest);
                }
                _ => break,
            }
        }
        Err(span(ErrorCode::InvalidPerlOperator, whole, rest))
    }

    fn open_capture(&mut self, name: String) -> Result<(), ParseError> {
        let number = u32::try_from(self.names.len()).map_err(|_| self.error(ErrorCode::Large))?;
        self.names.push(name);
        self.open_group(Some(number))
    }

    fn open_group(&mut self, group: Option<u32>) -> Result<(), ParseError> {
        if self.outer.len() >= MAX_DEPTH {
            return Err(self.error(ErrorCode::NestingDepth));
        }
        let frame = Frame { group, flags_before: self.flags, ..Frame::default() };
        self.outer.push(std::mem::replace(&mut self.open, frame));
        Ok(())
    }

    fn close(&mut self) -> Result<(), ParseError> {
        let Some(outer) = self.outer.pop() else { return Err(self.error(ErrorCode::UnexpectedParen)) };
        let frame = std::mem::replace(&mut self.open, outer);
        self.flags = frame.flags_before;
        let group = frame.group;
        let item = frame.finish().and_then(|item| match group {
            Some(number) => item.capture(number),
            None => Ok(item),
        });
        let item = item.map_err(|code| self.error(code))?;
        self.push(item);
        Ok(())
    }

    fn push(&mut self, item: Item) {
        self.open.parts.push(item);
    }

    /// An error about the whole pattern.
    fn error(&self, code: ErrorCode) -> ParseError {
        ParseError::new(code, self.pattern)
    }
}

impl Frame {
    fn end_alternative(&mut self) -> Result<(), ErrorCode> {
        let item = Item::concat(std::mem::take(&mut self.parts))?;
        self.alternatives.push(item);
        Ok(())
    }

    fn finish(mut self) -> Result<Item, ErrorCode> {
        self.end_alternative()?;
        Item::alternation(self.alternatives)
    }
}
