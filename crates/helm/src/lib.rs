//! The Helm engine: charts, values, rendering and releases, byte for byte what Helm makes of them.

pub mod assemble;
pub mod chart;
mod compat;
pub mod manifest;
pub mod package;
mod parallel;
pub mod release;
pub mod render;
pub mod repository;
pub mod schema;
mod text;
pub mod values;
mod version;

pub use compat::Compat;
