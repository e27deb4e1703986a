//! Renders a chart as `helm template demo CHART -n apps --include-crds --kube-version 1.37.2 [-f VALUES]` does: for
//! profilers and comparisons.
//!
//! usage: `template CHART [VALUES_FILE]`

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

use helm::chart::{self, LoadOptions};
use helm::render::KubeVersion;
use helm::values::{self, Input};
use helm::{Compat, assemble};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("usage: template CHART [VALUES_FILE]")?;
    let mut warnings = Vec::new();
    let mut chart = chart::load_dir(Path::new(&folder), &LoadOptions::default(), &mut warnings)?;
    let read = |name: String| fs::read(&name).map(|text| (name, text));
    let files = arguments.map(read).collect::<Result<_, _>>()?;
    let input = Input { files, ..Input::default() };
    let values = values::collect(&input, Compat::default(), &mut |_| Err("no file is asked for".to_owned()))?;
    let mut context = support::context("demo", "apps");
    context.capabilities.kube_version = KubeVersion::parse("1.37.2")?;
    let options = assemble::Options { include_crds: true, ..assemble::Options::default() };
    let assembled = assemble::assemble(&mut chart, &values, &context, &options)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", assembled.manifest.trim())?;
    for hook in &assembled.hooks {
        write!(out, "---\n# Source: {}\n{}\n", hook.path, hook.manifest)?;
    }
    Ok(())
}
