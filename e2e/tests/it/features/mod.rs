//! What kustomize-controller can do, feature by feature.
//!
//! All stories share one cluster and have a namespace each. The controller of the bed takes care of all but those
//! Kustomizations that carry the label [`LABEL`]: these belong to a controller of the story's own, with flags of its
//! own.

mod access;
mod apply;
mod audit;
mod decryption;
mod deletion;
mod drift;
mod external;
mod guard;
mod health;
mod impersonation;
mod observe;
mod order;
mod remote_cluster;
mod transformers;
mod variables;
mod widgets;

use std::{fs, ops::Deref, time::Duration};

use anyhow::{Context, Result};
use e2e::{
    Bed, Cluster, Controller, Push, Ref,
    controller::{Kind, Setup},
    fixtures,
    git::Files,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::stage::{SOON, Scene};

/// What is done without being asked, and not at an interval, is done by then.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Says that a Kustomization belongs to the controller of the story in this namespace.
const LABEL: &str = "stories.example.com/controller";

/// Tells a story with the controller of the bed.
fn story(namespace: &str, tell: impl AsyncFnOnce(Story<'static>) -> Result<()>) {
    act(namespace, None, tell);
}

/// Tells a story with a controller that has these flags.
fn story_with(flags: &[&str], namespace: &str, tell: impl AsyncFnOnce(Story<'static>) -> Result<()>) {
    act(namespace, Some(flags), tell);
}

fn act(namespace: &str, flags: Option<&[&str]>, tell: impl AsyncFnOnce(Story<'static>) -> Result<()>) {
    static BED: OnceCell<Bed> = OnceCell::const_new();
    let told = e2e::run(async {
        let without = format!("--watch-label-selector=!{LABEL}");
        let bed = BED.get_or_try_init(|| async { Bed::start_kustomize(&[&without]).await }).await?;
        let own = match flags {
            Some(flags) => Some(controller(bed, namespace, flags).await?),
            None => None,
        };
        let scene = Scene::new(bed, namespace).await?;
        tell(Story { scene, own }).await
    });
    let failure = told.err().map(|error| format!("{error:#}"));
    assert_eq!(failure, None, "{namespace}");
}

async fn controller(bed: &Bed, namespace: &str, flags: &[&str]) -> Result<Controller> {
    let kubeconfig = bed.cluster.kubeconfig(Kind::Kustomize.user());
    let mut setup = Setup::ours(Kind::Kustomize, kubeconfig, bed.artifact_port)?;
    setup.events = bed.events.url();
    setup.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    setup.flags.push(format!("--watch-label-selector={LABEL}={namespace}"));
    Controller::start(setup).await
}

/// One namespace with a repository, and who takes care of its Kustomizations.
struct Story<'a> {
    scene: Scene<'a>,
    /// `None` is the controller of the bed.
    own: Option<Controller>,
}

impl<'a> Deref for Story<'a> {
    type Target = Scene<'a>;

    fn deref(&self) -> &Scene<'a> {
        &self.scene
    }
}

impl Story<'_> {
    /// The Kustomization of this name; `spec` is merged over what all have, and null takes a field away. It isn't
    /// retried in the time of a story.
    fn kustomization(&self, name: &str, spec: &Value) -> Value {
        let mut object = fixtures::named_kustomization(&self.namespace, name, spec);
        if let Some(fields) = object["spec"].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        if spec.get("retryInterval").is_none() {
            object["spec"]["retryInterval"] = json!("10m");
        }
        if self.own.is_some() {
            object["metadata"]["labels"] = json!({ LABEL: self.namespace });
        }
        object
    }

    /// Pushes and applies source and Kustomization, and doesn't wait for what comes of it.
    async fn begin(&mut self, files: impl Into<Files>, spec: &Value) -> Result<String> {
        let commit = self.scene.repository.push(&Push::new(files)).await?;
        self.bed.objects.apply(&fixtures::git_repository(&self.namespace, &self.bed.git.url())).await?;
        self.bed.objects.ready(&self.source(), SOON).await?;
        self.bed.objects.apply(&self.kustomization("app", spec)).await?;
        Ok(commit)
    }

    /// The same, and waits until the Kustomization is ready.
    async fn install(&mut self, files: impl Into<Files>, spec: &Value) -> Result<String> {
        let commit = self.begin(files, spec).await?;
        self.applied(&commit).await?;
        Ok(commit)
    }

    /// Pushes, and doesn't wait for what comes of it.
    async fn push(&mut self, files: impl Into<Files>) -> Result<String> {
        self.scene.push(&Push::new(files)).await
    }

    /// Pushes, and waits until the Kustomization is ready there.
    async fn update(&mut self, files: impl Into<Files>) -> Result<()> {
        let commit = self.push(files).await?;
        self.applied(&commit).await?;
        Ok(())
    }

    /// Waits until Ready is False for a reason; returns the message.
    async fn fails(&self, reason: &str) -> Result<String> {
        self.shows("Ready", "False", reason).await
    }

    /// Pushes what can't be brought to the cluster; returns the message of Ready.
    async fn push_failing(&mut self, files: impl Into<Files>, reason: &str) -> Result<String> {
        let commit = self.push(files).await?;
        self.fails_at(&commit, reason).await
    }

    /// Waits until Ready is False for a reason after an attempt at a commit; returns the message.
    async fn fails_at(&self, commit: &str, reason: &str) -> Result<String> {
        let failed = |object: Option<&Value>| {
            let (status, ready) = (&object?["status"], e2e::objects::find_condition(object?, "Ready")?);
            let attempted = status["lastAttemptedRevision"].as_str()?.ends_with(commit);
            let failed = attempted && ready["status"] == "False" && ready["reason"] == reason;
            failed.then(|| ready["message"].as_str().unwrap_or_default().to_owned())
        };
        self.bed.objects.wait(&self.app(), &format!("{reason} at {commit}"), SOON, failed).await
    }

    /// Waits until a condition of the Kustomization has this status and reason; returns the message.
    async fn shows(&self, kind: &str, status: &str, reason: &str) -> Result<String> {
        let what = format!("{kind}={status} {reason}");
        let shown = |object: Option<&Value>| {
            let condition = e2e::objects::find_condition(object?, kind)?;
            let shown = condition["status"] == status && condition["reason"] == reason;
            shown.then(|| condition["message"].as_str().unwrap_or_default().to_owned())
        };
        self.bed.objects.wait(&self.app(), &what, SOON, shown).await
    }

    /// Sets or, with null, takes away annotations of the Kustomization.
    async fn annotate(&self, annotations: &Value) -> Result<()> {
        let patch = json!({ "metadata": { "annotations": annotations } });
        self.bed.objects.patch(&self.app(), &patch).await.map(drop)
    }

    /// Merges fields into the spec of the Kustomization.
    async fn respecify(&self, spec: &Value) -> Result<()> {
        self.bed.objects.patch(&self.app(), &json!({ "spec": spec })).await.map(drop)
    }

    /// A ConfigMap of the namespace.
    fn config_map(&self, name: &str) -> Ref {
        Ref::config_map(&self.namespace, name)
    }

    /// A namespaced object here.
    fn reference(&self, api_version: &str, kind: &str, name: &str) -> Ref {
        Ref::new(api_version, kind, &self.namespace, name)
    }

    /// Whether there is such an object.
    async fn exists(&self, object: &Ref) -> Result<bool> {
        Ok(self.bed.objects.get(object).await?.is_some())
    }

    /// Waits until an object has this value at a JSON pointer.
    async fn has(&self, object: &Ref, pointer: &str, value: &Value, limit: Duration) -> Result<()> {
        let reached = |object: Option<&Value>| (object?.pointer(pointer)? == value).then_some(());
        self.bed.objects.wait(object, &format!("{pointer} = {value}"), limit, reached).await
    }

    /// Watches for a time that an object keeps this value at a JSON pointer.
    async fn keeps(&self, object: &Ref, pointer: &str, value: &Value, time: Duration) -> Result<()> {
        let other = |object: Option<&Value>| {
            let now = object.and_then(|object| object.pointer(pointer));
            (now != Some(value)).then(|| format!("{pointer} became {now:?}"))
        };
        match self.bed.objects.wait(object, "another value", time, other).await {
            Ok(change) => anyhow::bail!("{object}: {change}"),
            Err(_) => Ok(()),
        }
    }

    /// The ids of the inventory, sorted.
    async fn inventory(&self) -> Result<Vec<String>> {
        let app = self.bed.objects.get(&self.app()).await?.context("the Kustomization is there")?;
        let entries = app["status"]["inventory"]["entries"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> =
            entries.iter().filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Waits until an event of the namespace says this.
    async fn told(&self, text: &str) -> Result<()> {
        e2e::wait::until(&format!("an event with {text:?}"), SOON, async || {
            let posted = self.bed.events.posted(&self.namespace);
            let says = |body: &Value| body["message"].as_str().is_some_and(|message| message.contains(text));
            Ok(posted.iter().any(|event| says(&event.body)).then_some(()))
        })
        .await
    }

    /// Everything that the controller has said of the namespace: log, events, status.
    async fn said(&self) -> Result<String> {
        let controller = self.own.as_ref().unwrap_or(&self.bed.kustomize);
        let mut said = fs::read_to_string(controller.log()).context("failed to read the log")?;
        for event in self.bed.events.posted(&self.namespace) {
            said.push_str(&event.body.to_string());
        }
        let app = self.bed.objects.get(&self.app()).await?.context("the Kustomization is there")?;
        said.push_str(&app["status"].to_string());
        for event in self.bed.objects.list("v1", "Event", Some(&self.namespace)).await? {
            said.push_str(&event.to_string());
        }
        Ok(said)
    }
}

/// A Secret with text values.
fn secret(namespace: &str, name: &str, values: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": namespace },
        "stringData": values,
    })
}

/// The same object with the label that has its changes watched.
fn watched(mut object: Value) -> Value {
    object["metadata"]["labels"] = json!({ "reconcile.fluxcd.io/watch": "Enabled" });
    object
}

/// The kubeconfig of the administrator as JSON.
fn kubeconfig(cluster: &Cluster) -> Result<Value> {
    let text =
        fs::read_to_string(cluster.kubeconfig(e2e::User::Admin)).context("failed to read the kubeconfig")?;
    e2e::yaml::document(&text)
}

/// A Deployment whose one Pod fits on no node.
fn hopeless_deployment(name: &str) -> String {
    deployment(name, "      nodeSelector: {kubernetes.io/hostname: nowhere}\n")
}

/// A Deployment of one Pod, with further lines of the Pod's spec.
fn deployment(name: &str, more: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
{more}      containers:
      - name: app
        image: registry.example/{name}:v1
"
    )
}
