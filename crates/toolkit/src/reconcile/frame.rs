//! What happens to one key, whatever its kind: read, finalize, suspend, reconcile, write, come again.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::meta::{FINALIZER, Reconciled, ReconciledStatus};
use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, Resource};
use parking_lot::Mutex;
use serde_json::json;
use tracing::{error, info};

use super::cache::is_older;
use super::run::requested_at;
use super::slots::Turn;
use super::{Cache, Failure, Key, Kind, Reconciler, Retry, Run};
use crate::events::Recorder;
use crate::logging::chain;
use crate::metrics::{Metrics, ReconcileResult};
use crate::queue::jitter;
use crate::status::{WriteError, Writer};

/// When a key is to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// When it changes.
    WhenChanged,
    /// When it changes, because it can't succeed as it is.
    Refused,
    /// At once, without an end of the backoff.
    Now,
    /// After this long, which is never zero; ends the backoff.
    After(Duration),
    /// After a delay that grows with each failure.
    Backoff,
}

/// A run that ended before the reconciler could say how.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interrupted {
    #[error("failed to read the object")]
    Read(#[source] kube::Error),
    #[error("failed to patch finalizers")]
    Finalizer(#[source] kube::Error),
    #[error(transparent)]
    Status(#[from] WriteError),
    #[error("panic: {0} [recovered]")]
    Panic(String),
}

/// The frame around one reconciler.
pub(super) struct Frame<R: Reconciler> {
    pub(super) reconciler: R,
    pub(super) client: Client,
    pub(super) cache: Cache<R::Kind>,
    pub(super) recorder: Recorder,
    pub(super) metrics: Metrics,
    pub(super) jitter_percent: u8,
    /// What we wrote last, for objects that the cache may not show yet.
    pub(super) written: Mutex<HashMap<Key, String>>,
}

impl<R: Reconciler> Frame<R> {
    /// Runs one key to its end. Never fails and never panics: all that goes wrong ends in the result.
    pub(super) async fn process(&self, key: &Key, turn: Turn) -> Next {
        let started = Instant::now();
        let next = self.guarded(self.attempt(key, turn).boxed()).await.unwrap_or_else(|e| {
            error!(error = %chain(&e), "Reconciler error");
            Next::Backoff
        });
        self.observe(next, started.elapsed());
        next
    }

    /// Turns a panic, which is counted, into an error.
    ///
    /// Boxed, because a future that is handed on counts twice in the size of the one that does so.
    async fn guarded(&self, work: BoxFuture<'_, Result<Next, Interrupted>>) -> Result<Next, Interrupted> {
        AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|payload| {
            self.metrics.panicked(&controller_name::<R::Kind>());
            Err(Interrupted::Panic(panic_text(payload.as_ref())))
        })
    }

    async fn attempt(&self, key: &Key, turn: Turn) -> Result<Next, Interrupted> {
        let Some(object) = self.read(key).await? else {
            self.forget(key);
            return Ok(Next::WhenChanged);
        };
        let started = Instant::now();
        let next = self.handle(key, object, turn).await;
        let kind = R::Kind::kind(&());
        if self.cache.get(key).is_some() {
            self.metrics.reconcile_duration(&kind, &key.name, &key.namespace, started.elapsed());
        }
        next
    }

    /// The object from the cache, or live when the cache is behind what we wrote.
    async fn read(&self, key: &Key) -> Result<Option<Arc<R::Kind>>, Interrupted> {
        let cached = self.cache.get(key);
        let written = self.written.lock().get(key).cloned();
        let Some(written) = written else { return Ok(cached) };
        let version = cached.as_ref().and_then(|o| o.meta().resource_version.as_deref());
        if cached.is_none() || !is_older(version, &written) {
            return Ok(cached);
        }
        let live = self.api(key).get_opt(&key.name).await.map_err(Interrupted::Read)?;
        Ok(live.map(Arc::new))
    }

    async fn handle(&self, key: &Key, object: Arc<R::Kind>, turn: Turn) -> Result<Next, Interrupted> {
        let writer = Writer::new(self.api(key), &*object, R::FIELD_MANAGER, R::OWNED_CONDITIONS)?;
        let mut run = Run::new(object, writer, self.recorder.clone(), turn);
        // However it ends, by a panic as well: what was written until then must not be forgotten.
        let ended = self.guarded(self.carry_out(key, &mut run).boxed()).await;
        if let Err(Interrupted::Panic(_)) = ended {
            answer_request(&mut run).await;
        }
        self.written.lock().insert(key.clone(), run.writer.resource_version().to_owned());
        ended
    }

    pub(super) async fn carry_out(&self, key: &Key, run: &mut Run<R::Kind>) -> Result<Next, Interrupted> {
        if run.object.meta().deletion_timestamp.is_some() {
            return self.delete(run).await;
        }
        if !has_finalizer(&*run.object) {
            self.add_finalizer(key, run).await?;
        }
        let next = if run.object.suspended() { self.suspend(run) } else { self.reconcile(run).await };
        run.write_status().await?;
        Ok(next)
    }

    async fn reconcile(&self, run: &mut Run<R::Kind>) -> Next {
        let result = self.reconciler.reconcile(run).await;
        self.reconciler.conclude(run, &result);
        record_request(run);
        match result {
            Ok(interval) => after(jitter(interval, self.jitter_percent)),
            Err(e) => match e.retry() {
                Retry::Backoff => Next::Backoff,
                Retry::After(delay) => after(delay),
                Retry::WhenChanged if e.is_terminal() => Next::Refused,
                Retry::WhenChanged => Next::WhenChanged,
                Retry::Now => Next::Now,
            },
        }
    }

    fn suspend(&self, run: &mut Run<R::Kind>) -> Next {
        info!("Reconciliation is suspended for this object");
        record_request(run);
        self.reconciler.conclude_suspended(run);
        Next::WhenChanged
    }

    async fn delete(&self, run: &mut Run<R::Kind>) -> Result<Next, Interrupted> {
        if !has_finalizer(&*run.object) {
            return Ok(Next::WhenChanged);
        }
        if let Err(e) = self.reconciler.finalize(run).await {
            error!(error = %chain(&e), "Reconciler error");
            record_request(run);
            run.write_status().await?;
            // The finalizer must go some day, so there is always another try.
            return Ok(match e.retry() {
                Retry::After(delay) if !delay.is_zero() => Next::After(delay),
                Retry::Now => Next::Now,
                Retry::After(_) | Retry::Backoff | Retry::WhenChanged => Next::Backoff,
            });
        }
        self.remove_finalizer(run).await?;
        Ok(Next::WhenChanged)
    }

    async fn add_finalizer(&self, key: &Key, run: &mut Run<R::Kind>) -> Result<(), Interrupted> {
        let mut finalizers = run.object.meta().finalizers.clone().unwrap_or_default();
        finalizers.push(FINALIZER.to_owned());
        let patched = self.patch_finalizers(key, &run.object, &finalizers).await?;
        run.writer.follow(patched.meta().resource_version.clone().unwrap_or_default());
        run.object = Arc::new(patched);
        Ok(())
    }

    async fn remove_finalizer(&self, run: &mut Run<R::Kind>) -> Result<(), Interrupted> {
        let mut finalizers = run.object.meta().finalizers.clone().unwrap_or_default();
        finalizers.retain(|f| f != FINALIZER);
        match self.patch_finalizers(&run.key(), &run.object, &finalizers).await {
            Ok(patched) => run.writer.follow(patched.meta().resource_version.clone().unwrap_or_default()),
            Err(Interrupted::Finalizer(kube::Error::Api(e))) if e.code == 404 => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// The list replaces the stored one, so it must build on the version that was read.
    async fn patch_finalizers(
        &self,
        key: &Key,
        object: &R::Kind,
        list: &[String],
    ) -> Result<R::Kind, Interrupted> {
        let body =
            json!({"metadata": {"finalizers": list, "resourceVersion": object.meta().resource_version}});
        let params = PatchParams { field_manager: Some(R::FIELD_MANAGER.to_owned()), ..Default::default() };
        self.api(key).patch(&key.name, &params, &Patch::Merge(&body)).await.map_err(Interrupted::Finalizer)
    }

    fn api(&self, key: &Key) -> Api<R::Kind> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }

    fn forget(&self, key: &Key) {
        self.written.lock().remove(key);
        self.metrics.forget_object(&R::Kind::kind(&()), &key.name, &key.namespace);
    }

    fn observe(&self, next: Next, elapsed: Duration) {
        let result = match next {
            Next::WhenChanged => ReconcileResult::Success,
            Next::Now => ReconcileResult::Requeue,
            Next::After(_) => ReconcileResult::RequeueAfter,
            Next::Backoff | Next::Refused => ReconcileResult::Error,
        };
        let controller = controller_name::<R::Kind>();
        if next == Next::Refused {
            self.metrics.terminal_error(&controller);
        }
        self.metrics.reconciled(&controller, result, elapsed);
    }
}

/// The value of the metric label `controller`.
pub(super) fn controller_name<K: Kind>() -> String {
    K::kind(&()).to_lowercase()
}

/// An interval of zero asks for no further run, as in controller-runtime.
fn after(delay: Duration) -> Next {
    if delay.is_zero() { Next::WhenChanged } else { Next::After(delay) }
}

fn has_finalizer<K: Kind>(object: &K) -> bool {
    object.meta().finalizers.iter().flatten().any(|f| f == FINALIZER)
}

/// A request counts as handled when a run has ended, however it ended.
fn record_request<K: Kind>(run: &mut Run<K>) {
    if let Some(token) = requested_at(&*run.object).map(str::to_owned) {
        run.status.set_last_handled_reconcile_at(token);
    }
}

/// Records a request as handled by a run that panicked, and nothing else of that run.
///
/// Otherwise those who wait for the answer would do so in vain.
async fn answer_request<K: Kind>(run: &mut Run<K>) {
    let answered = async {
        run.status = run.writer.stored()?;
        record_request(run);
        run.write_status().await
    };
    if let Err(e) = answered.await {
        error!(error = %chain(&e), "failed to record the handled request");
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown cause".to_owned())
}
