//! The values of a command line.

use std::fs;
use std::io::{self, Read as _};
use std::rc::Rc;

use anyhow::{Result, anyhow, bail};
use gotemplate::Map;
use helm::Compat;
use helm::values::{self, Input};

use super::args::Values;

/// The largest file of values that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Brings all values together in Helm's order.
pub(super) fn collect(args: &Values) -> Result<Rc<Map>> {
    let file = |name: &String| Ok((name.clone(), read(name)?));
    let input = Input {
        files: args.files.iter().map(file).collect::<Result<_>>()?,
        set_json: args.set_json.clone(),
        set: args.set.clone(),
        set_string: args.set_string.clone(),
        set_file: args.set_file.clone(),
        set_literal: args.set_literal.clone(),
    };
    let mut read = |path: &str| read(path).map_err(|error| error.to_string());
    Ok(values::collect(&input, Compat::default(), &mut read)?)
}

fn read(path: &str) -> Result<Vec<u8>> {
    if path.contains("://") {
        bail!("{path} is not supported: fetch the values first and give their path");
    }
    let mut text = Vec::new();
    if path.trim() == "-" {
        io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut text)?;
    } else {
        let file = fs::File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow!("open {path}: no such file or directory"),
            _ => anyhow!("open {path}: {error}"),
        })?;
        file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|error| anyhow!("read {path}: {error}"))?;
    }
    if text.len() as u64 > MAX_FILE {
        bail!("{path} is larger than {MAX_FILE} bytes");
    }
    Ok(text)
}
