//! Repositories made by the `git` program.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

pub(crate) struct Repository {
    root: TempDir,
    work: PathBuf,
}

impl Repository {
    /// Makes an empty repository that is served as `app.git`.
    pub(crate) fn empty() -> Self {
        let root = TempDir::new().unwrap();
        let work = root.path().join("work");
        std::fs::create_dir(&work).unwrap();
        let repository = Self { root, work };
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]);
        let bare = repository.root.path().join("app.git");
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", bare.to_str().unwrap()]);
        repository.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        repository
    }

    /// Makes a repository with one commit on `main`.
    pub(crate) fn with_commit(files: &[(&str, &str)]) -> Self {
        let repository = Self::empty();
        repository.commit("revision 1", files);
        repository.push();
        repository
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    /// Commits on the current branch and returns the hash. Each commit is a minute younger than the one before.
    pub(crate) fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        for (name, content) in files {
            let path = self.work.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn push(&self) {
        self.git(&["push", "--quiet", "--mirror", "origin"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, b"")
    }

    pub(crate) fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&self.work)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "c"), ("GIT_COMMITTER_EMAIL", "c@example.com")])
            .env("GIT_COMMITTER_DATE", self.next_date())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn next_date(&self) -> String {
        let counter = self.root.path().join("minutes");
        let minutes =
            std::fs::read_to_string(&counter).ok().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
        std::fs::write(&counter, (minutes + 1).to_string()).unwrap();
        format!("{} +0000", 1_700_000_000 + minutes * 60)
    }
}
