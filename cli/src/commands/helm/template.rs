//! `helm template`: what an install would apply, to stdout or to files.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::mem;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Result, anyhow, bail, ensure};
use helm::assemble::{self, Assembled, Error};
use helm::chart::{Chart, Crd};
use helm::manifest::Event;
use helm::render::{Capabilities, Context, KubeVersion, ReleaseInfo};
use helm::{Compat, manifest};

use super::args::Template;
use super::log::{Level, log};
use super::source;
use super::values;
use crate::output;
use crate::sources::Surroundings;

/// What Helm calls a release that has no name.
const NO_NAME: &str = "release-name";
const DEFAULT_NAMESPACE: &str = "default";
/// The longest name of a release.
const MAX_NAME: usize = 53;
/// How Helm describes the names.
const NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Renders a chart.
pub(super) fn run(args: &Template, namespace: Option<&str>) -> Result<()> {
    let (name, path) = match &args.name_and_chart[..] {
        [chart] => (NO_NAME, chart),
        [name, chart] => (name.as_str(), chart),
        _ => bail!(
            "expected at most two arguments, unexpected arguments: {}",
            args.name_and_chart[2..].join(", ")
        ),
    };
    let context = context(args, name, namespace.unwrap_or(DEFAULT_NAMESPACE))?;
    let values = values::collect(&args.values)?;
    let mut chart = source::load_installable(path)?;
    check_name(name)?;
    let mut options =
        assemble::Options { skip_schema: args.skip_schema_validation, ..assemble::Options::default() };
    options.render.enable_dns = args.enable_dns;
    match assemble::assemble(&mut chart, &values, &context, &options) {
        Ok(assembled) => {
            assembled.warnings.iter().for_each(|warning| log(Level::Info, warning));
            match &args.output_dir {
                Some(dir) => write(args, name, dir, &chart, &assembled)?,
                None => print(args, &chart, &assembled)?,
            }
            // The program ends: to free this piece by piece takes longer than to leave it to the system.
            mem::forget((chart, assembled, values));
            Ok(())
        }
        Err(Error::Manifest { error, rendered }) if args.debug => {
            output::print(&format!("{}\n", rendered.trim()))?;
            Err(error.into())
        }
        Err(error) if error.has_release() && !args.debug => {
            Err(anyhow!("{error}\n\nUse --debug flag to render out invalid YAML"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses what can't be a release's name: names of Kubernetes, and no longer than labels have room for.
fn check_name(name: &str) -> Result<()> {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        label.bytes().all(fits) && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    ensure!(
        name.len() <= MAX_NAME && name.split('.').all(is_label),
        "release name check failed: release name {name:?}: invalid release name, must match regex {NAME} and the \
         length must not be longer than {MAX_NAME}"
    );
    Ok(())
}

fn context(args: &Template, name: &str, namespace: &str) -> Result<Context> {
    let mut capabilities = Capabilities::default();
    if let Some(version) = &args.kube_version {
        capabilities.kube_version = KubeVersion::parse(version)
            .map_err(|error| anyhow!("invalid kube version '{version}': {error}"))?;
    }
    let known = capabilities.api_versions.iter().chain(&args.api_versions);
    capabilities.api_versions = known.cloned().collect();
    Ok(Context {
        release: ReleaseInfo {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            revision: 1,
            is_install: !args.is_upgrade,
            is_upgrade: args.is_upgrade,
        },
        capabilities,
        sources: Rc::new(Surroundings),
        lookup: None,
    })
}

fn print(args: &Template, chart: &Chart, assembled: &Assembled) -> Result<()> {
    let mut hooks = String::new();
    for hook in shown_hooks(args, assembled) {
        let _ = write!(hooks, "---\n# Source: {}\n{}\n", hook.path, hook.manifest);
    }
    let crds = if args.include_crds { chart.crds() } else { Vec::new() };
    let mut pieces = manifest(&crds, assembled);
    pieces.extend(["\n", &hooks].map(Cow::from));
    if args.show_only.is_empty() {
        pieces.iter().try_for_each(|piece| output::print(piece))?;
    } else {
        output::print(&only(&pieces.concat(), &args.show_only)?)?;
    }
    Ok(())
}

/// The manifest without space at its end. It can be large, the definitions above all: so it stays in pieces, which
/// aren't copied to be printed.
fn manifest<'a>(crds: &'a [Crd<'a>], assembled: &'a Assembled) -> Vec<Cow<'a, str>> {
    let mut pieces = Vec::new();
    for crd in crds {
        let source = format!("---\n# Source: {}\n", crd.path);
        pieces.extend([source.into(), crd.file.data.to_string_lossy(), "\n".into()]);
    }
    pieces.push(Cow::from(&assembled.manifest));
    while let Some(last) = pieces.pop() {
        let length = last.trim_end().len();
        if length > 0 {
            pieces.push(match last {
                Cow::Borrowed(text) => Cow::from(&text[..length]),
                Cow::Owned(text) => Cow::from(text[..length].to_owned()),
            });
            break;
        }
    }
    pieces
}

fn shown_hooks<'a>(args: &Template, assembled: &'a Assembled) -> Vec<&'a manifest::Hook> {
    if args.no_hooks {
        return Vec::new();
    }
    assembled.hooks.iter().filter(|hook| !(args.skip_tests && hook.runs_on(Event::Test))).collect()
}

/// The documents of some templates, in the order in which those are asked for.
fn only(all: &str, patterns: &[String]) -> Result<String> {
    let documents = manifest::split(all, Compat::default());
    let mut out = String::new();
    for pattern in patterns {
        let mut found = false;
        for document in documents.iter().filter(|document| is_of(document, pattern)) {
            let _ = write!(out, "---\n{document}\n");
            found = true;
        }
        if !found {
            bail!("could not find template {pattern} in chart");
        }
    }
    Ok(out)
}

/// Whether a document says that it comes from a template of that path, which may be a pattern.
fn is_of(document: &str, pattern: &str) -> bool {
    let source = document.lines().find_map(|line| {
        let (_, rest) = line.split_once("# Source: ")?;
        let (chart, path) = rest.split_once('/')?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    });
    source.is_some_and(|path| helm::chart::path_matches(pattern, path))
}

/// Writes each template's documents to a file of its own.
fn write(args: &Template, name: &str, dir: &Path, chart: &Chart, assembled: &Assembled) -> Result<()> {
    let named = if args.release_name { dir.join(name) } else { dir.to_owned() };
    let mut files = Files::default();
    if args.include_crds {
        // Helm puts them beside the folder with the release's name, not into it.
        for crd in chart.crds() {
            files.add(dir, &crd.path, &crd.file.data.to_string_lossy())?;
        }
    }
    for manifest in &assembled.manifests {
        files.add(&named, &manifest.source, &manifest.content)?;
    }
    for hook in shown_hooks(args, assembled) {
        files.add(&named, &hook.path, &hook.manifest)?;
    }
    // What is left of the manifest, which went into the files.
    output::print("\n")?;
    Ok(())
}

/// The files written so far: later documents of a template go behind the earlier ones.
#[derive(Default)]
struct Files {
    written: HashSet<PathBuf>,
}

impl Files {
    fn add(&mut self, dir: &Path, source: &str, document: &str) -> Result<()> {
        let path = dir.join(source);
        let fail = |error: std::io::Error| anyhow!("write {}: {error}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let is_new = self.written.insert(path.clone());
        let mut options = OpenOptions::new();
        options.create(true);
        if is_new {
            options.write(true).truncate(true);
        } else {
            options.append(true);
        }
        let mut file = options.open(&path).map_err(fail)?;
        file.write_all(format!("---\n# Source: {source}\n{document}\n").as_bytes()).map_err(fail)?;
        output::print(&format!("wrote {}\n", path.display()))?;
        Ok(())
    }
}
