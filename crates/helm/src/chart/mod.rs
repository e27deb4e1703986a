//! Charts: what they consist of, and how they come out of archives and directories.

mod archive;
pub(crate) mod decode;
pub mod dependencies;
mod directory;
mod glob;
pub mod ignore;
mod load;
mod metadata;
mod sharing;
mod validate;

pub use archive::{ArchiveError, NotAnArchive, is_archive, sniff};
pub use decode::DecodeError;
pub use directory::load_dir;
pub use load::{Error, Limits, LoadOptions, load_archive, load_files};
pub use metadata::{Dependency, Lock, Maintainer, Metadata, ValidationError};
pub(crate) use validate::{revalidate, validate as validate_draft};

use crate::text;
use gotemplate::Str;
use jiff::Timestamp;

/// Default values of a chart, or any other map of plain data. Keys are sorted, numbers are floats.
pub type Table = serde_json::Map<String, serde_json::Value>;

/// A chart with its subcharts.
///
/// It may be sent to other threads; cloning shares the contents of files.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// `Chart.yaml`, and what `requirements.yaml` adds to it.
    pub metadata: Metadata,
    /// `Chart.lock` or `requirements.lock`.
    pub lock: Option<Lock>,
    /// `values.yaml`, parsed; after [`dependencies::process`] with imported values.
    pub values: Option<Table>,
    /// `values.yaml` as it was written.
    pub values_file: Option<File>,
    /// `values.schema.json`.
    pub schema: Option<File>,
    /// Everything below `templates/`, in the order of the archive or directory.
    pub templates: Vec<File>,
    /// What is left: `crds/`, README, LICENSE, …; the content of `.Files`.
    pub files: Vec<File>,
    /// Subcharts in the order of their names below `charts/`.
    pub dependencies: Vec<Self>,
    /// When `Chart.yaml` was written.
    pub modified: Option<Timestamp>,
}

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path relative to the chart's root, with `/`.
    pub name: String,
    /// Its content, without a byte order mark.
    pub data: Str,
    /// When it was written, where that is known.
    pub modified: Option<Timestamp>,
}

/// A custom resource definition from a chart's `crds/`.
#[derive(Clone, Debug)]
pub struct Crd<'a> {
    /// Its path with the chart's full path before it: `app/charts/db/crds/x.yaml`.
    pub path: String,
    /// The file itself.
    pub file: &'a File,
}

impl File {
    /// Makes a file of a path and a content.
    pub fn new(name: impl Into<String>, data: impl Into<Str>) -> Self {
        Self { name: name.into(), data: data.into(), modified: None }
    }
}

impl Chart {
    /// The chart's name, or the alias under which its parent uses it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it only has helpers for other charts.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// The definitions in `crds/`, the chart's own first, then its subcharts' depth first.
    #[must_use]
    pub fn crds(&self) -> Vec<Crd<'_>> {
        let mut crds = Vec::new();
        self.collect_crds(self.name(), &mut crds);
        crds
    }

    /// Says of all its files, and of its subcharts', that they were written at that time.
    pub fn stamp(&mut self, time: Timestamp) {
        self.modified = Some(time);
        let single = self.values_file.iter_mut().chain(&mut self.schema);
        single.chain(&mut self.templates).chain(&mut self.files).for_each(|file| file.modified = Some(time));
        self.dependencies.iter_mut().for_each(|sub| sub.stamp(time));
    }

    fn collect_crds<'a>(&'a self, full_path: &str, crds: &mut Vec<Crd<'a>>) {
        let own = self.files.iter().filter(|file| file.name.starts_with("crds/") && is_manifest(&file.name));
        crds.extend(own.map(|file| Crd { path: text::clean(&format!("{full_path}/{}", file.name)), file }));
        for dependency in &self.dependencies {
            dependency.collect_crds(&format!("{full_path}/charts/{}", dependency.name()), crds);
        }
    }
}

/// Whether a path matches a pattern as Go's `filepath.Match` takes it; no when the pattern isn't valid.
#[must_use]
pub fn path_matches(pattern: &str, path: &str) -> bool {
    glob::matches(pattern, path).unwrap_or(false)
}

fn is_manifest(name: &str) -> bool {
    let extension = text::extension(name);
    [".yaml", ".yml", ".json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
