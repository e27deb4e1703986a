use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::api_server::Cluster;
use crate::fixtures::{failed, object, paused, ready, with};

async fn cluster() -> Cluster {
    Cluster::with(vec![
        ready("GitRepository", "apps", "app"),
        failed("GitRepository", "apps", "broken", "no route to host"),
        ready("GitRepository", "other", "app"),
        with(
            ready("ExternalArtifact", "apps", "made"),
            &json!({"spec": {"sourceRef": {"kind": "Maker", "name": "m", "namespace": "apps"}}}),
        ),
        paused("Kustomization", "apps", "paused"),
        with(
            ready("Kustomization", "apps", "web"),
            &json!({
                "metadata": {"labels": {"team": "a"}},
                "spec": {"sourceRef": {"kind": "GitRepository", "name": "app"}},
            }),
        ),
    ])
    .await
}

#[tokio::test]
async fn sources_are_listed_with_short_revisions() {
    let expected = "\
NAME  \tREVISION          \tSUSPENDED\tREADY\tMESSAGE                                           \n\
app   \tmain@sha1:78b847ab\tFalse    \tTrue \tstored artifact for revision 'main@sha1:78b847ab'\t\n\
broken\t                  \tFalse    \tFalse\tno route to host                                 \t\n";
    let cluster = cluster().await;
    cluster.check("get sources git -n apps", expected, "", 0).await;
    cluster.check("get source git -n apps", expected, "", 0).await;
}

#[tokio::test]
async fn external_artifacts_show_what_they_were_made_from() {
    let expected = "\
NAME\tREVISION          \tSOURCE      \tREADY\tMESSAGE                                           \n\
made\tmain@sha1:78b847ab\tMaker/apps/m\tTrue \tstored artifact for revision 'main@sha1:78b847ab'\t\n";
    cluster().await.check("get sources external -n apps", expected, "", 0).await;
}

#[tokio::test]
async fn all_sources_make_a_table_a_kind() {
    let expected = "\
NAME                \tREVISION          \tSUSPENDED\tREADY\tMESSAGE                                           \n\
gitrepository/app   \tmain@sha1:78b847ab\tFalse    \tTrue \tstored artifact for revision 'main@sha1:78b847ab'\t\n\
gitrepository/broken\t                  \tFalse    \tFalse\tno route to host                                 \t\n\
\n\
NAME                 \tREVISION          \tSOURCE      \tREADY\tMESSAGE                                           \n\
externalartifact/made\tmain@sha1:78b847ab\tMaker/apps/m\tTrue \tstored artifact for revision 'main@sha1:78b847ab'\t\n\
\n";
    let cluster = cluster().await;
    cluster.check("get sources all -n apps", expected, "", 0).await;
    cluster.check("get sources all -n empty", "", "", 0).await;
    let refusal = "✗ expected a single resource type, but found all\n";
    cluster.check("get sources all -n apps --watch", "", refusal, 1).await;
}

#[tokio::test]
async fn kustomizations_show_their_sources_when_asked() {
    let expected = "\
NAME  \tSOURCE                \tREVISION          \tSUSPENDED\tREADY\tMESSAGE                              \n\
paused\t                      \t                  \tTrue     \tFalse\twaiting to be reconciled            \t\n\
web   \tGitRepository/apps/app\tmain@sha1:78b847ab\tFalse    \tTrue \tApplied revision: main@sha1:78b847ab\t\n";
    cluster().await.check("get kustomizations -n apps --show-source", expected, "", 0).await;
}

#[tokio::test]
async fn one_object_is_selected_by_name_label_or_status() {
    let row = "web\tmain@sha1:78b847ab\tFalse\tTrue\tApplied revision: main@sha1:78b847ab\t\n";
    let cluster = cluster().await;
    for selection in
        ["web", "web paused", "-l team=a", "--status-selector READY=true", "--status-selector ready!=false"]
    {
        cluster.check(&format!("get ks -n apps --no-header {selection}"), row, "", 0).await;
    }
    assert!(cluster.requests()[0].contains("fieldSelector=metadata.name"), "{:?}", cluster.requests());
}

#[tokio::test]
async fn all_namespaces_add_a_column() {
    let expected = "\
apps \tapp\tmain@sha1:78b847ab\tFalse\tTrue\tstored artifact for revision 'main@sha1:78b847ab'\t\n\
other\tapp\tmain@sha1:78b847ab\tFalse\tTrue\tstored artifact for revision 'main@sha1:78b847ab'\t\n";
    cluster().await.check("get sources git app -A --no-header", expected, "", 0).await;
}

#[tokio::test]
async fn nothing_found_is_an_error() {
    let cluster = cluster().await;
    for (line, error) in [
        ("get ks -n empty", "no Kustomization objects found in \"empty\" namespace"),
        ("get ks", "no Kustomization objects found in \"flux-system\" namespace"),
        ("get ks nope -n apps", "Kustomization object 'nope' not found in \"apps\" namespace"),
        ("get ks nope -A", "Kustomization object 'nope' not found in any namespace"),
        ("get ks -A -l nope=x", "no Kustomization objects found in any namespace"),
        ("get ks -n Bad_NS", "namespace must be a valid DNS label: \"Bad_NS\""),
    ] {
        cluster.check(line, "", &format!("✗ {error}\n"), 1).await;
    }
}

#[tokio::test]
async fn a_status_that_nothing_has_leaves_the_header() {
    let header = "NAME\tREVISION\tSUSPENDED\tREADY\tMESSAGE \n";
    cluster().await.check("get ks -n apps --status-selector nope=true", header, "", 0).await;
}

#[tokio::test]
async fn the_namespace_comes_from_flag_context_or_variable() {
    let cluster = Cluster::with(vec![
        object("Kustomization", "of-context", "a"),
        object("Kustomization", "of-variable", "b"),
    ])
    .await;
    let found = async |line: &str, variable: &str| {
        let mut command = cluster.command(line);
        command.env("FLUX_SYSTEM_NAMESPACE", variable);
        crate::program::run(command).await.stdout.chars().next()
    };
    assert_eq!(found("get ks --no-header", "of-variable").await, Some('b'));
    assert_eq!(found("get ks --no-header -n of-context", "of-variable").await, Some('a'));
    assert_eq!(found("get ks --no-header --ns-follows-kube-context", "of-variable").await, Some('a'));
}

#[tokio::test]
async fn an_invalid_variable_is_passed_over_with_a_warning() {
    let cluster = Cluster::with(vec![object("Kustomization", "flux-system", "a")]).await;
    let mut command = cluster.command("get ks --no-header");
    command.env("FLUX_SYSTEM_NAMESPACE", "Bad_NS");
    let run = crate::program::run(command).await;
    assert_eq!(run.stderr, "⚠️  ignoring invalid FLUX_SYSTEM_NAMESPACE: \"Bad_NS\"\n");
    assert_eq!(run.code, 0);
}

#[tokio::test]
async fn a_watch_prints_a_row_for_every_change() {
    let cluster = cluster().await;
    let mut command = cluster.command("get ks web -n apps --watch");
    let mut program = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut next = async || lines.next_line().await.unwrap().unwrap();
    assert_eq!(
        next().await,
        "NAME\tREVISION          \tSUSPENDED\tREADY\tMESSAGE                              "
    );
    assert_eq!(
        next().await,
        "web \tmain@sha1:78b847ab\tFalse    \tTrue \tApplied revision: main@sha1:78b847ab\t"
    );
    assert_eq!(next().await, "web\tmain@sha1:78b847ab\tTrue\tTrue\tApplied revision: main@sha1:78b847ab\t");
}
