//! Deadlines, and waiting for objects.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::cluster::Cluster;
use crate::kind::Kind;
use crate::object::Object;
use crate::readiness::{Readiness, readiness};

/// How often an object that is waited for is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Runs what has to be over in time.
///
/// # Errors
/// Those of the work, or Flux's text for being late.
pub(crate) async fn within<T>(timeout: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(timeout, work).await {
        Ok(done) => done,
        Err(_) => bail!("context deadline exceeded"),
    }
}

/// Waits until the object is as its spec asks for.
///
/// # Errors
/// When it has failed for good, is gone, or can't be read.
pub(crate) async fn until_ready(cluster: &Cluster, kind: &Kind, name: &str) -> Result<Object> {
    until(cluster, kind, name, |_| true).await
}

/// Waits until the object has seen a request to reconcile since `last_handled`, and is as its spec asks for.
///
/// # Errors
/// See [`until_ready`].
pub(crate) async fn until_handled(
    cluster: &Cluster,
    kind: &Kind,
    name: &str,
    last_handled: &str,
) -> Result<Object> {
    until(cluster, kind, name, |object| object.last_handled_reconcile_at() != last_handled).await
}

async fn until(
    cluster: &Cluster,
    kind: &Kind,
    name: &str,
    counts: impl Fn(&Object) -> bool,
) -> Result<Object> {
    loop {
        let object = cluster.get(kind, name).await?;
        if counts(&object) {
            match readiness(&object) {
                Readiness::Current => return Ok(object),
                Readiness::Failed(message) => bail!(message),
                Readiness::InProgress => {}
            }
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
