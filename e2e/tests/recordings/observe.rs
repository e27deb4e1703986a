//! Every version of the Flux objects that a watch sees.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::StreamExt;
use kube::{
    Api, Client,
    api::DynamicObject,
    core::GroupVersionKind,
    discovery::ApiResource,
    runtime::{
        WatchStreamExt,
        watcher::{Config, Event, watcher},
    },
};
use serde_json::Value;

/// One version of an object.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) at: Instant,
    pub(crate) object: Value,
    pub(crate) deleted: bool,
}

impl Version {
    pub(crate) fn kind(&self) -> &str {
        self.object["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.object["metadata"]["namespace"].as_str().unwrap_or_default()
    }
}

/// The versions seen so far, over all namespaces.
pub(crate) struct Observer {
    versions: Arc<Mutex<Vec<Version>>>,
}

impl Observer {
    pub(crate) fn start(client: &Client) -> Self {
        let versions = Arc::default();
        for (group, kind) in
            [("source.toolkit.fluxcd.io", "GitRepository"), ("kustomize.toolkit.fluxcd.io", "Kustomization")]
        {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
            tokio::spawn(follow(client.clone(), resource, Arc::clone(&versions)));
        }
        Self { versions }
    }

    /// What was seen of a scenario: its namespace and those that begin with its name and a dash.
    pub(crate) fn of(&self, scenario: &str) -> Vec<Version> {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.iter().filter(|version| belongs(version.namespace(), scenario)).cloned().collect()
    }

    /// Waits until nothing was seen for a while, or the limit is over.
    pub(crate) async fn settle(&self, scenario: &str, quiet: Duration, limit: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            let last = self.of(scenario).last().map_or(begin, |version| version.at).max(begin);
            let rest = quiet.saturating_sub(last.elapsed());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest).await;
        }
    }
}

fn belongs(namespace: &str, scenario: &str) -> bool {
    namespace.strip_prefix(scenario).is_some_and(|rest| rest.is_empty() || rest == "-src")
}

async fn follow(client: Client, resource: ApiResource, versions: Arc<Mutex<Vec<Version>>>) {
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    let mut events = std::pin::pin!(watcher(api, Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        let (object, deleted) = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => (object, false),
            Ok(Event::Delete(object)) => (object, true),
            Ok(Event::Init | Event::InitDone) | Err(_) => continue,
        };
        let Ok(object) = serde_json::to_value(object) else { continue };
        let version = Version { at: Instant::now(), object, deleted };
        versions.lock().unwrap_or_else(PoisonError::into_inner).push(version);
    }
}
