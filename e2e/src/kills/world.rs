//! One namespace that goes through the phases.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::snapshot::Snapshot;
use crate::{
    Bed, Push, Ref, fixtures,
    git::{Files, Repository},
    objects::condition,
    wait,
};

/// What happens to an application in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Install,
    Upgrade,
    Prune,
    Delete,
}

impl Phase {
    pub(super) const ALL: [Self; 4] = [Self::Install, Self::Upgrade, Self::Prune, Self::Delete];

    /// The tree that this phase pushes.
    fn files(self) -> Files {
        let mut files = Files::default();
        let color = if self == Self::Install { "blue" } else { "green" };
        files.set("base/settings.yaml", fixtures::config_map("settings", color));
        files.set("apps/web.yaml", fixtures::application("web", color));
        match self {
            Self::Install => {
                files.set("base/old-name.yaml", fixtures::config_map("old-name", color));
                files.set("base/kept.yaml", kept());
                files.set("apps/extra.yaml", fixtures::application("extra", color));
            }
            Self::Upgrade => {
                files.set("base/new-name.yaml", fixtures::config_map("new-name", color));
                files.set("base/kept.yaml", kept());
                files.set("apps/extra.yaml", fixtures::application("extra", color));
                files.set("apps/added.yaml", fixtures::config_map("added", color));
            }
            Self::Prune | Self::Delete => {}
        }
        files
    }
}

/// Leaves the source in the prune phase and must stay all the same.
fn kept() -> String {
    fixtures::config_map("kept", "any").replace(
        "  name: kept\n",
        "  name: kept\n  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\n",
    )
}

pub(super) struct World<'a> {
    bed: &'a Bed,
    namespace: String,
    repository: Repository,
}

impl<'a> World<'a> {
    pub(super) async fn new(bed: &'a Bed, round: usize) -> Result<Self> {
        let namespace = format!("kill-{round}");
        bed.objects.namespace(&namespace).await?;
        // Nobody's: it has to be there at the end.
        let bystander = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "bystander", "namespace": namespace },
        });
        bed.objects.apply(&bystander).await?;
        let repository = bed.git.repository(&format!("{namespace}/app")).await?;
        Ok(Self { bed, namespace, repository })
    }

    /// Does what the user does in this phase.
    pub(super) async fn begin(&mut self, phase: Phase) -> Result<()> {
        let objects = &self.bed.objects;
        if phase == Phase::Delete {
            for name in ["apps", "base"] {
                objects.delete(&Ref::kustomization(&self.namespace, name)).await?;
            }
            return objects.delete(&self.source()).await;
        }
        let commit = self.repository.push(&Push { files: phase.files(), ..Push::default() }).await?;
        if phase == Phase::Install {
            self.apply().await
        } else {
            objects.request(&self.source(), &commit).await
        }
    }

    async fn apply(&self) -> Result<()> {
        let objects = &self.bed.objects;
        objects.apply(&fixtures::git_repository(&self.namespace, &self.bed.git.url())).await?;
        let base = json!({ "path": "./base" });
        objects.apply(&fixtures::named_kustomization(&self.namespace, "base", &base)).await?;
        let apps = json!({ "path": "./apps", "wait": true, "dependsOn": [{ "name": "base" }] });
        objects.apply(&fixtures::named_kustomization(&self.namespace, "apps", &apps)).await?;
        Ok(())
    }

    /// Waits for the end of a phase.
    pub(super) async fn done(&self, phase: Phase, limit: Duration) -> Result<()> {
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
    pub(super) async fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::take(&self.bed.objects, &self.namespace).await
    }

    /// Waits until everything is as expected, and returns the last state in any case.
    pub(super) async fn settled(&self, expected: &Snapshot, limit: Duration) -> Result<Snapshot> {
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
    pub(super) async fn reconcile(&self, limit: Duration) -> Result<()> {
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
    pub(super) fn left_in_storage(&self) -> Result<Vec<String>> {
        let folder = self.bed.source.storage().join("gitrepository").join(&self.namespace);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let artifacts = folder.join("app");
        let entries = if artifacts.exists() { artifacts.read_dir()? } else { folder.read_dir()? };
        entries.map(|entry| Ok(format!("{:?} is left in the storage", entry?.path()))).collect()
    }

    pub(super) async fn tear_down(self) -> Result<()> {
        self.bed.objects.delete(&format!("Namespace/{}", self.namespace).parse()?).await
    }

    fn source(&self) -> Ref {
        Ref::git_repository(&self.namespace, "app")
    }
}
