//! Artifacts of sources: how they are packed, stored, served, fetched and unpacked.
//!
//! [`archive`] makes the same bytes of the same tree, [`ignore`] says what is left out, [`storage`] keeps the
//! bytes under their digest, [`server`] gives them out over HTTP (as Flux does) and gRPC, and [`client`] brings
//! them to a consumer as an unpacked, checked tree. The [`catalog`] knows what is current. Who may read what
//! isn't decided here.

pub mod digest;

pub mod archive;
pub mod extract;
pub mod ignore;

pub mod storage;

pub mod catalog;
pub mod server;

pub mod client;
