use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Mapper;
use crate::managed_fields::TakeOver;
use crate::order::GroupKind;
use crate::request::Calls;

/// Longest time a run may be given; what is longer is cut.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Applies, prunes and watches over objects in one cluster, under one field manager.
///
/// Clones are cheap and share what they learned about the cluster's kinds.
#[derive(Clone)]
pub struct Manager {
    pub(crate) client: kube::Client,
    pub(crate) mapper: Mapper,
    pub(crate) options: Arc<Options>,
}

/// How a [`Manager`] works, for all its runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Field manager of all writes.
    pub field_manager: String,
    /// Prefix of owner labels and of the labels and annotations that steer us, without the slash.
    pub owner_group: String,
    /// How many requests of one run are under way at once; at least 1.
    pub concurrency: usize,
    /// Longest time for one request.
    pub request_timeout: Duration,
    /// Longest time for the objects of a stage to become ready, where later stages need them.
    pub stage_timeout: Duration,
    /// More field managers, by the start of their name, whose fields are taken over.
    pub override_managers: Vec<String>,
    /// Kinds that are applied before the bulk of the objects.
    pub custom_stage_kinds: Vec<GroupKind>,
    /// Most objects of one run.
    pub max_objects: usize,
}

impl Options {
    /// Flux's defaults under the given field manager and label group.
    #[must_use]
    pub fn new(field_manager: impl Into<String>, owner_group: impl Into<String>) -> Self {
        Self {
            field_manager: field_manager.into(),
            owner_group: owner_group.into(),
            concurrency: 4,
            request_timeout: Duration::from_secs(30),
            stage_timeout: Duration::from_secs(60),
            override_managers: Vec::new(),
            custom_stage_kinds: Vec::new(),
            max_objects: 100_000,
        }
    }
}

/// The object on whose behalf others are applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
}

impl Manager {
    /// Works with any client; nothing is sent before the first run.
    #[must_use]
    pub fn new(client: kube::Client, options: Options) -> Self {
        Self { client, mapper: Mapper::default(), options: Arc::new(options) }
    }

    /// The same manager under another identity in the same cluster.
    #[must_use]
    pub fn with_client(&self, client: kube::Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// What is known of the cluster's kinds.
    #[must_use]
    pub fn mapper(&self) -> &Mapper {
        &self.mapper
    }

    pub(crate) fn calls(&self, timeout: Duration, cancel: &CancellationToken) -> Calls {
        Calls {
            started: Instant::now(),
            client: self.client.clone(),
            field_manager: self.options.field_manager.clone(),
            deadline: Instant::now() + timeout.min(MAX_TIMEOUT),
            per_request: self.options.request_timeout,
            cancel: cancel.clone(),
        }
    }

    pub(crate) fn take_over(&self) -> TakeOver {
        TakeOver {
            manager: self.options.field_manager.clone(),
            group: self.options.owner_group.clone(),
            more: self.options.override_managers.clone(),
        }
    }

    /// Runs all futures, as many at once as the options allow; answers in the order of the futures.
    pub(crate) async fn in_parallel<F: Future>(&self, futures: Vec<F>) -> Vec<F::Output> {
        stream::iter(futures).buffered(self.options.concurrency.max(1)).collect().await
    }
}
