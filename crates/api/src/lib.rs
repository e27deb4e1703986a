//! The custom resources of the GitOps toolkit, as Rust types.
//!
//! Nothing but types, their schemas and the rules that come with a value: no client, no runtime. The CRD
//! manifests in `manifests/crds` are generated from here by the test `crds`.
//!
//! ```
//! use api::meta::GoDuration;
//! assert_eq!("1h30m".parse::<GoDuration>()?.to_string(), "1h30m0s");
//! # Ok::<(), api::meta::ParseDurationError>(())
//! ```

pub mod meta;

pub mod source;

pub mod kustomize;

pub mod crds;
