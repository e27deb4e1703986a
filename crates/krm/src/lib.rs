//! Kubernetes resources as data: a YAML node tree, its reader and its writer, objects and their ids.
//!
//! Scalars resolve as in go-yaml and output is laid out as `sigs.k8s.io/yaml` does, byte for byte, because
//! hashes, diffs and users' eyes depend on it.

mod binary;
mod emit;
mod id;
mod json;
mod node;
mod number;
mod object;
mod parse;
mod resolve;
mod time;

pub use emit::{emit, emit_all, emit_as_read, emit_into, emit_pretty, is_plain, key_order, refolded};
pub use id::Id;
pub use node::{Mapping, Node, Scalar, ScalarKind, ScalarValue, Style};
pub use number::{general_float, json_float, yaml_float};
pub use object::{NotAnObject, Object};
pub use parse::{Error, ErrorKind, Limits, parse, parse_bytes, parse_with};
pub use resolve::{Rules, needs_quotes};
