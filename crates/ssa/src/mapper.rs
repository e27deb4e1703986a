//! Where on the API server a kind lives.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use krm::Id;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::request::{Calls, RequestError};

const ACCEPT_DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// How long a miss is answered from memory within one run.
const MISS_TTL: Duration = Duration::from_secs(5);

/// Where objects of a kind live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// Empty for the core group.
    pub(crate) group: String,
    /// Such as `v1`.
    pub(crate) version: String,
    /// Such as `deployments`.
    pub(crate) plural: String,
    /// Objects of the kind live in a namespace.
    pub(crate) namespaced: bool,
}

/// Knows which kinds the API server serves.
///
/// Asks for all kinds at once, when one is needed for the first time and again when one is not found, but not more
/// than once in five seconds. Clones share what they know.
#[derive(Clone, Default)]
pub struct Mapper {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    table: RwLock<Arc<Table>>,
    /// Held while discovery runs, so that many misses cause one discovery.
    discovery: Mutex<()>,
}

#[derive(Clone, Default)]
struct Table {
    /// By group and kind; versions in the server's order of preference.
    kinds: HashMap<(String, String), Vec<Mapping>>,
    fetched: Option<Instant>,
    /// No group answered with stale or missing data.
    complete: bool,
}

impl Table {
    fn find(&self, group: &str, version: &str, kind: &str) -> Option<Mapping> {
        let versions = self.kinds.get(&(group.to_owned(), kind.to_owned()))?;
        versions.iter().find(|mapping| mapping.version == version).cloned()
    }

    fn find_any(&self, group: &str, version: &str, kind: &str) -> Option<Mapping> {
        self.find(group, version, kind)
            .or_else(|| self.kinds.get(&(group.to_owned(), kind.to_owned()))?.first().cloned())
    }
}

impl Mapper {
    /// Finds a kind in exactly this version; a miss is proved by a discovery that began with these calls.
    pub(crate) async fn resolve(&self, calls: &Calls, id: &Id) -> Result<Mapping, RequestError> {
        let find = |table: &Table| table.find(&id.group, &id.version, &id.kind);
        let recent =
            |table: &Table| table.fetched.is_some_and(|at| at >= calls.started && at.elapsed() < MISS_TTL);
        self.look_up(calls, find, recent, (&id.group, &id.version, &id.kind)).await
    }

    /// Finds a kind in this version or, where it isn't served, in another; a miss is proved by a discovery that
    /// began after `since`.
    pub(crate) async fn resolve_any(
        &self,
        calls: &Calls,
        (group, version, kind): (&str, &str, &str),
        since: Instant,
    ) -> Result<Mapping, RequestError> {
        let find = |table: &Table| table.find_any(group, version, kind);
        let recent = |table: &Table| table.fetched.is_some_and(|at| at >= since);
        self.look_up(calls, find, recent, (group, version, kind)).await
    }

    /// Finds a kind without asking, in this version or another.
    pub(crate) fn recall(&self, group: &str, version: &str, kind: &str) -> Option<Mapping> {
        self.table().find_any(group, version, kind)
    }

    async fn look_up(
        &self,
        calls: &Calls,
        find: impl Fn(&Table) -> Option<Mapping>,
        recent: impl Fn(&Table) -> bool,
        (group, version, kind): (&str, &str, &str),
    ) -> Result<Mapping, RequestError> {
        if let Some(mapping) = find(&self.table()) {
            return Ok(mapping);
        }
        let _discovery = self.shared.discovery.lock().await;
        let mut table = self.table();
        if !recent(&table) && find(&table).is_none() {
            table = Arc::new(discover(calls).await?);
            self.replace(Arc::clone(&table));
        }
        let api_version = || if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        find(&table).ok_or_else(|| RequestError::NoMatch {
            kind: kind.to_owned(),
            version: api_version(),
            complete: table.complete,
        })
    }

    /// Makes the next miss ask the API server again.
    pub fn reset(&self) {
        let mut table = Table::clone(&self.table());
        table.fetched = None;
        self.replace(Arc::new(table));
    }

    /// Forgets all kinds, for when one of them turned out to be gone.
    pub(crate) fn forget(&self) {
        self.replace(Arc::default());
    }

    /// Takes the kind that a custom resource definition defines, without asking.
    pub(crate) fn learn(&self, definition: &Value) {
        let mappings = defined(definition);
        let Some((kind, _)) = mappings.first() else { return };
        let mut table = Table::clone(&self.table());
        let key = (mappings.first().map(|(_, one)| one.group.clone()).unwrap_or_default(), kind.clone());
        table.kinds.insert(key, mappings.into_iter().map(|(_, mapping)| mapping).collect());
        self.replace(Arc::new(table));
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.shared.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, table: Arc<Table>) {
        *self.shared.table.write().unwrap_or_else(PoisonError::into_inner) = table;
    }
}

/// The kind of a custom resource definition in each served version.
pub(crate) fn defined(definition: &Value) -> Vec<(String, Mapping)> {
    let text = |path: &str| definition.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (group, kind, plural) = (text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural"));
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    if kind.is_empty() || plural.is_empty() {
        return Vec::new();
    }
    versions
        .into_iter()
        .flatten()
        .filter(|version| version["served"] == true)
        .filter_map(|version| version["name"].as_str())
        .map(|version| {
            let namespaced = text("/spec/scope") == "Namespaced";
            let (group, plural) = (group.clone(), plural.clone());
            (kind.clone(), Mapping { group, version: version.to_owned(), plural, namespaced })
        })
        .collect()
}

async fn discover(calls: &Calls) -> Result<Table, RequestError> {
    let fetched = Instant::now();
    let mut table = Table { kinds: HashMap::new(), fetched: Some(fetched), complete: true };
    for root in ["/api", "/apis"] {
        let answer = calls.get_raw(root, ACCEPT_DISCOVERY).await?;
        if answer["kind"] != "APIGroupDiscoveryList" {
            return Err(RequestError::Discovery);
        }
        let list: GroupList = serde_json::from_value(answer).map_err(RequestError::Decode)?;
        for group in list.items {
            add_group(&mut table, group);
        }
    }
    Ok(table)
}

fn add_group(table: &mut Table, group: Group) {
    let name = group.metadata.name;
    for version in group.versions {
        table.complete &= version.freshness != "Stale";
        for resource in version.resources {
            let mapping = Mapping {
                group: name.clone(),
                version: version.version.clone(),
                plural: resource.resource,
                namespaced: resource.scope == "Namespaced",
            };
            table.kinds.entry((name.clone(), resource.response_kind.kind)).or_default().push(mapping);
        }
    }
}

/// What is read of `apidiscovery.k8s.io/v2`.
#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Name {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    version: String,
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    response_kind: Kind,
}

#[derive(Default, Deserialize)]
struct Kind {
    #[serde(default)]
    kind: String,
}
