//! Cloud identity: tokens for key services and remote clusters.
//!
//! Three clouds and plain Kubernetes can tell who a controller, or a ServiceAccount, is: AWS, Azure, Google Cloud,
//! and any API server that trusts our issuer. [`Tokens`] asks them, for an [`Identity`], and keeps what they
//! answered in a [`Cache`]. Remote clusters are found with the same tokens ([`cluster`]).
//!
//! Nothing here knows a Kubernetes client: ServiceAccounts and their tokens come through [`ServiceAccounts`].
//! Every request has a deadline and a bound on its answer ([`Http`]); no redirect is followed.
//! Secrets can't be printed, and texts of a service are repeated without what was sent to it.
//!
//! Source: RFC 0010 of Flux and `fluxcd/pkg/auth`. Deviations: the UID of a ServiceAccount is part of what a
//! cached token is found by, addresses of clusters must be `https`, and a region must look like one.

mod subject;
mod tokens;

pub mod cluster;
mod generic;

pub mod aws;
pub mod azure;
pub mod gcp;

mod cache;
mod clock;
mod environment;
mod error;
pub mod http;
mod identity;
pub mod jwt;
mod kubernetes;
mod secret;

pub use cache::{Cache, CacheEvent, CacheMetrics};
pub use clock::Clock;
pub use environment::Environment;
pub use error::Error;
pub use http::Http;
pub use identity::{Identity, InvolvedObject, Operation, ServiceAccountName};
pub use kubernetes::{BoxError, BoxFuture, ServiceAccount, ServiceAccounts};
pub use secret::Secret;
pub use tokens::{Bearer, Options, Tokens};

#[cfg(test)]
mod fake;
