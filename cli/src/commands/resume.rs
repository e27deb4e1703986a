use anyhow::{Result, bail};
use futures::future::join_all;
use kube::api::ListParams;
use serde_json::json;

use super::required;
use crate::args::{Global, Resume, ResumeKind, ResumeSource};
use crate::cluster::Cluster;
use crate::kind::{GIT_REPOSITORY, KUSTOMIZATION, Kind};
use crate::object::Object;
use crate::{output, wait};

/// Lets controllers work on suspended objects again.
pub(super) async fn run(kind: &ResumeKind, global: &Global) -> Result<()> {
    let (kind, args) = match kind {
        ResumeKind::Source { kind: ResumeSource::Git(args) } => (&GIT_REPOSITORY, args),
        ResumeKind::Kustomization(args) => (&KUSTOMIZATION, args),
    };
    if !args.all {
        required(args.names.first(), kind.human)?;
    }
    let cluster = Cluster::connect(global).await?;
    let resumed = wait::within(global.timeout.get(), resume(&cluster, kind, args)).await?;
    if args.wait || (!args.all && args.names.names.len() == 1) {
        return await_all(&cluster, kind, &resumed, global).await;
    }
    Ok(())
}

async fn resume(cluster: &Cluster, kind: &Kind, args: &Resume) -> Result<Vec<String>> {
    let names = names(cluster, kind, args).await?;
    for name in &names {
        output::action(&format!("resuming {} {name} in {} namespace", kind.human, cluster.namespace));
        cluster.merge(kind, name, &json!({"spec": {"suspend": null}})).await?;
        output::success(&format!("{} resumed", kind.human));
    }
    Ok(names)
}

/// The names of the objects that are there; missing ones are reported and passed over.
async fn names(cluster: &Cluster, kind: &Kind, args: &Resume) -> Result<Vec<String>> {
    let namespace = &cluster.namespace;
    if args.all {
        let objects = cluster.list(kind, false, &ListParams::default()).await?;
        if objects.is_empty() {
            output::failure(&format!("no {} objects found in {namespace} namespace", kind.name));
        }
        return Ok(objects.iter().map(|object| object.name().to_owned()).collect());
    }
    let mut found = Vec::new();
    for name in &args.names.names {
        if found.contains(name) {
            continue;
        }
        match cluster.find(kind, name).await? {
            Some(_) => found.push(name.clone()),
            None => {
                output::failure(&format!("{} object '{name}' not found in {namespace} namespace", kind.name));
            }
        }
    }
    Ok(found)
}

async fn await_all(cluster: &Cluster, kind: &Kind, names: &[String], global: &Global) -> Result<()> {
    for _ in names {
        output::waiting(&format!("waiting for {} reconciliation", kind.name));
    }
    let timeout = global.timeout.get();
    let outcomes =
        join_all(names.iter().map(|name| wait::within(timeout, wait::until_ready(cluster, kind, name))))
            .await;
    let failed = names.iter().zip(&outcomes).filter(|(name, outcome)| !report(kind, name, outcome)).count();
    if failed > 0 {
        bail!("reconciliation failed for {failed} {}(s)", kind.name);
    }
    Ok(())
}

/// Tells the outcome for one object, and returns whether it is good.
fn report(kind: &Kind, name: &str, outcome: &Result<Object>) -> bool {
    match outcome {
        Ok(object) => {
            output::success(&format!("{} {name} reconciliation completed", kind.name));
            output::success(&kind.success(object));
            true
        }
        Err(error) => {
            let cause = output::chain(error);
            output::failure(&format!("{} {name} reconciliation failed: {cause}", kind.name));
            false
        }
    }
}
