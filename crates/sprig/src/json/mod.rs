//! Go's `encoding/json`: the same text for the same value, the same errors for the same mistakes.

mod decode;
mod encode;

pub(crate) use decode::decode_any;
pub use decode::{Decoded, decode, decode_list, decode_map};
pub use encode::{Options, encode};
