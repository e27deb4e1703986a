//! From a chart and a user's values to what a release consists of.
//!
//! The steps that Helm's install, upgrade and template share: dependencies, values, schema, rendering,
//! notes, and sorting into hooks and manifests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use gotemplate::Map;
use sprig::semver::{Constraint, Version};

use crate::chart::{Chart, dependencies};
use crate::manifest::{self, Hook, Manifest, Order};
use crate::render::{self, Context};
use crate::{schema, text, values};

/// The file whose text is shown to the user instead of being applied.
const NOTES: &str = "NOTES.txt";

/// How to assemble a release.
#[derive(Clone, Default)]
pub struct Options {
    pub render: render::Options,
    /// Whether the definitions in `crds/` are part of the manifest.
    pub include_crds: bool,
    /// Whether the notes of subcharts are shown, too.
    pub sub_notes: bool,
    /// Whether values may be at odds with `values.schema.json`.
    pub skip_schema: bool,
}

/// What a release consists of.
#[derive(Clone, Debug, Default)]
pub struct Assembled {
    pub hooks: Vec<Hook>,
    /// In the order of installation.
    pub manifests: Vec<Manifest>,
    /// The manifests as one text, as the release record keeps it.
    pub manifest: String,
    pub notes: String,
    /// What Helm would print to standard error.
    pub warnings: Vec<String>,
}

/// Why a release couldn't be assembled; the texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(String),
    #[error("{0}")]
    Values(String),
    #[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{0}")]
    Schema(String),
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}")]
    KubeVersion { wanted: String, found: String },
    #[error(transparent)]
    Render(#[from] render::Error),
    /// A rendered document isn't an object; with everything that was rendered, for debugging.
    #[error("{error}")]
    Manifest { error: manifest::Error, rendered: String },
}

impl Error {
    /// Whether Helm has a release to show by then, and says so.
    pub fn has_release(&self) -> bool {
        matches!(self, Self::KubeVersion { .. } | Self::Render(_) | Self::Manifest { .. })
    }
}

/// Assembles a release from a chart and a user's values.
///
/// The chart is changed as Helm changes it: disabled dependencies go, imported values come in.
///
/// # Errors
/// See [`Error`].
pub fn assemble(
    chart: &mut Chart,
    user_values: &Rc<Map>,
    context: &Context,
    options: &Options,
) -> Result<Assembled, Error> {
    let compat = options.render.compat;
    let mut assembled = Assembled::default();
    dependencies::process(chart, user_values, compat, &mut assembled.warnings)
        .map_err(|error| Error::Dependencies(error.to_string()))?;
    let coalesced = values::coalesce(chart, user_values, compat, &mut assembled.warnings)
        .map_err(|error| Error::Values(error.to_string()))?;
    if !options.skip_schema {
        schema::validate(chart, &coalesced, &mut assembled.warnings)
            .map_err(|error| Error::Schema(error.to_string()))?;
    }
    check_kube_version(chart, context)?;
    let mut files = render::render(chart, coalesced, context, &options.render)?;
    assembled.notes = take_notes(&mut files, chart, options.sub_notes);
    let sorted = manifest::sort(&files, Order::Install, compat)
        .map_err(|error| Error::Manifest { error, rendered: everything(&files) })?;
    // They are as large as all that follows.
    drop(files);
    let unknown = sorted.unknown_hooks.iter();
    assembled.warnings.extend(unknown.map(|(source, events)| {
        format!("{source}: dropped, since it is a hook for {events:?}, which isn't known")
    }));
    assembled.hooks = sorted.hooks;
    assembled.manifests = sorted.manifests;
    assembled.manifest = manifest_text(chart, &assembled.manifests, options.include_crds);
    Ok(assembled)
}

fn check_kube_version(chart: &Chart, context: &Context) -> Result<(), Error> {
    let wanted = &chart.metadata.kube_version;
    let kube_version = &context.capabilities.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let version = Version::parse(&kube_version.normalized);
    let is_compatible = match (Constraint::parse(wanted), version) {
        (Ok(constraint), Ok(version)) => constraint.check(&version),
        _ => false,
    };
    if is_compatible {
        return Ok(());
    }
    Err(Error::KubeVersion { wanted: wanted.clone(), found: kube_version.version.clone() })
}

/// Takes the notes out of the rendered files. Several of them come in the order of their paths, where
/// Helm's order is chance.
fn take_notes(files: &mut BTreeMap<String, String>, chart: &Chart, sub_notes: bool) -> String {
    let own = text::clean(&format!("{}/templates/{NOTES}", chart.name()));
    let mut notes = String::new();
    files.retain(|path, content| {
        if !path.ends_with(NOTES) {
            return true;
        }
        if sub_notes || *path == own {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(content);
        }
        false
    });
    notes
}

/// All that was rendered, for a user who looks for a mistake in it.
fn everything(files: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    for (source, content) in files.iter().filter(|(_, content)| !content.trim().is_empty()) {
        let _ = write!(out, "---\n# Source: {source}\n{content}\n");
    }
    out
}

fn manifest_text(chart: &Chart, manifests: &[Manifest], include_crds: bool) -> String {
    let size: usize =
        manifests.iter().map(|manifest| manifest.content.len() + manifest.source.len() + 20).sum();
    let mut out = String::with_capacity(size);
    if include_crds {
        for crd in chart.crds() {
            let _ = write!(out, "---\n# Source: {}\n{}\n", crd.path, crd.file.data);
        }
    }
    for manifest in manifests {
        let _ = write!(out, "---\n# Source: {}\n{}\n", manifest.source, manifest.content);
    }
    out
}
