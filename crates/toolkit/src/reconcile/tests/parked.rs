use super::*;
use crate::queue::Trigger;
use crate::reconcile::Cancelled;

/// A reconciler whose runs say what they do. Objects whose name begins with `p` wait first. Clones share it.
#[derive(Clone)]
struct Waiter {
    /// A wait ends only with one of these.
    waits: Arc<Semaphore>,
    /// Work ends only with one of these.
    work: Arc<Semaphore>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Waiter {
    fn new() -> Self {
        Self { waits: Arc::new(Semaphore::new(0)), work: Arc::new(Semaphore::new(0)), log: Arc::default() }
    }

    fn say(&self, run: &Run<Kustomization>, what: impl std::fmt::Display) {
        self.log.lock().push(format!("{} {what}", run.key().name));
    }

    fn said(&self, what: &str) -> usize {
        self.log.lock().iter().filter(|line| line.contains(what)).count()
    }
}

impl Reconciler for Waiter {
    type Error = Refusal;
    type Kind = Kustomization;

    const FIELD_MANAGER: &'static str = MANAGER;
    const OWNED_CONDITIONS: &'static [&'static str] = &[condition::READY];

    async fn reconcile(&self, run: &mut Run<Kustomization>) -> Result<Duration, Refusal> {
        if run.key().name.starts_with('p') {
            self.say(run, "waits");
            let waited = run.parked(async {
                tokio::select! {
                    permit = self.waits.acquire() => { permit.expect("never closed").forget(); None }
                    trigger = run.superseded() => Some(trigger),
                }
            });
            match waited.await {
                Ok(None) => {}
                Ok(Some(trigger)) => {
                    self.say(run, format!("gives way to {trigger}"));
                    return Err(Refusal(Retry::Now));
                }
                Err(e @ Cancelled) => {
                    self.say(run, e);
                    return Err(Refusal(Retry::WhenChanged));
                }
            }
        }
        self.say(run, "works");
        self.work.acquire().await.expect("never closed").forget();
        Ok(HOUR)
    }

    fn conclude(&self, run: &mut Run<Kustomization>, result: &Result<Duration, Refusal>) {
        let status = if result.is_ok() { ConditionStatus::True } else { ConditionStatus::False };
        run.set_condition(condition::READY, status, "R", "m");
    }

    fn conclude_suspended(&self, _: &mut Run<Kustomization>) {}

    async fn finalize(&self, _: &mut Run<Kustomization>) -> Result<(), Refusal> {
        Ok(())
    }
}

/// One worker, and objects of these names.
fn start(waiter: &Waiter, names: &[&str]) -> (Bench, Handle<Kustomization>) {
    let bench = Bench::new(&[]);
    names.iter().for_each(|name| bench.server.create(name, &finalized()));
    let controller = Controller::new(&bench.runtime, |_, _| {});
    let handle = controller.handle();
    controller.start(waiter.clone(), 1, std::future::ready(()));
    (bench, handle)
}

fn active(bench: &Bench) -> f64 {
    bench.metric("controller_runtime_active_workers", "").unwrap()
}

#[tokio::test]
async fn runs_that_wait_hold_no_worker_but_are_in_progress() {
    let waiter = Waiter::new();
    let names: Vec<String> = (0..100).map(|i| format!("p{i}")).collect();
    let (bench, handle) = start(&waiter, &names.iter().map(String::as_str).collect::<Vec<_>>());
    until("all wait", || waiter.said("waits") == 100).await;
    bench.server.create("w", &finalized());
    until("another works", || waiter.said("w works") == 1).await;
    assert_eq!((active(&bench), handle.queue.len()), (1.0, 0));
    let text = bench.runtime.metrics.encode();
    let unfinished =
        "workqueue_unfinished_work_seconds{controller=\"kustomization\",name=\"kustomization\"} ";
    let seconds = text.lines().find_map(|line| line.strip_prefix(unfinished)).unwrap();
    assert!(seconds.parse::<f64>().unwrap() > 0.0, "{seconds}");
    waiter.work.add_permits(101);
    waiter.waits.add_permits(100);
    until("all are done", || bench.results("requeue_after") == 101.0).await;
    until("no worker is busy", || active(&bench) == 0.0).await;
    bench.stop().await;
}

#[tokio::test]
async fn whoever_waited_works_before_keys_of_the_queue() {
    let waiter = Waiter::new();
    let (bench, handle) = start(&waiter, &["p"]);
    until("it waits", || waiter.said("p waits") == 1).await;
    bench.server.create("a", &finalized());
    until("another has the worker", || waiter.said("a works") == 1).await;
    bench.server.create("b", &finalized());
    until("a third is in the queue", || handle.queue.len() == 1).await;
    waiter.waits.add_permits(1);
    until("the wait is over", || waiter.waits.available_permits() == 0).await;
    assert_eq!(waiter.said("p works"), 0, "the only worker is taken");
    waiter.work.add_permits(1);
    until("it works", || waiter.said("p works") == 1).await;
    assert_eq!(waiter.said("b works"), 0);
    waiter.work.add_permits(2);
    until("the third has its turn", || bench.results("requeue_after") == 3.0).await;
    bench.stop().await;
    assert_eq!(*waiter.log.lock(), ["p waits", "a works", "p works", "b works"]);
}

#[tokio::test]
async fn an_idle_worker_is_given_back() {
    let waiter = Waiter::new();
    let (bench, _) = start(&waiter, &["p"]);
    until("it waits", || waiter.said("p waits") == 1).await;
    waiter.waits.add_permits(1);
    waiter.work.add_permits(1);
    until("it is done", || bench.results("requeue_after") == 1.0).await;
    bench.stop().await;
}

#[tokio::test]
async fn at_shutdown_waits_end_and_what_is_known_is_written() {
    let waiter = Waiter::new();
    let (bench, _) = start(&waiter, &["p1", "p2"]);
    until("both wait", || waiter.said("waits") == 2).await;
    bench.server.create("w", &finalized());
    until("a third has the worker", || waiter.said("w works") == 1).await;
    bench.runtime.shutdown.cancel();
    until("the waits end", || waiter.said("the controller is shutting down") == 2).await;
    waiter.work.add_permits(1);
    bench.stop().await;
    for name in ["p1", "p2", "w"] {
        assert_eq!(bench.server.status(name)["conditions"][0]["type"], "Ready", "{name}");
    }
}

#[tokio::test]
async fn at_shutdown_a_run_that_wants_a_worker_back_goes_on_without() {
    let waiter = Waiter::new();
    let (bench, _) = start(&waiter, &["p"]);
    until("it waits", || waiter.said("p waits") == 1).await;
    bench.server.create("w", &finalized());
    until("another has the worker", || waiter.said("w works") == 1).await;
    waiter.waits.add_permits(1);
    until("the wait is over", || waiter.waits.available_permits() == 0).await;
    assert_eq!(waiter.said("p works"), 0);
    bench.runtime.shutdown.cancel();
    until("it works", || waiter.said("p works") == 1).await;
    waiter.work.add_permits(2);
    bench.stop().await;
    assert_eq!(bench.server.status("p")["conditions"][0]["status"], "True");
}

#[tokio::test]
async fn a_wait_gives_way_to_what_asks_for_the_object() {
    let waiter = Waiter::new();
    let (bench, handle) = start(&waiter, &["p"]);
    until("it waits", || waiter.said("p waits") == 1).await;
    let trigger = Trigger {
        kind: "GitRepository".to_owned(),
        namespace: "flux-system".to_owned(),
        name: "app".to_owned(),
    };
    handle.queue.add_triggered(key("p"), trigger);
    until("it waits anew", || waiter.said("p waits") == 2).await;
    bench.server.edit("p", &json!({"spec": {"path": "./app"}}));
    until("it waits once more", || waiter.said("p waits") == 3).await;
    assert_eq!(bench.results("requeue"), 2.0);
    bench.stop().await;
    let log = waiter.log.lock();
    let ways: Vec<_> =
        log.iter().filter_map(|line| line.split_once("gives way to ")).map(|(_, by)| by).collect();
    assert_eq!(ways, ["GitRepository/flux-system/app", "Kustomization/apps/p"]);
}

#[tokio::test]
async fn a_run_is_small() {
    let bench = Bench::new(&[]);
    bench.server.create("a", &finalized());
    let frame = bench.frame(&Scripted::succeeding()).await;
    let (key, object) = (key("a"), Arc::new(bench.server.object("a")));
    let around = std::mem::size_of_val(&frame.process(&key, bench.turn().await));
    let api = kube::Api::namespaced(bench.server.client(), "apps");
    let writer = crate::status::Writer::new(api, &*object, MANAGER, &[]).unwrap();
    let mut run = Run::new(object, writer, bench.runtime.events.clone(), bench.turn().await);
    let within = std::mem::size_of_val(&frame.carry_out(&key, &mut run));
    // A thousand that wait take a few megabytes, beside what their reconcilers hold.
    assert!(around + within < 8 * 1024, "{around} around, {within} within");
}
