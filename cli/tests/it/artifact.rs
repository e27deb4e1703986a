use std::fs;

use crate::artifact_service::{BYTES, Service, digest};
use crate::program::{Run, program, run, words};

async fn ferrite(service: &Service, line: &str) -> Run {
    let line = format!("artifact {line} --address {}", service.address);
    run(program(&words(&line))).await
}

async fn check(line: &str, stdout: &str, stderr: &str, code: i32) {
    let service = Service::start(usize::MAX).await;
    let expected = Run { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code };
    assert_eq!(ferrite(&service, line).await, expected, "{line}");
}

#[tokio::test]
async fn artifacts_are_listed_over_all_pages() {
    let digest = digest();
    let pad = " ".repeat(digest.len() - "DIGEST".len());
    let expected = format!(
        "NAME                 \tREVISION          \tSIZE\tDIGEST{pad} \n\
         externalartifact/made\tmain@sha1:78b847ab\t10  \t{digest}\t\n\
         gitrepository/app    \tmain@sha1:78b847ab\t10  \t{digest}\t\n"
    );
    check("list -n apps", &expected, "", 0).await;
    let row = format!("other\tgitrepository/app\tmain@sha1:78b847ab\t10\t{digest}\t\n");
    let rows = format!("apps {}{row}", &row["other".len()..]);
    check("list -A --kind gitrepository --no-header", &rows, "", 0).await;
    check("list -n empty", "NAME\tREVISION\tSIZE\tDIGEST \n", "", 0).await;
}

#[tokio::test]
async fn an_artifact_is_printed_as_in_a_status() {
    let expected = format!(
        "digest: {}\nlastUpdateTime: \"2026-01-01T00:00:00Z\"\nmetadata:\n  k: v\n\
         path: gitrepository/apps/app/x.tar.gz\nrevision: main@sha1:78b847abd49d92df21e0fbb4bee107bd7b5558c9\n\
         size: 10\nurl: http://localhost/x.tar.gz\n",
        digest()
    );
    check("get gitrepository/app -n apps", &expected, "", 0).await;
    let error = "✗ failed to get the artifact of GitRepository/apps/nope: the source has no artifact\n";
    check("get GitRepository/nope -n apps", "", error, 1).await;
    check("get app", "", "✗ expected a source as KIND/NAME, but found: app\n", 1).await;
}

#[tokio::test]
async fn a_watch_that_is_cut_says_how_to_go_on() {
    let digest = digest();
    let pad = " ".repeat(digest.len() - "DIGEST".len());
    let expected = format!(
        "EVENT    \tNAMESPACE\tNAME             \tREVISION          \tDIGEST{pad} \n\
         published\tapps     \tgitrepository/app\tmain@sha1:78b847ab\t{digest}\t\n\
         removed\tapps\tgitrepository/app\t\t\t\n"
    );
    let error = "◎ watching artifacts\n✗ the watch was cut: the service ended the stream\n\
                 hint: go on with --resume-token t2\n";
    check("watch -n apps", &expected, error, 1).await;
}

#[tokio::test]
async fn a_fetched_file_is_whole_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.tgz");
    let service = Service::start(usize::MAX).await;
    let line = format!("fetch gitrepository/app -n apps --output {}", file.display());
    let said = ferrite(&service, &line).await;
    let expected = format!(
        "► fetching artifact {0}\n✔ digest {0}\n✔ artifact written to {1}\n",
        digest(),
        file.display()
    );
    assert_eq!((said.stderr.as_str(), said.code), (expected.as_str(), 0));
    assert_eq!(fs::read(&file).unwrap(), BYTES);
    let again = ferrite(&service, &line).await;
    assert_eq!(again.stderr, format!("✔ {} is complete\n", file.display()));
    assert_eq!((service.offsets(), fs::read_dir(dir.path()).unwrap().count()), (vec![0], 1));
}

#[tokio::test]
async fn a_cut_transfer_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.tgz");
    let line = format!("fetch {} -o {}", digest(), file.display());
    let service = Service::start(1).await;
    for _ in 0..2 {
        let run = ferrite(&service, &line).await;
        assert!(run.code == 1 && run.stderr.ends_with("hint: call again to resume\n"), "{}", run.stderr);
        assert!(!file.exists());
    }
    assert_eq!(ferrite(&service, &line).await.code, 0);
    assert_eq!(service.offsets(), [0, 4, 8]);
    assert_eq!(fs::read(&file).unwrap(), BYTES);
}

#[tokio::test]
async fn the_output_itself_can_be_the_part() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.tgz");
    fs::write(&file, &BYTES[..7]).unwrap();
    let service = Service::start(usize::MAX).await;
    let run = ferrite(&service, &format!("fetch {} -o {}", digest(), file.display())).await;
    assert!(run.stderr.contains("► resuming at byte 7\n"), "{}", run.stderr);
    assert_eq!((service.offsets(), fs::read(&file).unwrap()), (vec![7], BYTES.to_vec()));
}

#[tokio::test]
async fn other_bytes_are_never_taken_for_the_artifact() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.tgz");
    let line = format!("fetch {} -o {}", digest(), file.display());
    let service = Service::start(usize::MAX).await;
    fs::write(&file, "something").unwrap();
    let run = ferrite(&service, &line).await;
    assert!(run.code == 1 && run.stderr.contains("✗ digest mismatch: expected sha256:"), "{}", run.stderr);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::write(&file, "something much longer").unwrap();
    let run = ferrite(&service, &line).await;
    assert!(run.code == 0 && run.stderr.contains("is not a part of this artifact"), "{}", run.stderr);
    assert_eq!(fs::read(&file).unwrap(), BYTES);
}

#[tokio::test]
async fn what_the_service_does_not_hold_is_an_error() {
    let other = format!("sha256:{}", "0".repeat(64));
    let error =
        format!("► fetching artifact {other}\n✗ failed to fetch artifact {other}: no such artifact\n");
    let dir = tempfile::tempdir().unwrap();
    let line = format!("fetch {other} -o {}", dir.path().join("x").display());
    check(&line, "", &error, 1).await;
    check(
        "fetch sha256:xyz -o x",
        "",
        "✗ invalid digest \"sha256:xyz\": invalid checksum digest format\n",
        1,
    )
    .await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_an_error() {
    let run = run(program(&words("artifact list --address 127.0.0.1:1"))).await;
    assert!(
        run.stderr.starts_with("✗ failed to reach the artifact service at \"127.0.0.1:1\": "),
        "{}",
        run.stderr
    );
    assert_eq!(run.code, 1);
}
