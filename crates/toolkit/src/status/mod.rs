//! Conditions and status: what a run's end means, as pure functions, and the one place that writes it.

pub mod conditions;
pub mod source;
mod writer;

#[cfg(test)]
mod tests;

pub use writer::{WriteError, Writer};
