//! The entries of the stored tarballs.

use std::{fmt::Write, fs::File, path::Path};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;

use crate::{compare::Difference, play::Stage, scenario::Scenario};

/// Compares the entries of each tarball that `artifact.txt` lists.
pub(crate) async fn compare(stage: &Stage, scenario: &Scenario) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    let recorded = recorded(&scenario.file("artifact.txt")?);
    // No entries: the scenario claims an artifact that isn't there.
    for (object, entries) in recorded.into_iter().filter(|(_, entries)| !entries.is_empty()) {
        let reference = e2e::Ref::git_repository(&scenario.name, &object);
        let Some(repository) = stage.bed.objects.get(&reference).await? else { continue };
        let Some(path) = repository["status"]["artifact"]["path"].as_str() else { continue };
        let ours = list(&stage.bed.source.storage().join(path));
        let ours = ours.unwrap_or_else(|error| format!("{error:#}"));
        if ours != entries {
            differences.push(Difference::new(format!("archive {object}"), entries, ours));
        }
    }
    Ok(differences)
}

/// Name and entries of each section.
fn recorded(text: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            sections.push((title.split(' ').next().unwrap_or_default().to_owned(), String::new()));
        } else if let Some((_, entries)) = sections.last_mut() {
            entries.push_str(line);
            entries.push('\n');
        }
    }
    sections
}

fn list(path: &Path) -> Result<String> {
    let file = File::open(path).with_context(|| format!("failed to open {path:?}"))?;
    let mut text = String::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let entry = entry?;
        let header = entry.header();
        writeln!(
            text,
            "{} {:04o} {}:{} '{}':'{}' mtime={} size={} {}",
            header.entry_type().as_byte() as char,
            header.mode()?,
            header.uid()?,
            header.gid()?,
            header.username()?.unwrap_or_default(),
            header.groupname()?.unwrap_or_default(),
            header.mtime()?,
            header.size()?,
            entry.path()?.display(),
        )?;
    }
    Ok(text)
}
