//! Recursion without overflow: how deep templates nest isn't known, and a thread's stack is small.

/// Enough for the deepest recursion that doesn't itself call [`grow`]: functions that print values.
const RED_ZONE: usize = 1024 * 1024;
const SEGMENT: usize = 8 * 1024 * 1024;

/// Runs with at least [`RED_ZONE`] bytes of stack.
pub(crate) fn grow<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, SEGMENT, run)
}
