//! Which values of a document are encrypted.

mod go_regex;

use crate::error::LoadError;
use crate::tree::Text;
use regex::bytes::{Regex, RegexBuilder};

/// Largest compiled expression, in bytes.
const COMPILED_BYTES: usize = 1 << 20;

/// The rule of a document: there is one.
pub(crate) enum Rule {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
    UnencryptedCommentRegex(Regex),
    EncryptedCommentRegex(Regex),
}

/// Where a value stands.
pub(crate) struct Place<'a> {
    /// The keys above it, its own included; positions in lists don't count.
    pub(crate) keys: &'a [String],
    /// Of each list or map that is open, the comments above the entry that is read.
    pub(crate) comments: &'a [Vec<Text>],
    /// Whether the value is a comment, the last of the innermost comments.
    pub(crate) is_comment: bool,
}

impl Rule {
    /// Source: sops `Tree.shouldBeEncrypted`.
    pub(crate) fn encrypts(&self, place: &Place<'_>) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) => !place.keys.iter().any(|key| key.ends_with(suffix)),
            Self::EncryptedSuffix(suffix) => place.keys.iter().any(|key| key.ends_with(suffix)),
            Self::UnencryptedRegex(regex) => !place.keys.iter().any(|key| regex.is_match(key.as_bytes())),
            Self::EncryptedRegex(regex) => place.keys.iter().any(|key| regex.is_match(key.as_bytes())),
            Self::UnencryptedCommentRegex(regex) => !place.has_comment(regex, false),
            Self::EncryptedCommentRegex(regex) => place.has_comment(regex, true),
        }
    }
}

impl Place<'_> {
    fn has_comment(&self, regex: &Regex, but_itself: bool) -> bool {
        let mut skipped = usize::from(but_itself && self.is_comment);
        for comments in self.comments.iter().rev() {
            let count = comments.len().saturating_sub(skipped);
            skipped = 0;
            if comments[..count].iter().any(|comment| regex.is_match(comment)) {
                return true;
            }
        }
        false
    }
}

/// Compiles an expression of Go.
///
/// Deviation: sops takes an expression that can't be compiled for one that matches nothing. It is refused here, lest
/// values stay encrypted, or count as such, by a slip.
pub(crate) fn regex(field: &str, expression: &str, longest: usize) -> Result<Regex, LoadError> {
    if expression.len() > longest {
        return Err(LoadError::Limit { what: "length of a regular expression", limit: longest });
    }
    RegexBuilder::new(&go_regex::translated(expression))
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .nest_limit(100)
        .build()
        .map_err(|_| LoadError::metadata(format!("{field} isn't a regular expression of acceptable size")))
}
