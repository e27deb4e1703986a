//! Fetching from a real Git server: `git http-backend` behind a small HTTP server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod auth;
mod fetch;
mod hostile;
mod repository;
mod server;

use std::{path::Path, time::Duration};

use git::{Credentials, Fetched, Mode, Options, Reference};

/// Joins an error with its causes, as conditions show it.
fn text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

fn options(folder: &Path) -> Options {
    Options { timeout: Duration::from_secs(20), ..Options::new(folder) }
}

fn branch(name: &str) -> Reference {
    Reference { branch: Some(name.to_owned()), ..Reference::default() }
}

/// Fetches without credentials.
fn fetch(url: &str, reference: &Reference, folder: &Path) -> Result<Fetched, git::Error> {
    git::fetch(url, reference, &Credentials::default(), &options(folder))
}

/// Lists the tree, a line per entry with the content of files.
fn listing(fetched: &Fetched) -> Vec<String> {
    let mut lines = Vec::new();
    fetched
        .visit(&mut |entry| {
            let mut buffer = Vec::new();
            let content = match entry.mode {
                Mode::Directory | Mode::Submodule => String::new(),
                _ => String::from_utf8_lossy(entry.read(&mut buffer)?).trim_end().to_owned(),
            };
            lines.push(format!("{:?} {} {content}", entry.mode, entry.path.display()).trim_end().to_owned());
            Ok::<_, git::Error>(())
        })
        .unwrap();
    lines
}
