//! JSON as Go reads and writes it; comments have no place in it.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;
