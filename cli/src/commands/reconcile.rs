use anyhow::{Result, anyhow, bail};
use serde_json::json;

use api::meta::annotation;

use super::required;
use crate::args::{Global, ReconcileKind, ReconcileSource};
use crate::cluster::Cluster;
use crate::kind::{BUCKET, GIT_REPOSITORY, KUSTOMIZATION, Kind, OCI_REPOSITORY};
use crate::object::Object;
use crate::{output, wait};

/// Has an object reconciled now, and waits for the outcome.
pub(super) async fn run(kind: &ReconcileKind, global: &Global) -> Result<()> {
    let (kind, name, with_source) = match kind {
        ReconcileKind::Source { kind: ReconcileSource::Git(names) } => (&GIT_REPOSITORY, names, false),
        ReconcileKind::Kustomization { names, with_source } => (&KUSTOMIZATION, names, *with_source),
    };
    let name = required(name.first(), kind.name)?;
    let cluster = Cluster::connect(global).await?;
    if with_source {
        let object = wait::within(global.timeout.get(), ready_to_go(&cluster, kind, name)).await?;
        reconcile_source(&object, &cluster, global).await?;
    }
    wait::within(global.timeout.get(), reconcile(&cluster, kind, name)).await
}

async fn reconcile_source(object: &Object, cluster: &Cluster, global: &Global) -> Result<()> {
    let reference = |field: &str| object.text(&format!("/spec/sourceRef/{field}"));
    let kind = source_kind(reference("kind"))?;
    let namespace = reference("namespace");
    let cluster = cluster.in_namespace(if namespace.is_empty() { object.namespace() } else { namespace });
    wait::within(global.timeout.get(), reconcile(&cluster, kind, reference("name"))).await
}

fn source_kind(name: &str) -> Result<&'static Kind> {
    let kinds = [&GIT_REPOSITORY, &OCI_REPOSITORY, &BUCKET];
    let kind = kinds.into_iter().find(|kind| kind.name == name);
    kind.ok_or_else(|| anyhow!("a source of kind {name:?} can't be reconciled: leave out --with-source"))
}

async fn reconcile(cluster: &Cluster, kind: &Kind, name: &str) -> Result<()> {
    let before = ready_to_go(cluster, kind, name).await?;
    output::action(&format!("annotating {} {name} in {} namespace", kind.name, cluster.namespace));
    let token = format!("{:.9}", jiff::Timestamp::now());
    let annotations = json!({ annotation::REQUESTED_AT: token });
    cluster.merge(kind, name, &json!({"metadata": {"annotations": annotations}})).await?;
    output::success(&format!("{} annotated", kind.name));

    output::waiting(&format!("waiting for {} reconciliation", kind.name));
    let object = wait::until_handled(cluster, kind, name, before.last_handled_reconcile_at()).await?;
    let Some(ready) = object.ready() else { bail!("status can't be determined") };
    if ready.status != "True" {
        bail!("{} reconciliation failed: '{}'", kind.name, ready.message);
    }
    output::success(&kind.success(&object));
    Ok(())
}

async fn ready_to_go(cluster: &Cluster, kind: &Kind, name: &str) -> Result<Object> {
    let object = cluster.get(kind, name).await?;
    if object.suspended() {
        bail!("resource is suspended");
    }
    Ok(object)
}
