//! One Kustomization's spec over a source tree: the objects that it asks for.
//!
//! The spec's fields are merged into the kustomization file of the directory, which is then built with
//! [`kustomize`]; a directory without such a file gets one that lists its manifests. Encrypted files are decrypted
//! before the build, encrypted objects after it; then variables are substituted. Nothing is written: changed and
//! decrypted files lie over the tree in memory.
//!
//! Everything that a build looks at in the tree is told in [`Reads`], so that a later tree that doesn't differ there
//! needs no build.
//!
//! Differences to Flux: paths in messages start at the root of the artifact, not at that of a random folder, so
//! equal failures have equal messages; manifests that don't parse are found after the build has failed, not before
//! each build; content of objects is never part of a message; the MAC of encrypted files is verified; what is still
//! encrypted in the end is warned about.

mod build;
mod inputs;

mod clamp;
mod generate;
mod overlay;
mod tree;

mod decrypt;
pub mod envsubst;
mod go_json;
mod substitute;

mod encrypted;
mod metadata;
mod reads;

mod error;

pub use build::{Built, build};
pub use decrypt::{FieldError, SourceError};
pub use encrypted::Encrypted;
pub use error::{Error, NotAManifest};
pub use go_json::NullKey;
pub use inputs::{Inputs, Variables};
pub use metadata::add_common_metadata;
pub use reads::Reads;
pub use substitute::SubstituteError;
