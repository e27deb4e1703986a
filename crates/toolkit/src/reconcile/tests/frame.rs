use super::*;

/// An object with our finalizer, in a frame around the reconciler.
async fn framed(reconciler: &Scripted) -> (Bench, Frame<Scripted>) {
    let bench = Bench::new(&[]);
    bench.server.create("a", &finalized());
    let frame = bench.frame(reconciler).await;
    (bench, frame)
}

#[tokio::test]
async fn the_finalizer_is_added_to_the_version_that_was_read_and_the_run_goes_on() {
    let bench = Bench::new(&[]);
    bench.server.create("a", &json!({"metadata": {"finalizers": ["example.com/other"]}}));
    let reconciler = Scripted::succeeding();
    let frame = bench.frame(&reconciler).await;
    assert!(matches!(bench.process(&frame, "a").await, Next::After(_)));
    let calls = bench.server.take_calls();
    assert_eq!(calls.iter().map(|c| c.what.as_str()).collect::<Vec<_>>(), ["PATCH a", "PATCH a/status"]);
    assert!(calls.iter().all(|c| c.manager.as_deref() == Some(MANAGER)));
    assert_eq!(
        calls[0].body,
        json!({"metadata": {"finalizers": ["example.com/other", FINALIZER], "resourceVersion": "1"}})
    );
    assert_eq!(calls[1].body["metadata"], json!({"resourceVersion": "2"}));
    assert_eq!(reconciler.runs(), 1);
}

#[tokio::test]
async fn a_conflict_on_the_finalizer_backs_off() {
    let bench = Bench::new(&[]);
    bench.server.create("a", &json!({}));
    bench.server.before("PATCH a", |server| {
        server.edit("a", &json!({"metadata": {"finalizers": ["example.com/other"]}}));
        None
    });
    let reconciler = Scripted::succeeding();
    let frame = bench.frame(&reconciler).await;
    assert_eq!(bench.process(&frame, "a").await, Next::Backoff);
    assert_eq!((bench.server.take_whats(), reconciler.runs()), (vec!["PATCH a".to_owned()], 0));
    assert_eq!(bench.results("error"), 1.0);
    assert!(matches!(bench.process(&frame, "a").await, Next::After(_)));
    let finalizers = bench.server.object("a").metadata.finalizers.unwrap();
    assert_eq!(finalizers, ["example.com/other", FINALIZER]);
}

#[tokio::test]
async fn a_run_that_changes_nothing_writes_nothing() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.process(&frame, "a").await;
    assert_eq!(bench.server.take_whats(), ["PATCH a/status"]);
    bench.process(&frame, "a").await;
    assert_eq!((bench.server.take_whats(), reconciler.runs()), (vec![], 2));
}

#[tokio::test]
async fn of_a_suspended_object_only_the_handled_request_is_written() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.server.edit("a", &json!({"spec": {"suspend": true}}));
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
    assert!(bench.server.take_calls().is_empty());
    bench.server.edit("a", &request("now"));
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
    let calls = bench.server.take_calls();
    assert_eq!((calls.len(), &calls[0].body["status"]), (1, &json!({"lastHandledReconcileAt": "now"})));
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
    assert!(bench.server.take_calls().is_empty());
    assert_eq!(reconciler.runs(), 0);
}

#[tokio::test]
async fn what_the_kind_adjusts_when_suspended_is_written_with_it() {
    let (bench, frame) = framed(&Scripted::succeeding()).await;
    let reconciling = json!({
        "type": "Reconciling", "status": "True", "reason": "Progressing", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    bench.server.edit("a", &json!({"spec": {"suspend": true}, "status": {"conditions": [reconciling]}}));
    bench.server.edit("a", &request("now"));
    bench.process(&frame, "a").await;
    let calls = bench.server.take_calls();
    let expected = json!({"conditions": null, "lastHandledReconcileAt": "now"});
    assert_eq!((calls.len(), &calls[0].body["status"]), (1, &expected));
}

#[tokio::test]
async fn a_request_is_handled_however_the_run_ends() {
    for retry in [None, Some(Retry::Backoff), Some(Retry::After(HOUR)), Some(Retry::WhenChanged)] {
        let reconciler = Scripted::new(move |_| retry.map_or(Ok(HOUR), |retry| Err(Refusal(retry))));
        let (bench, frame) = framed(&reconciler).await;
        bench.server.edit("a", &request("now"));
        bench.process(&frame, "a").await;
        assert_eq!(bench.server.status("a")["lastHandledReconcileAt"], "now", "{retry:?}");
        bench.process(&frame, "a").await;
        let requested: Vec<bool> = reconciler.ran.lock().iter().map(|r| r.requested).collect();
        assert_eq!(requested, [true, false], "{retry:?}");
    }
}

#[tokio::test]
async fn how_a_run_ends_decides_when_the_next_one_is() {
    let minute = Duration::from_secs(60);
    for (result, next, label) in [
        (Err(Retry::Backoff), Next::Backoff, "error"),
        (Err(Retry::After(minute)), Next::After(minute), "requeue_after"),
        (Err(Retry::WhenChanged), Next::Refused, "error"),
        (Err(Retry::Now), Next::Now, "requeue"),
        // An interval of zero would otherwise be a loop without a pause.
        (Err(Retry::After(Duration::ZERO)), Next::WhenChanged, "success"),
        (Ok(Duration::ZERO), Next::WhenChanged, "success"),
    ] {
        let (bench, frame) = framed(&Scripted::new(move |_| result.map_err(Refusal))).await;
        assert_eq!(bench.process(&frame, "a").await, next);
        assert_eq!(bench.results(label), 1.0, "{result:?}");
        let errors = bench.metric("controller_runtime_reconcile_errors_total", "").unwrap_or_default();
        assert_eq!(errors > 0.0, label == "error", "{result:?}");
        let terminal = bench.metric("controller_runtime_terminal_reconcile_errors_total", "");
        assert_eq!(terminal.unwrap_or_default() > 0.0, next == Next::Refused, "{result:?}");
    }
}

#[tokio::test]
async fn the_interval_after_a_success_is_jittered() {
    let (bench, frame) = framed(&Scripted::succeeding()).await;
    let mut delays = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let Next::After(delay) = bench.process(&frame, "a").await else { panic!("a success comes again") };
        assert!(delay >= HOUR.mul_f64(0.95) && delay <= HOUR.mul_f64(1.05), "{delay:?}");
        delays.insert(delay);
    }
    assert!(delays.len() > 1);
    assert_eq!(bench.results("requeue_after"), 20.0);
}

#[tokio::test]
async fn a_status_that_cannot_be_written_backs_off() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.server.before("PATCH a/status", |_| Some(403));
    assert_eq!(bench.process(&frame, "a").await, Next::Backoff);
    assert_eq!(reconciler.runs(), 1);
}

#[tokio::test]
async fn a_finalized_object_loses_our_finalizer_and_no_other() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.server.edit("a", &json!({"metadata": {"finalizers": [FINALIZER, "example.com/other"]}}));
    bench.server.delete("a");
    let version = bench.server.version("a");
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
    let calls = bench.server.take_calls();
    assert_eq!(
        (calls.len(), &calls[0].what[..], &calls[0].body),
        (
            1,
            "PATCH a",
            &json!({"metadata": {"finalizers": ["example.com/other"], "resourceVersion": version}})
        )
    );
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
    assert_eq!((bench.server.take_whats(), *reconciler.finalized.lock(), reconciler.runs()), (vec![], 1, 0));
}

#[tokio::test]
async fn an_object_is_not_finalized_again_while_the_cache_still_shows_it() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.server.delete("a");
    until("the deletion is seen", || {
        frame.cache.get(&key("a")).unwrap().metadata.deletion_timestamp.is_some()
    })
    .await;
    bench.server.hold_watches(true);
    assert_eq!(frame.process(&key("a"), bench.turn().await).await, Next::WhenChanged);
    assert!(bench.server.get("a").is_none() && frame.cache.get(&key("a")).is_some());
    assert_eq!(frame.process(&key("a"), bench.turn().await).await, Next::WhenChanged);
    assert_eq!(bench.server.take_whats(), ["PATCH a", "GET a"]);
    assert_eq!(*reconciler.finalized.lock(), 1);
}

#[tokio::test]
async fn an_object_that_is_gone_before_its_finalizer_is_removed_is_done() {
    let (bench, frame) = framed(&Scripted::succeeding()).await;
    bench.server.delete("a");
    bench.server.before("PATCH a", |server| {
        server.remove("a");
        None
    });
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
}

#[tokio::test]
async fn a_failed_finalization_keeps_the_finalizer_and_is_tried_again() {
    for (retry, next) in [
        (Retry::Backoff, Next::Backoff),
        (Retry::WhenChanged, Next::Backoff),
        (Retry::After(Duration::ZERO), Next::Backoff),
        (Retry::After(HOUR), Next::After(HOUR)),
        (Retry::Now, Next::Now),
    ] {
        let (bench, frame) = framed(&Scripted::finalizing(move || Err(Refusal(retry)))).await;
        bench.server.edit("a", &request("now"));
        bench.server.delete("a");
        assert_eq!(bench.process(&frame, "a").await, next, "{retry:?}");
        assert_eq!(bench.server.object("a").metadata.finalizers.unwrap(), [FINALIZER]);
        assert_eq!(bench.server.take_whats(), ["PATCH a/status"]);
        assert_eq!(bench.server.status("a"), json!({"lastHandledReconcileAt": "now"}));
    }
}

#[tokio::test]
async fn of_a_run_that_panics_only_the_handled_request_is_written() {
    let reconciler = Scripted::new(|run| {
        run.status.last_attempted_revision = Some("half".to_owned());
        panic!("at the disco");
    });
    let (bench, frame) = framed(&reconciler).await;
    assert_eq!(bench.process(&frame, "a").await, Next::Backoff);
    assert_eq!((bench.server.take_whats(), bench.server.status("a")), (vec![], json!(null)));
    bench.server.edit("a", &request("now"));
    assert_eq!(bench.process(&frame, "a").await, Next::Backoff);
    assert_eq!(bench.server.status("a"), json!({"lastHandledReconcileAt": "now"}));
    assert_eq!(bench.metric("controller_runtime_reconcile_panics_total", ""), Some(2.0));
    assert_eq!(bench.results("error"), 2.0);
}

#[tokio::test]
async fn a_panic_in_finalization_keeps_the_finalizer() {
    let (bench, frame) = framed(&Scripted::finalizing(|| panic!("at the disco"))).await;
    bench.server.delete("a");
    assert_eq!(bench.process(&frame, "a").await, Next::Backoff);
    assert_eq!(bench.server.take_whats(), [""; 0]);
    assert_eq!(bench.metric("controller_runtime_reconcile_panics_total", ""), Some(1.0));
}

#[tokio::test]
async fn what_was_written_before_a_panic_is_remembered() {
    let panics = std::sync::atomic::AtomicBool::new(true);
    let reconciler = Scripted::new(move |_| {
        assert!(!panics.swap(false, std::sync::atomic::Ordering::Relaxed), "the first time");
        Ok(HOUR)
    });
    let bench = Bench::new(&[]);
    bench.server.create("a", &json!({}));
    let frame = bench.frame(&reconciler).await;
    bench.server.hold_watches(true);
    assert_eq!(frame.process(&key("a"), bench.turn().await).await, Next::Backoff);
    assert!(matches!(frame.process(&key("a"), bench.turn().await).await, Next::After(_)));
    assert_eq!(bench.server.take_whats(), ["PATCH a", "GET a", "PATCH a/status"]);
}

#[tokio::test]
async fn an_object_is_read_live_while_the_cache_is_behind_our_own_write() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.server.hold_watches(true);
    frame.process(&key("a"), bench.turn().await).await;
    assert_eq!(bench.server.take_whats(), ["PATCH a/status"]);
    frame.process(&key("a"), bench.turn().await).await;
    assert_eq!(bench.server.take_whats(), ["GET a"]);
    bench.server.hold_watches(false);
    bench.process(&frame, "a").await;
    assert_eq!(bench.server.take_whats(), [""; 0]);
    let versions: Vec<_> = reconciler.ran.lock().iter().map(|r| r.version.clone().unwrap()).collect();
    assert_eq!(versions, ["1", "2", "2"]);
}

#[tokio::test]
async fn a_live_read_that_fails_backs_off_and_one_that_finds_nothing_is_the_end() {
    let reconciler = Scripted::succeeding();
    let (bench, frame) = framed(&reconciler).await;
    bench.server.hold_watches(true);
    frame.process(&key("a"), bench.turn().await).await;
    bench.server.before("GET a", |_| Some(500));
    assert_eq!(frame.process(&key("a"), bench.turn().await).await, Next::Backoff);
    bench.server.remove("a");
    assert_eq!(frame.process(&key("a"), bench.turn().await).await, Next::WhenChanged);
    assert_eq!(reconciler.runs(), 1);
}

#[tokio::test]
async fn an_object_that_is_gone_leaves_no_trace() {
    let (bench, frame) = framed(&Scripted::succeeding()).await;
    bench.process(&frame, "a").await;
    let series =
        "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"a\",namespace=\"apps\"} 1";
    assert!(bench.runtime.metrics.encode().contains(series));
    bench.server.remove("a");
    assert_eq!(bench.process(&frame, "a").await, Next::WhenChanged);
    assert!(!bench.runtime.metrics.encode().contains("name=\"a\""));
    assert!(frame.written.lock().is_empty());
}
