//! Tokens, and how error texts print them.

use crate::node::Position;
use crate::strconv;
use crate::utf8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// The scanner gave up; the lexer has the text.
    Error,
    Bool,
    /// A character that stands for itself, such as a comma.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    /// A name with its dot.
    Field,
    Identifier,
    LeftDelimiter,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Dot,
    Nil,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: Position,
    pub(super) end: Position,
}

impl TokenKind {
    pub(super) fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"range" => Self::Range,
            b"nil" => Self::Nil,
            b"template" => Self::Template,
            b"with" => Self::With,
            _ => return None,
        })
    }

    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Dot
                | Self::Nil
                | Self::Block
                | Self::Break
                | Self::Continue
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Range
                | Self::Template
                | Self::With
        )
    }

    /// How an error text shows a token of this kind whose text is `text`.
    pub(super) fn describe(self, text: &[u8]) -> String {
        const SHOWN: usize = 10;
        if self == Self::Eof {
            return "EOF".to_owned();
        }
        if self.is_keyword() {
            return format!("<{}>", String::from_utf8_lossy(text));
        }
        if text.len() <= SHOWN {
            return strconv::quote(text);
        }
        let end = utf8::runes(text).nth(SHOWN).map_or(text.len(), |(offset, _)| offset);
        format!("{}...", strconv::quote(&text[..end]))
    }
}
