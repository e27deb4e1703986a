//! A schema document: its draft, and what its identifiers and anchors stand for.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// The address that Helm gives the schema of a chart.
pub(super) const ROOT: &str = "file:///values.schema.json";

/// A draft of JSON Schema, in order of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    V4,
    V6,
    V7,
    V2019,
    V2020,
}

/// A part of the document with an address of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) anchors: BTreeMap<String, String>,
    pub(super) dynamic_anchors: Vec<String>,
}

/// The document with its resources by the pointer to them; `""` is the root.
pub(super) struct Document<'s> {
    pub(super) root: &'s Value,
    pub(super) draft: Draft,
    pub(super) resources: BTreeMap<String, Resource>,
}

/// Where a reference leads.
pub(super) enum Target {
    /// To a part of the document.
    Local(String),
    /// Out of the document, to this address.
    Remote(String),
}

/// Keywords that hold one schema, a list of schemas, or a map of schemas.
const HOLDERS: &[&str] = &[
    "items",
    "additionalItems",
    "additionalProperties",
    "not",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contentSchema",
    "allOf",
    "anyOf",
    "oneOf",
    "prefixItems",
];
const MAPS: &[&str] =
    &["definitions", "$defs", "properties", "patternProperties", "dependencies", "dependentSchemas"];

impl<'s> Document<'s> {
    pub(super) fn new(root: &'s Value) -> Result<Self, String> {
        let mut document = Self { root, draft: draft_of(root)?, resources: BTreeMap::new() };
        document.resources.insert(String::new(), Resource { id: ROOT.to_owned(), ..Resource::default() });
        document.collect(root, "", "")?;
        Ok(document)
    }

    /// Finds the identifiers and anchors in a schema and those in it.
    fn collect(&mut self, schema: &Value, pointer: &str, resource: &str) -> Result<(), String> {
        let Value::Object(object) = schema else { return Ok(()) };
        let resource = self.identify(object, pointer, resource)?;
        self.anchor(object, pointer, &resource)?;
        for (key, value) in object {
            let pointer = join(pointer, key);
            match value {
                Value::Object(map) if MAPS.contains(&key.as_str()) => {
                    for (name, value) in map {
                        self.collect(value, &join(&pointer, name), &resource)?;
                    }
                }
                Value::Array(items) if HOLDERS.contains(&key.as_str()) => {
                    for (index, value) in items.iter().enumerate() {
                        self.collect(value, &join(&pointer, &index.to_string()), &resource)?;
                    }
                }
                Value::Object(_) if HOLDERS.contains(&key.as_str()) => {
                    self.collect(value, &pointer, &resource)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The pointer of the resource that a schema is part of; it may begin one.
    fn identify(
        &mut self,
        object: &Map<String, Value>,
        pointer: &str,
        resource: &str,
    ) -> Result<String, String> {
        let Some(id) = self.id_of(object) else { return Ok(resource.to_owned()) };
        let base = self.resources.get(resource).map(|resource| resource.id.as_str()).unwrap_or(ROOT);
        let id = absolute(base, id)
            .ok_or_else(|| format!("error in parsing id at {}", crate::text::quote(&address(pointer))))?;
        if let Some((other, _)) = self.resources.iter().find(|(at, known)| known.id == id && *at != pointer) {
            let [id, url, first, second] = [&id, ROOT, pointer, other].map(crate::text::quote);
            return Err(format!("duplicate id {id} in {url} at {first} and {second}"));
        }
        self.resources.entry(pointer.to_owned()).or_default().id = id;
        Ok(pointer.to_owned())
    }

    fn id_of<'o>(&self, object: &'o Map<String, Value>) -> Option<&'o str> {
        if self.draft < Draft::V2019 && object.contains_key("$ref") {
            return None;
        }
        let id = object.get(if self.draft == Draft::V4 { "id" } else { "$id" })?.as_str()?;
        id.split('#').next().filter(|id| !id.is_empty())
    }

    fn anchor(&mut self, object: &Map<String, Value>, pointer: &str, resource: &str) -> Result<(), String> {
        let draft = self.draft;
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let mut anchors = Vec::new();
        if draft < Draft::V2019 && !object.contains_key("$ref") {
            let id = text(if draft == Draft::V4 { "id" } else { "$id" });
            anchors.extend(
                id.and_then(|id| id.split_once('#'))
                    .map(|(_, anchor)| anchor)
                    .filter(|anchor| !anchor.is_empty() && !anchor.starts_with('/')),
            );
        }
        if draft >= Draft::V2019 {
            anchors.extend(text("$anchor"));
        }
        let dynamic = text("$dynamicAnchor").filter(|_| draft >= Draft::V2020);
        anchors.extend(dynamic);
        let Some(resource) = self.resources.get_mut(resource) else { return Ok(()) };
        for anchor in anchors {
            let known = resource.anchors.entry(anchor.to_owned()).or_insert_with(|| pointer.to_owned());
            if known != pointer {
                let [anchor, url, first, second] = [anchor, ROOT, known, pointer].map(crate::text::quote);
                return Err(format!("duplicate anchor {anchor} in {url} at {first} and {second}"));
            }
        }
        resource.dynamic_anchors.extend(dynamic.map(str::to_owned));
        Ok(())
    }

    /// The resource that a place belongs to.
    pub(super) fn resource_of(&self, pointer: &str) -> &str {
        let mut at = pointer;
        loop {
            if let Some((found, _)) = self.resources.get_key_value(at) {
                return found;
            }
            match at.rfind('/') {
                Some(slash) => at = &at[..slash],
                None => return "",
            }
        }
    }

    /// Resolves a reference that stands at a place.
    pub(super) fn resolve(&self, reference: &str, from: &str) -> Result<Target, String> {
        let base = &self.resources[self.resource_of(from)].id;
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = decode(fragment);
        let address = if address.is_empty() {
            base.clone()
        } else {
            absolute(base, address)
                .ok_or_else(|| format!("error in parsing {}", crate::text::quote(reference)))?
        };
        let found = self.resources.iter().find(|(_, resource)| resource.id == address);
        let (pointer, resource) = match found {
            Some((pointer, resource)) => (pointer.as_str(), resource),
            None if address == ROOT => ("", &self.resources[""]),
            None => return Ok(Target::Remote(address)),
        };
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok(Target::Local(format!("{pointer}{fragment}")));
        }
        let anchor = resource.anchors.get(&fragment).ok_or_else(|| {
            let [reference, url] = [format!("{address}#{fragment}").as_str(), ROOT].map(crate::text::quote);
            format!("anchor in {reference} not found in schema {url}")
        })?;
        Ok(Target::Local(anchor.clone()))
    }

    /// The value at a pointer.
    pub(super) fn at(&self, pointer: &str) -> Result<&'s Value, String> {
        let missing = || format!("json-pointer in {} not found", crate::text::quote(&address(pointer)));
        self.root.pointer(pointer).ok_or_else(missing)
    }
}

/// A pointer to what a key or index of the value at another leads to.
pub(super) fn join(pointer: &str, key: &str) -> String {
    if key.contains(['~', '/']) {
        return format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    }
    format!("{pointer}/{key}")
}

fn draft_of(root: &Value) -> Result<Draft, String> {
    let Some(address) = root.get("$schema").and_then(Value::as_str) else { return Ok(Draft::V2020) };
    let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
    let plain = address.trim_start_matches("http://").trim_start_matches("https://");
    match (plain, fragment) {
        ("json-schema.org/schema" | "json-schema.org/draft/2020-12/schema", "") => Ok(Draft::V2020),
        ("json-schema.org/draft/2019-09/schema", "") => Ok(Draft::V2019),
        ("json-schema.org/draft-07/schema", "") => Ok(Draft::V7),
        ("json-schema.org/draft-06/schema", "") => Ok(Draft::V6),
        ("json-schema.org/draft-04/schema", "") => Ok(Draft::V4),
        _ => Err(not_loaded(address)),
    }
}

/// The address of a part of the document, as it's printed.
pub(super) fn address(pointer: &str) -> String {
    format!("{ROOT}#{}", encode(pointer))
}

/// A pointer with percent signs where Go's `PathEscape` puts them.
pub(super) fn encode(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+=:@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What is said of a schema that lies elsewhere.
pub(super) fn not_loaded(address: &str) -> String {
    format!("failing loading {}: schemas outside the chart aren't loaded", crate::text::quote(address))
}

fn absolute(base: &str, reference: &str) -> Option<String> {
    if let Ok(url) = Url::parse(reference) {
        // What was written is kept: addresses are compared as they stand.
        return Some(if url.cannot_be_a_base() { reference.to_owned() } else { url.to_string() });
    }
    Url::parse(base).ok()?.join(reference).ok().map(|url| url.to_string())
}

/// Takes the percent signs out of a fragment.
fn decode(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'%').then(|| tail.get(..2)).flatten();
        let code = code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
