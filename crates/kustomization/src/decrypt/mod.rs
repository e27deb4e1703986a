//! What is encrypted with SOPS: files before the build, objects after it.
//!
//! Source: kustomize-controller `internal/decryptor`.

mod object;
mod sources;

pub use object::FieldError;
pub(crate) use object::{decoded, is_disabled, object};
pub use sources::SourceError;
pub(crate) use sources::sources;
