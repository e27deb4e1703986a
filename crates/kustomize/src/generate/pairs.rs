//! Keys and values of generators.

use super::env;
use crate::error::{Context as _, Error, Result};
use crate::file::GeneratorArgs;
use crate::loader::Loader;
use std::collections::HashSet;

pub(super) type Pair = (String, Vec<u8>);

/// Loads all sources: env files, then literals, then files.
pub(super) fn load(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for path in &args.envs {
        let read = || env::parse(&loader.load(path)?);
        pairs.extend(read().context(|| format!("env source files: [{}]", args.envs.join(" ")))?);
    }
    for literal in &args.literals {
        // A literal may be a secret: only its place is told.
        pairs.push(parse_literal(literal).context(|| "literal sources".to_owned())?);
    }
    for source in &args.files {
        let read = || {
            let (key, path) = parse_file(source)?;
            Ok((key, loader.load(path)?))
        };
        pairs.push(read().context(|| format!("file sources: [{}]", args.files.join(" ")))?);
    }
    check_keys(args, &pairs)?;
    Ok(pairs)
}

fn check_keys(args: &GeneratorArgs, pairs: &[Pair]) -> Result<()> {
    let mut seen = HashSet::new();
    match pairs.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        None => Ok(()),
        Some((key, _)) => {
            Err(Error::new(format!("configmap {} illegally repeats the key `{key}`", args.name)))
        }
    }
}

fn parse_literal(source: &str) -> Result<Pair> {
    let (key, value) = source
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| Error::new("invalid literal source, expected key=value"))?;
    Ok((key.to_owned(), unquoted(value).as_bytes().to_vec()))
}

/// The text without one pair of quotes around it.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn parse_file(source: &str) -> Result<(String, &str)> {
    match source.matches('=').count() {
        0 => Ok((source.rsplit('/').next().unwrap_or(source).to_owned(), source)),
        1 => match source.split_once('=') {
            Some(("", path)) => {
                Err(Error::new(format!("missing key name for file path {path:?} in source {source:?}")))
            }
            Some((key, "")) => {
                Err(Error::new(format!("missing file path for key name {key:?} in source {source:?}")))
            }
            Some((key, path)) => Ok((key.to_owned(), path)),
            None => Ok((source.to_owned(), source)),
        },
        _ => Err(Error::new(format!("source {source:?} key name or file path contains '='"))),
    }
}
