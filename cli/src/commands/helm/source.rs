//! Charts from disk.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use helm::chart::{self, Chart, LoadOptions, dependencies};

use super::log::{Level, log};

/// Loads a chart that can be rendered by itself.
///
/// # Errors
/// See [`load_complete`]; also a library.
pub(super) fn load_installable(path: &str) -> Result<Chart> {
    let chart = load(path)?;
    let kind = &chart.metadata.kind;
    ensure!(kind.is_empty() || kind == "application", "{kind} charts are not installable");
    if chart.metadata.deprecated {
        log(Level::Warn, "this chart is deprecated");
    }
    complete(chart).context(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' \
         to fetch missing dependencies",
    )
}

/// Loads a chart from a directory or an archive, as long as all charts that it depends on are in it.
///
/// # Errors
/// See [`load`]; also a chart that isn't there, by name.
pub(super) fn load_complete(path: &str) -> Result<Chart> {
    complete(load(path)?)
}

fn complete(chart: Chart) -> Result<Chart> {
    let missing = dependencies::missing(&chart);
    ensure!(
        missing.is_empty(),
        "found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    );
    Ok(chart)
}

/// Loads a chart from a directory or an archive.
///
/// # Errors
/// There is none, it isn't valid, or it would have to be fetched first.
pub(super) fn load(path: &str) -> Result<Chart> {
    let on_disk = Path::new(path);
    let Ok(metadata) = fs::metadata(on_disk) else { return Err(not_found(path)) };
    let options = LoadOptions::default();
    let mut warnings = Vec::new();
    let chart = if metadata.is_dir() {
        chart::load_dir(on_disk, &options, &mut warnings)?
    } else {
        let data = fs::read(on_disk).map_err(|error| anyhow!("open {path}: {error}"))?;
        chart::sniff(path, &data)?;
        chart::load_archive(&data[..], &options, &mut warnings)?
    };
    warnings.iter().for_each(|warning| log(Level::Info, warning));
    Ok(chart)
}

/// What Helm says of a chart that isn't there; it looks for it in its repositories, of which we have none.
fn not_found(path: &str) -> anyhow::Error {
    if path.contains("://") {
        return anyhow!("{path} is not supported: fetch the chart first and give its path");
    }
    if path.starts_with(['/', '.']) {
        return anyhow!("path {path:?} not found");
    }
    match path.split_once('/') {
        Some((repository, _)) => anyhow!("repo {repository} not found"),
        None => anyhow!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {path}"),
    }
}
