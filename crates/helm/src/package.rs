//! Charts packed into archives as `helm package` does.
//!
//! Source: Helm's `pkg/chart/v2/util/save.go`. Deviation: a file whose time isn't known gets the time that the
//! caller names, not the present, and the same chart always gives the same bytes.

use crate::chart::{Chart, File, Metadata, ValidationError, revalidate};
use crate::text;
use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use krm::Node;
use serde::Serialize;
use std::io::{self, Write};

/// A chart that can't be packed; the texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The metadata break a rule.
    #[error("chart validation")]
    Validation(#[source] ValidationError),
    /// A subchart's name has slashes in it.
    #[error("{0} is not a valid chart name")]
    Name(String),
    /// The schema isn't JSON.
    #[error("invalid JSON in values.schema.json")]
    Schema,
    /// The metadata can't be written.
    #[error("failed to write chart metadata")]
    Metadata(#[source] serde_json::Error),
    /// The archive can't be written.
    #[error("failed to write chart archive")]
    Write(#[source] io::Error),
}

/// The name of a chart's archive: `name-version.tgz`.
#[must_use]
pub fn file_name(metadata: &Metadata) -> String {
    format!("{}-{}.tgz", metadata.name, metadata.version)
}

/// Packs a chart with its subcharts; `unknown` is the time of files whose time isn't known.
///
/// # Errors
/// See [`Error`].
pub fn pack(chart: &Chart, unknown: Timestamp) -> Result<Vec<u8>, Error> {
    revalidate(&chart.metadata).map_err(Error::Validation)?;
    let gzip = GzBuilder::new().extra(EXTRA).comment("Helm").write(Vec::new(), Compression::default());
    let mut archive = Archive { tar: tar::Builder::new(gzip), unknown };
    archive.chart(chart, "")?;
    let gzip = archive.tar.into_inner().map_err(Error::Write)?;
    gzip.finish().map_err(Error::Write)
}

/// The metadata as Helm writes them into an archive's `Chart.yaml`.
///
/// # Errors
/// None in practice: every field can be written.
pub fn definition(metadata: &Metadata) -> Result<String, Error> {
    yaml(metadata)
}

/// The mark that Helm puts into the header of its archives.
const EXTRA: &[u8] = b"rr\x28\x00aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";

struct Archive<W: Write> {
    tar: tar::Builder<W>,
    unknown: Timestamp,
}

impl<W: Write> Archive<W> {
    fn chart(&mut self, chart: &Chart, prefix: &str) -> Result<(), Error> {
        let name = chart.name();
        if text::base(name) != name {
            return Err(Error::Name(text::quote(name)));
        }
        let base = text::clean(&format!("{prefix}{name}"));
        let is_v1 = chart.metadata.api_version == "v1";
        let metadata = Metadata {
            // They are in requirements.yaml.
            dependencies: if is_v1 { None } else { chart.metadata.dependencies.clone() },
            ..chart.metadata.clone()
        };
        self.file(&base, "Chart.yaml", yaml(&metadata)?.as_bytes(), chart.modified)?;
        if let Some(lock) = chart.lock.as_ref().filter(|_| chart.metadata.api_version == "v2") {
            self.file(&base, "Chart.lock", yaml(lock)?.as_bytes(), lock.generated.parse().ok())?;
        }
        if let Some(values) = &chart.values_file {
            self.chart_file(&base, values)?;
        }
        if let Some(schema) = &chart.schema {
            if serde_json::from_slice::<serde::de::IgnoredAny>(&schema.data).is_err() {
                return Err(Error::Schema);
            }
            self.chart_file(&base, schema)?;
        }
        for file in chart.templates.iter().chain(&chart.files) {
            self.chart_file(&base, file)?;
        }
        let below = format!("{base}/charts/");
        chart.dependencies.iter().try_for_each(|sub| self.chart(sub, &below))
    }

    fn chart_file(&mut self, base: &str, file: &File) -> Result<(), Error> {
        self.file(base, &file.name, &file.data, file.modified)
    }

    fn file(
        &mut self,
        base: &str,
        name: &str,
        data: &[u8],
        modified: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        header.set_mtime(modified.unwrap_or(self.unknown).as_second().try_into().unwrap_or(0));
        let path = text::clean(&format!("{base}/{name}"));
        self.tar.append_data(&mut header, path, data).map_err(Error::Write)
    }
}

/// Data as `sigs.k8s.io/yaml` writes it: through JSON, with sorted keys.
fn yaml(data: &impl Serialize) -> Result<String, Error> {
    let data = serde_json::to_value(data).map_err(Error::Metadata)?;
    Ok(krm::emit(&Node::from(data)))
}
