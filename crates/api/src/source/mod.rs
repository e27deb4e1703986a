//! Sources: where the content of a cluster comes from (`source.toolkit.fluxcd.io`).

pub mod v1;
