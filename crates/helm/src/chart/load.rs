//! Files to charts.
//!
//! Source: Helm's `pkg/chart/loader` and `pkg/chart/v2/loader`.

use super::archive::{self, ArchiveError};
use super::decode::{self, DecodeError, Draft};
use super::metadata::{Lock, ValidationError};
use super::validate::validate;
use super::{Chart, File, Table, ignore};
use crate::compat::Compat;
use crate::text;
use crate::values::{ReadError, read_documents};
use std::collections::BTreeMap;
use std::io;

/// How a chart is read.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Which Helm's behaviour holds.
    pub compat: Compat,
    /// How much one chart may make us read.
    pub limits: Limits,
}

/// Bounds on what one chart may make us do.
///
/// Deviation: Helm bounds each packed subchart for itself, so that a small archive can stand for any number of bytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most bytes in all files of an archive or directory together, and again in all packed subcharts together.
    /// Helm's 100 MiB.
    pub chart_bytes: u64,
    /// Most bytes in one file; `None` is no limit but the chart's. Up to Helm 4.2 it was 5 MiB.
    pub file_bytes: Option<u64>,
    /// Most files and directories in an archive or directory, and again in all packed subcharts together.
    pub entries: usize,
    /// How deep charts may lie in charts.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { chart_bytes: 100 << 20, file_bytes: None, entries: 100_000, depth: 32 }
    }
}

/// A chart that can't be loaded. The texts are Helm's, with the cause in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes aren't gzip.
    #[error("stream does not appear to be a valid chart file (details: gzip: invalid header)")]
    NotGzip,
    /// The archive is broken or breaks a rule.
    #[error("unable to load chart archive")]
    Archive(#[source] ArchiveError),
    /// There is no `Chart.yaml`.
    #[error("unable to detect chart version, no Chart.yaml found")]
    NoChartFile,
    /// The directory has no `Chart.yaml`.
    #[error("unable to detect chart at {path}")]
    NoChartFileAt {
        /// Where it should be.
        path: String,
        /// Why it can't be read.
        source: io::Error,
    },
    /// The `apiVersion` is neither `v1` nor `v2`.
    #[error("unsupported chart version")]
    UnsupportedVersion,
    /// A subchart has no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    MissingChartFile,
    /// A file of the chart can't be read.
    #[error("cannot load {file}")]
    Decode {
        /// The file's name.
        file: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The default values can't be read.
    #[error("cannot load values.yaml")]
    Values(#[source] ReadError),
    /// The metadata break a rule.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// A packed subchart isn't where its name says.
    #[error("error unpacking subchart tar in {chart}: expected {expected}, got {got}")]
    SubchartPath {
        /// The chart that has it.
        chart: String,
        /// The name of the archive.
        expected: String,
        /// The path of the file.
        got: String,
    },
    /// A subchart can't be loaded.
    #[error("error unpacking subchart {name} in {chart}")]
    Subchart {
        /// Its name below `charts/`.
        name: String,
        /// The chart that has it.
        chart: String,
        /// What is wrong with it.
        source: Box<Self>,
    },
    /// A packed subchart can't be unpacked.
    #[error(transparent)]
    SubchartArchive(ArchiveError),
    /// Charts lie in charts deeper than [`Limits::depth`].
    #[error("subcharts are nested deeper than {0} levels")]
    Depth(usize),
    /// The directory has more entries than [`Limits::entries`].
    #[error("chart has more than {0} files")]
    Entries(usize),
    /// The rules for ignored files can't be used.
    #[error(transparent)]
    Ignore(#[from] ignore::Error),
    /// A device, socket or the like is in the directory.
    #[error("cannot load irregular file {0} as it has file mode type bits set")]
    Irregular(String),
    /// A file is larger than [`Limits::file_bytes`].
    #[error("chart file {name} is larger than the maximum file size {limit}")]
    LargeFile {
        /// The file's path in quotes.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The directory's files are larger than [`Limits::chart_bytes`].
    #[error("error reading {name}: chart exceeds maximum decompressed size of {limit} bytes")]
    LargeChart {
        /// The file with which it became too large.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A symbolic link leads out of the directory or in a circle.
    #[error("symbolic link leads out of the chart or in a circle: {0:?}")]
    Link(String),
    /// A file or directory can't be read.
    #[error("error reading {name}")]
    Read {
        /// Its path in the chart.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// Loads a chart from a packed archive (`.tgz`).
///
/// Warnings are Helm's texts.
///
/// # Errors
/// See [`Error`].
pub fn load_archive(
    packed: impl io::Read,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<Chart, Error> {
    let files = archive::files(packed, &mut options.limits.clone()).map_err(|error| match error {
        ArchiveError::NotGzip => Error::NotGzip,
        error => Error::Archive(error),
    })?;
    load_files(files, options, warnings)
}

/// Loads a chart from its files, whose names are relative to its root.
///
/// # Errors
/// See [`Error`].
pub fn load_files(
    files: Vec<File>,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<Chart, Error> {
    let Some(chart_file) = files.iter().find(|file| file.name == CHART_FILE) else {
        return Err(Error::NoChartFile);
    };
    let version =
        decode::api_version(&chart_file.data).map_err(|source| Error::Decode { file: CHART_FILE, source })?;
    if !matches!(version.as_str(), "" | "v1" | "v2") {
        return Err(Error::UnsupportedVersion);
    }
    let mut loading = Loading { options, warnings, remaining: options.limits.clone() };
    assemble(files, &mut loading, 0)
}

const CHART_FILE: &str = "Chart.yaml";

/// What a chart and all its subcharts share while they are loaded.
struct Loading<'a> {
    options: &'a LoadOptions,
    warnings: &'a mut Vec<String>,
    /// What packed subcharts may still unpack to.
    remaining: Limits,
}

fn assemble(files: Vec<File>, loading: &mut Loading<'_>, depth: usize) -> Result<Chart, Error> {
    if depth > loading.remaining.depth {
        return Err(Error::Depth(loading.remaining.depth));
    }
    let mut assembly = Assembly::new(&files)?;
    for file in files {
        assembly.add(file, loading.options.compat, loading.warnings)?;
    }
    let Assembly { mut chart, draft, subcharts } = assembly;
    chart.metadata = validate(draft.ok_or(Error::MissingChartFile)?, true)?;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let parent = chart.metadata.name.clone();
        chart.dependencies.push(subchart(&name, files, &parent, loading, depth + 1)?);
    }
    Ok(chart)
}

fn subchart(
    name: &str,
    files: Vec<File>,
    parent: &str,
    loading: &mut Loading<'_>,
    depth: usize,
) -> Result<Chart, Error> {
    let wrap = |source| Error::Subchart {
        name: name.to_owned(),
        chart: parent.to_owned(),
        source: Box::new(source),
    };
    if text::extension(name) != ".tgz" {
        let files = files.into_iter().filter_map(|file| {
            let (_, name) = file.name.split_once('/')?;
            Some(File { name: name.to_owned(), ..file })
        });
        return assemble(files.collect(), loading, depth).map_err(wrap);
    }
    let Some(packed) = files.first().filter(|file| file.name == name) else {
        let got = files.into_iter().next().map_or_else(String::new, |file| file.name);
        return Err(Error::SubchartPath { chart: parent.to_owned(), expected: name.to_owned(), got });
    };
    let files = archive::files(&packed.data[..], &mut loading.remaining);
    assemble(files.map_err(Error::SubchartArchive).map_err(wrap)?, loading, depth).map_err(wrap)
}

/// A chart in the making.
#[derive(Default)]
struct Assembly {
    chart: Chart,
    /// What is known of the metadata; `None` as long as no file had any.
    draft: Option<Draft>,
    /// The files of subcharts by their first path component below `charts/`.
    subcharts: BTreeMap<String, Vec<File>>,
}

impl Assembly {
    /// Reads the metadata first: what other files mean depends on them.
    fn new(files: &[File]) -> Result<Self, Error> {
        let mut assembly = Self::default();
        for file in files.iter().filter(|file| file.name == CHART_FILE) {
            let draft = assembly.draft.get_or_insert_default();
            draft.read(&file.data).map_err(|source| Error::Decode { file: CHART_FILE, source })?;
            let version = &mut draft.fields.api_version;
            if version.is_empty() {
                "v1".clone_into(version);
            }
            assembly.chart.modified = file.modified;
        }
        Ok(assembly)
    }

    fn add(&mut self, file: File, compat: Compat, warnings: &mut Vec<String>) -> Result<(), Error> {
        match file.name.as_str() {
            CHART_FILE => {}
            "Chart.lock" => self.chart.lock = read_lock(&file, "Chart.lock")?,
            "values.yaml" => {
                let values = read_values(&file, compat)?;
                self.chart.values = Some(values);
                self.chart.values_file = Some(file);
            }
            "values.schema.json" => self.chart.schema = Some(file),
            "requirements.yaml" => self.requirements(file, warnings)?,
            "requirements.lock" => {
                self.chart.lock = read_lock(&file, "requirements.lock")?;
                self.keep_legacy(file, LOCK_WARNING, warnings);
            }
            name if name.starts_with("templates/") => self.chart.templates.push(file),
            name => match name.strip_prefix("charts/") {
                Some(path) if text::extension(path) != ".prov" => {
                    let path = path.to_owned();
                    let first = path.split('/').next().unwrap_or_default().to_owned();
                    self.subcharts.entry(first).or_default().push(File { name: path, ..file });
                }
                _ => self.chart.files.push(file),
            },
        }
        Ok(())
    }

    fn requirements(&mut self, file: File, warnings: &mut Vec<String>) -> Result<(), Error> {
        let draft = self.draft.get_or_insert_default();
        let before = draft.fields.api_version.clone();
        draft.read(&file.data).map_err(|source| Error::Decode { file: "requirements.yaml", source })?;
        if before != "v1" {
            warnings.push(REQUIREMENTS_WARNING.to_owned());
        }
        if draft.fields.api_version == "v1" {
            self.chart.files.push(file);
        }
        Ok(())
    }

    fn keep_legacy(&mut self, file: File, warning: &str, warnings: &mut Vec<String>) {
        let draft = self.draft.get_or_insert_default();
        if draft.fields.api_version == "v1" {
            self.chart.files.push(file);
        } else {
            warnings.push(warning.to_owned());
        }
    }
}

const REQUIREMENTS_WARNING: &str = "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". \
                                    We recommend migrating dependencies to Chart.yaml.";
const LOCK_WARNING: &str = "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". \
                            We recommend migrating to Chart.lock.";

fn read_lock(file: &File, name: &'static str) -> Result<Option<Lock>, Error> {
    decode::lock(&file.data).map_err(|source| Error::Decode { file: name, source })
}

fn read_values(file: &File, compat: Compat) -> Result<Table, Error> {
    read_documents(&file.data, compat).map_err(Error::Values)
}
