//! Builds what Flux built, and compares: digest and inventory of builds that succeed, messages of those that fail.
//!
//! The recordings lie beside the checkout; without them the test says so and passes.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use api::kustomize::v1::Kustomization;
use api::meta::{ObjectRef, condition, reason};
use kustomization::{Built, Inputs, Variables};
use serde_json::Value;

/// Recorded messages that differ in what a library says, or in that our tree of files has no outside.
const OTHER_TAILS: [(&str, &str); 2] = [
    (
        "ks-build-outside",
        "kustomize build failed: accumulating resources: accumulation err='accumulating resources from '../../../etc': \
         fs-security-constraint read ../../../etc: path '../../../etc' is not in or below '/'': \
         fs-security-constraint read ../../../etc: path '../../../etc' is not in or below '/'",
    ),
    (
        "ks-yaml-invalid",
        "failed to decode Kubernetes YAML from /bad.yaml: MalformedYAMLError: yaml: line 1: \
         mapping values are not allowed in this context",
    ),
];

#[test]
fn builds_equal_the_recorded_ones() {
    let Some(recordings) = recordings() else {
        eprintln!("skipped: there are no recordings beside the checkout");
        return;
    };
    let mut compared = 0;
    let mut failures = Vec::new();
    for scenario in sorted(&recordings).unwrap() {
        let recorded = Recorded::read(&scenario).unwrap_or_else(|e| panic!("{}: {e}", scenario.display()));
        for object in &recorded.kustomizations {
            match recorded.compare(object) {
                Ok(done) => compared += done,
                Err(difference) => {
                    failures.push(format!("{} {:?}: {difference}", recorded.name, object.metadata.name))
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {compared} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(compared >= 80, "only {compared} comparisons");
}

fn recordings() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let recordings = checkout.parent()?.join("shared/conformance/recordings/kustomize");
    recordings.is_dir().then_some(recordings)
}

fn sorted(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// One scenario: the Kustomizations at its end, and each tree that was pushed.
struct Recorded {
    name: String,
    kustomizations: Vec<Kustomization>,
    trees: Vec<tempfile::TempDir>,
    /// ConfigMaps and Secrets, as they were at first and in the end.
    cluster: [Vec<Value>; 2],
}

impl Recorded {
    fn read(scenario: &Path) -> Result<Self, Box<dyn Error>> {
        let name = scenario.file_name().ok_or("no name")?.to_string_lossy().into_owned();
        let mut kustomizations = Vec::new();
        let objects = |file: &str| -> Result<Vec<Value>, Box<dyn Error>> {
            let path = scenario.join(file);
            let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
            Ok(krm::parse(&text)?.into_iter().map(krm::Node::into_json).collect())
        };
        let (at_first, mut in_the_end) = (objects("input.yaml")?, objects("result.yaml")?);
        for object in &in_the_end {
            if object["apiVersion"] == "kustomize.toolkit.fluxcd.io/v1" {
                // Times are placeholders in recordings.
                let text = object.to_string().replace("<time>", "2026-01-01T00:00:00Z");
                kustomizations.push(serde_json::from_str(&text)?);
            }
        }
        let mut trees = Vec::new();
        for tree in sorted(&scenario.join("repo"))? {
            let copied = tempfile::tempdir()?;
            copy(&tree, copied.path(), &name)?;
            trees.push(copied);
        }
        in_the_end.extend(at_first.iter().filter(|object| object["kind"] == "Secret").cloned());
        Ok(Self { name, kustomizations, trees, cluster: [at_first, in_the_end] })
    }

    /// Compares one Kustomization; returns how many builds were compared.
    fn compare(&self, object: &Kustomization) -> Result<usize, String> {
        let Some(status) = object.status.as_ref() else { return Ok(0) };
        let ready = status.conditions.iter().find(|condition| condition.type_ == condition::READY);
        let Some(ready) = ready else { return Ok(0) };
        let mut builds = Vec::new();
        for cluster in &self.cluster {
            let inputs = inputs(object, cluster);
            let build = |tree: &tempfile::TempDir| kustomization::build(tree.path(), &object.spec, &inputs);
            builds.extend(self.trees.iter().map(build));
        }

        let of_the_build = [
            "kustomize build failed",
            "failed to decode",
            "kustomization path not found",
            "decryption failed",
            "post build failed",
        ];
        if of_the_build.iter().any(|prefix| ready.message.starts_with(prefix)) {
            let error = builds.last().and_then(|build| build.as_ref().err()).ok_or("the build succeeds")?;
            return self.compare_message(&ready.message, &chain(error)).map(|()| 1);
        }
        let built = |digest: &str| builds.iter().flatten().find(|built| built.digest == digest);
        for snapshot in &status.history {
            built(&snapshot.digest)
                .ok_or_else(|| format!("no build has the digest {}: {builds:?}", snapshot.digest))?;
        }
        if let Some(newest) =
            status.history.first().filter(|_| ready.reason == reason::RECONCILIATION_SUCCEEDED)
        {
            let expected = status
                .inventory
                .iter()
                .flat_map(|inventory| &inventory.entries)
                .map(|entry| entry.id.clone());
            let ids = built(&newest.digest).map(ids).unwrap_or_default();
            if ids != expected.collect() {
                return Err(format!("the inventory differs: {ids:?}"));
            }
        }
        Ok(status.history.len())
    }

    fn compare_message(&self, recorded: &str, ours: &str) -> Result<(), String> {
        let recorded = recorded.replace("<dir>/kustomization-<n>", "");
        let accepted =
            OTHER_TAILS.iter().find(|(name, _)| *name == self.name).map_or(&*recorded, |(_, text)| text);
        let place = ours.strip_prefix(accepted);
        let fits = place.is_some_and(|place| place.is_empty() || place.starts_with(" in line "));
        if fits { Ok(()) } else { Err(format!("the message differs:\n  {recorded}\n  {ours}")) }
    }
}

/// What the controller reads for a build.
fn inputs(object: &Kustomization, cluster: &[Value]) -> Inputs {
    let find = |kind: &str, name: &str| {
        cluster.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    };
    let mut variables = Ok(BTreeMap::new());
    for reference in object.spec.post_build.iter().flat_map(|build| &build.substitute_from) {
        let kind = serde_json::to_value(reference.kind).expect("the test's own data is right");
        let kind = kind.as_str().expect("the test's own data is right");
        match (find(kind, &reference.name), &mut variables) {
            (Some(found), Ok(variables)) => variables.extend(texts(found)),
            (None, Ok(_)) if !reference.optional => {
                let (name, plural) = (&reference.name, format!("{}s", kind.to_lowercase()));
                variables =
                    Err(format!("substitute from '{kind}/{name}' error: {plural} \"{name}\" not found"));
            }
            _ => {}
        }
    }
    let variables = match variables {
        Ok(variables) => Variables::Read(variables),
        Err(message) => Variables::Unreadable(Arc::from(Box::<dyn Error + Send + Sync>::from(message))),
    };
    let mut inputs = Inputs { variables, ..Inputs::default() };
    let secret = object.spec.decryption.as_ref().and_then(|decryption| decryption.secret_ref.as_ref());
    if let Some(secret) = secret.and_then(|reference| find("Secret", &reference.name)) {
        let mut keys = sops::Identities::default();
        texts(secret).iter().for_each(|(_, key)| keys.add_age(key).expect("the test's own data is right"));
        inputs.decryption = Some(Arc::new(keys));
    }
    inputs
}

fn texts(object: &Value) -> Vec<(String, String)> {
    let field = if object["kind"] == "Secret" { "stringData" } else { "data" };
    let texts = object[field].as_object().into_iter().flatten();
    texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn copy(from: &Path, to: &Path, namespace: &str) -> io::Result<()> {
    for path in sorted(from)? {
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            fs::create_dir(&to)?;
            copy(&path, &to, namespace)?;
        } else {
            fs::write(to, fs::read_to_string(path)?.replace("@NS@", namespace))?;
        }
    }
    Ok(())
}

fn ids(built: &Built) -> BTreeSet<String> {
    let ids = built.objects.iter().map(|object| {
        let krm::Id { group, kind, namespace, name, .. } = object.id();
        ObjectRef { namespace, name, group, kind }.to_string()
    });
    ids.collect()
}

fn chain(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}
