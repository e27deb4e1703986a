//! Builds and applies Kustomizations.
//!
//! For each Kustomization: take the artifact that its source's status names, fetch it by digest, build the
//! overlay, apply the objects server-side, delete what left the overlay, wait for health, and say so in the
//! Kustomization's status. The contract is Flux's kustomize-controller; see `docs/kustomization.md`.
//!
//! What this controller adds: the inventory is written *before* objects are applied and narrowed afterwards,
//! so a crash at any point leaves nothing behind that nobody knows of.

mod args;
mod context;
pub mod kustomization;

mod clusters;
mod decrypt;
mod identity;
mod watched;

pub use args::Program;
