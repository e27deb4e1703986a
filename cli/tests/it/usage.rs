use crate::program::{check, program, run, words};

#[tokio::test]
async fn wrong_command_lines_are_refused_in_one_line() {
    for (line, error) in [
        ("nope", "unknown command \"nope\" for \"ferrite\""),
        ("get nope", "unknown command \"nope\" for \"ferrite get\""),
        ("get sources nope", "unknown command \"nope\" for \"ferrite get sources\""),
        ("get ks --nope", "unknown flag: --nope"),
        (
            "get ks --timeout=abc",
            "invalid argument \"abc\" for \"--timeout\" flag: time: invalid duration \"abc\"",
        ),
        ("version", "the following required arguments were not provided: --client"),
        (
            "get ks --status-selector nope",
            "expected status selector in type=status or type!=status format, but found: nope",
        ),
        ("get ks", "no cluster to talk to: there is no kubeconfig, and this is not a Pod"),
    ] {
        check(line, "", &format!("✗ {error}\n"), 1).await;
    }
}

#[tokio::test]
async fn a_group_without_sub_command_prints_its_help() {
    for line in [
        "",
        "get",
        "get sources",
        "reconcile",
        "suspend",
        "resume",
        "build",
        "kustomize",
        "artifact",
        "get ks --help",
    ] {
        let run = run(program(&words(line))).await;
        assert!(run.stdout.contains("Usage: ferrite"), "{line}: {run:?}");
        assert_eq!((run.stderr.as_str(), run.code), ("", 0), "{line}");
    }
}

#[tokio::test]
async fn the_version_is_printed_in_three_forms() {
    let version = env!("CARGO_PKG_VERSION");
    check("--version", &format!("ferrite version {version}\n"), "", 0).await;
    check("-v", &format!("ferrite version {version}\n"), "", 0).await;
    check("version --client", &format!("ferrite: v{version}\n"), "", 0).await;
    check("version --client -o json", &format!("{{\n  \"ferrite\": \"v{version}\"\n}}\n"), "", 0).await;
}

#[tokio::test]
async fn completion_scripts_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = run(program(&["completion", shell])).await;
        assert!(run.code == 0 && run.stdout.contains("reconcile"), "{shell}");
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_an_error() {
    let run = run(program(&words("get ks --server http://127.0.0.1:1"))).await;
    assert!(run.stderr.starts_with("✗ failed to reach the Kubernetes API server: "), "{}", run.stderr);
    assert_eq!(run.stderr.matches("refused").count(), 1, "{}", run.stderr);
    assert_eq!(run.code, 1);
}
