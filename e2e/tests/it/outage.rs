//! What stories about an API server in trouble share: an application that changes meanwhile, and how long it takes
//! until it is as it should be.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use e2e::{Bed, Push, Ref, fixtures, git::Files, objects::condition, wait};
use serde_json::{Value, json};

use crate::stage::Scene;

/// How long after the end of its trouble everything must be in order.
pub(crate) const RECOVERY: Duration = Duration::from_secs(30);

/// How long trouble lasts: `FERRITE_OUTAGE` in seconds, or what a story thinks is enough for every day.
pub(crate) fn length(usual: Duration) -> Duration {
    let wanted = env::var("FERRITE_OUTAGE").ok().and_then(|seconds| seconds.parse().ok());
    wanted.map_or(usual, Duration::from_secs)
}

/// Two Kustomizations in a namespace: `app` gets a push while there is trouble, `doomed` is deleted.
pub(crate) struct Trouble<'a> {
    scene: Scene<'a>,
    /// `metadata.uid` of what must stay the same object.
    uids: Vec<(Ref, String)>,
    pids: (u32, u32),
}

impl<'a> Trouble<'a> {
    /// Installs both and a bystander.
    pub(crate) async fn prepare(bed: &'a Bed, namespace: &str) -> Result<Self> {
        let mut scene = Scene::new(bed, namespace).await?;
        scene.install(&Push::new(files(&["keep", "leave"], "blue")), &json!({ "path": "./app" })).await?;
        let doomed = json!({ "path": "./doomed" });
        bed.objects.apply(&fixtures::named_kustomization(namespace, "doomed", &doomed)).await?;
        bed.objects.ready(&scene.doomed(), RECOVERY).await?;
        let bystander = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "bystander", "namespace": namespace },
        });
        bed.objects.apply(&bystander).await?;
        let mut uids = Vec::new();
        for name in ["keep", "bystander"] {
            let reference = Ref::config_map(namespace, name);
            uids.push((reference.clone(), uid(bed, &reference).await?.context("it was just made")?));
        }
        let pids = (bed.source.process()?.pid(), bed.kustomize.process()?.pid());
        Ok(Self { scene, uids, pids })
    }

    /// Changes, renames, deletes; the API server must take the test's own requests.
    pub(crate) async fn change(&mut self) -> Result<()> {
        self.scene.push(&Push::new(files(&["keep", "arrive"], "green"))).await?;
        self.scene.bed.objects.delete(&self.scene.doomed()).await
    }

    /// The change has never been: asks for it once more, with the same commit.
    pub(crate) async fn change_again(&self) -> Result<()> {
        let objects = &self.scene.bed.objects;
        objects.request(&self.scene.source(), "after the restore").await?;
        objects.delete(&self.scene.doomed()).await
    }

    /// Lets the time pass. Both processes are there all along.
    pub(crate) async fn last(&self, length: Duration) -> Result<()> {
        let begin = Instant::now();
        let limit = length + Duration::from_secs(5);
        wait::until("the time to pass", limit, async || {
            self.alive()?;
            Ok((begin.elapsed() > length).then_some(()))
        })
        .await
    }

    /// Waits until everything is as the change wants it; returns how long that took.
    pub(crate) async fn recovered(&self) -> Result<Duration> {
        let begin = Instant::now();
        let objects = &self.scene.bed.objects;
        let commit = self.scene.repository.commits().last().context("something was pushed")?;
        let applied = |object: Option<&Value>| {
            let object = object?;
            condition(object, "Ready", "True")?;
            object["status"]["lastAppliedRevision"].as_str()?.ends_with(commit).then_some(())
        };
        objects.wait(&self.scene.app(), "the last commit", RECOVERY, applied).await?;
        objects.gone(&self.scene.doomed(), RECOVERY.saturating_sub(begin.elapsed())).await?;
        let took = begin.elapsed();
        self.in_order().await?;
        Ok(took)
    }

    /// Whether `doomed` and its object are both still there.
    pub(crate) async fn waits_for_finalizer(&self) -> Result<bool> {
        let doomed = self.scene.bed.objects.get(&self.scene.doomed()).await?;
        let kept = doomed.is_some_and(|object| !object["metadata"]["finalizers"].is_null());
        Ok(kept && self.scene.data("goner").await?.is_some())
    }

    /// What there is, what there isn't, and who it is.
    async fn in_order(&self) -> Result<()> {
        self.alive()?;
        for (name, color) in
            [("keep", Some("green")), ("arrive", Some("green")), ("leave", None), ("goner", None)]
        {
            let data = self.scene.data(name).await?;
            ensure!(data == color.map(|color| json!({ "color": color })), "{name} is {data:?}");
        }
        for (reference, before) in &self.uids {
            let now = uid(self.scene.bed, reference).await?;
            ensure!(now.as_ref() == Some(before), "{reference} was deleted");
        }
        Ok(())
    }

    fn alive(&self) -> Result<()> {
        let bed = self.scene.bed;
        bed.check()?;
        let pids = (bed.source.process()?.pid(), bed.kustomize.process()?.pid());
        ensure!(pids == self.pids, "a controller was started again");
        Ok(())
    }
}

impl Scene<'_> {
    fn doomed(&self) -> Ref {
        Ref::kustomization(&self.namespace, "doomed")
    }
}

fn files(names: &[&str], color: &str) -> Files {
    let mut files = Files::default();
    for name in names {
        files.set(&format!("app/{name}.yaml"), fixtures::config_map(name, color));
    }
    files.set("doomed/goner.yaml", fixtures::config_map("goner", "blue"));
    files
}

async fn uid(bed: &Bed, reference: &Ref) -> Result<Option<String>> {
    let object = bed.objects.get(reference).await?;
    Ok(object.and_then(|object| object["metadata"]["uid"].as_str().map(str::to_owned)))
}
