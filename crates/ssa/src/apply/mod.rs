//! Server-side apply of many objects, stage by stage.

use std::collections::HashSet;
use std::time::Duration;

use api::kustomize::v1::DriftIgnoreRule;
use api::meta::ResourceRef;
use krm::{Id, Object};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

mod check;
mod diff;
mod error;
mod execute;
mod known;
mod plan;
mod planned;

pub use diff::Difference;
pub use error::{ApplyError, ObjectError};
pub use known::Known;
pub use plan::{Plan, PlanAction, PlanEntry};

use self::check::Checked;
use self::execute::Done;
use crate::drift::{self, Digest};
use crate::health::{self, State};
use crate::ignore::IgnoreRules;
use crate::live::Live;
use crate::order::{self, GroupKind, Stage, compare_kinds};
use crate::request::Calls;
use crate::{ChangeSet, CommonMetadata, Manager, Owner, Target, WaitOptions, mapper, metadata, normalize};

/// How one run applies.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// Labels and annotations for all objects.
    pub common_metadata: CommonMetadata,
    /// Recreates objects whose change the API server refuses because a field is immutable.
    pub force: bool,
    /// Fields that others may change: neither compared nor applied.
    pub ignore: Vec<DriftIgnoreRule>,
    /// Brings all claims of field managers to the API version that is applied.
    pub migrate_api_version: bool,
    /// Checks every object by a dry run, whatever is known of it or seen by watches.
    pub full: bool,
    /// Proves by its watches that objects are untouched, and follows what is applied from now on.
    pub live: Option<Live>,
    /// Longest time for the whole run.
    pub timeout: Duration,
    /// Ends the run early.
    pub cancel: CancellationToken,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            common_metadata: CommonMetadata::default(),
            force: false,
            ignore: Vec::new(),
            migrate_api_version: false,
            full: false,
            live: None,
            timeout: Duration::from_secs(300),
            cancel: CancellationToken::new(),
        }
    }
}

/// What an apply did, and what it knows for the next one.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// All objects, in apply order.
    pub changes: ChangeSet,
    /// To be handed to the next apply of the same owner.
    pub known: Known,
    /// The objects for which a write was sent, whatever came of it; all of them may be in the cluster.
    pub touched: Vec<ResourceRef>,
}

impl Manager {
    /// Brings objects to the cluster, stage by stage; within a stage nothing is written before the dry runs of all
    /// its objects have passed.
    ///
    /// `known` is what the last apply for this owner returned; the default makes every object be checked in full.
    ///
    /// # Errors
    /// Names every object that failed in the first stage with a failure, and carries what was applied before. Nothing
    /// is sent for rules of `ignore` that can't be used, for more objects than the options allow, or where a Secret
    /// is still encrypted.
    pub async fn apply(
        &self,
        owner: &Owner,
        objects: &[Object],
        options: &ApplyOptions,
        known: &Known,
    ) -> Result<Applied, ApplyError> {
        let rules = IgnoreRules::new(&options.ignore).map_err(ApplyError::rules)?;
        let desired = self.prepare(owner, objects, options).map_err(ApplyError::before)?;
        let nothing = Known::new(&rules);
        let known = if known.is_of(&rules) { known } else { &nothing };
        let mut run = Run::new(self, options, &rules, if options.full { &nothing } else { known });
        for stage in order::stages(desired, |one| &one.id, &self.options.custom_stage_kinds) {
            if let Err(failure) = run.stage(&stage).await {
                // What this run did not get to stays known from the last one.
                run.applied.known.keep(known);
                self.follow(owner, &run.applied.known, options);
                return Err(ApplyError { failure, applied: run.applied });
            }
        }
        run.applied.known.complete();
        self.follow(owner, &run.applied.known, options);
        Ok(run.applied)
    }

    /// Watches the kinds of what is known, and only these, for the owner.
    fn follow(&self, owner: &Owner, known: &Known, options: &ApplyOptions) {
        let Some(live) = &options.live else { return };
        let mapped = |(kind, version): (&GroupKind, &String)| {
            Some((kind.clone(), self.mapper.recall(&kind.group, version, &kind.kind)?))
        };
        live.follow(owner, known.kinds().iter().filter_map(mapped).collect());
    }

    fn prepare(
        &self,
        owner: &Owner,
        objects: &[Object],
        options: &ApplyOptions,
    ) -> Result<Vec<Desired>, error::Failure> {
        let (count, most) = (objects.len(), self.options.max_objects);
        if count > most {
            return Err(error::Failure::TooMany { count, most });
        }
        let group = &self.options.owner_group;
        let bodies: Vec<(Id, Value)> = objects.iter().map(|object| (object.id(), object.to_json())).collect();
        let errors: Vec<ObjectError> = bodies
            .iter()
            .filter_map(|(id, body)| normalize::refuse_encrypted(body, group).err().map(|error| (id, error)))
            .map(|(id, error)| ObjectError::encrypted(id, &error))
            .collect();
        if !errors.is_empty() {
            return Err(error::Failure::Refused(errors));
        }
        let desired = |(id, mut body): (Id, Value)| {
            normalize::normalize(&mut body);
            metadata::set(&mut body, group, owner, &options.common_metadata);
            let api_version = body["apiVersion"].as_str().unwrap_or_default().to_owned();
            let force = options.force || metadata::says(&body, group, "force", "enabled");
            Desired { id, api_version, digest: drift::digest(&body), body, force }
        };
        Ok(bodies.into_iter().map(desired).collect())
    }
}

/// One object as it shall be.
struct Desired {
    id: Id,
    /// Group and version, as in `apiVersion`.
    api_version: String,
    body: Value,
    digest: Digest,
    /// The owner or the object itself allows recreation.
    force: bool,
}

/// One apply under way.
struct Run<'a> {
    manager: &'a Manager,
    calls: Calls,
    known: &'a Known,
    rules: &'a IgnoreRules,
    options: &'a ApplyOptions,
    /// Group and kind of the definitions that this run has written.
    learned: HashSet<(String, String)>,
    applied: Applied,
}

impl<'a> Run<'a> {
    fn new(
        manager: &'a Manager,
        options: &'a ApplyOptions,
        rules: &'a IgnoreRules,
        known: &'a Known,
    ) -> Self {
        Run {
            manager,
            calls: manager.calls(options.timeout, &options.cancel),
            known,
            rules,
            options,
            learned: HashSet::new(),
            applied: Applied { known: Known::new(rules), ..Applied::default() },
        }
    }
}

impl Run<'_> {
    async fn stage(&mut self, stage: &Stage<Desired>) -> Result<(), error::Failure> {
        let checked = self.check_all(&stage.objects).await.map_err(error::Failure::Objects)?;
        let mut unready = Vec::new();
        for group in checked.chunk_by(same_kind) {
            self.applied.touched.extend(group.iter().filter_map(Checked::written));
            let done = self.manager.in_parallel(group.iter().map(|one| self.execute(one)).collect()).await;
            let mut errors = Vec::new();
            for result in done {
                match result {
                    Ok(done) => unready.extend(self.record(done)),
                    Err(error) => errors.push(error),
                }
            }
            if !errors.is_empty() {
                return Err(error::Failure::Objects(errors));
            }
        }
        if stage.wait { self.wait_until_ready(&unready).await } else { Ok(()) }
    }

    async fn check_all<'a>(&self, objects: &'a [Desired]) -> Result<Vec<Checked<'a>>, Vec<ObjectError>> {
        let results = self.manager.in_parallel(objects.iter().map(|one| self.check(one)).collect()).await;
        let (mut checked, mut errors) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(one) => checked.push(one),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(checked) } else { Err(errors) }
    }

    /// Notes what was done; returns the object as a target where it isn't known to be ready.
    fn record(&mut self, done: Done) -> Option<Target> {
        if let Some(definition) =
            done.written.as_ref().filter(|written| written["kind"] == "CustomResourceDefinition")
        {
            self.manager.mapper.learn(definition);
            self.learned
                .extend(mapper::defined(definition).into_iter().map(|(kind, mapping)| (mapping.group, kind)));
        }
        tracing::debug!(object = %done.change.object.subject(), action = %done.change.action, "applied");
        let object = done.change.object.clone();
        let version = done.change.version.clone();
        self.applied.changes.entries.push(done.change);
        let entry = done.entry?;
        let ready = entry.ready || entry.skipped;
        self.applied.known.insert(object.clone(), version.clone(), entry);
        (!ready).then_some(Target { object, version, may_vanish: false })
    }

    async fn wait_until_ready(&self, targets: &[Target]) -> Result<(), error::Failure> {
        if targets.is_empty() {
            return Ok(());
        }
        let timeout = self.manager.options.stage_timeout;
        let remaining = self.calls.deadline.saturating_duration_since(tokio::time::Instant::now());
        let options = WaitOptions {
            timeout: timeout.min(remaining),
            fail_fast: false,
            cancel: self.calls.cancel.clone(),
            live: self.options.live.clone(),
            ..WaitOptions::default()
        };
        self.manager.wait(targets, &options).await.map(|_| ()).map_err(error::Failure::NotReady)
    }
}

fn same_kind(a: &Checked<'_>, b: &Checked<'_>) -> bool {
    let (a, b) = (&a.desired.id, &b.desired.id);
    compare_kinds((&a.group, &a.kind), (&b.group, &b.kind)).is_eq()
}

fn is_ready(object: &Value) -> bool {
    health::status(object).state == State::Current
}
