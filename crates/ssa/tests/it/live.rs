use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::meta::ObjectRef;
use serde_json::{Value, json};
use ssa::{ApplyOptions, Known, Live, LiveChange, LiveNews, LiveState, Manager, Owner};

use crate::server::{GROUP, Server, annotated, config_map, object, owner, owner_labels};

const A: &str = "/api/v1/namespaces/ns/configmaps/a";
const WATCH: &str = "GET /api/v1/configmaps (watch metadata)";
const LIST: &str = "GET /api/v1/configmaps (metadata)";

/// A server, a manager, and what the watches told.
struct Bed {
    server: Server,
    manager: Manager,
    live: Live,
    told: Arc<Mutex<Vec<LiveNews>>>,
}

impl Bed {
    fn new() -> Self {
        let server = Server::new();
        let told = Arc::new(Mutex::new(Vec::new()));
        let hear = Arc::clone(&told);
        let live = Live::new(server.client(), GROUP, move |news| hear.lock().unwrap().push(news.clone()));
        Self { manager: server.manager(), server, live, told }
    }

    fn options(&self) -> ApplyOptions {
        let timeout = Duration::from_secs(20);
        ApplyOptions { timeout, live: Some(self.live.clone()), ..ApplyOptions::default() }
    }

    async fn apply(&self, objects: &[krm::Object], known: &Known) -> (String, Known) {
        let applied = self.manager.apply(&owner(), objects, &self.options(), known).await.unwrap();
        (applied.changes.to_string(), applied.known)
    }

    /// Applies for the first time, and waits until the watches are in sync.
    async fn started(objects: &[krm::Object]) -> (Self, Known) {
        let bed = Self::new();
        let (_, known) = bed.apply(objects, &Known::default()).await;
        until(|| known.untouched(&bed.live)).await;
        bed.server.requests();
        (bed, known)
    }

    fn told(&self) -> Vec<(Option<String>, LiveChange)> {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        told.into_iter().map(|news| (news.object.map(|object| object.subject()), news.change)).collect()
    }
}

/// Waits for a condition, with a deadline.
async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

fn config(name: &str) -> ObjectRef {
    ObjectRef { namespace: "ns".into(), name: name.into(), group: String::new(), kind: "ConfigMap".into() }
}

#[tokio::test]
async fn untouched_objects_cost_no_request() {
    let objects = [config_map("a", "v"), config_map("b", "v")];
    let (bed, known) = Bed::started(&objects).await;
    let (changes, again) = bed.apply(&objects, &known).await;
    assert_eq!(changes, "ConfigMap/ns/a unchanged\nConfigMap/ns/b unchanged");
    assert!(bed.server.all_requests().is_empty());
    assert!(again.untouched(&bed.live));
    assert!(again.differs(&bed.live).is_empty());
}

#[tokio::test]
async fn a_watch_begins_with_a_list() {
    let bed = Bed::new();
    let (_, known) = bed.apply(&[config_map("a", "v")], &Known::default()).await;
    until(|| known.untouched(&bed.live) && bed.server.watches() == 1).await;
    let requests = bed.server.requests();
    assert_eq!(requests[requests.len() - 2..], [LIST, WATCH]);
    assert_eq!(bed.told(), [(None, LiveChange::Listed)]);
    let LiveState::Present { owner: found, ready, .. } = bed.live.state(&config("a")) else { panic!() };
    assert_eq!((found, ready), (owner(), false));
    assert_eq!(bed.live.state(&config("z")), LiveState::Absent);
}

#[tokio::test]
async fn drift_is_told_and_corrected() {
    let objects = [config_map("a", "v"), config_map("b", "v")];
    let (bed, known) = Bed::started(&objects).await;
    bed.told();
    bed.server.touch(A, &json!({"data": {"k": "by hand"}}));
    until(|| known.touched(&bed.live, &config("a"))).await;
    assert_eq!(bed.told(), [(Some("ConfigMap/ns/a".into()), LiveChange::Changed)]);
    assert_eq!(known.differs(&bed.live), [config("a")]);
    assert!(!known.untouched(&bed.live));
    let (changes, known) = bed.apply(&objects, &known).await;
    assert_eq!(changes, "ConfigMap/ns/a configured\nConfigMap/ns/b unchanged");
    let requests = bed.server.requests();
    assert_eq!(requests, [format!("PATCH {A} (dry run)"), format!("GET {A}"), format!("PATCH {A}")]);
    until(|| known.untouched(&bed.live)).await;
}

#[tokio::test]
async fn an_object_that_vanishes_or_loses_its_label_is_told() {
    for by_label in [false, true] {
        let objects = [config_map("a", "v")];
        let (bed, known) = Bed::started(&objects).await;
        bed.told();
        if by_label {
            let mut stripped = bed.server.get(A).unwrap();
            stripped["metadata"]["labels"] = json!({});
            bed.server.put(A, stripped);
        } else {
            bed.server.remove(A);
        }
        until(|| known.touched(&bed.live, &config("a"))).await;
        assert_eq!(bed.told(), [(Some("ConfigMap/ns/a".into()), LiveChange::Vanished)]);
        let (changes, _) = bed.apply(&objects, &known).await;
        assert_eq!(changes, if by_label { "ConfigMap/ns/a configured" } else { "ConfigMap/ns/a created" });
    }
}

#[tokio::test]
async fn our_own_writes_are_no_change_by_the_end_of_the_run() {
    let (bed, known) = Bed::started(&[config_map("a", "v")]).await;
    let (changes, known) = bed.apply(&[config_map("a", "w"), config_map("b", "v")], &known).await;
    assert_eq!(changes, "ConfigMap/ns/a configured\nConfigMap/ns/b created");
    assert!(known.differs(&bed.live).is_empty());
    until(|| known.untouched(&bed.live)).await;
    assert!(!known.touched(&bed.live, &config("b")));
    assert!(!known.touched(&bed.live, &config("foreign")));
}

#[tokio::test]
async fn a_change_of_status_wakes_nobody_and_costs_nothing() {
    let path = "/apis/apps/v1/namespaces/ns/deployments/d";
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "ns", "generation": 1}});
    let objects = [object(deployment)];
    let (bed, known) = Bed::started(&objects).await;
    bed.told();
    let before = bed.server.get(path).unwrap()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    bed.server.touch(path, &json!({"status": {"replicas": 1}}));
    let deployment = ObjectRef { group: "apps".into(), kind: "Deployment".into(), ..config("d") };
    until(|| matches!(bed.live.state(&deployment), LiveState::Present { resource_version, .. } if resource_version != before)).await;
    assert!(bed.told().is_empty());
    assert!(known.untouched(&bed.live));
    let (changes, _) = bed.apply(&objects, &known).await;
    assert_eq!(changes, "Deployment/ns/d unchanged");
    assert!(bed.server.all_requests().is_empty());
}

#[tokio::test]
async fn without_rights_to_watch_applies_read_as_before() {
    for line in ["GET /api/v1/configmaps (metadata)", WATCH] {
        let bed = Bed::new();
        bed.server.refuse(line, 10, 403, "Forbidden", "cannot list");
        let objects = [config_map("a", "v")];
        let (_, known) = bed.apply(&objects, &Known::default()).await;
        let asked = Mutex::new(Vec::new());
        until(|| {
            let mut asked = asked.lock().unwrap();
            asked.extend(bed.server.requests());
            asked.iter().any(|request| request == line) && bed.live.state(&config("a")) == LiveState::Unknown
        })
        .await;
        assert!(!known.untouched(&bed.live));
        assert!(known.differs(&bed.live).is_empty());
        let (changes, _) = bed.apply(&objects, &known).await;
        assert_eq!(changes, "ConfigMap/ns/a unchanged");
        assert_eq!(bed.server.requests(), [format!("GET {A} (metadata)")]);
    }
}

#[tokio::test]
async fn a_broken_watch_proves_nothing_until_it_has_caught_up() {
    let objects = [config_map("a", "v")];
    let (bed, known) = Bed::started(&objects).await;
    until(|| bed.server.watches() == 1).await;
    bed.server.break_watches();
    until(|| !known.untouched(&bed.live)).await;
    assert_eq!(bed.live.state(&config("a")), LiveState::Unknown);
    let (changes, known) = bed.apply(&objects, &known).await;
    assert_eq!(changes, "ConfigMap/ns/a unchanged");
    until(|| known.untouched(&bed.live)).await;
    let requests = bed.server.requests();
    // The second watch went on where the first one stopped.
    assert!(requests.iter().any(|request| request == WATCH), "{requests:?}");
    assert!(!requests.iter().any(|request| request == LIST), "{requests:?}");
    bed.server.touch(A, &json!({"data": {"k": "by hand"}}));
    until(|| known.touched(&bed.live, &config("a"))).await;
}

#[tokio::test]
async fn a_version_that_is_too_old_and_garbage_lead_to_a_new_list() {
    for line in [
        r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
        "<html>bad gateway</html>",
        r#"{"type":"MODIFIED","object":{"metadata":[]}}"#,
        r#"{"type":"MODIFIED","object":"nothing"}"#,
        r#"{"type":"NEWS","object":{}}"#,
    ] {
        let (bed, known) = Bed::started(&[config_map("a", "v")]).await;
        until(|| bed.server.watches() == 1).await;
        bed.server.send_line(line);
        until(|| !known.untouched(&bed.live)).await;
        until(|| known.untouched(&bed.live)).await;
        assert!(bed.server.requests().iter().any(|request| request == LIST), "{line}");
    }
}

/// How often a request is sent within three seconds.
async fn sent(bed: &Bed, line: &str) -> usize {
    bed.apply(&[config_map("a", "v")], &Known::default()).await;
    let _ = tokio::time::timeout(Duration::from_secs(3), std::future::pending::<()>()).await;
    bed.server.requests().iter().filter(|request| *request == line).count()
}

#[tokio::test]
async fn a_server_that_always_says_too_old_is_asked_ever_more_seldom() {
    let bed = Bed::new();
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"});
    for _ in 0..1000 {
        bed.server.answer(WATCH, 410, gone.clone());
    }
    let lists = sent(&bed, LIST).await;
    assert!((2..=4).contains(&lists), "{lists}");
}

#[tokio::test]
async fn a_server_that_ends_every_watch_at_once_is_not_hammered() {
    let bed = Bed::new();
    bed.server.answer_text(WATCH, 100_000, "");
    let watches = sent(&bed, WATCH).await;
    assert!((2..=4).contains(&watches), "{watches}");
}

#[tokio::test]
async fn a_list_that_is_none_is_no_proof_of_absence() {
    for text in [
        "{}",
        "null",
        "[]",
        "<html>",
        r#"{"metadata":{},"items":[]}"#,
        r#"{"metadata":{"resourceVersion":"9"},"items":[5]}"#,
    ] {
        let bed = Bed::new();
        bed.server.answer_text(LIST, 1000, text);
        let (_, known) = bed.apply(&[config_map("a", "v")], &Known::default()).await;
        let asked = Mutex::new(Vec::new());
        until(|| {
            let mut asked = asked.lock().unwrap();
            asked.extend(bed.server.requests());
            asked.iter().any(|request| request == LIST)
        })
        .await;
        assert_eq!(bed.live.state(&config("a")), LiveState::Unknown, "{text}");
        assert!(known.differs(&bed.live).is_empty(), "{text}");
    }
}

#[tokio::test]
async fn kinds_that_nobody_uses_are_not_watched() {
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "ns"}});
    let (bed, known) = Bed::started(&[config_map("a", "v"), object(service)]).await;
    until(|| bed.server.watches() == 2).await;
    assert_eq!(bed.live.kinds(), 2);
    let other = Owner { name: "other".into(), namespace: "ns".into() };
    bed.manager.apply(&other, &[config_map("b", "v")], &bed.options(), &Known::default()).await.unwrap();
    bed.apply(&[config_map("a", "v")], &known).await;
    until(|| bed.live.kinds() == 1 && bed.server.watches() == 1).await;
    bed.live.forget(&owner());
    assert_eq!(bed.live.kinds(), 1);
    bed.live.forget(&other);
    until(|| bed.live.kinds() == 0 && bed.server.watches() == 0).await;
    assert_eq!(bed.live.state(&config("a")), LiveState::Unknown);
}

#[tokio::test]
async fn the_watches_end_with_the_last_handle() {
    let (bed, _) = Bed::started(&[config_map("a", "v")]).await;
    until(|| bed.server.watches() == 1).await;
    let Bed { server, live, .. } = bed;
    let another = live.clone();
    drop(live);
    assert_eq!(another.kinds(), 1);
    drop(another);
    until(|| server.watches() == 0).await;
}

#[tokio::test]
async fn a_full_check_believes_nobody() {
    let objects = [config_map("a", "v")];
    let (bed, known) = Bed::started(&objects).await;
    let options = ApplyOptions { full: true, ..bed.options() };
    let applied = bed.manager.apply(&owner(), &objects, &options, &known).await.unwrap();
    assert_eq!(applied.changes.to_string(), "ConfigMap/ns/a unchanged");
    assert_eq!(bed.server.requests(), [format!("PATCH {A} (dry run)"), format!("GET {A}")]);
    assert!(applied.known.untouched(&bed.live));
}

#[tokio::test]
async fn a_failed_apply_is_never_untouched() {
    let (bed, known) = Bed::started(&[config_map("a", "v")]).await;
    bed.server.refuse("PATCH /api/v1/namespaces/ns/configmaps/b", 1, 422, "Invalid", "no");
    let objects = [config_map("a", "v"), config_map("b", "v")];
    let error = bed.manager.apply(&owner(), &objects, &bed.options(), &known).await.unwrap_err();
    assert_eq!(error.applied.known.len(), 1);
    assert!(!error.applied.known.untouched(&bed.live));
}

#[tokio::test]
async fn objects_that_are_left_alone_are_followed_too() {
    let opted_out = |labels: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns", "labels": labels, "annotations": {format!("{GROUP}/reconcile"): "disabled"}}});
    let bed = Bed::new();
    bed.server.put(A, opted_out(owner_labels()));
    let objects = [config_map("a", "v"), annotated("b", "ssa", "IfNotPresent")];
    let (_, known) = bed.apply(&objects, &Known::default()).await;
    until(|| known.untouched(&bed.live)).await;
    bed.server.requests();
    let (changes, known) = bed.apply(&objects, &known).await;
    assert_eq!(changes, "ConfigMap/ns/a skipped\nConfigMap/ns/b skipped");
    assert!(bed.server.all_requests().is_empty());
    bed.server.touch(A, &json!({"metadata": {"annotations": {format!("{GROUP}/reconcile"): "enabled"}}}));
    until(|| known.touched(&bed.live, &config("a"))).await;
    let (changes, _) = bed.apply(&objects, &known).await;
    assert_eq!(changes, "ConfigMap/ns/a configured\nConfigMap/ns/b skipped");
}

#[tokio::test]
async fn readiness_is_remembered_while_nothing_moves() {
    let objects = [config_map("a", "v")];
    let (bed, known) = Bed::started(&objects).await;
    let targets = [ssa::Target { object: config("a"), version: "v1".into(), may_vanish: false }];
    let options = ssa::WaitOptions { live: Some(bed.live.clone()), ..ssa::WaitOptions::default() };
    assert!(!Known::default().all_ready(&bed.live, &targets));
    bed.manager.wait(&targets, &options).await.unwrap();
    assert_eq!(bed.server.requests(), [format!("GET {A}")]);
    assert!(Known::default().all_ready(&bed.live, &targets));
    bed.manager.wait(&targets, &options).await.unwrap();
    assert!(bed.server.all_requests().is_empty());
    bed.server.touch(A, &json!({"data": {"k": "x"}}));
    until(|| known.touched(&bed.live, &config("a"))).await;
    assert!(!known.all_ready(&bed.live, &targets));
}
