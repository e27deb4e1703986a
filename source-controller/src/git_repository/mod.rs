//! Fetches a Git repository and stores what it holds.

mod plan;
mod status;

mod archive;
mod credentials;
mod error;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use api::{
    meta::{Artifact, Reconciled, reason},
    source::v1::{GitRepository, GitRepositoryStatus},
};
use artifact::{
    ignore::Matcher,
    storage::{self, Key, NewArtifact, Storage},
};
use jiff::Timestamp;
use toolkit::{
    events::Severity,
    logging::chain,
    reconcile::{Failure, Reconciler, Retry, Run},
};
use tracing::{error, info, warn};

use crate::context::Context;
use error::Error;
use status::{Moment, Stored};

/// Reconciles `GitRepository` objects.
pub(crate) struct GitRepositoryReconciler {
    pub(crate) context: Arc<Context>,
}

impl Reconciler for GitRepositoryReconciler {
    type Kind = GitRepository;
    type Error = Error;

    const FIELD_MANAGER: &'static str = "source-controller";
    const OWNED_CONDITIONS: &'static [&'static str] = status::OWNED;

    async fn reconcile(&self, run: &mut Run<GitRepository>) -> Result<Duration, Error> {
        let object = Arc::clone(&run.object);
        let key = storage_key(run)?;
        self.begin(run, &key).await?;

        plan::check(&object.spec, self.context.features.enabled("ObjectLevelWorkloadIdentity"))?;
        let source = self.source(&object).await?;
        if let Some(kept) = self.unchanged(run, &source).await? {
            self.keep(run, &key, kept, reason_to_keep(&source.reference));
            return Ok(object.interval());
        }

        let fetched = fetch(source, object.spec.ignore.clone()).await?;
        if let Some(kept) = keepable(run, &fetched.tree.revision) {
            self.keep(run, &key, kept, Kept::UpToDate);
            return Ok(object.interval());
        }
        let at = moment(run);
        if status::fetched(&mut run.status, &fetched.tree.revision, at) {
            run.write_status().await?;
        }
        let subject = fetched.tree.commit.short_message();
        let artifact = store(Arc::clone(&self.context.storage), key.clone(), fetched).await?;
        let at = moment(run);
        status::stored(&mut run.status, &object.spec, artifact.clone(), at);
        self.context.catalog.publish(key, artifact);
        tell(run, &subject);
        Ok(object.interval())
    }

    fn conclude(&self, run: &mut Run<GitRepository>, result: &Result<Duration, Error>) {
        let failure = result.as_ref().err();
        // The next process begins anew; what is shown is no failure.
        if matches!(failure, Some(Error::Interrupted)) {
            return;
        }
        let at = moment(run);
        status::conclude(&mut run.status, failure, at);
        let Some(error) = failure else {
            return;
        };
        let message = chain(error);
        match error.retry() {
            Retry::WhenChanged => error!(error = message, "reconciliation stalled"),
            _ => error!(error = message, "Reconciler error"),
        }
        run.event(Severity::Error, error.reason(), &message, BTreeMap::new());
    }

    fn conclude_suspended(&self, run: &mut Run<GitRepository>) {
        let at = moment(run);
        status::suspended(&mut run.status, at);
    }

    async fn finalize(&self, run: &mut Run<GitRepository>) -> Result<(), Error> {
        let key = storage_key(run)?;
        self.context.catalog.remove(&key);
        let storage = Arc::clone(&self.context.storage);
        let removed = blocking(move || Ok(storage.remove_all(&key))).await?;
        if let Err(error) = removed.map_err(Error::GarbageCollection) {
            run.event(Severity::Error, error.reason(), &chain(&error), BTreeMap::new());
            return Err(error);
        }
        trace(run, reason::GARBAGE_COLLECTION_SUCCEEDED, "garbage collected artifacts for deleted resource");
        Ok(())
    }
}

/// Why an artifact is kept, as far as it is told differently.
#[derive(Clone, Copy, Debug)]
enum Kept {
    NoChanges,
    UpToDate,
}

/// Where to fetch what.
struct Source {
    url: String,
    reference: git::Reference,
    credentials: git::Credentials,
    options: git::Options,
}

/// What was fetched and what of it is left out.
struct Fetched {
    tree: git::Fetched,
    ignore: Matcher,
}

impl GitRepositoryReconciler {
    /// Looks after what is stored and shows that the run has begun.
    async fn begin(&self, run: &mut Run<GitRepository>, key: &Key) -> Result<(), Error> {
        let stored = self.check_storage(run, key).await?;
        if stored != Stored::Intact {
            self.context.catalog.remove(key);
        }
        let at = moment(run);
        if status::begin(&mut run.status, stored, at) {
            run.write_status().await?;
        }
        Ok(())
    }

    /// Checks the artifact in the status against its digest and clears away those before it.
    async fn check_storage(&self, run: &mut Run<GitRepository>, key: &Key) -> Result<Stored, Error> {
        let Some(artifact) = run.status.artifact.clone() else {
            return Ok(Stored::Never);
        };
        let (storage, key) = (Arc::clone(&self.context.storage), key.clone());
        let checked = blocking(move || Ok(check(&storage, &key, artifact))).await?;
        match checked {
            Checked::Intact { artifact, collected } => {
                if collected > 0 {
                    let message = format!("garbage collected {collected} artifacts");
                    trace(run, reason::GARBAGE_COLLECTION_SUCCEEDED, &message);
                }
                run.status.artifact = Some(artifact);
                Ok(Stored::Intact)
            }
            Checked::Damaged(error) => {
                let message = format!("failed to verify integrity of artifact: {}", chain(&error));
                warn!("{message}");
                run.event(Severity::Error, reason::ARTIFACT_VERIFICATION_FAILED, &message, BTreeMap::new());
                Ok(Stored::Gone)
            }
            Checked::Missing => Ok(Stored::Gone),
        }
    }

    async fn source(&self, object: &GitRepository) -> Result<Source, Error> {
        let context = &self.context;
        Ok(Source {
            url: object.spec.url.clone(),
            reference: plan::reference(object.spec.reference.as_ref()),
            credentials: credentials::credentials(&context.client, object).await?,
            options: git::Options {
                timeout: object.timeout(),
                cancel: Arc::clone(&context.cancel),
                ..git::Options::new(&context.temporary)
            },
        })
    }

    /// Returns the artifact if the source still has its revision, without fetching.
    async fn unchanged(&self, run: &Run<GitRepository>, source: &Source) -> Result<Option<Artifact>, Error> {
        if plan::keepable(&run.object.spec, &run.status).is_none() {
            return Ok(None);
        }
        let Source { url, reference, credentials, options } = source;
        let (url, reference, credentials, options) =
            (url.clone(), reference.clone(), credentials.clone(), options.clone());
        let resolved = blocking(move || Ok(git::resolve(&url, &reference, &credentials, &options)?)).await?;
        Ok(resolved.and_then(|resolved| keepable(run, &resolved.revision)))
    }

    fn keep(&self, run: &mut Run<GitRepository>, key: &Key, artifact: Artifact, kept: Kept) {
        let revision = artifact.revision.clone();
        self.context.catalog.publish(key.clone(), artifact.clone());
        let at = moment(run);
        status::kept(&mut run.status, artifact, at);
        tell(run, &revision);
        match kept {
            Kept::NoChanges => {
                let message = format!("no changes since last reconciliation: observed revision '{revision}'");
                trace(run, reason::GIT_OPERATION_SUCCEEDED, &message);
            }
            Kept::UpToDate => {
                let message = format!("artifact up-to-date with remote revision: '{revision}'");
                trace(run, reason::ARTIFACT_UP_TO_DATE, &message);
            }
        }
    }
}

/// Flux has no way to tell without fetching for these two, and so other words.
fn reason_to_keep(reference: &git::Reference) -> Kept {
    let is_plain = reference.name.is_some() || reference.tag.is_some() || reference.semver.is_none();
    if reference.commit.is_none() && is_plain { Kept::NoChanges } else { Kept::UpToDate }
}

fn keepable(run: &Run<GitRepository>, revision: &str) -> Option<Artifact> {
    plan::keepable(&run.object.spec, &run.status)
        .filter(|artifact| plan::is_revision(&artifact.revision, revision))
        .cloned()
}

enum Checked {
    Intact { artifact: Artifact, collected: usize },
    Damaged(storage::Error),
    Missing,
}

fn check(storage: &Storage, key: &Key, mut artifact: Artifact) -> Checked {
    // A status that was copied from another object must not lend it that object's files.
    if !artifact.path.starts_with(&format!("{}/", key.dir())) {
        return Checked::Missing;
    }
    match storage.verify(&artifact) {
        Ok(()) => {}
        Err(storage::Error::Missing { .. }) => return Checked::Missing,
        Err(error) => {
            if let Err(error) = storage.remove(&artifact) {
                warn!(error = chain(&error), "failed to remove damaged artifact");
            }
            return Checked::Damaged(error);
        }
    }
    artifact.url = storage.url(&artifact.path);
    let collected = storage.collect(key, &artifact.path, SystemTime::now()).unwrap_or_else(|error| {
        warn!(error = chain(&error), "failed to collect superseded artifacts");
        Vec::new()
    });
    Checked::Intact { artifact, collected: collected.len() }
}

async fn fetch(source: Source, ignore: Option<String>) -> Result<Fetched, Error> {
    blocking(move || {
        let tree = git::fetch(&source.url, &source.reference, &source.credentials, &source.options)?;
        let ignore = archive::ignore_rules(&tree, ignore.as_deref())?;
        Ok(Fetched { tree, ignore })
    })
    .await
}

async fn store(storage: Arc<Storage>, key: Key, fetched: Fetched) -> Result<Artifact, Error> {
    blocking(move || {
        let Fetched { tree, ignore } = fetched;
        let new = NewArtifact {
            file: format!("{}.tar.gz", tree.commit.hash),
            revision: tree.revision.clone(),
            metadata: BTreeMap::new(),
        };
        storage.write(&key, new, |writer| archive::pack(&tree, &ignore, writer)).map_err(Error::Store)
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::Task)?
}

fn storage_key(run: &Run<GitRepository>) -> Result<Key, Error> {
    let key = run.key();
    Ok(Key::new("GitRepository", &key.namespace, &key.name)?)
}

fn moment(run: &Run<GitRepository>) -> Moment {
    Moment { generation: run.generation(), is_requested: run.requested().is_some(), now: Timestamp::now() }
}

/// Tells of a new artifact, or that a failure is over.
fn tell(run: &Run<GitRepository>, subject: &str) {
    let before: Option<&GitRepositoryStatus> = run.object.status.as_ref();
    let Some(notice) = status::notice(before, &run.status, subject) else {
        return;
    };
    info!("{}", notice.message);
    let artifact = run.status.artifact.clone().unwrap_or_default();
    let annotations = BTreeMap::from([
        ("source.toolkit.fluxcd.io/revision".to_owned(), artifact.revision),
        ("source.toolkit.fluxcd.io/digest".to_owned(), artifact.digest),
    ]);
    run.event(Severity::Info, notice.reason, &notice.message, annotations);
}

/// Tells what is of interest to those who look closely.
fn trace(run: &Run<GitRepository>, reason: &str, message: &str) {
    info!("{message}");
    run.event(Severity::Trace, reason, message, BTreeMap::new());
}
