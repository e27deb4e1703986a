//! One recorded folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use e2e::yaml;
use serde_json::Value;

/// What is done, and what Flux made of it.
pub(crate) struct Scenario {
    /// The folder's name, which is the namespace as well.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Verb and argument.
    pub(crate) steps: Vec<(String, Value)>,
    /// Seconds without a change that end the scenario.
    pub(crate) quiet: f64,
}

impl Scenario {
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self> {
        let text = read(&folder.join("scenario.yaml"))?;
        let document = yaml::document(&text).with_context(|| format!("in {folder:?}"))?;
        let mut steps = Vec::new();
        for step in document["steps"].as_array().context("a scenario has steps")? {
            let (verb, argument) =
                step.as_object().and_then(|step| step.iter().next()).context("an empty step")?;
            steps.push((verb.clone(), argument.clone()));
        }
        let quiet = document["quiet"].as_f64().unwrap_or(2.0);
        Ok(Self { name: name.to_owned(), folder: folder.to_owned(), steps, quiet })
    }

    /// Whether a step touches what other scenarios need at the same time.
    pub(crate) fn restarts(&self) -> bool {
        self.steps.iter().any(|(verb, _)| verb == "restart")
    }

    /// A file of the folder; empty when it isn't there.
    pub(crate) fn file(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        if path.exists() { read(&path) } else { Ok(String::new()) }
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {path:?}"))
}
