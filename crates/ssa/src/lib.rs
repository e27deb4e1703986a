//! Brings objects to a cluster and tells how they fare there: server-side apply with drift detection,
//! inventory, pruning and waiting for readiness.
//!
//! ```no_run
//! # async fn example(client: kube::Client, objects: Vec<krm::Object>) -> Result<(), Box<dyn std::error::Error>> {
//! let manager = ssa::Manager::new(client, ssa::Options::new("kustomize-controller", "kustomize.toolkit.fluxcd.io"));
//! let owner = ssa::Owner { name: "app".into(), namespace: "default".into() };
//! let applied = manager.apply(&owner, &objects, &ssa::ApplyOptions::default(), &ssa::Known::default()).await?;
//! manager.wait(&ssa::targets(&applied.changes, &objects), &ssa::WaitOptions::default()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The rules are those of `github.com/fluxcd/pkg/ssa`. Where we differ:
//! - No read comes before the dry run; a new object costs two requests. An object that was applied before with
//!   the same content, and that nobody has touched, costs one read of its metadata ([`Known`]), or nothing at all
//!   while a watch proves it ([`Live`]).
//! - All failing objects of a stage are reported, not the first alone, and nothing is written (field managers,
//!   recreations) before all dry runs of the stage have passed.
//! - Waiting follows the objects by watches.
//! - Deletions carry `uid` and `resourceVersion` preconditions.
//! - An immutable object is only recreated when a dry run of its creation passes; namespaces, volumes, claims and
//!   custom resource definitions only when the object itself is annotated.
//! - A pruned object whose kind is not served any more counts as gone, once a complete discovery has proved it.

mod manager;

mod apply;
mod live;
mod prune;
mod wait;

pub mod health;
pub mod inventory;
pub mod normalize;
pub mod order;

mod change_set;
mod drift;
mod ignore;
mod managed_fields;
mod mapper;
mod metadata;
mod request;
mod sighting;
mod watch;

pub use apply::{
    Applied, ApplyError, ApplyOptions, Difference, Known, ObjectError, Plan, PlanAction, PlanEntry,
};
pub use change_set::{Action, Change, ChangeSet};
pub use ignore::{IgnoreRuleError, IgnoreRules, PointerError, SelectorError};
pub use live::{Live, LiveChange, LiveNews, LiveState};
pub use manager::{Manager, Options, Owner};
pub use mapper::Mapper;
pub use metadata::CommonMetadata;
pub use prune::{Deletion, PruneError, PruneOptions};
pub use wait::{Target, WaitCause, WaitError, WaitOptions, targets};
