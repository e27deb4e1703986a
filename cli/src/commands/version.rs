use anyhow::Result;

use crate::args::{Version, VersionFormat};
use crate::output;

const CLIENT: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// Prints the version of this program.
pub(super) fn run(args: &Version) -> Result<()> {
    let text = match args.output {
        VersionFormat::Yaml => format!("ferrite: {CLIENT}\n"),
        VersionFormat::Json => format!("{{\n  \"ferrite\": \"{CLIENT}\"\n}}\n"),
    };
    output::print(&text)?;
    Ok(())
}
