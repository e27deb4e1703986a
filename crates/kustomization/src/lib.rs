//! One Kustomization's spec over a source tree: the objects that it asks for.
//!
//! The spec's fields are merged into the kustomization file of the directory, which is then built with
//! [`kustomize`]; a directory without such a file gets one that lists its manifests. Nothing is written: the
//! changed file lies over the tree in memory. Substitution and decryption aren't done here yet, see
//! [`unsupported`].
//!
//! Differences to Flux: paths in messages start at the root of the artifact, not at that of a random folder, so
//! equal failures have equal messages; manifests that don't parse are found after the build has failed, not before
//! each build; content of objects is never part of a message.

mod build;
mod clamp;
mod error;
mod generate;
mod metadata;
mod overlay;
mod support;
mod tree;

pub use build::{Built, Inputs, build};
pub use error::{Error, NotAManifest};
pub use metadata::add_common_metadata;
pub use support::unsupported;
