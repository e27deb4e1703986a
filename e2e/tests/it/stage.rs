//! What stories share: one cluster with both controllers, and a namespace for each story.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Bed, Push, Ref, fixtures, git::Repository};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// Long enough for a busy machine; a story that works needs a second or two.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Tells a story in a namespace of this name on the shared bed.
pub(crate) fn story(namespace: &str, tell: impl AsyncFnOnce(Scene) -> Result<()>) {
    static BED: OnceCell<Bed> = OnceCell::const_new();
    let told = e2e::run(async {
        let bed = BED.get_or_try_init(|| Bed::start(&[])).await?;
        tell(Scene::new(bed, namespace).await?).await
    });
    let failure = told.err().map(|error| format!("{error:#}"));
    assert_eq!(failure, None, "{namespace}");
}

/// Tells a story that shares nothing.
pub(crate) fn alone(tell: impl AsyncFnOnce() -> Result<()>) {
    let failure = e2e::run(tell()).err().map(|error| format!("{error:#}"));
    assert_eq!(failure, None);
}

/// One namespace with a repository `app`.
pub(crate) struct Scene<'a> {
    pub(crate) bed: &'a Bed,
    pub(crate) namespace: String,
    pub(crate) repository: Repository,
}

impl<'a> Scene<'a> {
    /// Makes the namespace and an empty repository.
    pub(crate) async fn new(bed: &'a Bed, namespace: &str) -> Result<Self> {
        bed.objects.namespace(namespace).await?;
        let repository = bed.git.repository(&format!("{namespace}/app")).await?;
        Ok(Self { bed, namespace: namespace.to_owned(), repository })
    }

    /// Pushes, applies source and Kustomization and waits until the push is there.
    pub(crate) async fn install(&mut self, push: &Push, spec: &Value) -> Result<String> {
        let commit = self.repository.push(push).await?;
        self.bed.objects.apply(&fixtures::git_repository(&self.namespace, &self.bed.git.url())).await?;
        self.bed.objects.apply(&fixtures::kustomization(&self.namespace, spec)).await?;
        self.applied(&commit).await?;
        Ok(commit)
    }

    /// Pushes, asks the source to look, and returns at once.
    pub(crate) async fn push(&mut self, push: &Push) -> Result<String> {
        let commit = self.repository.push(push).await?;
        self.bed.objects.request(&self.source(), &commit).await?;
        Ok(commit)
    }

    /// Waits until the Kustomization is ready at a commit.
    pub(crate) async fn applied(&self, commit: &str) -> Result<Value> {
        self.bed
            .objects
            .wait(&self.app(), &format!("commit {commit}"), SOON, |object| {
                let object = object?;
                let revision = object["status"]["lastAppliedRevision"].as_str().unwrap_or_default();
                let ready = e2e::objects::condition(object, "Ready", "True").is_some();
                (ready && revision.ends_with(commit)).then(|| object.clone())
            })
            .await
    }

    /// Asks the Kustomization to reconcile and waits until it did.
    pub(crate) async fn reconcile(&self, token: &str) -> Result<()> {
        self.bed.objects.request(&self.app(), token).await?;
        let handled =
            |object: Option<&Value>| (object?["status"]["lastHandledReconcileAt"] == token).then_some(());
        self.bed.objects.wait(&self.app(), "the request to be handled", SOON, handled).await
    }

    /// Waits until Ready has this status and reason; returns the object.
    pub(crate) async fn condition(&self, object: &Ref, status: &str, reason: &str) -> Result<Value> {
        self.bed
            .objects
            .wait(object, &format!("Ready={status} {reason}"), SOON, |object| {
                let ready = e2e::objects::find_condition(object?, "Ready")?;
                (ready["status"] == status && ready["reason"] == reason).then(|| object.cloned())?
            })
            .await
    }

    /// The data of a ConfigMap, or `None` when it isn't there.
    pub(crate) async fn data(&self, name: &str) -> Result<Option<Value>> {
        let object = self.bed.objects.get(&Ref::config_map(&self.namespace, name)).await?;
        Ok(object.map(|object| object["data"].clone()))
    }

    /// Deletes the Kustomization and waits until it is gone.
    pub(crate) async fn delete_app(&self) -> Result<()> {
        self.bed.objects.delete(&self.app()).await?;
        self.bed.objects.gone(&self.app(), SOON).await
    }

    pub(crate) fn source(&self) -> Ref {
        Ref::git_repository(&self.namespace, "app")
    }

    pub(crate) fn app(&self) -> Ref {
        Ref::kustomization(&self.namespace, "app")
    }

    /// The artifact that the source has now.
    pub(crate) async fn artifact(&self) -> Result<Value> {
        let source = self.bed.objects.ready(&self.source(), SOON).await?;
        source["status"].get("artifact").cloned().context("a ready source has an artifact")
    }
}

/// The digest of some bytes as a status writes it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// No fields beyond those that every Kustomization of the stories has.
pub(crate) fn plain() -> Value {
    json!({})
}
