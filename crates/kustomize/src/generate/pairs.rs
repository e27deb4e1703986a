//! Keys and values of generators.

use super::env;
use crate::error::{Context as _, Error, Problems, Result};
use crate::file::GeneratorArgs;
use crate::loader::Loader;
use std::collections::HashSet;

pub(super) type Pair = (String, Vec<u8>);

/// Loads all sources: env files, then literals, then files.
pub(super) fn load(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut problems = Problems::default();
    for (index, path) in args.envs.iter().enumerate() {
        let read = || {
            let bytes = loader.load(path)?;
            let name = loader.name_of(path);
            env::parse(&bytes, &name, loader).map_err(|e| e.in_text(&name, &bytes))
        };
        let read = read().context(|| format!("env source files: [{}]", args.envs.join(" ")));
        pairs
            .extend(problems.note(read.map_err(|e| e.field(&format!("envs[{index}]"))))?.unwrap_or_default());
    }
    for (index, literal) in args.literals.iter().enumerate() {
        // A literal may be a secret: only its place is told.
        let parsed = parse_literal(literal).context(|| "literal sources".to_owned());
        pairs.extend(problems.note(parsed.map_err(|e| e.field(&format!("literals[{index}]"))))?);
    }
    for (index, source) in args.files.iter().enumerate() {
        let read = || {
            let (key, path) = parse_file(source)?;
            Ok((key, loader.load(path)?))
        };
        let read = read().context(|| format!("file sources: [{}]", args.files.join(" ")));
        pairs.extend(problems.note(read.map_err(|e| e.field(&format!("files[{index}]"))))?);
    }
    problems.finish()?;
    check_keys(args, &pairs)?;
    Ok(pairs)
}

fn check_keys(args: &GeneratorArgs, pairs: &[Pair]) -> Result<()> {
    let mut seen = HashSet::new();
    match pairs.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        None => Ok(()),
        Some((key, _)) => {
            Err(Error::new(format!("configmap {} illegally repeats the key `{key}`", args.name))
                .hint("take the key out of one of envs, literals and files"))
        }
    }
}

fn parse_literal(source: &str) -> Result<Pair> {
    let (key, value) = source.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
        Error::new("invalid literal source, expected key=value").hint("write the literal as key=value")
    })?;
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
                Err(Error::new(format!("missing key name for file path {path:?} in source {source:?}"))
                    .hint("write key=path, or the path alone"))
            }
            Some((key, "")) => {
                Err(Error::new(format!("missing file path for key name {key:?} in source {source:?}"))
                    .hint("write key=path, or the path alone"))
            }
            Some((key, path)) => Ok((key.to_owned(), path)),
            None => Ok((source.to_owned(), source)),
        },
        _ => Err(Error::new(format!("source {source:?} key name or file path contains '='"))
            .hint("write key=path with one '=': neither may have one in it")),
    }
}
