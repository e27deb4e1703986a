//! A bare repository that is pushed to, with commits whose hashes depend on their content alone.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, process::Command};

/// 2026-01-01T00:00:00Z; the n-th push is dated n - 1 days later.
const FIRST: u64 = 1_767_225_600;
const DAY: u64 = 86_400;
const AUTHOR: &str = "Recorder <recorder@example.com>";

/// A tree: paths and contents. Whoever wants another mode than 0644 puts it beside.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, (u32, Vec<u8>)>);

impl Files {
    /// Adds or replaces a file.
    pub fn set(&mut self, path: &str, content: impl Into<Vec<u8>>) -> &mut Self {
        self.0.insert(path.to_owned(), (0o100_644, content.into()));
        self
    }

    /// Adds or replaces a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.0.insert(path.to_owned(), (0o120_000, target.as_bytes().to_vec()));
        self
    }

    /// Adds another tree below a folder.
    pub fn put_below(&mut self, folder: &str, other: Self) -> &mut Self {
        self.0.extend(other.0.into_iter().map(|(path, file)| (format!("{folder}/{path}"), file)));
        self
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        self.0.remove(path);
        self
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(|(_, content)| content.as_slice())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Files {
    fn from(files: [(&str, &str); N]) -> Self {
        let mut tree = Self::default();
        for (path, content) in files {
            tree.set(path, content);
        }
        tree
    }
}

/// Reads the files below a folder, with their modes.
pub fn read_tree(root: &Path) -> Result<Files> {
    let mut files = Files::default();
    read_folder(root, "", &mut files)?;
    Ok(files)
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read {folder:?}"))? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?.to_string_lossy().into_owned();
            files.0.insert(path, (0o120_000, target.into_bytes()));
        } else {
            let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o100_755 } else { 0o100_644 };
            files.0.insert(path, (mode, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// What is pushed.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// The whole new tree.
    pub files: Files,
    /// `main` when empty.
    pub branch: String,
    /// Lightweight tags on the new commit.
    pub tags: Vec<String>,
    /// Annotated tags on it.
    pub annotated: Vec<String>,
    /// Other references to it, written in full.
    pub refs: Vec<String>,
}

impl Push {
    /// A push to `main`.
    pub fn new(files: impl Into<Files>) -> Self {
        Self { files: files.into(), ..Self::default() }
    }
}

/// A bare repository on disk.
#[derive(Debug)]
pub struct Repository {
    path: PathBuf,
    pushes: Vec<String>,
}

impl Repository {
    pub(super) async fn open_or_init(path: &Path) -> Result<Self> {
        if !path.exists() {
            let at = path.to_string_lossy();
            git(Path::new("/"), &["init", "--quiet", "--bare", "--initial-branch=main", &at], b"").await?;
        }
        Ok(Self { path: path.to_owned(), pushes: Vec::new() })
    }

    /// Commits a tree and returns the hash of the commit.
    pub async fn push(&mut self, push: &Push) -> Result<String> {
        let stream = self.fast_import(push).await?;
        git(&self.path, &["fast-import", "--quiet", "--force"], &stream).await?;
        let commit = self.resolve(&branch_ref(&push.branch)).await?.context("the push made no commit")?;
        for reference in
            push.tags.iter().map(|tag| format!("refs/tags/{tag}")).chain(push.refs.iter().cloned())
        {
            self.set_ref(&reference, &commit).await?;
        }
        self.pushes.push(commit.clone());
        Ok(commit)
    }

    /// The commit of the n-th push through this value, counted from 1.
    pub fn commit(&self, push: usize) -> Option<&str> {
        self.pushes.get(push.checked_sub(1)?).map(String::as_str)
    }

    /// All commits pushed through this value, in order.
    pub fn commits(&self) -> &[String] {
        &self.pushes
    }

    /// Lets a reference point to a commit.
    pub async fn set_ref(&self, reference: &str, commit: &str) -> Result<()> {
        git(&self.path, &["update-ref", reference, commit], b"").await?;
        Ok(())
    }

    /// Deletes a reference.
    pub async fn delete_ref(&self, reference: &str) -> Result<()> {
        git(&self.path, &["update-ref", "-d", reference], b"").await?;
        Ok(())
    }

    async fn resolve(&self, reference: &str) -> Result<Option<String>> {
        let output = git(&self.path, &["for-each-ref", "--format=%(objectname)", reference], b"").await?;
        Ok(output.lines().next().map(str::to_owned))
    }

    /// The push as Git's import stream: one process however many files there are.
    async fn fast_import(&self, push: &Push) -> Result<Vec<u8>> {
        let number = self.pushes.len() as u64 + 1;
        let date = FIRST + (number - 1) * DAY;
        let reference = branch_ref(&push.branch);
        let mut stream = format!("commit {reference}\ncommitter {AUTHOR} {date} +0000\n").into_bytes();
        data(&mut stream, format!("revision {number}\n").as_bytes());
        // A new branch has a history of its own.
        if let Some(parent) = self.resolve(&reference).await? {
            stream.extend_from_slice(format!("from {parent}\n").as_bytes());
        }
        stream.extend_from_slice(b"deleteall\n");
        for (path, (mode, content)) in &push.files.0 {
            stream.extend_from_slice(format!("M {mode:o} inline {path}\n").as_bytes());
            data(&mut stream, content);
        }
        for tag in &push.annotated {
            stream.extend_from_slice(
                format!("tag {tag}\nfrom {reference}\ntagger {AUTHOR} {date} +0000\n").as_bytes(),
            );
            data(&mut stream, format!("{tag}\n").as_bytes());
        }
        Ok(stream)
    }
}

fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{}", if branch.is_empty() { "main" } else { branch })
}

fn data(stream: &mut Vec<u8>, content: &[u8]) {
    stream.extend_from_slice(format!("data {}\n", content.len()).as_bytes());
    stream.extend_from_slice(content);
    stream.push(b'\n');
}

async fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Result<String> {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start git")?;
    let mut stdin = child.stdin.take().context("stdin was asked for")?;
    let (written, output) = tokio::join!(
        async move {
            stdin.write_all(input).await?;
            stdin.shutdown().await
        },
        child.wait_with_output()
    );
    let output = output.context("failed to run git")?;
    if !output.status.success() {
        bail!(
            "git {} ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    written.context("git did not read its input")?;
    Ok(String::from_utf8(output.stdout)?)
}
