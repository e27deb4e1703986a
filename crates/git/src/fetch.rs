use std::path::{Path, PathBuf};

use gix::{
    ObjectId,
    objs::{FindExt, Kind},
};
use jiff::Timestamp;
use tempfile::TempDir;
use url::Url;

use crate::{
    credentials::{Credentials, parse_url},
    error::{Cause, Error, in_one_line},
    options::{Clock, Limits, Options},
    reference::{Reference, Target},
    resolve::{Found, commit_id, found, missing},
    revision::revision,
    transport::{Connection, History, RemoteRef, connect},
    tree,
};

/// A commit with its tree, in a temporary folder that goes when this is dropped.
#[derive(Debug)]
pub struct Fetched {
    /// The revision as it stands in an artifact, such as `main@sha1:<hash>`.
    pub revision: String,
    /// The commit.
    pub commit: Commit,
    pub(crate) tree: ObjectId,
    pub(crate) limits: Limits,
    folder: TempDir,
}

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The hash, in full.
    pub hash: String,
    /// The first line of the message.
    pub subject: String,
    /// When it was committed.
    pub committed: Timestamp,
}

impl Commit {
    /// Returns the subject as Flux shows it: at most 50 characters, with dots if there were more.
    #[must_use]
    pub fn short_message(&self) -> String {
        const LONGEST: usize = 50;
        match self.subject.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", &self.subject[..end]),
            None => self.subject.clone(),
        }
    }
}

impl Fetched {
    pub(crate) fn objects(&self) -> PathBuf {
        objects_folder(self.folder.path())
    }
}

/// Fetches the commit that the reference means, with its tree but without its history.
///
/// # Errors
///
/// [`Error::Clone`] for what happens on the wire and for a branch or tag that isn't there; the other
/// kinds for references that can't be resolved. None of them shows a credential.
pub fn fetch(
    url: &str,
    reference: &Reference,
    credentials: &Credentials,
    options: &Options,
) -> Result<Fetched, Error> {
    let url = parse_url(url)?;
    let target = reference.target()?;
    let folder = tempfile::Builder::new()
        .prefix("git-")
        .tempdir_in(&options.directory)
        .map_err(|error| Error::clone(&url, Cause::Disk(error)))?;
    let remote = Remote { url: &url, credentials, options, clock: options.clock() };
    let found = match &target {
        Target::Commit { hash, .. } => remote.fetch_commit(hash, &target, folder.path())?,
        _ => remote.fetch_reference(&target, folder.path())?,
    };
    Ok(Fetched {
        revision: revision(&found.pointer, &found.commit.hash),
        commit: found.commit,
        tree: found.tree,
        limits: options.limits,
        folder,
    })
}

struct Remote<'a> {
    url: &'a Url,
    credentials: &'a Credentials,
    options: &'a Options,
    clock: Clock,
}

struct Candidate {
    pointer: String,
    commit: Commit,
    tree: ObjectId,
}

impl Remote<'_> {
    fn fetch_reference(&self, target: &Target, folder: &Path) -> Result<Candidate, Error> {
        let mut connection = self.connect()?;
        let refs = connection.references(&[&target.prefix()]).map_err(|cause| self.failed(cause))?;
        let wanted = match found(target, &refs) {
            Found::One(one) => vec![one],
            Found::Several(several) => several,
            Found::Nothing => return Err(missing(self.url, target, &mut connection)),
        };
        let wants: Vec<ObjectId> = wanted.iter().map(|found| found.object).collect();
        let objects = objects_folder(folder);
        connection.fetch(&wants, History::None, &objects).map_err(|cause| self.failed(cause))?;
        self.youngest(target, &wanted, &objects)
    }

    /// Picks among tags of equal versions.
    fn youngest(&self, target: &Target, wanted: &[&RemoteRef], objects: &Path) -> Result<Candidate, Error> {
        let mut youngest: Option<Candidate> = None;
        for found in wanted {
            let pointer = found.pointer(target);
            let candidate = read_commit(objects, found.object, pointer, self.options.limits)
                .map_err(|cause| self.failed(cause))?;
            if youngest.as_ref().is_none_or(|best| best.commit.committed < candidate.commit.committed) {
                youngest = Some(candidate);
            }
        }
        youngest.ok_or_else(|| self.failed(Cause::Protocol("the server sent no commit".into())))
    }

    fn fetch_commit(&self, hash: &str, target: &Target, folder: &Path) -> Result<Candidate, Error> {
        let id = commit_id(hash)?;
        let objects = objects_folder(folder);
        let connection = self.connect()?;
        match connection.fetch(&[id], History::None, &objects) {
            Err(Cause::Protocol(text)) if refuses_hash(&text) => {
                self.fetch_history(hash, target, &objects)?
            }
            other => other.map_err(|cause| self.failed(cause))?,
        }
        let Target::Commit { branch, .. } = target else {
            return Err(Error::CommitNotFound(hash.to_owned()));
        };
        read_commit(&objects, id, branch.clone().unwrap_or_default(), self.options.limits)
            .map_err(|_| Error::CommitNotFound(hash.to_owned()))
    }

    /// Fetches all branches, for servers that only give what a reference holds.
    fn fetch_history(&self, hash: &str, target: &Target, objects: &Path) -> Result<(), Error> {
        let mut connection = self.connect()?;
        let prefix = target.prefix();
        let refs = connection.references(&[&prefix]).map_err(|cause| self.failed(cause))?;
        let wants: Vec<ObjectId> = refs
            .iter()
            .filter(|found| found.name == prefix || prefix.ends_with('/'))
            .map(|found| found.object)
            .collect();
        if wants.is_empty() {
            return Err(Error::CommitNotFound(hash.to_owned()));
        }
        connection.fetch(&wants, History::Full, objects).map_err(|cause| self.failed(cause))
    }

    fn connect(&self) -> Result<Connection, Error> {
        connect(self.url, self.credentials, self.options, self.clock.clone())?
            .map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: Cause) -> Error {
        Error::clone(self.url, cause)
    }
}

/// Source: git `upload-pack.c`, whose words for a hash that it doesn't have or doesn't give.
fn refuses_hash(text: &str) -> bool {
    text.contains("not our ref") || text.contains("unadvertised object")
}

fn objects_folder(folder: &Path) -> PathBuf {
    folder.join("objects")
}

/// Follows tags from an object to its commit.
fn read_commit(objects: &Path, id: ObjectId, pointer: String, limits: Limits) -> Result<Candidate, Cause> {
    const DEEPEST: usize = 64;
    let database = tree::open(objects, limits)?;
    let mut buffer = Vec::new();
    let mut next = id;
    for _ in 0..DEEPEST {
        let object =
            database.find(&next, &mut buffer).map_err(|error| Cause::Protocol(in_one_line(&error)))?;
        match object.kind {
            Kind::Tag => {
                next = gix::objs::TagRefIter::from_bytes(object.data, gix::hash::Kind::Sha1)
                    .target_id()
                    .map_err(|error| Cause::Protocol(error.to_string()))?;
            }
            Kind::Commit => return commit(next, object.data, pointer),
            kind => return Err(Cause::Protocol(format!("the reference holds a {kind}, not a commit"))),
        }
    }
    Err(Cause::Protocol("the tag leads to no commit".into()))
}

fn commit(id: ObjectId, data: &[u8], pointer: String) -> Result<Candidate, Cause> {
    let malformed = |text: &dyn std::fmt::Display| Cause::Protocol(format!("malformed commit {id}: {text}"));
    let parsed =
        gix::objs::CommitRef::from_bytes(data, gix::hash::Kind::Sha1).map_err(|error| malformed(&error))?;
    let time = parsed.committer().map_err(|error| malformed(&error))?.seconds();
    let subject = String::from_utf8_lossy(parsed.message).lines().next().unwrap_or_default().to_owned();
    Ok(Candidate {
        pointer,
        commit: Commit {
            hash: id.to_string(),
            subject,
            committed: Timestamp::from_second(time).unwrap_or(Timestamp::UNIX_EPOCH),
        },
        tree: parsed.tree(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_subjects_are_cut() {
        let mut commit =
            Commit { hash: String::new(), subject: "ü".repeat(50), committed: Timestamp::UNIX_EPOCH };
        assert_eq!(commit.short_message(), "ü".repeat(50));
        commit.subject.push('x');
        assert_eq!(commit.short_message(), format!("{}...", "ü".repeat(50)));
    }
}
