//! `helm package`: a chart directory to an archive.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use helm::package;
use jiff::Timestamp;

use super::args::Package;
use super::source;
use crate::output;

/// Names the time of all files, so that an archive can be made again: reproducible-builds.org.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Packs each chart.
pub(super) fn run(args: &Package) -> Result<()> {
    for path in &args.paths {
        ensure!(path.is_dir(), "{} is not a directory with a chart", path.display());
        let mut chart = source::load_complete(&path.to_string_lossy())?;
        if let Some(version) = &args.version {
            chart.metadata.version.clone_from(version);
        }
        if let Some(version) = &args.app_version {
            chart.metadata.app_version.clone_from(version);
        }
        if let Some(time) = epoch()? {
            chart.stamp(time);
        }
        let archive = package::pack(&chart, Timestamp::now()).context("failed to save")?;
        let file = args.destination.join(package::file_name(&chart.metadata));
        write(&file, &archive)?;
        output::print(&format!("Successfully packaged chart and saved it to: {}\n", file.display()))?;
    }
    Ok(())
}

fn epoch() -> Result<Option<Timestamp>> {
    let Some(text) = env::var(SOURCE_DATE_EPOCH).ok().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.map(Some).ok_or_else(|| anyhow!("invalid {SOURCE_DATE_EPOCH} value {text:?}"))
}

/// Writes beside the file and moves it into place: there is never half an archive.
fn write(path: &Path, archive: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let fail = || format!("write {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(fail)?;
    std::io::Write::write_all(&mut file, archive).with_context(fail)?;
    file.persist(path).with_context(fail)?;
    Ok(())
}
