//! A kind, its cache, its queue and its workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::Resource;
use parking_lot::Mutex;
use tracing::{Instrument, info};
use uuid::Uuid;

use super::frame::{Frame, Next, controller_name};
use super::run::requested_at;
use super::slots::{Slot, Slots, Turn};
use super::{Cache, Change, Key, Kind, Reconciler, undecodable};
use crate::logging::reconcile_span;
use crate::queue::{Priority, Queue, Trigger};
use crate::run::Runtime;

/// What other parts need of a controller: to look up its objects and to ask for a run.
pub struct Handle<K> {
    /// The objects as last seen.
    pub cache: Cache<K>,
    /// Keys that wait for a run.
    pub queue: Queue<Key>,
}

impl<K> Clone for Handle<K> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), queue: self.queue.clone() }
    }
}

/// Follows one kind and reconciles its objects.
pub struct Controller<K: Kind> {
    runtime: Runtime,
    handle: Handle<K>,
}

impl<K: Kind> Controller<K> {
    /// Starts to follow the kind. Nothing is reconciled before [`Controller::start`].
    ///
    /// `on_change` hears of every change besides the controller itself, for instance to wake dependents.
    #[must_use]
    pub fn new(
        runtime: &Runtime,
        on_change: impl Fn(&Handle<K>, &Change<'_, K>) + Send + Sync + 'static,
    ) -> Self {
        let args = &runtime.args;
        let queue =
            Queue::new(&controller_name::<K>(), &runtime.metrics, args.min_retry_delay, args.max_retry_delay);
        let (cache, supply) = Cache::new();
        let handle = Handle { cache, queue };
        let own = handle.clone();
        let follow = move |change: Change<'_, K>| {
            if asks_for_a_run(&change) {
                let key = change.key.clone();
                match change.new {
                    Some(new) if !change.initial => own.queue.add_triggered(key, Trigger::of(new)),
                    Some(_) => own.queue.add_with_priority(key, Priority::Low),
                    None => own.queue.add(key),
                }
            }
            on_change(&own, &change);
        };
        supply.start(
            runtime.client.clone(),
            &runtime.scope(),
            &runtime.tasks,
            runtime.shutdown.clone(),
            follow,
            undecodable::reporter::<K>(runtime),
        );
        Self { runtime: runtime.clone(), handle }
    }

    /// The controller's cache and queue.
    #[must_use]
    pub fn handle(&self) -> Handle<K> {
        self.handle.clone()
    }

    /// Starts to take keys once this process leads, the cache is complete, and so is `ready`: whatever else a run
    /// looks things up in.
    ///
    /// At most `concurrency` runs work at a time; those that wait ([`Run::parked`](super::Run::parked)) don't count.
    pub fn start<R: Reconciler<Kind = K>>(
        self,
        reconciler: R,
        concurrency: usize,
        ready: impl Future<Output = ()> + Send + 'static,
    ) {
        let Self { runtime, handle } = self;
        let frame = Arc::new(Frame {
            reconciler,
            client: runtime.client.clone(),
            cache: handle.cache.clone(),
            recorder: runtime.events.clone(),
            metrics: runtime.metrics.clone(),
            jitter_percent: runtime.args.interval_jitter_percentage,
            written: Mutex::new(HashMap::new()),
        });
        runtime.metrics.workers(&controller_name::<K>(), concurrency);
        let tasks = runtime.tasks.clone();
        tasks.spawn(async move {
            let all_ready = async {
                runtime.leadership.acquired().await;
                handle.cache.synced().await;
                ready.await;
            };
            if runtime.shutdown.run_until_cancelled(all_ready).await.is_none() {
                return;
            }
            info!(controller = controller_name::<K>(), "worker count" = concurrency, "Starting workers");
            dispatch(frame, handle.queue, concurrency, runtime).await;
        });
    }
}

/// Takes keys until shutdown and starts a run for each. A run that has begun is carried to its end.
async fn dispatch<R: Reconciler>(
    frame: Arc<Frame<R>>,
    queue: Queue<Key>,
    concurrency: usize,
    runtime: Runtime,
) {
    let slots = Slots::new(concurrency, &controller_name::<R::Kind>(), runtime.metrics.clone());
    loop {
        let (key, slot) = tokio::select! {
            // In this order: a key that comes with the shutdown isn't taken.
            biased;
            () = runtime.shutdown.cancelled() => return,
            taken = take(&queue, &slots) => taken,
        };
        let turn = Turn { slot, superseded: queue.superseded(&key), shutdown: runtime.shutdown.clone() };
        runtime.tasks.spawn(work(Arc::clone(&frame), queue.clone(), key, turn));
    }
}

/// The next key, with a slot to work on it. Dropping the future loses no key.
async fn take(queue: &Queue<Key>, slots: &Arc<Slots>) -> (Key, Slot) {
    loop {
        let vacancy = slots.vacancy().await;
        tokio::select! {
            biased;
            // The vacancy is dropped, and with it goes to the run that waits for it.
            () = slots.wanted() => {}
            key = queue.get() => return (key, slots.occupy(vacancy)),
        }
    }
}

/// One run.
async fn work<R: Reconciler>(frame: Arc<Frame<R>>, queue: Queue<Key>, key: Key, turn: Turn) {
    let (kind, group) = (R::Kind::kind(&()), R::Kind::group(&()));
    let id = Uuid::new_v4().to_string();
    let controller = controller_name::<R::Kind>();
    let span = reconcile_span(&controller, &group, &kind, &key.namespace, &key.name, &id);
    match frame.process(&key, turn).instrument(span).await {
        Next::WhenChanged | Next::Refused => queue.forget(&key),
        Next::Now => queue.add_after(key.clone(), Duration::ZERO),
        Next::After(delay) => {
            queue.forget(&key);
            queue.add_after(key.clone(), delay);
        }
        Next::Backoff => queue.add_rate_limited(key.clone()),
    }
    queue.done(&key);
}

/// A new object, a new generation (deletion counts as one) or a new request.
fn asks_for_a_run<K: Kind>(change: &Change<'_, K>) -> bool {
    match (change.old, change.new) {
        (Some(old), Some(new)) => {
            old.meta().uid != new.meta().uid
                || old.meta().generation != new.meta().generation
                || (requested_at(new).is_some() && requested_at(old) != requested_at(new))
        }
        (None, Some(_)) | (Some(_), None) => true,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use api::kustomize::v1::Kustomization;
    use serde_json::{Value, json};

    use super::*;
    use crate::reconcile::fake::{Server, key};

    /// A plain object, changed by a merge patch.
    fn object(patch: &Value) -> Kustomization {
        let server = Server::default();
        server.create("a", &json!({}));
        let mut object = server.get("a").unwrap();
        crate::reconcile::fake::merge(&mut object, patch);
        serde_json::from_value(object).unwrap()
    }

    fn asks(old: Option<&Value>, new: Option<&Value>) -> bool {
        let (key, old, new) = (key("a"), old.map(object), new.map(object));
        asks_for_a_run(&Change { key: &key, old: old.as_ref(), new: new.as_ref(), initial: false })
    }

    #[test]
    fn a_run_is_asked_for_by_a_new_object_generation_or_request() {
        let plain = json!({});
        let request =
            |token: &str| json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
        for (old, new, asks_for_a_run) in [
            (&plain, json!({"metadata": {"generation": 2}}), true),
            (&plain, json!({"metadata": {"uid": "another"}}), true),
            (&plain, request("1"), true),
            (&request("1"), request("2"), true),
            (&plain, json!({}), false),
            (&request("1"), request("1"), false),
            (&request("1"), json!({}), false),
            (&plain, json!({"metadata": {"resourceVersion": "2"}}), false),
            (&plain, json!({"metadata": {"labels": {"a": "b"}}}), false),
            (&plain, json!({"metadata": {"annotations": {"a": "b"}}}), false),
            (&plain, json!({"metadata": {"finalizers": ["a/b"]}}), false),
            (&plain, json!({"status": {"observedGeneration": 1}}), false),
        ] {
            assert_eq!(asks(Some(old), Some(&new)), asks_for_a_run, "{old} -> {new}");
        }
        assert!(asks(None, Some(&plain)));
        assert!(asks(Some(&plain), None));
        assert!(!asks(None, None));
    }
}
