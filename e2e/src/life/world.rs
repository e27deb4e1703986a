//! One namespace that goes through the phases.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Phase, Snapshot};
use crate::{Bed, Push, Ref, fixtures, git::Repository, objects::condition, wait};

/// A namespace with a repository, and what happens in it.
pub struct World<'a> {
    bed: &'a Bed,
    namespace: String,
    repository: Repository,
}

impl<'a> World<'a> {
    /// Makes the namespace, with objects in it that have to be there at the end.
    pub async fn new(bed: &'a Bed, namespace: &str) -> Result<Self> {
        bed.objects.namespace(namespace).await?;
        // The second one claims an owner that doesn't know it.
        for (name, owner) in [("bystander", None), ("impostor", Some("apps"))] {
            let labels = owner.map(|owner| {
                json!({
                    "kustomize.toolkit.fluxcd.io/name": owner,
                    "kustomize.toolkit.fluxcd.io/namespace": namespace,
                })
            });
            bed.objects
                .apply(&json!({
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": { "name": name, "namespace": namespace, "labels": labels },
                }))
                .await?;
        }
        let repository = bed.git.repository(&format!("{namespace}/app")).await?;
        Ok(Self { bed, namespace: namespace.to_owned(), repository })
    }

    /// Does what the user does in this phase.
    pub async fn begin(&mut self, phase: Phase) -> Result<()> {
        let objects = &self.bed.objects;
        if phase == Phase::Delete {
            for name in ["apps", "base"] {
                objects.delete(&Ref::kustomization(&self.namespace, name)).await?;
            }
            return objects.delete(&self.source()).await;
        }
        let push = Push::new(phase.files(&self.namespace));
        let commit = self.repository.push(&push).await?;
        if phase == Phase::Install {
            self.apply().await
        } else {
            objects.request(&self.source(), &commit).await
        }
    }

    async fn apply(&self) -> Result<()> {
        let objects = &self.bed.objects;
        objects.apply(&fixtures::git_repository(&self.namespace, &self.bed.git.url())).await?;
        let base = json!({ "path": "./base", "deletionPolicy": "WaitForTermination" });
        objects.apply(&fixtures::named_kustomization(&self.namespace, "base", &base)).await?;
        let apps = json!({
            "path": "./apps",
            "wait": true,
            "dependsOn": [{ "name": "base" }],
            "deletionPolicy": "MirrorPrune",
        });
        objects.apply(&fixtures::named_kustomization(&self.namespace, "apps", &apps)).await?;
        Ok(())
    }

    /// Waits for the end of a phase.
    pub async fn done(&self, phase: Phase, limit: Duration) -> Result<()> {
        for name in ["base", "apps"] {
            let object = Ref::kustomization(&self.namespace, name);
            if phase == Phase::Delete {
                self.bed.objects.gone(&object, limit).await?;
            } else {
                self.applied(&object, limit).await?;
            }
        }
        if phase == Phase::Delete { self.bed.objects.gone(&self.source(), limit).await } else { Ok(()) }
    }

    async fn applied(&self, object: &Ref, limit: Duration) -> Result<()> {
        let commit = self.repository.commits().last().map(String::as_str).unwrap_or_default();
        self.bed
            .objects
            .wait(object, "the last commit", limit, |object: Option<&Value>| {
                let object = object?;
                condition(object, "Ready", "True")?;
                object["status"]["lastAppliedRevision"].as_str()?.ends_with(commit).then_some(())
            })
            .await
    }

    /// What is there now.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::take(&self.bed.objects, &self.namespace, self.repository.commits()).await
    }

    /// Waits until everything is as expected, and returns the last state in any case.
    pub async fn settled(&self, expected: &Snapshot, limit: Duration) -> Result<Snapshot> {
        let equal = wait::until("the expected state", limit, async || {
            let now = self.snapshot().await?;
            Ok(expected.differences(&now).is_empty().then_some(now))
        });
        match equal.await {
            Ok(snapshot) => Ok(snapshot),
            Err(_) => self.snapshot().await,
        }
    }

    /// Has everything reconciled once more.
    pub async fn reconcile(&self, limit: Duration) -> Result<()> {
        let token = format!("again at {}", self.repository.commits().len());
        let base = Ref::kustomization(&self.namespace, "base");
        for object in [self.source(), base, Ref::kustomization(&self.namespace, "apps")] {
            self.bed.objects.request(&object, &token).await?;
            let handled = |object: Option<&Value>| {
                (object?["status"]["lastHandledReconcileAt"] == token.as_str()).then_some(())
            };
            self.bed.objects.wait(&object, "one more reconcile", limit, handled).await?;
        }
        Ok(())
    }

    /// The artifacts that nobody has any more.
    pub fn left_in_storage(&self) -> Result<Vec<String>> {
        let folder = self.bed.source.storage().join("gitrepository").join(&self.namespace);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let artifacts = folder.join("app");
        let entries = if artifacts.exists() { artifacts.read_dir()? } else { folder.read_dir()? };
        entries.map(|entry| Ok(format!("{:?} is left in the storage", entry?.path()))).collect()
    }

    /// Leaves nothing of it; does not wait for the end.
    pub async fn tear_down(self) -> Result<()> {
        self.bed.objects.delete(&format!("Namespace/{}", self.namespace).parse()?).await
    }

    fn source(&self) -> Ref {
        Ref::git_repository(&self.namespace, "app")
    }
}
