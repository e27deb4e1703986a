use serde_json::Value;

use crate::api_server::Cluster;
use crate::fixtures::{REVISION, failed, ready};

async fn cluster() -> Cluster {
    let mut suspended = ready("Kustomization", "apps", "web");
    suspended["spec"]["suspend"] = Value::Bool(true);
    Cluster::with(vec![
        ready("GitRepository", "apps", "app"),
        failed("Kustomization", "apps", "bad", "no such path"),
        suspended,
    ])
    .await
}

#[tokio::test]
async fn suspending_sets_the_field() {
    let cluster = cluster().await;
    let said = "► suspending source git app in apps namespace\n✔ source git suspended\n";
    cluster.check("suspend source git app -n apps", "", said, 0).await;
    assert_eq!(cluster.object("GitRepository", "app")["spec"]["suspend"], true);
}

#[tokio::test]
async fn names_given_twice_count_once_and_missing_ones_are_passed_over() {
    let said = "\
✗ Kustomization nope not found in apps namespace
► suspending kustomization web in apps namespace
✔ kustomization suspended
► suspending kustomization bad in apps namespace
✔ kustomization suspended
";
    cluster().await.check("suspend ks web nope bad web -n apps", "", said, 0).await;
}

#[tokio::test]
async fn all_of_nothing_fails_for_suspend_only() {
    let cluster = cluster().await;
    cluster.check("suspend ks --all -n empty", "", "✗ no objects found\n", 1).await;
    let said = "✗ no Kustomization objects found in empty namespace\n";
    cluster.check("resume ks --all -n empty", "", said, 0).await;
    cluster.check("suspend ks -n apps", "", "✗ kustomization name is required\n", 1).await;
}

#[tokio::test]
async fn resuming_one_object_waits_for_it() {
    let cluster = cluster().await;
    let said = format!(
        "► resuming kustomization web in apps namespace\n✔ kustomization resumed\n\
         ◎ waiting for Kustomization reconciliation\n✔ Kustomization web reconciliation completed\n\
         ✔ applied revision {REVISION}\n"
    );
    cluster.check("resume kustomization web -n apps", "", &said, 0).await;
    assert_eq!(cluster.object("Kustomization", "web")["spec"].get("suspend"), None);
}

#[tokio::test]
async fn resuming_several_waits_only_when_told_to() {
    let cluster = cluster().await;
    let resumed = "\
► resuming kustomization bad in apps namespace
✔ kustomization resumed
► resuming kustomization web in apps namespace
✔ kustomization resumed
";
    cluster.check("resume ks --all -n apps", "", resumed, 0).await;
    let said = format!(
        "{resumed}◎ waiting for Kustomization reconciliation\n◎ waiting for Kustomization reconciliation\n\
         ✗ Kustomization bad reconciliation failed: context deadline exceeded\n\
         ✔ Kustomization web reconciliation completed\n✔ applied revision {REVISION}\n\
         ✗ reconciliation failed for 1 Kustomization(s)\n"
    );
    cluster.check("resume ks --all --wait -n apps --timeout 500ms", "", &said, 1).await;
}

#[tokio::test]
async fn a_missing_object_is_no_failure() {
    let cluster = cluster().await;
    let said = "✗ Kustomization object 'nope' not found in apps namespace\n";
    cluster.check("resume kustomization nope -n apps", "", said, 0).await;
}
