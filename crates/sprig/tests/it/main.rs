//! One binary, one file per behaviour.

mod json;
mod limits;
mod named;
mod names;
mod recorded;
mod support;
