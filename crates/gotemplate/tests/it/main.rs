//! Behaviour of the whole crate.

mod compare;
mod environments;
mod functions;
mod hostile;
mod limits;
mod recorded;
