//! Kustomizations: what is built and applied (`kustomize.toolkit.fluxcd.io`).

pub mod v1;
