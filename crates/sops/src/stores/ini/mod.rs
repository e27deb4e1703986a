//! INI as `gopkg.in/ini.v1` reads and writes it, with sections that may repeat.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;

/// The section of what stands above the first header.
const DEFAULT_SECTION: &str = "DEFAULT";
/// What may stand between a key and its value.
const DELIMITERS: [char; 2] = ['=', ':'];
