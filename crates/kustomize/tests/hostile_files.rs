//! A thousand hostile inputs: each ends with a clear error, in little time.

use kustomize::{Error, Limits, MemoryFs, Options, RootedDir};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest that one input may take, with room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

/// Builds files that nobody should write and checks that the error says something.
#[track_caller]
fn refused(files: &[(String, Vec<u8>)], options: &Options) {
    let mut fs = MemoryFs::new();
    for (path, content) in files {
        fs.add(path, content.clone());
    }
    let begin = Instant::now();
    let built = kustomize::build(&fs, Path::new("/"), options);
    check(built.map(|b| b.to_yaml()), begin);
}

#[track_caller]
fn check(built: Result<String, Error>, begin: Instant) {
    let error = built.expect_err("it should be refused").chain();
    assert!(begin.elapsed() < PATIENCE, "took {:?}", begin.elapsed());
    assert!(!error.is_empty() && error.len() < 16_000, "{} bytes: {:.300}", error.len(), error);
}

fn with_resource(content: impl Into<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    vec![
        ("kustomization.yaml".to_owned(), b"resources: [a.yaml]\n".to_vec()),
        ("a.yaml".to_owned(), content.into()),
    ]
}

fn with_root(content: impl Into<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    vec![("kustomization.yaml".to_owned(), content.into()), ("a.yaml".to_owned(), OBJECT.as_bytes().to_vec())]
}

#[test]
fn bombs_of_aliases_are_refused() {
    for width in 5..30 {
        for depth in 8..16 {
            let first = vec!["x"; width].join(", ");
            let mut text = format!("{OBJECT}data:\n  a0: &a0 [{first}]\n");
            for level in 1..depth {
                let list = vec![format!("*a{}", level - 1); width].join(", ");
                text.push_str(&format!("  a{level}: &a{level} [{list}]\n"));
            }
            refused(&with_resource(text), &Options::default());
        }
    }
}

#[test]
fn anchors_in_themselves_are_refused() {
    for depth in 0..100 {
        let (open, close) = ("[".repeat(depth % 50), "]".repeat(depth % 50));
        let text = if depth < 50 {
            format!("{OBJECT}data: &a {{x: {open}*a{close}}}\n")
        } else {
            format!("{OBJECT}data: &a [{open}*a{close}]\n")
        };
        refused(&with_resource(text), &Options::default());
    }
}

#[test]
fn deep_nesting_is_refused() {
    for step in 1..=50 {
        let depth = 100 * step + 10;
        refused(
            &with_resource(format!("{OBJECT}data: {}{}", "[".repeat(depth), "]".repeat(depth))),
            &Options::default(),
        );
        refused(&with_resource(format!("{OBJECT}data: {}", "{a: ".repeat(depth))), &Options::default());
        refused(&with_resource(format!("{OBJECT}data:\n  {}x\n", "- ".repeat(depth))), &Options::default());
        refused(&with_root(format!("resources: {}", "[".repeat(depth))), &Options::default());
    }
}

#[test]
fn cycles_of_bases_are_refused() {
    for length in 1..=100 {
        let mut files: Vec<(String, Vec<u8>)> = (0..length)
            .map(|i| {
                let next = (i + 1) % length;
                (format!("d{i}/kustomization.yaml"), format!("resources: [../d{next}]\n").into_bytes())
            })
            .collect();
        files.push(("kustomization.yaml".to_owned(), b"resources: [d0]\n".to_vec()));
        refused(&files, &Options::default());
    }
}

#[test]
fn paths_that_lead_out_are_refused() {
    for up in 1..=50 {
        let path = format!("{}etc/passwd", "../".repeat(up));
        refused(&with_root(format!("resources: ['{path}']\n")), &Options::flux());
        refused(
            &with_root(format!("resources: [a.yaml]\npatches: [{{path: '{path}'}}]\n")),
            &Options::flux(),
        );
        refused(
            &with_root(format!("configMapGenerator: [{{name: a, files: ['x={path}']}}]\n")),
            &Options::flux(),
        );
        refused(&with_root(format!("components: ['{path}']\n")), &Options::flux());
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    std::fs::write(dir.path().join("secret.yaml"), OBJECT).expect("the file can be written");
    for i in 0..100 {
        let root = dir.path().join(format!("r{i}"));
        std::fs::create_dir(&root).expect("the directory can be made");
        let target = match i % 4 {
            0 => "../secret.yaml".to_owned(),
            1 => dir.path().join("secret.yaml").to_string_lossy().into_owned(),
            2 => "a.yaml".to_owned(),
            _ => "/etc/hostname".to_owned(),
        };
        std::os::unix::fs::symlink(target, root.join("a.yaml")).expect("the link can be made");
        std::fs::write(root.join("kustomization.yaml"), "resources: [a.yaml]\n")
            .expect("the file can be written");
        let fs = RootedDir::open(&root).expect("the directory is there");
        let begin = Instant::now();
        check(kustomize::build(&fs, Path::new("/"), &Options::flux()).map(|b| b.to_yaml()), begin);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    for byte in 0x80..=0xff_u8 {
        let mut content = OBJECT.as_bytes().to_vec();
        content.extend_from_slice(b"data: {a: ");
        content.extend([byte, b'x', b'}', b'\n']);
        refused(&with_resource(content), &Options::default());
    }
}

#[test]
fn huge_texts_are_refused() {
    // Small limits stand for large texts: what counts is that nothing is built first.
    let limits = Limits { read_bytes: 1 << 20, added_bytes: 1 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    for i in 1..=20 {
        let size = (1 << 20) + i * 1_000;
        refused(&with_resource(format!("{OBJECT}data: {{a: {}}}\n", "x".repeat(size))), &options);
        refused(&with_resource(format!("{OBJECT}data: {{{}: a}}\n", "x".repeat(size))), &options);
    }
}

#[test]
fn a_hundred_megabytes_are_refused_unread() {
    refused(&with_resource(vec![b'x'; 100 << 20]), &Options::default());
}
