use anyhow::{Result, bail};
use kube::api::ListParams;
use serde_json::json;

use super::required;
use crate::args::{Global, Suspend, SuspendKind, SuspendSource};
use crate::cluster::Cluster;
use crate::kind::{GIT_REPOSITORY, KUSTOMIZATION, Kind};
use crate::{output, wait};

/// Keeps controllers away from objects.
pub(super) async fn run(kind: &SuspendKind, global: &Global) -> Result<()> {
    let (kind, args) = match kind {
        SuspendKind::Source { kind: SuspendSource::Git(args) } => (&GIT_REPOSITORY, args),
        SuspendKind::Kustomization(args) => (&KUSTOMIZATION, args),
    };
    if !args.all {
        required(args.names.first(), kind.human)?;
    }
    let cluster = Cluster::connect(global).await?;
    wait::within(global.timeout.get(), suspend(&cluster, kind, args)).await
}

async fn suspend(cluster: &Cluster, kind: &Kind, args: &Suspend) -> Result<()> {
    for name in names(cluster, kind, args).await? {
        output::action(&format!("suspending {} {name} in {} namespace", kind.human, cluster.namespace));
        cluster.merge(kind, &name, &json!({"spec": {"suspend": true}})).await?;
        output::success(&format!("{} suspended", kind.human));
    }
    Ok(())
}

/// The names of the objects that are there; missing ones are reported and passed over.
async fn names(cluster: &Cluster, kind: &Kind, args: &Suspend) -> Result<Vec<String>> {
    if args.all {
        let objects = cluster.list(kind, false, &ListParams::default()).await?;
        if objects.is_empty() {
            bail!("no objects found");
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
                output::failure(&format!("{} {name} not found in {} namespace", kind.name, cluster.namespace))
            }
        }
    }
    Ok(found)
}
