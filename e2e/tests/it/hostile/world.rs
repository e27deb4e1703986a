//! A cluster with an innocent Kustomization, on which hostile ones are tried.

use std::{
    fmt, fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use e2e::{
    Bed, Push, Ref, fixtures,
    git::Files,
    objects::find_condition,
    serve::{self, Server},
    usage,
};
use serde_json::{Value, json};

use super::{Case, Expected, Forged, Source, recorder::Recorder};
use crate::stage::{Scene, digest, plain};

/// How long the innocent one may wait for its turn.
const TURN: Duration = Duration::from_secs(5);
/// How long a case may take to come to an end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a case is watched that may wait for something.
const GLANCE: Duration = Duration::from_secs(3);
/// What the controller may need for one case beyond what it needed before, in bytes.
const BUDGET: u64 = 128 << 20;
/// The same for cases with a repository of their own, whose input is several MiB.
const LARGE_BUDGET: u64 = 224 << 20;
/// What somebody sets who has tenants.
const FLAGS: [&str; 3] = ["--no-cross-namespace-refs=true", "--no-remote-bases=true", "--http-retry=2"];
/// Where all attackers live.
pub(super) const NAMESPACE: &str = "hostile";
/// Where a victim lives.
pub(super) const VICTIM: &str = "victim";
/// Stands in Secrets and in files outside the source, and must be seen nowhere.
pub(super) const SECRET: &str = "canary-3f9c1d7e";
/// What must be seen nowhere: the secret, and a file of this machine.
pub(super) const LEAKS: [&str; 2] = [SECRET, "root:x:0:"];

pub(super) struct World {
    bed: Bed,
    /// The innocent one.
    canary: Ref,
    /// Serves forged artifacts.
    files: Server,
    folder: std::path::PathBuf,
    /// Counts those who call.
    pub(super) recorder: Recorder,
    at_rest: u64,
    slowest_turn: Duration,
    slowest_end: Duration,
    peak: u64,
    /// Which case needed that.
    largest: String,
}

impl World {
    pub(super) async fn new() -> Result<Self> {
        let bed = Bed::start_kustomize(&FLAGS).await?;
        let mut innocent = Scene::new(&bed, "canary").await?;
        innocent.install(&Push::new(fixtures::config_maps(&["settings"], "blue")), &plain()).await?;
        let mut victim = Scene::new(&bed, VICTIM).await?;
        victim.install(&Push::new(fixtures::config_maps(&["precious"], "blue")), &plain()).await?;
        bed.objects.namespace(NAMESPACE).await?;
        bed.objects
            .apply(&json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": { "name": "secret", "namespace": NAMESPACE },
                "stringData": { "password": SECRET },
            }))
            .await?;
        let folder = e2e::scratch::folder("forged")?;
        fs::write(folder.join("token"), SECRET)?;
        let at_rest = bed.kustomize.process()?.usage()?.memory;
        Ok(Self {
            canary: innocent.app(),
            files: serve::files(folder.clone()).await?,
            folder,
            recorder: Recorder::start().await?,
            at_rest,
            slowest_turn: Duration::ZERO,
            slowest_end: Duration::ZERO,
            peak: 0,
            largest: String::new(),
            bed,
        })
    }

    /// Makes the sources of all cases.
    pub(super) async fn publish(&self, cases: &[Case]) -> Result<()> {
        let mut shared = Files::default();
        shared.set("outside.yaml", fixtures::config_map("outside", SECRET));
        for case in cases.iter().filter(|case| matches!(case.source, Source::Shared)) {
            shared.put_below(&case.name, case.files.clone());
        }
        self.repository("app", shared).await?;
        for case in cases {
            match &case.source {
                Source::Shared => {}
                Source::Own => {
                    let mut files = Files::default();
                    files.put_below(&case.name, case.files.clone());
                    self.repository(&case.name, files).await?;
                }
                Source::Artifact(forged) => self.forge(&case.name, forged).await?,
            }
        }
        Ok(())
    }

    async fn repository(&self, name: &str, files: Files) -> Result<()> {
        self.bed.git.repository(&format!("{NAMESPACE}/{name}")).await?.push(&Push::new(files)).await?;
        let mut source = fixtures::git_repository(NAMESPACE, &self.bed.git.url());
        source["metadata"]["name"] = json!(name);
        source["spec"]["url"] = json!(format!("{}/{NAMESPACE}/{name}.git", self.bed.git.url()));
        self.bed.objects.apply(&source).await?;
        self.bed.objects.ready(&Ref::git_repository(NAMESPACE, name), PATIENCE).await?;
        Ok(())
    }

    /// A source that nobody reconciles and whose status somebody wrote.
    async fn forge(&self, name: &str, forged: &Forged) -> Result<()> {
        let file = format!("{name}.tar.gz");
        fs::write(self.folder.join(&file), &forged.bytes)?;
        let mut artifact = json!({
            "path": format!("gitrepository/{NAMESPACE}/{name}/{file}"),
            "url": format!("http://{}/{file}", self.files.host()),
            "revision": "main@sha1:0000000000000000000000000000000000000001",
            "digest": digest(&forged.bytes),
            "lastUpdateTime": "2026-01-01T00:00:00Z",
            "size": forged.bytes.len(),
        });
        for (field, value) in forged.fields.as_object().into_iter().flatten() {
            artifact[field] = value.clone();
        }
        let mut source = fixtures::git_repository(NAMESPACE, &self.bed.git.url());
        source["metadata"]["name"] = json!(name);
        source["spec"]["suspend"] = json!(true);
        let applied = self.bed.objects.apply(&source).await?;
        let status = json!({ "status": {
            "observedGeneration": applied["metadata"]["generation"],
            "artifact": artifact,
            "conditions": [{
                "type": "Ready",
                "status": "True",
                "reason": "Succeeded",
                "message": "stored artifact",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "observedGeneration": applied["metadata"]["generation"],
            }],
        } });
        match self.bed.objects.patch_as(&Ref::of(&source)?, &status, None, true).await {
            // The API server knows what a digest looks like: then there is none, and nothing to apply.
            Err(error) if format!("{error:#}").contains("is invalid") => Ok(()),
            result => result.map(drop),
        }
    }

    /// Tries one case; returns what is wrong with how it ended.
    pub(super) async fn attempt(&mut self, case: &Case) -> Result<Vec<String>> {
        let process = self.bed.kustomize.process()?;
        usage::reset_peak(process.pid())?;
        let before = process.usage()?.memory.max(self.at_rest);
        let (begin, calls) = (Instant::now(), self.recorder.calls());
        let mut problems = Vec::new();
        for object in &case.before {
            self.bed.objects.apply(object).await.with_context(|| case.name.clone())?;
        }
        if let Err(refusal) = self.create(case).await {
            problems.extend(case.expected.refused_at_once(&format!("{refusal:#}")));
        } else {
            let (turns, end) = tokio::join!(self.turns(&case.name), self.end(case));
            problems.extend(case.expected.judge(end?.as_ref()));
            match turns {
                Ok(longest) => self.slowest_turn = self.slowest_turn.max(longest),
                Err(error) => problems.push(format!("the innocent one: {error:#}")),
            }
        }
        self.slowest_end = self.slowest_end.max(begin.elapsed());
        let peak = process.usage().map_or(0, |usage| usage.peak);
        if peak > self.peak {
            (self.peak, self.largest) = (peak, case.name.clone());
        }
        let budget = if matches!(case.source, Source::Own) { LARGE_BUDGET } else { BUDGET };
        if peak > before + budget {
            problems.push(format!("{} MiB of memory", (peak - before) >> 20));
        }
        // The server that a kubeconfig names may be called; what it is told, the aftermath looks at.
        if self.recorder.calls() > calls && case.spec["kubeConfig"].is_null() {
            problems.push("somebody was called who should not be".to_owned());
        }
        process.check().with_context(|| format!("in {}", case.name))?;
        self.bed.objects.delete(&Ref::kustomization(NAMESPACE, &case.name)).await?;
        Ok(problems)
    }

    async fn create(&self, case: &Case) -> Result<()> {
        let mut object = fixtures::named_kustomization(NAMESPACE, &case.name, &case.spec);
        let spec = &mut object["spec"];
        let source = if matches!(case.source, Source::Shared) { "app" } else { &case.name };
        // Nothing is tried twice while the case is looked at, and nothing waits for long.
        spec["retryInterval"] = json!("10m");
        for (field, value) in [
            ("path", json!(format!("./{}", case.name))),
            ("timeout", json!("5s")),
            ("sourceRef", json!({ "kind": "GitRepository", "name": source })),
        ] {
            if case.spec.get(field).is_none() {
                spec[field] = value;
            }
        }
        if matches!(case.source, Source::Artifact(_)) {
            spec["path"] = json!("./");
        }
        for (field, value) in case.metadata.as_object().into_iter().flatten() {
            object["metadata"][field] = value.clone();
        }
        let suspended = !case.status.is_null();
        if suspended {
            object["spec"]["suspend"] = json!(true);
        }
        self.bed.objects.apply(&object).await?;
        if suspended {
            let reference = Ref::of(&object)?;
            self.bed.objects.patch_as(&reference, &json!({ "status": case.status }), None, true).await?;
            self.bed.objects.patch(&reference, &json!({ "spec": { "suspend": false } })).await?;
        }
        Ok(())
    }

    /// Has the innocent one reconciled twice; returns the longer of the two times.
    async fn turns(&self, token: &str) -> Result<Duration> {
        let mut longest = Duration::ZERO;
        for number in 1..=2 {
            let begin = Instant::now();
            let token = format!("{token} {number}");
            self.bed.objects.request(&self.canary, &token).await?;
            let handled = |object: Option<&Value>| {
                (object?["status"]["lastHandledReconcileAt"] == token.as_str()).then_some(())
            };
            self.bed.objects.wait(&self.canary, "its turn", TURN, handled).await?;
            longest = longest.max(begin.elapsed());
        }
        Ok(longest)
    }

    /// Waits until the attacker's Ready says something final; `None` when it doesn't in time.
    async fn end(&self, case: &Case) -> Result<Option<Value>> {
        let reference = Ref::kustomization(NAMESPACE, &case.name);
        let patience = if matches!(case.expected, Expected::Waiting) { GLANCE } else { PATIENCE };
        let settled = |object: Option<&Value>| {
            let object = object?;
            let ready = find_condition(object, "Ready")?;
            let judged = ready["observedGeneration"] == object["metadata"]["generation"];
            (judged && ready["status"] != "Unknown").then(|| object.clone())
        };
        Ok(self.bed.objects.wait(&reference, "an end", patience, settled).await.ok())
    }

    /// Looks at what must be so after all of them.
    pub(super) async fn aftermath(&self, cases: &[Case]) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for case in cases {
            let reference = Ref::kustomization(NAMESPACE, &case.name);
            if case.stays {
                let kept = self.bed.objects.get(&reference).await?;
                if kept.is_none_or(|object| object["metadata"]["finalizers"].is_null()) {
                    wrong.push(format!("{} let go of what it can't judge", case.name));
                    continue;
                }
                let mended = json!({ "status": { "inventory": null } });
                self.bed.objects.patch_as(&reference, &mended, None, true).await?;
            }
            if let Err(error) = self.bed.objects.gone(&reference, PATIENCE).await {
                wrong.push(format!("{} can't be deleted: {error:#}", case.name));
            }
        }
        let precious = self.bed.objects.get(&Ref::config_map(VICTIM, "precious")).await?;
        if precious.is_none_or(|object| object["data"]["color"] != "blue") {
            wrong.push("the victim's object was changed or deleted".to_owned());
        }
        let log = fs::read_to_string(self.bed.kustomize.log())?;
        let told = LEAKS.into_iter().filter(|text| self.recorder.heard(text));
        wrong.extend(told.map(|text| format!("{text:?} was told to a stranger")));
        for text in LEAKS.into_iter().chain(["panicked"]) {
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                wrong.push(format!("{text:?} in the log: {line}"));
            }
        }
        wrong.extend(self.outside()?.into_iter().map(|name| format!("written outside: {name:?}")));
        Ok(wrong)
    }

    /// What lies beside the controller's own files.
    fn outside(&self) -> Result<Vec<std::ffi::OsString>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.bed.kustomize.folder())? {
            let name = entry?.file_name();
            if !["log", "tmp", "storage"].iter().any(|known| name == *known) {
                found.push(name);
            }
        }
        let escaped = std::path::Path::new("/tmp/ferrite-escaped");
        if escaped.exists() {
            found.push(escaped.as_os_str().to_owned());
        }
        Ok(found)
    }
}

impl World {
    /// A file that the controller could read and mustn't.
    pub(super) fn secret_file(&self) -> String {
        self.folder.join("token").display().to_string()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        e2e::scratch::remove(&self.folder);
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "slowest end {:.1} s, the innocent one waited {:.2} s at most, memory {} MiB at rest, {} MiB at most ({})",
            self.slowest_end.as_secs_f64(),
            self.slowest_turn.as_secs_f64(),
            self.at_rest >> 20,
            self.peak >> 20,
            self.largest
        )
    }
}
