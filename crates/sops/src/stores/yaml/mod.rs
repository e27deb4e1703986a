//! YAML as sops reads and writes it with go-yaml v3: an indentation of four, comments kept.

mod comments;
mod read;
mod scalar;
mod style;
mod write;

pub(super) use read::read;
pub(super) use write::write;
