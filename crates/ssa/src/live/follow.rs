//! The task that follows one kind: a list, then a watch that goes on from it.

use std::sync::Arc;
use std::time::Duration;

use api::meta::ObjectRef;
use parking_lot::RwLock;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::table::{Item, Meaning, Table};
use super::{LiveChange, LiveNews, Shared};
use crate::mapper::Mapping;
use crate::order::GroupKind;
use crate::request::{Calls, RequestError, WATCH_METADATA, encode, kind_path};
use crate::watch::{Event, Watch, WatchError};

/// Objects of a page of a list.
const PAGE: usize = 500;
/// Most objects of a kind that are followed.
const MOST: usize = 100_000;
/// Longest time for a page.
const LIST_WITHIN: Duration = Duration::from_secs(60);
/// Longest time for a watch to begin; until then an interrupted one still counts as in sync.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a watch lasts, at least; API servers end it sooner or later themselves.
const LASTING: Duration = Duration::from_secs(290);
/// A connection that lasted this long was no failure.
const CALM: Duration = Duration::from_secs(10);
/// After an interruption, events of the time before may take this long to arrive.
const CATCH_UP: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// When a kind that may not be watched is tried again.
const DENIED_PAUSE: Duration = Duration::from_secs(300);

pub(super) struct Follower {
    pub(super) shared: Arc<Shared>,
    pub(super) kind: GroupKind,
    pub(super) mapping: Mapping,
    pub(super) table: Arc<RwLock<Table>>,
}

/// Why following stopped for now.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error("there are more than {MOST} objects")]
    TooMany,
    #[error("a list without a version")]
    NoVersion,
}

impl From<RequestError> for Interruption {
    fn from(error: RequestError) -> Self {
        Self::Watch(if error.code() == Some(410) { WatchError::Expired } else { error.into() })
    }
}

impl Interruption {
    /// Not for us, now and the next minutes.
    fn is_denied(&self) -> bool {
        match self {
            Self::Watch(WatchError::Request(error)) => {
                matches!(error.code(), Some(401 | 403 | 404 | 405 | 406))
            }
            Self::TooMany => true,
            _ => false,
        }
    }

    /// Tells whether a watch may go on where this one stopped.
    ///
    /// An event that was garbage may have been anything. An API server that was away may have come back with a
    /// database that was set back: it takes a watch from a version that it will only have later, and is silent.
    fn is_resumable(&self) -> bool {
        match self {
            Self::Watch(WatchError::Ended | WatchError::Silent) => true,
            Self::Watch(WatchError::Request(error)) => error.code() == Some(429),
            _ => false,
        }
    }

    fn retry_after(&self) -> Duration {
        match self {
            Self::Watch(WatchError::Request(error)) => error.retry_after().unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

#[derive(Deserialize)]
struct List {
    metadata: ListMetadata,
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default, rename = "continue")]
    next: String,
}

impl Follower {
    /// Runs until it is dropped.
    pub(super) async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let Err(interruption) = self.connect().await;
            let lasted = started.elapsed() >= CALM;
            if lasted {
                pause = FIRST_PAUSE;
            }
            let orderly = matches!(interruption, Interruption::Watch(WatchError::Ended));
            if orderly && lasted {
                continue;
            }
            self.note(&interruption);
            let wait =
                if interruption.is_denied() { DENIED_PAUSE } else { pause.max(interruption.retry_after()) };
            tokio::time::sleep(wait.mul_f64(0.75 + rand::random::<f64>() / 2.0)).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Lists, where there is nothing to go on from, and watches until the connection ends.
    async fn connect(&self) -> Result<std::convert::Infallible, Interruption> {
        let calls = self.calls();
        let version = self.table.read().version().map(ToString::to_string);
        let (version, resumed) = match version {
            Some(version) => (version, true),
            None => (self.list(&calls).await?, false),
        };
        let path = format!("{}&resourceVersion={}", self.selection(), encode(&version));
        let soon = Calls { per_request: OPEN_WITHIN, ..calls };
        let mut watch = Watch::open(&soon, &path, WATCH_METADATA, LASTING).await?;
        if resumed {
            self.resume();
        }
        loop {
            let told = match watch.next::<Item>().await? {
                Event::Seen(item) => self.named(&item, self.table.write().see(&item)),
                Event::Gone(item) => self.named(&item, self.table.write().lose(&item)),
                Event::Bookmark(version) => {
                    self.table.write().advance(&version);
                    continue;
                }
            };
            self.shared.tell(told);
        }
    }

    fn resume(&self) {
        let mut table = self.table.write();
        let grace = if table.is_synced() { Duration::ZERO } else { CATCH_UP };
        table.sync(Instant::now() + grace);
    }

    async fn list(&self, calls: &Calls) -> Result<String, Interruption> {
        let (mut items, mut next) = (Vec::new(), String::new());
        let version = loop {
            let target = format!("{}&limit={PAGE}&continue={}", self.selection(), encode(&next));
            let page: List = calls.list_metadata(&target).await?;
            items.extend(page.items.unwrap_or_default());
            if items.len() > MOST {
                return Err(Interruption::TooMany);
            }
            next = page.metadata.next;
            if next.is_empty() {
                break page.metadata.resource_version;
            }
        };
        if version.is_empty() {
            return Err(Interruption::NoVersion);
        }
        {
            let mut table = self.table.write();
            table.replace(items, &version);
            table.sync(Instant::now());
        }
        let listed = |owner| LiveNews { owner, object: None, change: LiveChange::Listed };
        self.shared.tell(self.shared.owners_of(&self.kind).into_iter().map(listed));
        Ok(version)
    }

    fn selection(&self) -> String {
        let label = encode(&format!("{}/name", self.shared.group));
        format!("{}?labelSelector={label}", kind_path(&self.mapping))
    }

    fn calls(&self) -> Calls {
        Calls {
            started: Instant::now(),
            client: self.shared.client.clone(),
            field_manager: String::new(),
            deadline: Instant::now() + crate::manager::MAX_TIMEOUT,
            per_request: LIST_WITHIN,
            cancel: CancellationToken::new(),
        }
    }

    fn named(&self, item: &Item, told: Vec<Meaning>) -> Vec<LiveNews> {
        let object = || ObjectRef {
            namespace: item.metadata.namespace.clone(),
            name: item.metadata.name.clone(),
            group: self.kind.group.clone(),
            kind: self.kind.kind.clone(),
        };
        told.into_iter()
            .map(|(owner, change)| LiveNews { owner: owner.as_ref().clone(), object: Some(object()), change })
            .collect()
    }

    fn note(&self, interruption: &Interruption) {
        let (group, kind) = (&self.kind.group, &self.kind.kind);
        {
            let mut table = self.table.write();
            table.lose_sync();
            if !interruption.is_resumable() {
                table.expire();
            }
        }
        if interruption.is_denied() {
            tracing::debug!(group, kind, error = %interruption, "stopped watching a kind for now");
        } else {
            tracing::debug!(group, kind, error = %interruption, "lost a watch");
        }
    }
}
