//! Bounds on what a template may ask for. Go has none: it takes all memory there is.

use gotemplate::{CallError, Value};

/// Largest result of one call, in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Deepest nesting of the values that recursive functions walk. YAML and JSON written by people
/// stay far below; only a value that contains itself gets there.
pub(crate) const MAX_DEPTH: usize = 1000;

/// Refuses a result of more than [`MAX_BYTES`].
pub(crate) fn check_bytes(length: impl TryInto<usize>) -> Result<(), CallError> {
    match length.try_into() {
        Ok(length) if length <= MAX_BYTES => Ok(()),
        _ => Err(format!("result is larger than {MAX_BYTES} bytes").into()),
    }
}

/// Refuses a list of so many elements that it would take more than [`MAX_BYTES`].
pub(crate) fn check_elements(count: impl TryInto<usize>) -> Result<(), CallError> {
    let bytes = count.try_into().map_or(usize::MAX, |count| count.saturating_mul(size_of::<Value>()));
    check_bytes(bytes)
}

pub(crate) fn check_depth(depth: usize) -> Result<(), CallError> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(format!("value is nested more than {MAX_DEPTH} levels deep").into())
}
