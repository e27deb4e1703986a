//! What all of Ferrite's controllers share: flags, logs, metrics, leader election, events, the reconcile frame.
//!
//! A controller implements [`run::Program`] and hands it to [`main`]; what it gets back is a [`run::Runtime`]
//! with everything connected. The behaviour is that of Flux's controllers, so that dashboards, alerts and
//! patches of their manifests keep working.

pub mod run;

pub mod reconcile;
mod relist;
pub mod status;

pub mod args;
pub mod features;
pub mod logging;
pub mod metrics;
pub mod probes;
pub mod serve;

pub mod client;
pub mod clients;
mod clock;
pub mod leader;

pub mod acl;
pub mod configs;
pub mod events;
pub mod queue;
pub mod secrets;
pub mod trace;

pub use run::{main, run};
