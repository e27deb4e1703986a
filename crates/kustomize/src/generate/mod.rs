//! `configMapGenerator` and `secretGenerator`.

mod env;
mod hash;
mod pairs;

use crate::error::{Context as _, Error, Result};
use crate::file::{GeneratorArgs, GeneratorOptions};
use crate::loader::Loader;
use crate::resource::{Behavior, Resource};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use krm::{Mapping, Node, Scalar};

/// Longer base64 is broken into lines of this length.
const BASE64_LINE: usize = 70;

/// What to do about charts.
pub(crate) const NO_CHARTS: &str = "charts are not rendered here: render the chart with 'helm template' and list the result under 'resources'";

/// What a generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
}

/// Makes a `ConfigMap` or Secret.
pub(crate) fn generate(
    kind: Kind,
    args: &GeneratorArgs,
    global: Option<&GeneratorOptions>,
    loader: &Loader<'_>,
) -> Result<Resource> {
    let noun = if kind == Kind::ConfigMap { "configmap" } else { "secret" };
    if args.name.is_empty() {
        return Err(Error::new(format!("a {noun} must have a name")).hint("add a name to the entry"));
    }
    let pairs = pairs::load(args, loader).context(|| "loading KV pairs".to_owned())?;
    let options = merged_options(args.options.as_ref(), global);
    let mut root = head(kind, args);
    fill(&mut root, kind, args, pairs);
    if options.immutable {
        root.insert("immutable", Node::bool(true));
    }
    let mut resource = Resource::new(Node::Mapping(root));
    for (field, entries) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        for (key, value) in entries {
            resource.set_metadata(field, key, value);
        }
    }
    if !["", "unspecified", "create", "replace", "merge"].contains(&args.behavior.as_str()) {
        loader.warn(format!(
            "unknown behavior {:?} of {noun} {:?} is taken for create; known are create, merge, replace",
            args.behavior, args.name
        ));
    }
    resource.book.behavior = Behavior::parse(&args.behavior);
    resource.book.needs_hash = !options.disable_name_suffix_hash;
    Ok(resource)
}

/// Puts hashes behind the names of resources that want one.
pub(crate) fn add_hashes(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|r| r.book.needs_hash) {
        let name = format!("{}-{}", resource.name(), hash::hash(&resource.node));
        resource.remember_id();
        resource.set_name(&name);
    }
}

fn head(kind: Kind, args: &GeneratorArgs) -> Mapping {
    let mut metadata = Mapping::new();
    metadata.insert("name", Node::string(args.name.as_str()));
    if !args.namespace.is_empty() {
        metadata.insert("namespace", Node::string(args.namespace.as_str()));
    }
    let mut root = Mapping::new();
    root.insert("apiVersion", Node::string("v1"));
    root.insert("kind", Node::string(if kind == Kind::ConfigMap { "ConfigMap" } else { "Secret" }));
    root.insert("metadata", Node::Mapping(metadata));
    root
}

fn fill(root: &mut Mapping, kind: Kind, args: &GeneratorArgs, pairs: Vec<(String, Vec<u8>)>) {
    let (mut data, mut binary) = (Mapping::new(), Mapping::new());
    for (key, value) in pairs {
        match (kind, String::from_utf8(value)) {
            (Kind::Secret, value) => {
                let bytes = value.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
                data.push(Scalar::string(key), Node::string(encode(&bytes)));
            }
            (Kind::ConfigMap, Ok(text)) => data.push(Scalar::string(key), Node::string(text)),
            (Kind::ConfigMap, Err(e)) => {
                binary.push(Scalar::string(key), Node::string(encode(&e.into_bytes())))
            }
        }
    }
    if kind == Kind::Secret {
        let secret_type = if args.secret_type.is_empty() { "Opaque" } else { &args.secret_type };
        root.insert("type", Node::string(secret_type));
    }
    if !data.is_empty() || kind == Kind::Secret {
        root.insert("data", Node::Mapping(data));
    }
    if !binary.is_empty() {
        root.insert("binaryData", Node::Mapping(binary));
    }
}

fn encode(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    if text.len() <= BASE64_LINE {
        return text;
    }
    let mut out = String::with_capacity(text.len() + text.len() / BASE64_LINE + 1);
    for line in text.as_bytes().chunks(BASE64_LINE) {
        out.extend(line.iter().map(|b| char::from(*b)));
        out.push('\n');
    }
    out
}

/// Local options filled up with the global ones; what is on in either is on.
fn merged_options(local: Option<&GeneratorOptions>, global: Option<&GeneratorOptions>) -> GeneratorOptions {
    let mut merged = local.cloned().unwrap_or_default();
    if let Some(global) = global {
        for (key, value) in &global.labels {
            merged.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for (key, value) in &global.annotations {
            merged.annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
        merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        merged.immutable |= global.immutable;
    }
    merged
}
