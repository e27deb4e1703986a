//! Repositories as kustomizations write them.

use super::query::Query;
use crate::loader::without_secrets;
use std::fmt;
use std::time::Duration;

/// A directory of a repository, taken from a URL or one of its short forms.
///
/// `https://host/org/repo//path?ref=v1`, `github.com/org/repo/path`, `git@host:org/repo.git/path`, `ssh://…` and
/// `file://…` are some. Source: kustomize `api/internal/git/repospec.go`.
#[derive(Clone, PartialEq, Eq)]
pub struct Repository {
    /// What was written.
    pub raw: String,
    /// Scheme, user and host with what ends them: `https://github.com/`, `git@github.com:`, `file://`.
    pub host: String,
    /// The repository below the host.
    pub repository: String,
    /// The directory below the top of the repository; empty for the top.
    pub path: String,
    /// Branch, tag or commit; empty for what the server's HEAD is.
    pub reference: String,
    /// Whether submodules are to be fetched, too.
    pub submodules: bool,
    /// How long fetching may take.
    pub timeout: Duration,
}

/// Why a text names no repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotARepository(String);

impl fmt::Display for NotARepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotARepository {}

/// Without user information and query, which may hold tokens.
impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("url", &without_secrets(&self.clone_url()))
            .field("path", &self.path)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Takes a text apart.
    ///
    /// # Errors
    /// The text names no repository; it may still be a path or the URL of a file.
    pub fn parse(text: &str) -> Result<Self, NotARepository> {
        if text.starts_with('/') {
            return Err(NotARepository(format!("uri looks like abs path: {text}")));
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let query = Query::parse(query);
        let (host, rest) = split_host(address)?;
        let (repository, path) = split_path(rest.as_str(), host.starts_with("file://"))?;
        Ok(Self {
            raw: text.to_owned(),
            host,
            repository: repository.to_owned(),
            path: path.to_owned(),
            reference: query.reference,
            submodules: query.submodules,
            timeout: query.timeout,
        })
    }

    /// What Git would be given to clone.
    #[must_use]
    pub fn clone_url(&self) -> String {
        format!("{}{}", self.host, self.repository)
    }
}

/// Tells whether the text begins with `git::`, which kustomize warns about and passes over.
pub(crate) fn forces_git(text: &str) -> bool {
    strip_prefix(text, "git::").is_some()
}

/// Splits off scheme, user and host. GitHub's are brought into one form.
fn split_host(text: &str) -> Result<(String, String), NotARepository> {
    let text = strip_prefix(text, "git::").unwrap_or(text);
    let (scheme, rest) = split_scheme(text);
    let (user, rest) = rest.split_at(user_length(rest));
    let is_github = ["github.com/", "github.com:"].iter().any(|host| strip_prefix(rest, host).is_some());
    let is_scp = scheme.is_empty() && (!user.is_empty() || is_github);
    if scheme.is_empty() && !is_scp {
        return Err(NotARepository("failed to parse scheme".to_owned()));
    }
    if scheme == "file://" {
        return Ok((scheme.to_owned(), format!("{user}{rest}")));
    }
    let (host, rest) = rest.split_at(host_length(rest, is_scp));
    let host = match (is_github, user) {
        (true, "") if scheme != "ssh://" => "https://github.com/".to_owned(),
        (true, user) => format!("{user}github.com:"),
        (false, _) if host.is_empty() => {
            return Err(NotARepository("failed to parse host segment".to_owned()));
        }
        (false, user) => format!("{scheme}{user}{host}"),
    };
    Ok((host, rest.to_owned()))
}

fn split_scheme(text: &str) -> (&'static str, &str) {
    let schemes = ["ssh://", "https://", "http://", "file://"];
    schemes.into_iter().find_map(|s| Some((s, strip_prefix(text, s)?))).unwrap_or(("", text))
}

/// The length of a user name with its `@`.
fn user_length(text: &str) -> usize {
    let Some(at) = text.find('@') else { return 0 };
    let name = &text[..at];
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_name { at + 1 } else { 0 }
}

/// The length of a host with the separator behind it; without one all of it is the host. In `user@host:path` that is a colon before any slash.
fn host_length(text: &str, is_scp: bool) -> usize {
    let slash = text.find('/');
    let colon = text.find(':').filter(|_| is_scp);
    let end = match (slash, colon) {
        (None, colon) => colon,
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (slash, _) => slash,
    };
    end.map_or(text.len(), |end| end + 1)
}

/// Splits a path into repository and directory: at a mark, or else after two elements.
fn split_path(text: &str, is_file: bool) -> Result<(&str, &str), NotARepository> {
    let split = at_mark(text).or_else(|| if is_file { Some((text, "")) } else { after_two(text) });
    let Some((repository, path)) = split.filter(|(repository, _)| !repository.is_empty()) else {
        return Err(NotARepository("failed to parse repo path segment".to_owned()));
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    if leaves(path) {
        return Err(NotARepository(format!("url path exits repo: {text}")));
    }
    Ok((repository, path))
}

fn at_mark(text: &str) -> Option<(&str, &str)> {
    if let Some(at) = text.find("_git/") {
        let start = at + "_git/".len();
        let end = text[start..].find('/').map_or(text.len(), |length| start + length);
        return Some((&text[..end], text.get(end + 1..).unwrap_or_default()));
    }
    if let Some(at) = text.find("//") {
        return Some((&text[..at], &text[at + 2..]));
    }
    text.find(".git").map(|at| text.split_at(at + ".git".len()))
}

fn after_two(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('/')?;
    let second = rest.find('/').unwrap_or(rest.len());
    let end = first.len() + 1 + second;
    Some((&text[..end], text.get(end + 1..).unwrap_or_default()))
}

fn leaves(path: &str) -> bool {
    if path.starts_with('/') {
        return false;
    }
    let mut depth = 0_i32;
    path.split('/').any(|part| {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}

/// Cuts off a prefix in any case.
pub(super) fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::Repository;

    #[track_caller]
    fn check(text: &str, host: &str, repository: &str, path: &str, reference: &str) {
        let found = Repository::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let parts = (&*found.host, &*found.repository, &*found.path, &*found.reference);
        assert_eq!(parts, (host, repository, path, reference), "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(
            Repository::parse(text).map_err(|error| error.to_string()),
            Err(expected.to_owned()),
            "{text}"
        );
    }

    #[test]
    fn hosts_are_taken_in_many_forms() {
        for (written, host) in [
            ("gitHub.com/", "https://github.com/"),
            ("github.com:", "https://github.com/"),
            ("http://github.com/", "https://github.com/"),
            ("https://github.com/", "https://github.com/"),
            ("hTTps://github.com/", "https://github.com/"),
            ("https://git.example.com/", "https://git.example.com/"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
            ("ssh://git.example.com:7999/", "ssh://git.example.com:7999/"),
            ("ssh://git@github.com/", "git@github.com:"),
            ("ssh://github.com/", "github.com:"),
            ("ssh://git@ssh.github.com:443/", "ssh://git@ssh.github.com:443/"),
            ("git::https://git.example.com/", "https://git.example.com/"),
            ("git::http://git.example.com/", "http://git.example.com/"),
            ("git@github.com:", "git@github.com:"),
            ("git@github.com/", "git@github.com:"),
            ("git::git@github.com:", "git@github.com:"),
            ("org-12345@github.com:", "org-12345@github.com:"),
            ("git@git.example.com:", "git@git.example.com:"),
            ("git@git.example.com/", "git@git.example.com/"),
            ("https://git@git.example.com/", "https://git@git.example.com/"),
        ] {
            for path in ["", "README.md", "foo/krusty.txt"] {
                for reference in ["", "main", "group/version", "v0.1.0"] {
                    let below = if path.is_empty() { String::new() } else { format!("/{path}") };
                    let query =
                        if reference.is_empty() { String::new() } else { format!("?ref={reference}") };
                    check(&format!("{written}org/repo{below}{query}"), host, "org/repo", path, reference);
                }
            }
        }
    }

    #[test]
    fn marks_tell_where_the_repository_ends() {
        let host = "https://git.example.com/";
        for (written, repository, path) in [
            ("a/b/repo//deploy/dev", "a/b/repo", "deploy/dev"),
            ("a/b//deploy/dev/", "a/b", "deploy/dev/"),
            ("a/b/repo.git", "a/b/repo.git", ""),
            ("a/b/repo.git/deploy", "a/b/repo.git", "deploy"),
            ("a/repo.git//deploy", "a/repo.git", "deploy"),
            ("a/b/_git/repo", "a/b/_git/repo", ""),
            ("a/b/_git/repo/deploy/dev", "a/b/_git/repo", "deploy/dev"),
            ("a/b/_git/repo//deploy/dev", "a/b/_git/repo", "deploy/dev"),
            ("a/repo/%-odd/x", "a/repo", "%-odd/x"),
            ("a/repo/", "a/repo", ""),
            ("repo.git", "repo.git", ""),
        ] {
            check(&format!("{host}{written}"), host, repository, path, "");
            check(
                &format!("{host}{written}?ref=with.git/in_git/it"),
                host,
                repository,
                path,
                "with.git/in_git/it",
            );
        }
        check("git@example.com/user:name/r.git/path", "git@example.com/", "user:name/r.git", "path", "");
    }

    #[test]
    fn all_of_a_file_url_is_the_repository_unless_marked() {
        check("file:///a/b/c/repo", "file://", "/a/b/c/repo", "", "");
        check("file:///", "file://", "/", "", "");
        check("file://a/b/repo?ref=x", "file://", "a/b/repo", "", "x");
        check("file://a/b/repo//dir?ref=x", "file://", "a/b/repo", "dir", "x");
        check("file://a/b/repo.git/dir", "file://", "a/b/repo.git", "dir", "");
        check("file://git@home/repo.git//dir", "file://", "git@home/repo.git", "dir", "");
    }

    #[test]
    fn paths_and_incomplete_urls_name_no_repository() {
        for text in [
            "../../base",
            "base",
            "src/github.com/org/repo",
            "htxxxtp://github.com/",
            "gh:org/repo",
            "git::_",
        ] {
            check_error(text, "failed to parse scheme");
        }
        for text in [
            "ssh://git.example.com",
            "https://host?ref=group/version",
            "https://github.com/file.yaml",
            "https://host/file.yaml",
            "https://github.com:repo.git",
            "file:////tmp//path",
            "git@scp://github.com/org/repo.git//path",
            "git@ssh://github.com/org/repo.git//path",
        ] {
            check_error(text, "failed to parse repo path segment");
        }
        check_error("/tmp", "uri looks like abs path: /tmp");
        check_error("https://", "failed to parse host segment");
        let text = "org/repo.git//path/../../exits";
        check_error(&format!("https://github.com/{text}"), &format!("url path exits repo: {text}"));
    }

    #[test]
    fn debug_shows_no_token() {
        let found =
            Repository::parse("https://user:hunter2@example.com/org/repo?ref=x&token=hunter3").unwrap();
        let shown = format!("{found:?}");
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
