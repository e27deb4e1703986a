//! Kustomizations that mean harm, one after the other. Each has to end in a clear condition of its own, while an
//! innocent one in another namespace keeps being reconciled by a controller that neither grows nor dies.

mod archives;
mod builds;
mod documents;
mod identities;
mod objects;
mod recorder;
mod statuses;
mod verdict;
mod world;

use anyhow::Result;
use e2e::git::Files;
use serde_json::{Value, json};

use crate::stage::alone;
use world::World;

/// One hostile input.
struct Case {
    /// Also the Kustomization's name and the folder of its tree.
    name: String,
    /// What its path holds.
    files: Files,
    /// Merged over the spec of an ordinary Kustomization.
    spec: Value,
    /// Applied before it.
    before: Vec<Value>,
    /// Where its artifact comes from.
    source: Source,
    /// Merged into its status by somebody who may.
    status: Value,
    /// Further annotations and the like.
    metadata: Value,
    expected: Expected,
    /// Its inventory names what nobody can judge: a deletion waits until somebody mends it.
    stays: bool,
}

enum Source {
    /// The repository that all cases share.
    Shared,
    /// A repository of its own: the tree would harm the others.
    Own,
    /// An artifact that no source-controller made, behind a status that claims it.
    Artifact(Forged),
}

/// An artifact that somebody wrote into a source's status.
struct Forged {
    bytes: Vec<u8>,
    /// Over the fields that would be right.
    fields: Value,
}

/// How it ends.
enum Expected {
    /// Never ready: the API server refuses the object, or Ready becomes False with a message.
    Refused,
    /// Ready, because there is nothing wrong with it.
    Applied,
    /// Any end will do, as long as there is one.
    Settled,
    /// It may still be waiting for something when we lose patience. It isn't ready.
    Waiting,
}

impl Case {
    /// A tree that must not be built.
    fn refused(name: &str, files: impl Into<Files>) -> Self {
        Self::new(name, files, Expected::Refused)
    }

    /// A tree that does no harm.
    fn applied(name: &str, files: impl Into<Files>) -> Self {
        Self::new(name, files, Expected::Applied)
    }

    /// A tree of which nobody says whether it is right.
    fn settled(name: &str, files: impl Into<Files>) -> Self {
        Self::new(name, files, Expected::Settled)
    }

    fn new(name: &str, files: impl Into<Files>, expected: Expected) -> Self {
        Self {
            name: name.to_owned(),
            files: files.into(),
            spec: json!({}),
            before: Vec::new(),
            source: Source::Shared,
            status: Value::Null,
            metadata: json!({}),
            expected,
            stays: false,
        }
    }

    fn spec(self, spec: Value) -> Self {
        Self { spec, ..self }
    }

    fn before(mut self, object: Value) -> Self {
        self.before.push(object);
        self
    }

    fn status(self, status: Value) -> Self {
        Self { status, ..self }
    }

    fn metadata(self, metadata: Value) -> Self {
        Self { metadata, ..self }
    }

    fn stays(self) -> Self {
        Self { stays: true, ..self }
    }

    fn own_repository(self) -> Self {
        Self { source: Source::Own, ..self }
    }
}

#[test]
fn hostile_builds_harm_only_themselves() {
    tell("builds", builds::cases);
}

#[test]
fn hostile_documents_and_expressions_harm_only_themselves() {
    tell("documents", documents::cases);
}

#[test]
fn hostile_archives_harm_only_themselves() {
    tell("archives", |_| archives::cases());
}

#[test]
fn hostile_identities_and_references_harm_only_themselves() {
    tell("identities", identities::cases);
}

#[test]
fn hostile_objects_and_statuses_harm_only_themselves() {
    tell("objects", |world| objects::cases(world).into_iter().chain(statuses::cases(world)).collect());
}

/// Tries all cases on a cluster of their own and shows what went wrong with any of them.
fn tell(what: &str, cases: impl FnOnce(&World) -> Vec<Case>) {
    alone(async || {
        let mut world = World::new().await?;
        let cases = cases(&world);
        world.publish(&cases).await?;
        let mut wrong = Vec::new();
        for case in &cases {
            let problems = world.attempt(case).await?;
            wrong.extend(problems.into_iter().map(|problem| format!("{}: {problem}", case.name)));
        }
        wrong.extend(world.aftermath(&cases).await?);
        eprintln!("hostile {what}: {} inputs, {world}", cases.len());
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        Ok(()) as Result<()>
    });
}

/// A ConfigMap's manifest, for cases that need something to be built.
fn settings() -> String {
    e2e::fixtures::config_map("settings", "blue")
}

/// Ten lines of YAML that are a billion words.
fn laughs() -> String {
    let line = |n: usize| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "));
    std::iter::once("a0: &a0 [x, x]\n".to_owned()).chain((1..10).map(line)).collect()
}
