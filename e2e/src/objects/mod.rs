//! Objects of the API server as JSON: apply, look, patch, delete, wait.

mod reference;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use futures::StreamExt;
use kube::{
    Api, Client,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::GroupVersionKind,
    discovery::{ApiResource, Scope, pinned_kind},
    runtime::{WatchStreamExt, watcher::watch_object},
};
use serde_json::{Value, json};

pub use reference::Ref;

use crate::{wait, yaml};

/// The field manager of what tests apply.
pub const MANAGER: &str = "e2e";

type Kinds = Arc<Mutex<HashMap<GroupVersionKind, (ApiResource, Scope)>>>;

/// A way to the objects of one cluster.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    kinds: Kinds,
}

impl Objects {
    /// Uses a client.
    pub fn new(client: Client) -> Self {
        Self { client, kinds: Kinds::default() }
    }

    /// Applies one object server-side.
    pub async fn apply(&self, object: &Value) -> Result<Value> {
        self.apply_as(object, MANAGER).await
    }

    /// Applies one object server-side, as another field manager.
    pub async fn apply_as(&self, object: &Value, manager: &str) -> Result<Value> {
        let reference = Ref::of(object)?;
        let params = PatchParams::apply(manager).force();
        let api = self.api(&reference).await?;
        let applied = api.patch(&reference.name, &params, &Patch::Apply(object)).await;
        as_json(&applied.with_context(|| format!("failed to apply {reference}"))?)
    }

    /// Applies all documents of a text, in order; kinds that are defined in it are waited for.
    pub async fn apply_yaml(&self, text: &str) -> Result<()> {
        for document in yaml::documents(text)? {
            self.apply(&document).await?;
        }
        Ok(())
    }

    /// Applies CustomResourceDefinitions and waits until they are served.
    pub async fn apply_crds(&self, text: &str) -> Result<()> {
        for document in yaml::documents(text)? {
            self.apply(&document).await?;
            let reference = Ref::of(&document)?;
            let established = |object: Option<&Value>| condition(object?, "Established", "True");
            self.wait(&reference, "an established definition", Duration::from_secs(20), established).await?;
        }
        Ok(())
    }

    /// Creates a namespace.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        self.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })).await?;
        Ok(())
    }

    /// Reads one object.
    pub async fn get(&self, reference: &Ref) -> Result<Option<Value>> {
        let api = self.api(reference).await?;
        let found = api.get_opt(&reference.name).await;
        found.with_context(|| format!("failed to get {reference}"))?.as_ref().map(as_json).transpose()
    }

    /// Lists the objects of a kind; without a namespace, of all.
    pub async fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Result<Vec<Value>> {
        let (resource, _) = self.kind(api_version, kind).await?;
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let list =
            api.list(&ListParams::default()).await.with_context(|| format!("failed to list {kind}"))?;
        let mut objects = Vec::new();
        for mut object in list.items {
            // Lists leave the type out of their items.
            object.types =
                Some(kube::core::TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() });
            objects.push(as_json(&object)?);
        }
        Ok(objects)
    }

    /// Merges a patch into one object.
    pub async fn patch(&self, reference: &Ref, patch: &Value) -> Result<Value> {
        self.patch_as(reference, patch, None, false).await
    }

    /// Patches an object or its status: a merge patch, or a JSON patch when it is a list.
    pub async fn patch_as(
        &self,
        reference: &Ref,
        patch: &Value,
        manager: Option<&str>,
        status: bool,
    ) -> Result<Value> {
        let api = self.api(reference).await?;
        let params = PatchParams { field_manager: manager.map(str::to_owned), ..PatchParams::default() };
        let patch = if patch.is_array() {
            Patch::Json(serde_json::from_value(patch.clone())?)
        } else {
            Patch::Merge(patch.clone())
        };
        let patched = if status {
            api.patch_status(&reference.name, &params, &patch).await
        } else {
            api.patch(&reference.name, &params, &patch).await
        };
        as_json(&patched.with_context(|| format!("failed to patch {reference}"))?)
    }

    /// Deletes one object; one that isn't there is fine.
    pub async fn delete(&self, reference: &Ref) -> Result<()> {
        let api = self.api(reference).await?;
        match api.delete(&reference.name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error).with_context(|| format!("failed to delete {reference}")),
        }
    }

    /// Asks a controller to reconcile now, as `flux reconcile` does.
    pub async fn request(&self, reference: &Ref, token: &str) -> Result<()> {
        let annotations = json!({ "reconcile.fluxcd.io/requestedAt": token });
        self.patch(reference, &json!({ "metadata": { "annotations": annotations } })).await?;
        Ok(())
    }

    /// Watches one object until the condition answers; `None` stands for an object that isn't there.
    ///
    /// An error shows the last state that was seen.
    pub async fn wait<T>(
        &self,
        reference: &Ref,
        what: &str,
        limit: Duration,
        condition: impl Fn(Option<&Value>) -> Option<T>,
    ) -> Result<T> {
        let mut last = None;
        let watch = self.watch(reference, &mut last, condition);
        if let Ok(answer) = tokio::time::timeout(limit, watch).await {
            return answer;
        }
        let seen = match &last {
            Some(object) => serde_json::to_string_pretty(&object["status"])?,
            None => "no such object".to_owned(),
        };
        anyhow::bail!("waited {limit:?} in vain for {what} of {reference}; last seen: {seen}")
    }

    /// Waits until an object is ready in its present generation.
    pub async fn ready(&self, reference: &Ref, limit: Duration) -> Result<Value> {
        self.wait(reference, "Ready", limit, |object| {
            let object = object?;
            let observed = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            (observed && condition(object, "Ready", "True").is_some()).then(|| object.clone())
        })
        .await
    }

    /// Waits until an object is gone.
    pub async fn gone(&self, reference: &Ref, limit: Duration) -> Result<()> {
        self.wait(reference, "the end", limit, |object| object.is_none().then_some(())).await
    }

    /// The API of the reference's kind and namespace.
    pub async fn api(&self, reference: &Ref) -> Result<Api<DynamicObject>> {
        let (resource, scope) = self.kind(&reference.api_version, &reference.kind).await?;
        Ok(match (scope, &reference.namespace) {
            (Scope::Namespaced, Some(namespace)) => {
                Api::namespaced_with(self.client.clone(), namespace, &resource)
            }
            (Scope::Namespaced, None) => Api::default_namespaced_with(self.client.clone(), &resource),
            (Scope::Cluster, _) => Api::all_with(self.client.clone(), &resource),
        })
    }

    async fn watch<T>(
        &self,
        reference: &Ref,
        last: &mut Option<Value>,
        condition: impl Fn(Option<&Value>) -> Option<T>,
    ) -> Result<T> {
        let api = self.api(reference).await?;
        let mut states = std::pin::pin!(watch_object(api, &reference.name).default_backoff());
        while let Some(state) = states.next().await {
            // The watch comes back by itself, also after a restart of the server.
            let Ok(object) = state else { continue };
            *last = object.as_ref().map(as_json).transpose()?;
            if let Some(answer) = condition(last.as_ref()) {
                return Ok(answer);
            }
        }
        anyhow::bail!("the watch on {reference} ended")
    }

    async fn kind(&self, api_version: &str, kind: &str) -> Result<(ApiResource, Scope)> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        if let Some(known) = self.known().get(&gvk) {
            return Ok(known.clone());
        }
        // A definition that was just applied takes a moment until it is served.
        let what = format!("{api_version} {kind} to be served");
        let (resource, capabilities) = wait::until(&what, Duration::from_secs(30), async || {
            Ok(pinned_kind(&self.client, &gvk).await.ok())
        })
        .await?;
        self.known().insert(gvk, (resource.clone(), capabilities.scope.clone()));
        Ok((resource, capabilities.scope))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<GroupVersionKind, (ApiResource, Scope)>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a condition has this status.
pub fn condition(object: &Value, kind: &str, status: &str) -> Option<()> {
    (find_condition(object, kind)?["status"] == status).then_some(())
}

/// One condition of an object.
pub fn find_condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn as_json(object: &DynamicObject) -> Result<Value> {
    serde_json::to_value(object).context("failed to serialize an object")
}
