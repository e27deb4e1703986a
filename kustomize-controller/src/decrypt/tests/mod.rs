//! Keys against a fake API server and fake key services.

mod fake;
mod import;
mod services;
mod vault;
