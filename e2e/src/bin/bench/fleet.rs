//! The Kustomizations, their repository, and what is done to them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use e2e::{
    Cluster, GitServer, Objects, Push, Ref, fixtures,
    git::{Files, Repository},
    objects::condition,
};
use futures::{StreamExt, TryStreamExt, stream};
use kube::runtime::{
    WatchStreamExt,
    watcher::{Config, Event, watcher},
};
use serde_json::{Value, json};

const NAMESPACE: &str = "fleet";
/// Requests at the same time while creating or asking.
const PARALLEL: usize = 16;
/// For one phase; the peers need three minutes for 300.
const LIMIT: Duration = Duration::from_secs(1800);

pub(crate) struct Fleet {
    objects: Objects,
    url: String,
    repository: Repository,
    files: Files,
    number: usize,
}

impl Fleet {
    pub(crate) async fn new(cluster: &Cluster, git: &GitServer, number: usize) -> Result<Self> {
        let objects = cluster.objects();
        objects.namespace(NAMESPACE).await?;
        let repository = git.repository(&format!("{NAMESPACE}/app")).await?;
        let mut fleet = Self { objects, url: git.url(), repository, files: Files::default(), number };
        fleet.set_all("v1");
        Ok(fleet)
    }

    /// Pushes the first revision and waits for its artifact.
    pub(crate) async fn source_ready(&mut self) -> Result<()> {
        self.commit().await?;
        self.objects.apply(&fixtures::git_repository(NAMESPACE, &self.url)).await?;
        self.objects.ready(&self.source(), LIMIT).await?;
        Ok(())
    }

    /// Creates all Kustomizations and waits until they are ready.
    pub(crate) async fn install(&self) -> Result<()> {
        let commit = self.repository.commits().last().context("a commit")?.clone();
        let create = self.each(|name| {
            let object =
                fixtures::named_kustomization(NAMESPACE, &name, &json!({ "path": format!("./apps/{name}") }));
            async move { self.objects.apply(&object).await.map(drop) }
        });
        let (created, arrived) = tokio::join!(create, self.all(|object| at(object, &commit)));
        created.and(arrived)
    }

    /// Changes every application with one push and waits until all have it.
    pub(crate) async fn upgrade(&mut self) -> Result<()> {
        self.set_all("v2");
        let commit = self.push().await?;
        self.all(|object| at(object, &commit)).await
    }

    /// Asks every Kustomization to reconcile and waits until all have.
    pub(crate) async fn unchanged(&self) -> Result<()> {
        let token = "unchanged";
        let ask = self.each(|name| async move {
            self.objects.request(&Ref::kustomization(NAMESPACE, &name), token).await
        });
        let handled = |object: &Value| {
            object["status"]["lastHandledReconcileAt"] == token
                && condition(object, "Ready", "True").is_some()
        };
        let (asked, handled) = tokio::join!(ask, self.all(handled));
        asked.and(handled)
    }

    /// Pushes one changed file many times; the times from push to the changed object, sorted.
    pub(crate) async fn latencies(&mut self, pushes: usize) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        for push in 0..pushes {
            // Spread over the fleet: first, last and between.
            let index = push * 37 % self.number;
            let (name, version) = (name(index), format!("push-{push}"));
            self.files.set(&format!("apps/{name}/app.yaml"), fixtures::application(&name, &version));
            let begin = Instant::now();
            let commit = self.push().await?;
            let service = Ref::new("v1", "Service", NAMESPACE, &name);
            let changed =
                |object: Option<&Value>| (object?["metadata"]["labels"]["version"] == version).then_some(());
            self.objects.wait(&service, "the change", LIMIT, changed).await?;
            times.push(begin.elapsed());
            self.all(|object| at(object, &commit)).await?;
        }
        times.sort();
        Ok(times)
    }

    fn set_all(&mut self, version: &str) {
        for index in 0..self.number {
            let name = name(index);
            self.files.set(&format!("apps/{name}/app.yaml"), fixtures::application(&name, version));
        }
    }

    async fn commit(&mut self) -> Result<String> {
        self.repository.push(&Push { files: self.files.clone(), ..Push::default() }).await
    }

    /// Commits and tells the source at once, as a webhook would.
    async fn push(&mut self) -> Result<String> {
        let commit = self.commit().await?;
        self.objects.request(&self.source(), &commit).await?;
        Ok(commit)
    }

    async fn each<F>(&self, act: impl Fn(String) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        stream::iter((0..self.number).map(name)).map(act).buffer_unordered(PARALLEL).try_collect().await
    }

    /// Watches all Kustomizations until each of them fits.
    async fn all(&self, fits: impl Fn(&Value) -> bool) -> Result<()> {
        let wait = async {
            let api = self.objects.api(&Ref::kustomization(NAMESPACE, "any")).await?;
            let mut events = std::pin::pin!(watcher(api, Config::default()).default_backoff());
            let mut state = BTreeMap::new();
            while let Some(event) = events.next().await {
                let Ok(Event::Apply(object) | Event::InitApply(object)) = event else { continue };
                let object = serde_json::to_value(object)?;
                state.insert(object["metadata"]["name"].to_string(), fits(&object));
                if state.len() == self.number && state.values().all(|fits| *fits) {
                    return Ok(());
                }
            }
            anyhow::bail!("the watch ended")
        };
        tokio::time::timeout(LIMIT, wait).await.context("the fleet did not get there in time")?
    }

    fn source(&self) -> Ref {
        Ref::git_repository(NAMESPACE, "app")
    }
}

fn name(index: usize) -> String {
    format!("app-{index:04}")
}

/// Ready at this commit.
fn at(object: &Value, commit: &str) -> bool {
    let revision = object["status"]["lastAppliedRevision"].as_str().unwrap_or_default();
    revision.ends_with(commit) && condition(object, "Ready", "True").is_some()
}
