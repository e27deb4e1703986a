use super::super::fake::Call;
use super::*;

/// A bench with an object whose interval is none.
fn bench() -> Bench {
    let bench = Bench::new(&[]);
    bench.server.create("bad", &json!({"spec": {"interval": "banana"}}));
    bench
}

/// The requests that were made for the object.
fn told(bench: &Bench) -> Vec<Call> {
    bench.server.take_calls().into_iter().filter(|c| c.what.contains(" bad")).collect()
}

/// Processes a fresh object and waits until nothing else is under way.
async fn settle(bench: &Bench, reconciler: &Scripted, name: &str) {
    bench.server.create(name, &finalized());
    until("the others go on", || reconciler.runs_of(name) == 1).await;
    // The feed and what starts the runs.
    until("all findings are reported", || bench.runtime.tasks.len() == 2).await;
}

#[tokio::test]
async fn an_object_that_cannot_be_decoded_is_told_so_once_and_harms_no_other() {
    let bench = bench();
    let reconciler = Scripted::succeeding();
    bench.start(&reconciler, |_| {});
    settle(&bench, &reconciler, "a").await;
    let calls = told(&bench);
    assert_eq!(
        (calls.len(), &calls[0].what[..], calls[0].manager.as_deref()),
        (1, "PATCH bad/status", Some(MANAGER))
    );
    let status = bench.server.status("bad");
    for (condition, (kind, value)) in
        status["conditions"].as_array().unwrap().iter().zip([("Stalled", "True"), ("Ready", "False")])
    {
        assert_eq!(
            (
                &condition["type"],
                &condition["status"],
                &condition["reason"],
                &condition["observedGeneration"]
            ),
            (&json!(kind), &json!(value), &json!("InvalidSpec"), &json!(1))
        );
        let text = condition["message"].as_str().unwrap();
        assert!(text.starts_with("failed to decode object: ") && text.contains("banana"), "{text}");
    }
    assert_eq!(
        (&status["observedGeneration"], status["conditions"].as_array().unwrap().len()),
        (&json!(1), 2)
    );

    bench.server.edit("bad", &json!({"metadata": {"labels": {"team": "red"}}}));
    settle(&bench, &reconciler, "b").await;
    assert_eq!(told(&bench).len(), 0, "it was said already");

    bench.server.edit("bad", &json!({"spec": {"path": "./app"}}));
    settle(&bench, &reconciler, "c").await;
    assert_eq!(told(&bench).len(), 1, "it holds for the new generation as well");
    assert_eq!(bench.server.status("bad")["observedGeneration"], 2);
    bench.stop().await;
    assert_eq!(reconciler.runs_of("bad"), 0);
}

#[tokio::test]
async fn an_object_that_was_repaired_is_reconciled() {
    let bench = bench();
    let reconciler = Scripted::succeeding();
    bench.start(&reconciler, |_| {});
    settle(&bench, &reconciler, "a").await;
    bench.server.edit("bad", &json!({"spec": {"interval": "1h"}}));
    until("it runs", || reconciler.runs_of("bad") == 1).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_finding_that_is_out_of_date_is_not_written() {
    let bench = bench();
    bench.server.before("PATCH bad/status", |server| {
        server.edit("bad", &json!({"spec": {"interval": "1h"}}));
        None
    });
    let reconciler = Scripted::succeeding();
    bench.start(&reconciler, |_| {});
    until("the repaired one runs", || bench.server.status("bad")["conditions"][0]["type"] == "Ready").await;
    bench.stop().await;
    let conditions = bench.server.status("bad")["conditions"].as_array().unwrap().clone();
    assert_eq!((conditions.len(), &conditions[0]["status"]), (1, &json!("True")));
}

#[tokio::test]
async fn what_else_is_said_about_the_object_stays() {
    let bench = Bench::new(&[]);
    let healthy = json!({
        "type": "Healthy", "status": "True", "reason": "Succeeded", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Succeeded", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let reconciling = json!({
        "type": "Reconciling", "status": "True", "reason": "Progressing", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let strange = json!({"type": "Strange", "status": 1});
    let status = json!({"conditions": [healthy, ready, reconciling, strange], "inventory": {"entries": []}});
    bench.server.create("bad", &json!({"spec": {"interval": "banana"}, "status": status}));
    let reconciler = Scripted::succeeding();
    bench.start(&reconciler, |_| {});
    settle(&bench, &reconciler, "a").await;
    bench.stop().await;
    let status = bench.server.status("bad");
    let conditions = status["conditions"].as_array().unwrap();
    let kinds: Vec<_> = conditions.iter().map(|c| (&c["type"], &c["status"])).collect();
    let expected = [
        (&json!("Stalled"), &json!("True")),
        (&json!("Ready"), &json!("False")),
        (&json!("Healthy"), &json!("True")),
        (&json!("Strange"), &json!(1)),
    ];
    assert!(kinds.len() == 4 && expected.iter().all(|c| kinds.contains(c)), "{kinds:?}");
    assert_eq!(status["inventory"], json!({"entries": []}));
}
