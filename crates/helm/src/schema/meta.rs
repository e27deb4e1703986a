//! Schemas against the schemas of schemas.

use super::compile::{Compiled, compile_meta};
use super::document::{Draft, ROOT};
use super::{report, validator};
use crate::text;
use referencing::meta;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};

/// Holds a schema against its draft's metaschema.
///
/// # Errors
/// The report on what is wrong with the schema.
pub(super) fn check(schema: &Value, draft: Draft) -> Result<(), String> {
    let (address, compiled) = match draft {
        Draft::V4 => ("http://json-schema.org/draft-04/schema#", &V4),
        Draft::V6 => ("http://json-schema.org/draft-06/schema#", &V6),
        Draft::V7 => ("http://json-schema.org/draft-07/schema#", &V7),
        Draft::V2019 => ("https://json-schema.org/draft/2019-09/schema#", &V2019),
        Draft::V2020 => ("https://json-schema.org/draft/2020-12/schema#", &V2020),
    };
    let compiled = compiled.as_ref().map_err(Clone::clone)?;
    let Some(failure) = validator::validate(compiled, schema)? else { return Ok(()) };
    Err(format!(
        "{} is not valid against metaschema: jsonschema validation failed with {}\n{}",
        text::quote(&format!("{ROOT}#")),
        report::quote(address),
        report::print(&failure)
    ))
}

/// A compiled metaschema; compiling a valid one doesn't fail.
type Meta = LazyLock<Result<Compiled<'static>, String>>;

static V4: Meta = LazyLock::new(|| compile_meta(&meta::DRAFT4));
static V6: Meta = LazyLock::new(|| compile_meta(&meta::DRAFT6));
static V7: Meta = LazyLock::new(|| compile_meta(&meta::DRAFT7));
static V2019: Meta = LazyLock::new(|| compile_meta(&BUNDLE_2019));
static V2020: Meta = LazyLock::new(|| compile_meta(&BUNDLE_2020));

/// The newer metaschemas consist of several documents; here they lie in one, each under its own address.
static BUNDLE_2019: LazyLock<Value> = LazyLock::new(|| {
    let parts = [
        &*meta::DRAFT201909_CORE,
        &*meta::DRAFT201909_APPLICATOR,
        &*meta::DRAFT201909_VALIDATION,
        &*meta::DRAFT201909_META_DATA,
        &*meta::DRAFT201909_FORMAT,
        &*meta::DRAFT201909_CONTENT,
    ];
    bundle(&meta::DRAFT201909, &parts)
});

static BUNDLE_2020: LazyLock<Value> = LazyLock::new(|| {
    let parts = [
        &*meta::DRAFT202012_CORE,
        &*meta::DRAFT202012_APPLICATOR,
        &*meta::DRAFT202012_UNEVALUATED,
        &*meta::DRAFT202012_VALIDATION,
        &*meta::DRAFT202012_META_DATA,
        &*meta::DRAFT202012_FORMAT_ANNOTATION,
        &*meta::DRAFT202012_CONTENT,
    ];
    bundle(&meta::DRAFT202012, &parts)
});

fn bundle(root: &Value, parts: &[&Arc<Value>]) -> Value {
    let mut bundle = root.clone();
    if let Some(object) = bundle.as_object_mut() {
        let parts =
            parts.iter().enumerate().map(|(index, part)| (format!("part{index}"), Value::clone(part)));
        object.insert("$defs".to_owned(), Value::Object(parts.collect::<Map<_, _>>()));
    }
    bundle
}
