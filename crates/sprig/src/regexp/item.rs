//! Parts of an expression, with the measures that Go limits.

use regex_syntax::hir::{Capture, Class, ClassUnicode, Dot, Hir, Look, Repetition};

use super::class;
use super::error::ErrorCode;

/// Highest tree.
const MAX_HEIGHT: u32 = 1000;

/// Most instructions of a compiled expression.
const MAX_SIZE: u64 = (128 << 20) / 40;

/// Most copies of a part that nested counted repetitions may make.
const MAX_COPIES: u64 = 1000;

/// A part of an expression.
pub(super) struct Item {
    pub(super) hir: Hir,
    /// The height of Go's tree, in which a group that captures nothing is no node.
    height: u32,
    /// How many instructions Go would need, about.
    size: u64,
    /// How many copies counted repetitions make of the innermost part.
    copies: u64,
}

/// How often a part is repeated.
#[derive(Clone, Copy)]
pub(super) enum Repeat {
    /// `*`
    Star,
    /// `+`
    Plus,
    /// `?`
    Quest,
    /// `{min,max}`; without a maximum `{min,}`.
    Counted(u32, Option<u32>),
}

impl Item {
    /// A code point that isn't a character matches nothing.
    pub(super) fn literal(code_point: u32, fold: bool) -> Self {
        let Some(char) = char::from_u32(code_point) else { return Self::leaf(Hir::fail()) };
        if fold {
            return Self::class(class::folded(class::of_ranges([(code_point, code_point)])));
        }
        Self::leaf(Hir::literal(char.encode_utf8(&mut [0; 4]).as_bytes()))
    }

    pub(super) fn class(class: ClassUnicode) -> Self {
        Self::leaf(Hir::class(Class::Unicode(class)))
    }

    pub(super) fn any(with_newline: bool) -> Self {
        Self::leaf(Hir::dot(if with_newline { Dot::AnyChar } else { Dot::AnyCharExceptLF }))
    }

    pub(super) fn look(look: Look) -> Self {
        Self::leaf(Hir::look(look))
    }

    pub(super) fn concat(mut items: Vec<Self>) -> Result<Self, ErrorCode> {
        if items.len() == 1
            && let Some(item) = items.pop()
        {
            return Ok(item);
        }
        let (height, size, copies) = measures(&items);
        let hir = Hir::concat(items.into_iter().map(|item| item.hir).collect());
        Self { hir, height: height + 1, size: size.max(1), copies }.checked()
    }

    pub(super) fn alternation(mut items: Vec<Self>) -> Result<Self, ErrorCode> {
        if items.len() == 1
            && let Some(item) = items.pop()
        {
            return Ok(item);
        }
        let (height, size, copies) = measures(&items);
        let size = size + items.len() as u64 - 1;
        let hir = Hir::alternation(items.into_iter().map(|item| item.hir).collect());
        Self { hir, height: height + 1, size, copies }.checked()
    }

    pub(super) fn capture(self, index: u32) -> Result<Self, ErrorCode> {
        let hir = Hir::capture(Capture { index, name: None, sub: Box::new(self.hir) });
        Self { hir, height: self.height + 1, size: self.size + 2, copies: self.copies }.checked()
    }

    pub(super) fn repeat(self, repeat: Repeat, greedy: bool) -> Result<Self, ErrorCode> {
        let (min, max) = match repeat {
            Repeat::Star => (0, None),
            Repeat::Plus => (1, None),
            Repeat::Quest => (0, Some(1)),
            Repeat::Counted(min, max) => (min, max),
        };
        let size = match (repeat, max) {
            (Repeat::Star | Repeat::Counted(0, None), _) => self.size + 2,
            (Repeat::Plus | Repeat::Quest, _) => self.size + 1,
            (_, None) => 1 + u64::from(min) * self.size,
            (_, Some(max)) => u64::from(max) * self.size + u64::from(max - min),
        };
        let copies = match repeat {
            Repeat::Counted(_, Some(0)) => 1,
            Repeat::Counted(min, max) => self.copies * u64::from(max.unwrap_or(min).max(1)),
            Repeat::Star | Repeat::Plus | Repeat::Quest => self.copies,
        };
        let sub = Box::new(self.hir);
        let hir = Hir::repetition(Repetition { min, max, greedy, sub });
        let item = Self { hir, height: self.height + 1, size: size.max(1), copies }.checked()?;
        let checked = matches!(repeat, Repeat::Counted(min, max) if min.max(max.unwrap_or(0)) >= 2);
        if checked && copies > MAX_COPIES { Err(ErrorCode::InvalidRepeatSize) } else { Ok(item) }
    }

    fn leaf(hir: Hir) -> Self {
        Self { hir, height: 1, size: 1, copies: 1 }
    }

    fn checked(self) -> Result<Self, ErrorCode> {
        if self.size > MAX_SIZE {
            return Err(ErrorCode::Large);
        }
        if self.height > MAX_HEIGHT { Err(ErrorCode::NestingDepth) } else { Ok(self) }
    }
}

/// The height of the highest, the size of all, and the most copies.
fn measures(items: &[Item]) -> (u32, u64, u64) {
    let height = items.iter().map(|item| item.height).max().unwrap_or(0);
    let size = items.iter().map(|item| item.size).sum();
    let copies = items.iter().map(|item| item.copies).max().unwrap_or(1);
    (height, size, copies)
}
