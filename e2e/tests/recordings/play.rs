//! Does what a scenario says, then looks at what came of it.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use e2e::{
    Bed, Push, Ref,
    git::{Repository, read_tree},
    yaml,
};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::{
    compare::{self, Difference},
    observe::Observer,
    oci::{self, Registry},
    places::Places,
    scenario::Scenario,
    wait::{self, Pushes},
};

const MANAGER: &str = "recorder";
const LIMIT: f64 = 60.0;

/// What all scenarios share.
pub(crate) struct Stage {
    pub(crate) bed: Bed,
    pub(crate) observer: Observer,
}

/// A scenario in the course of being played.
struct Play<'a> {
    stage: &'a Stage,
    scenario: &'a Scenario,
    places: Places,
    repositories: BTreeMap<String, Repository>,
    /// Only where the scenario pushes to one.
    registry: Option<Registry>,
    unmet: Vec<Difference>,
}

/// Plays all steps and returns what differs from the recording.
pub(crate) async fn play(stage: &Stage, scenario: &Scenario) -> Result<Vec<Difference>> {
    stage.bed.objects.namespace(&scenario.name).await?;
    let places = Places::new(&stage.bed, &scenario.name);
    let mut play =
        Play { stage, scenario, places, repositories: BTreeMap::new(), registry: None, unmet: Vec::new() };
    for (number, (verb, argument)) in scenario.steps.iter().enumerate() {
        play.step(verb, argument).await.with_context(|| format!("step {}: {verb}", number + 1))?;
    }
    stage
        .observer
        .settle(&scenario.name, Duration::from_secs_f64(scenario.quiet), Duration::from_secs(20))
        .await;
    let mut differences = play.check_commits()?;
    differences.append(&mut play.unmet);
    differences.extend(compare::compare(stage, scenario, &play.places).await?);
    play.clean_up().await?;
    Ok(differences)
}

impl Play<'_> {
    async fn step(&mut self, verb: &str, argument: &Value) -> Result<()> {
        let argument = self.places.fill_value(argument, &self.pushes());
        self.act(verb, &argument).await?;
        match &self.registry {
            Some(registry) => registry.publish(&self.bed().objects, &self.scenario.name).await,
            None => Ok(()),
        }
    }

    async fn act(&mut self, verb: &str, argument: &Value) -> Result<()> {
        match verb {
            "push" => self.push(argument).await,
            "oci" => self.push_to_registry(argument).await,
            "tag" => self.tag(argument).await,
            "unref" => self.repository("app").await?.delete_ref(text(&argument["ref"])?).await,
            "apply" => self.apply(argument).await,
            "kubectl" => self.kubectl(argument).await,
            "patch" => self.patch(argument).await,
            "reconcile" => {
                let object = self.object(&argument["object"])?;
                self.bed().objects.request(&object, text(&argument["token"])?).await
            }
            "delete" => self.bed().objects.delete(&self.object(argument)?).await,
            "sleep" => {
                tokio::time::sleep(seconds(argument, 0.0)).await;
                Ok(())
            }
            "settle" => {
                let (quiet, limit) = (seconds(&argument["quiet"], 2.0), seconds(&argument["timeout"], 30.0));
                self.stage.observer.settle(&self.scenario.name, quiet, limit).await;
                Ok(())
            }
            "storage" => self.spoil_storage(text(argument)?),
            "restart" => self.restart(text(argument)?).await,
            "until_posted" => self.until_posted(argument).await,
            "wait" => self.wait(argument).await,
            other => bail!("no such verb: {other}"),
        }
    }

    async fn push(&mut self, step: &Value) -> Result<()> {
        let name = step["repo"].as_str().unwrap_or("app").to_owned();
        let folder = step["from"].as_str().map(|from| self.scenario.folder.join("repo").join(from));
        let repository = self.repository(&name).await?;
        let Some(folder) = folder else { return Ok(()) };
        let push = Push {
            files: read_tree(&folder)?,
            branch: step["branch"].as_str().unwrap_or_default().to_owned(),
            tags: texts(&step["tags"]),
            annotated: texts(&step["annotated"]),
            refs: texts(&step["refs"]),
        };
        repository.push(&push).await?;
        Ok(())
    }

    async fn push_to_registry(&mut self, step: &Value) -> Result<()> {
        let tree = self.scenario.folder.join("repo").join(text(&step["from"])?);
        let digests = oci::digests(&self.scenario.file("revisions.txt")?);
        if self.registry.is_none() {
            self.registry = Some(Registry::start().await?);
        }
        let registry = self.registry.as_mut().context("it was just put in")?;
        let digest = digests.get(registry.count()).context("no such push to the registry")?;
        registry.push(&tree, digest, step)
    }

    async fn tag(&mut self, step: &Value) -> Result<()> {
        let number =
            step["push"].as_u64().or_else(|| step["push"].as_str()?.parse().ok()).context("a push")?;
        let repository = self.repository("app").await?;
        let commit = repository.commit(usize::try_from(number)?).context("no such push")?.to_owned();
        repository.set_ref(&format!("refs/tags/{}", text(&step["name"])?), &commit).await
    }

    async fn apply(&self, argument: &Value) -> Result<()> {
        let (what, manager) = match &argument["what"] {
            Value::Null => (argument, MANAGER),
            what => (what, argument["manager"].as_str().unwrap_or(MANAGER)),
        };
        let objects = match what {
            Value::Array(objects) => objects.clone(),
            file => {
                let content = self.scenario.file(text(file)?)?;
                yaml::documents(&self.places.fill(&content, &self.pushes()))?
            }
        };
        for object in &objects {
            self.bed().objects.apply_as(object, manager).await?;
        }
        Ok(())
    }

    async fn kubectl(&self, step: &Value) -> Result<()> {
        let mut input = String::new();
        for object in step["stdin"].as_array().into_iter().flatten() {
            input.push_str(&object.to_string());
            input.push_str("\n---\n");
        }
        let mut child = self
            .bed()
            .cluster
            .kubectl()
            .args(["--namespace", &self.scenario.name])
            .args(texts(&step["args"]))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("failed to start kubectl")?;
        let mut stdin = child.stdin.take().context("stdin was asked for")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let status = child.wait().await?;
        anyhow::ensure!(status.success(), "kubectl ended with {status}");
        Ok(())
    }

    async fn patch(&self, step: &Value) -> Result<()> {
        let object = self.object(&step["object"])?;
        let manager = step["manager"].as_str().or(Some(MANAGER));
        self.bed().objects.patch_as(&object, &step["patch"], manager, step["status"] == true).await?;
        Ok(())
    }

    fn spoil_storage(&self, how: &str) -> Result<()> {
        let folder = self.bed().source.storage().join("gitrepository").join(&self.scenario.name);
        for file in tarballs(&folder)? {
            match how {
                "delete" => fs::remove_file(&file)?,
                _ => fs::write(&file, "something else")?,
            }
        }
        Ok(())
    }

    async fn restart(&self, controller: &str) -> Result<()> {
        let bed = self.bed();
        let controller = if controller == "source-controller" { &bed.source } else { &bed.kustomize };
        controller.stop(Duration::from_secs(20)).await?;
        controller.restart().await
    }

    async fn until_posted(&mut self, step: &Value) -> Result<()> {
        let (message, count) = (text(&step["message"])?, step["count"].as_u64().unwrap_or(1));
        let seen = || {
            let posted = self.bed().events.posted(&self.scenario.name);
            let fitting = posted
                .iter()
                .filter(|posted| posted.body["message"].as_str().is_some_and(|m| m.contains(message)));
            fitting.count() as u64 >= count
        };
        let limit = seconds(&step["timeout"], LIMIT);
        let met = e2e::wait::until("a posted event", limit, async || Ok(seen().then_some(()))).await;
        if met.is_err() {
            self.unmet.push(Difference::new("wait", format!("posted {count} times: {message}"), "not met"));
        }
        Ok(())
    }

    async fn wait(&mut self, step: &Value) -> Result<()> {
        let object = self.object(&step["object"])?;
        let pushes = self.pushes();
        let limit = seconds(&step["timeout"], LIMIT);
        let digest = match &step["digest"] {
            Value::Null => None,
            number => Some(oci::pushed(&oci::digests(&self.scenario.file("revisions.txt")?), number)?),
        };
        let met = |object: Option<&Value>| wait::met(step, object, &pushes, digest.as_deref()).then_some(());
        let waited = self.stage.bed.objects.wait(&object, "the wait step", limit, met).await;
        if let Err(error) = waited {
            self.unmet.push(Difference::new("wait", step.to_string(), format!("{error:#}")));
        }
        Ok(())
    }

    /// The hashes are those of the recording, or what follows would not be comparable.
    fn check_commits(&self) -> Result<Vec<Difference>> {
        let recorded = self.scenario.file("revisions.txt")?;
        let mut differences = Vec::new();
        for (name, repository) in &self.repositories {
            for (index, commit) in repository.commits().iter().enumerate() {
                let beginning = format!("{name}.git push {}:", index + 1);
                let line = recorded.lines().find(|line| line.starts_with(&beginning)).unwrap_or_default();
                if !line.contains(commit.as_str()) {
                    differences.push(Difference::new("commit", line, format!("{beginning} {commit}")));
                }
            }
        }
        Ok(differences)
    }

    async fn clean_up(&self) -> Result<()> {
        let objects = &self.bed().objects;
        let seen = self.stage.observer.of(&self.scenario.name);
        // Kustomizations first: they still need their sources' namespace.
        for kind in ["Kustomization", "GitRepository"] {
            for version in seen.iter().filter(|version| version.kind() == kind) {
                objects.delete(&Ref::of(&version.object)?).await?;
            }
        }
        objects.delete(&format!("Namespace/{}", self.scenario.name).parse()?).await
    }

    async fn repository(&mut self, name: &str) -> Result<&mut Repository> {
        if !self.repositories.contains_key(name) {
            let path = format!("{}/{name}", self.scenario.name);
            let repository = self.stage.bed.git.repository(&path).await?;
            self.repositories.insert(name.to_owned(), repository);
        }
        self.repositories.get_mut(name).context("it was just put in")
    }

    fn object(&self, value: &Value) -> Result<Ref> {
        Ok(text(value)?.parse::<Ref>()?.or_namespace(&self.scenario.name))
    }

    fn pushes(&self) -> Pushes {
        self.repositories
            .iter()
            .map(|(name, repository)| (name.clone(), repository.commits().to_vec()))
            .collect()
    }

    fn bed(&self) -> &Bed {
        &self.stage.bed
    }
}

fn tarballs(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read {folder:?}"))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(tarballs(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "gz") && !path.is_symlink() {
            found.push(path);
        }
    }
    Ok(found)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("not a text: {value}"))
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
        .collect()
}

fn seconds(value: &Value, default: f64) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap_or(default))
}
