use super::*;

/// Processes a fresh object, which shows that all that came before it was heard.
async fn settle(bench: &Bench, reconciler: &Scripted, name: &str) {
    bench.server.create(name, &finalized());
    until("the fresh object runs", || reconciler.runs_of(name) == 1).await;
}

#[tokio::test]
async fn a_failing_object_is_tried_again_after_delays_that_double() {
    let bench = Bench::new(&["--min-retry-delay=20ms"]);
    bench.server.create("a", &finalized());
    let reconciler = Scripted::new(|_| Err(Refusal(Retry::Backoff)));
    bench.start(&reconciler, |_| {});
    until("four runs", || reconciler.runs() >= 4).await;
    bench.stop().await;
    let at: Vec<Instant> = reconciler.ran.lock().iter().map(|r| r.at).collect();
    for (pair, least) in at.windows(2).zip([20, 40, 80]) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(least), "{at:?}");
    }
    assert!(bench.metric("workqueue_retries_total", ",name=\"kustomization\"").unwrap() >= 3.0);
    assert!(bench.results("error") >= 4.0);
    assert_eq!(bench.server.take_whats(), ["PATCH a/status"], "the second failure says nothing new");
}

#[tokio::test]
async fn an_interval_brings_the_next_run() {
    let bench = Bench::new(&[]);
    bench.server.create("a", &finalized());
    let reconciler = Scripted::new(|_| Ok(Duration::from_millis(1)));
    bench.start(&reconciler, |_| {});
    until("three results", || bench.results("requeue_after") >= 3.0).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_panic_harms_no_other_object() {
    let bench = Bench::new(&["--min-retry-delay=1ms"]);
    bench.server.create("bad", &finalized());
    let reconciler = Scripted::new(|run| {
        assert_ne!(run.key().name, "bad", "at the disco");
        Ok(HOUR)
    });
    bench.start(&reconciler, |_| {});
    until("the worker goes on", || reconciler.runs_of("bad") >= 3).await;
    settle(&bench, &reconciler, "good").await;
    until("the panics don't end", || reconciler.runs_of("bad") >= 5).await;
    bench.stop().await;
    assert_eq!(bench.server.status("good")["conditions"][0]["status"], "True");
    assert_eq!(bench.server.status("bad"), json!(null));
    let panics = bench.metric("controller_runtime_reconcile_panics_total", "").unwrap();
    assert_eq!(panics, f64::from(u32::try_from(reconciler.runs_of("bad")).unwrap()));
    assert_eq!(bench.metric("controller_runtime_active_workers", ""), Some(0.0));
}

#[tokio::test]
async fn a_request_brings_one_run_and_what_is_not_asked_for_brings_none() {
    let bench = Bench::new(&[]);
    let reconciler = Scripted::succeeding();
    bench.start(&reconciler, |_| {});
    settle(&bench, &reconciler, "a").await;
    bench.server.edit("a", &request("now"));
    until("it is handled", || bench.server.status("a")["lastHandledReconcileAt"] == "now").await;
    bench.server.edit("a", &json!({"metadata": {"labels": {"team": "red"}}}));
    bench.server.edit("a", &json!({"metadata": {"annotations": {"example.com/note": "x"}}}));
    bench.server.edit("a", &json!({"status": {"lastAttemptedRevision": "x"}}));
    bench.server.edit("a", &json!({"metadata": {"annotations": null}}));
    settle(&bench, &reconciler, "b").await;
    assert_eq!(reconciler.runs_of("a"), 2);
    bench.server.edit("a", &json!({"spec": {"path": "./app"}}));
    until("a new generation runs", || bench.server.status("a")["observedGeneration"] == 2).await;
    bench.stop().await;
    assert_eq!(reconciler.runs_of("a"), 3);
}

#[tokio::test]
async fn a_deleted_object_is_finalized_and_gone() {
    let bench = Bench::new(&[]);
    let reconciler = Scripted::succeeding();
    let handle = bench.start(&reconciler, |_| {});
    settle(&bench, &reconciler, "a").await;
    bench.server.delete("a");
    until("it is gone", || handle.cache.get(&key("a")).is_none()).await;
    bench.stop().await;
    assert_eq!((*reconciler.finalized.lock(), reconciler.runs()), (1, 1));
}

/// Name, known before, there now, part of the first list.
type Heard = (String, bool, bool, bool);

#[tokio::test]
async fn after_a_broken_watch_what_went_is_told_and_what_stayed_is_left_alone() {
    let bench = Bench::new(&[]);
    bench.server.create("stays", &finalized());
    bench.server.create("goes", &finalized());
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let (reconciler, ears) = (Scripted::succeeding(), Arc::clone(&heard));
    let handle = bench.start(&reconciler, move |change| {
        let heard = (change.key.name.clone(), change.old.is_some(), change.new.is_some(), change.initial);
        ears.lock().push(heard);
    });
    until("both are written and seen", || heard.lock().len() == 4).await;
    let told = |name: &str, old, new, initial| (name.to_owned(), old, new, initial);
    assert_eq!(heard.lock()[..2], [told("goes", false, true, true), told("stays", false, true, true)]);
    heard.lock().clear();
    bench.server.break_watches();
    bench.server.remove("goes");
    bench.server.create("comes", &finalized());
    until("the new object runs", || reconciler.runs_of("comes") == 1).await;
    until("the removal is processed", || bench.results("success") == 1.0).await;
    bench.stop().await;
    assert!(handle.cache.get(&key("goes")).is_none());
    let heard = heard.lock();
    for expected in [told("comes", false, true, false), told("goes", true, false, false)] {
        assert!(heard.contains(&expected), "{heard:?}");
    }
    assert_eq!((reconciler.runs_of("stays"), reconciler.runs_of("goes")), (1, 1));
}

#[tokio::test]
async fn at_shutdown_a_run_is_carried_to_its_end_and_no_other_is_begun() {
    let bench = Bench::new(&[]);
    bench.server.create("a", &finalized());
    bench.server.create("b", &finalized());
    let reconciler = Scripted { permits: Arc::new(Semaphore::new(0)), ..Scripted::succeeding() };
    bench.start(&reconciler, |_| {});
    until("one runs", || reconciler.runs() == 1).await;
    bench.runtime.shutdown.cancel();
    reconciler.permits.add_permits(2);
    bench.stop().await;
    assert_eq!(reconciler.runs(), 1);
    assert_eq!(bench.server.status("a")["conditions"][0]["type"], "Ready");
    assert_eq!(bench.server.status("b"), json!(null));
}

#[tokio::test]
async fn a_key_that_comes_with_the_shutdown_is_not_taken() {
    let bench = Bench::new(&[]);
    let reconciler = Scripted::succeeding();
    let handle = bench.start(&reconciler, |_| {});
    settle(&bench, &reconciler, "a").await;
    until("the worker is idle", || bench.results("requeue_after") == 1.0).await;
    bench.runtime.shutdown.cancel();
    handle.queue.add(key("a"));
    bench.stop().await;
    assert_eq!(reconciler.runs(), 1);
}

#[tokio::test]
async fn nothing_runs_before_this_process_leads() {
    let mut bench = Bench::new(&[]);
    let client = bench.server.client();
    let (election, leadership) = crate::leader::Election::new(
        MANAGER,
        "flux-system",
        client,
        &bench.runtime.args,
        &bench.runtime.metrics,
    );
    bench.runtime.leadership = leadership;
    bench.server.create("a", &finalized());
    let reconciler = Scripted::succeeding();
    let handle = bench.start(&reconciler, |_| {});
    until("the key waits", || handle.queue.len() == 1).await;
    bench.stop().await;
    assert_eq!(reconciler.runs(), 0);
    drop(election);
}

#[tokio::test]
async fn nothing_runs_before_what_a_run_looks_things_up_in_is_ready() {
    let bench = Bench::new(&[]);
    bench.server.create("a", &finalized());
    let reconciler = Scripted::succeeding();
    let controller = Controller::new(&bench.runtime, |_, _| {});
    let handle = controller.handle();
    let (ready, wait) = tokio::sync::oneshot::channel::<()>();
    controller.start(reconciler.clone(), 1, async { wait.await.unwrap() });
    until("the key waits", || handle.queue.len() == 1).await;
    handle.cache.synced().await;
    assert_eq!(reconciler.runs(), 0);
    ready.send(()).unwrap();
    until("it runs", || reconciler.runs() == 1).await;
    bench.stop().await;
}
