//! `helm show`: what a chart says about itself.

use anyhow::Result;
use helm::chart::Chart;
use helm::package;

use super::args::Show;
use super::source;
use crate::output;

/// Names that a chart's README goes by, in lower case.
const READMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];

/// Prints one part of a chart, or all.
pub(super) fn run(what: &Show) -> Result<()> {
    let (Show::All(args) | Show::Chart(args) | Show::Values(args) | Show::Readme(args) | Show::Crds(args)) =
        what;
    let chart = source::load(&args.chart)?;
    let text = match what {
        Show::All(_) => all(&chart)?,
        Show::Chart(_) => format!("{}\n", package::definition(&chart.metadata)?),
        Show::Values(_) => values(&chart).map(|text| format!("{text}\n")).unwrap_or_default(),
        Show::Readme(_) => readme(&chart).map(|text| format!("{text}\n")).unwrap_or_default(),
        Show::Crds(_) => crds(&chart),
    };
    output::print(&text)?;
    Ok(())
}

fn all(chart: &Chart) -> Result<String> {
    let mut out = format!("{}\n", package::definition(&chart.metadata)?);
    if let Some(values) = values(chart) {
        out.push_str(&format!("---\n{values}\n"));
    }
    if let Some(readme) = readme(chart) {
        out.push_str(&format!("---\n{readme}\n"));
    }
    out.push_str(&crds(chart));
    Ok(out)
}

fn values(chart: &Chart) -> Option<String> {
    chart.values_file.as_ref().map(|file| file.data.to_string())
}

fn readme(chart: &Chart) -> Option<String> {
    let is_readme = |name: &str| READMES.iter().any(|known| name.eq_ignore_ascii_case(known));
    chart.files.iter().find(|file| is_readme(&file.name)).map(|file| file.data.to_string())
}

fn crds(chart: &Chart) -> String {
    let mut out = String::new();
    for crd in chart.crds() {
        let text = crd.file.data.to_string();
        if !text.starts_with("---") {
            out.push_str("---\n");
        }
        out.push_str(&text);
        out.push('\n');
    }
    out
}
