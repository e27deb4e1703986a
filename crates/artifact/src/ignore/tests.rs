use proptest::prelude::*;

use super::{Defaults, Error, IgnoreFile, MAX_LINE, MAX_PATTERNS, Matcher};

/// A path that ends with a slash is a folder.
fn check(patterns: &str, path: &str, ignored: bool) {
    let matcher =
        Matcher::new(Defaults::None, [IgnoreFile { dir: "", content: patterns }], None).expect("it is small");
    let (path, is_dir) = path.strip_suffix('/').map_or((path, false), |dir| (dir, true));
    assert_eq!(matcher.is_ignored(path, is_dir), ignored, "{patterns:?} on {path:?}, folder: {is_dir}");
}

#[test]
fn a_name_without_slash_matches_at_any_depth() {
    check("foo", "foo", true);
    check("foo", "a/foo", true);
    check("foo", "foo/a", true);
    check("*.md", "docs/a.md", true);
    check("*.md", "docs/a.txt", false);
}

#[test]
fn a_slash_at_the_end_means_folders_and_what_is_beneath() {
    check("docs/", "docs/", true);
    check("docs/", "docs", false);
    check("docs/", "docs/a/b", true);
    check("docs/", "a/docs/b", true);
    check("docs/", "a/docs", false);
}

#[test]
fn a_slash_inside_binds_to_the_folder_of_the_file() {
    check("/docs/", "docs/", true);
    check("/docs/", "docs/a", true);
    check("/docs/", "a/docs/b", false);
    check("a/b", "a/b", true);
    check("a/b", "a/b/c", true);
    check("a/b", "x/a/b", false);
    check("a/b", "a/", false);
    check("/*", "a", true);
    check("a/*/c", "a/b/c", true);
    check("a/*/c", "a/b/b/c", false);
}

#[test]
fn two_stars_span_folders_but_find_the_first_fit_only() {
    check("**/foo", "foo", true);
    check("**/foo", "a/b/foo", true);
    check("**/foo/bar", "a/foo/bar", true);
    check("**/a/b", "a/x/a/b", false);
    check("a/**/c", "a/c", true);
    check("a/**/c", "a/b/b/c", true);
    check("a/**", "a/b", true);
    check("a/**", "a/", true);
    check("a/**", "a", true);
    check("a**b/c", "axb/c", false);
    check("/**", "a", false);
    check("**/foo", "bar", false);
}

#[test]
fn the_last_matching_pattern_wins() {
    check("*.md\n!README.md", "README.md", false);
    check("!README.md\n*.md", "README.md", true);
    check("/*\n!/deploy", "deploy/a.yaml", false);
    check("/*\n!/deploy", "src/a.rs", true);
    check("docs/\n!docs/keep.md", "docs/keep.md", false);
    check("docs/\n!docs/keep.md", "docs/", true);
}

#[test]
fn blanks_comments_and_escapes_are_read_as_in_gitignore() {
    check("# foo\n\n   \nbar", "foo", false);
    check("# foo\n\n   \nbar", "bar", true);
    check("foo   ", "foo", true);
    check("foo\\ ", "foo ", true);
    check("foo\r\nbar\r\n", "foo", true);
    check("\\#foo", "#foo", true);
    check("\\!foo", "!foo", true);
    check("/", "a", false);
    check("!", "a", false);
    check("[", "[", false);
}

#[test]
fn a_file_rules_its_own_folder_only() {
    let matcher = Matcher::new(
        Defaults::None,
        [IgnoreFile { dir: "a/b", content: "!x.md\n/top" }, IgnoreFile { dir: "", content: "*.md" }],
        None,
    )
    .expect("it is small");
    for (path, ignored) in [
        ("x.md", true),
        ("a/x.md", true),
        ("a/b/x.md", false),
        ("a/b/c/x.md", false),
        ("a/bb/x.md", true),
        ("a/b/top", true),
        ("a/b/c/top", false),
        ("top", false),
    ] {
        assert_eq!(matcher.is_ignored(path, false), ignored, "{path}");
    }
}

#[test]
fn the_spec_is_stronger_than_the_files() {
    let files = [IgnoreFile { dir: "a", content: "*.txt" }];
    let matcher = Matcher::new(Defaults::Source, files, Some("!keep.txt")).expect("it is small");
    assert!(matcher.is_ignored("a/b.txt", false));
    assert!(!matcher.is_ignored("a/keep.txt", false));
}

#[test]
fn the_defaults_hold_until_the_user_has_a_pattern() {
    for (spec, png, git) in [
        (None, true, true),
        (Some(""), true, true),
        (Some("# nothing\n"), true, true),
        (Some("x"), false, true),
    ] {
        let matcher = Matcher::new(Defaults::Source, [], spec).expect("it is small");
        assert_eq!(matcher.is_ignored("a/b.png", false), png, "{spec:?}");
        assert_eq!(matcher.is_ignored(".git/config", false), git, "{spec:?}");
        assert_eq!(matcher.is_ignored("a/.gitignore", false), git, "{spec:?}");
        assert!(!matcher.is_ignored(".sourceignore", false));
        // Recorded from Flux: the file that a submodule has in place of the folder stays.
        assert!(!matcher.is_ignored("sub/.git", false));
    }
    let bucket = Matcher::new(Defaults::None, [], None).expect("it is small");
    assert!(!bucket.is_ignored("b.png", false));
}

#[test]
fn the_default_set_covers_ci_files() {
    let matcher = Matcher::new(Defaults::Source, [], None).expect("it is small");
    for path in [".github/workflows/a.yaml", "x/.sops.yaml", ".flux.yaml", "a/.travis.yml", "a.tar.gz"] {
        assert!(matcher.is_ignored(path, false), "{path}");
    }
}

#[test]
fn rules_over_a_limit_are_refused() {
    let build = |spec: &str| Matcher::new(Defaults::None, [], Some(spec)).map(|_| ());
    assert_eq!(build(&"a".repeat(MAX_LINE)), Ok(()));
    assert_eq!(build(&"a".repeat(MAX_LINE + 1)), Err(Error::Line { dir: String::new() }));
    assert_eq!(build(&"a\n".repeat(MAX_PATTERNS)), Ok(()));
    assert_eq!(build(&"a\n".repeat(MAX_PATTERNS + 1)), Err(Error::Patterns));
    assert_eq!(build(&"#\n".repeat(200 * 1024)), Err(Error::File { dir: String::new() }));
}

proptest! {
    #[test]
    fn any_text_is_taken_and_any_path_is_judged(patterns in "[ab*?\\[\\]!#/\\\\\n -]{0,40}", path in "[ab/]{0,12}") {
        if let Ok(matcher) = Matcher::new(Defaults::Source, [], Some(&patterns)) {
            let _ = matcher.is_ignored(&path, true);
        }
    }

    #[test]
    fn one_more_excluding_pattern_includes_nothing_again(
        patterns in "[ab*/\n]{0,20}",
        more in "[ab*/]{1,6}",
        path in "[ab](/[ab]){0,4}",
    ) {
        let less = Matcher::new(Defaults::None, [], Some(&patterns)).expect("it is small");
        let more = Matcher::new(Defaults::None, [], Some(&format!("{patterns}\n{more}"))).expect("it is small");
        prop_assert!(!less.is_ignored(&path, false) || more.is_ignored(&path, false));
    }
}
