//! What can go wrong, without a word of what was encrypted.

mod data_key;

pub use data_key::{DataKeyError, GroupFailure, KeyFailure};

use crate::Format;

/// Why a document couldn't be decrypted.
///
/// The texts are those of Flux's decryptor; the cause is in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document can't be read.
    #[error("failed to load encrypted {} data", format.name())]
    Load {
        /// The format it was read as.
        format: Format,
        /// What is wrong with it.
        source: LoadError,
    },
    /// No key that was asked gave the data key.
    #[error("cannot get sops data key")]
    DataKey(#[from] DataKeyError),
    /// A value can't be decrypted.
    #[error("error decrypting sops tree")]
    Tree(#[from] TreeError),
    /// The content isn't what was encrypted.
    #[error("failed to verify sops data integrity")]
    Mac(#[from] MacError),
    /// The decrypted content has no place in the format.
    #[error("failed to emit encrypted {} file as decrypted {}", input.name(), output.name())]
    Emit {
        /// The format it was read as.
        input: Format,
        /// The format it was to be written in.
        output: Format,
        /// What doesn't fit.
        source: EmitError,
    },
}

/// Why a document can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It isn't a SOPS document.
    #[error("sops metadata not found")]
    NoMetadata,
    /// It isn't well formed.
    #[error("line {line}: {message}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong; no content.
        message: String,
    },
    /// Its metadata make no sense.
    #[error("sops metadata: {0}")]
    Metadata(String),
    /// It is more than was allowed.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
}

impl LoadError {
    pub(crate) fn malformed(line: usize, message: impl Into<String>) -> Self {
        Self::Malformed { line, message: message.into() }
    }

    pub(crate) fn metadata(message: impl Into<String>) -> Self {
        Self::Metadata(message.into())
    }
}

/// Which value can't be decrypted, and why.
#[derive(Debug, thiserror::Error)]
#[error("could not decrypt the value of {path:?}")]
pub struct TreeError {
    /// Keys and indices, from the root: `spec.list[2].name`.
    pub path: String,
    /// Why.
    pub source: ValueError,
}

/// Why a value can't be decrypted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The key says that the value is encrypted, and it can't be.
    #[error("Expected encrypted value as string, but got {0}")]
    NotText(&'static str),
    /// It isn't an encrypted value.
    #[error("Input string <redacted> does not match sops' data format")]
    Format,
    /// A part of it isn't base64.
    #[error("Error base64-decoding {0}")]
    Base64(&'static str),
    /// The nonce or the tag hasn't the size that it must have.
    #[error("{part} has {bytes} bytes instead of {wanted}")]
    Size {
        /// `iv` or `tag`.
        part: &'static str,
        /// How many it has.
        bytes: usize,
        /// How many it must have.
        wanted: usize,
    },
    /// Another key or another path encrypted it, or it was changed.
    #[error("Could not decrypt with AES_GCM: cipher: message authentication failed")]
    Authentication,
    /// The type isn't one of ours.
    #[error("Unknown datatype")]
    UnknownType,
    /// The decrypted text isn't a value of its type.
    #[error("the decrypted value isn't of type {0}")]
    NotOfType(&'static str),
    /// A value turned out to be a comment.
    #[error("a comment was encrypted as a value")]
    UnexpectedComment,
    /// A comment turned out to be something else.
    #[error("a comment was encrypted as a value of type {0}")]
    NotAComment(&'static str),
}

/// Why the content isn't what was encrypted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// The document has no MAC.
    #[error("the document has no MAC")]
    Missing,
    /// The MAC can't be decrypted: it or the time of the last change was changed.
    #[error("cannot decrypt the MAC")]
    Undecryptable(#[source] ValueError),
    /// The MAC is that of other content.
    #[error("MAC mismatch: keys, values or their order were changed after encryption")]
    Mismatch,
}

/// Why content has no place in a format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// A list or map where the format has only text.
    #[error("cannot use complex value in {} file; offending key {key}", format.name())]
    Complex {
        /// The format.
        format: Format,
        /// The key of the value.
        key: String,
    },
    /// A value at the root where the format has only sections.
    #[error("Section values should always be TreeBranches; offending key {key}")]
    NotASection {
        /// The key of the value.
        key: String,
    },
    /// A name that the format can't hold.
    #[error("the name of a section or key is empty")]
    EmptyName,
    /// Several documents, or none, for a format that holds one.
    #[error("error emitting binary store: there must be exactly one tree branch")]
    NotOneDocument,
    /// There is no key `data` to write.
    #[error("error emitting binary store: no binary data found in tree")]
    NoData,
    /// The key `data` has something else than text.
    #[error("error emitting binary store: 'data' key in tree does not have a string value")]
    DataNotText,
    /// A number that the format can't hold.
    #[error("unsupported value of key {key}: not a finite number")]
    NotFinite {
        /// The key of the value.
        key: String,
    },
}
