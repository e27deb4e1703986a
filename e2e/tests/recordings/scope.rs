//! Which scenarios are played, and why the others are not yet.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::scenario::Scenario;

/// Beginning of a name, and what it needs.
const LATER: &[(&str, &str)] = &[
    ("git-ssh", "ssh"),
    ("git-include", "include"),
    ("git-sparse", "sparse checkout"),
    ("git-submodule", "submodules"),
    ("git-verify", "signatures"),
    ("oci", "OCIRepository"),
];

/// The scenarios in scope whose name contains one of the words; all of them without words.
pub(crate) fn scenarios(recordings: &Path, words: &[String]) -> Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for controller in ["source", "kustomize"] {
        let folder = recordings.join(controller);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("failed to read {folder:?}"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        for name in names.into_iter().filter(|name| in_scope(name) && asked(name, words)) {
            scenarios.push(Scenario::read(&folder.join(&name), &name)?);
        }
    }
    Ok(scenarios)
}

fn in_scope(name: &str) -> bool {
    !LATER.iter().any(|(beginning, _)| name.starts_with(beginning))
}

fn asked(name: &str, words: &[String]) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
}
