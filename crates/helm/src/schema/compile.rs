//! A schema document to schemas that refer to each other by number.

use super::document::{Document, Draft, Target, address, join, not_loaded};
use super::number::Decimal;
use crate::text;
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Most schemas in a document.
const MAX_SCHEMAS: usize = 100_000;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// The number of a schema.
pub(super) type Id = usize;

pub(super) struct Compiled<'s> {
    pub(super) draft: Draft,
    pub(super) schemas: Vec<Schema<'s>>,
}

/// The keywords of one schema.
#[derive(Default)]
pub(super) struct Schema<'s> {
    pub(super) pointer: String,
    /// The schema that begins the resource it belongs to.
    pub(super) resource: Id,
    pub(super) boolean: Option<bool>,
    pub(super) reference: Option<Id>,
    pub(super) recursive_ref: Option<Id>,
    pub(super) recursive_anchor: bool,
    /// The schema, and the anchor by which to look for another one.
    pub(super) dynamic_ref: Option<(Id, String)>,
    pub(super) dynamic_anchor: Option<&'s str>,
    /// Of a resource: its dynamic anchors.
    pub(super) dynamic_anchors: BTreeMap<String, Id>,
    pub(super) types: Vec<&'static str>,
    pub(super) constant: Option<&'s Value>,
    pub(super) enumeration: Option<&'s Vec<Value>>,
    pub(super) format: Option<&'s str>,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    pub(super) required: Vec<&'s str>,
    pub(super) dependencies: Vec<(&'s str, Dependency<'s>)>,
    pub(super) properties: HashMap<&'s str, Id>,
    pub(super) pattern_properties: Vec<(Regex, Id)>,
    pub(super) additional_properties: Option<Additional>,
    pub(super) property_names: Option<Id>,
    pub(super) dependent_schemas: Vec<(&'s str, Id)>,
    pub(super) dependent_required: Vec<(&'s str, Vec<&'s str>)>,
    pub(super) unevaluated_properties: Option<Id>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) unique_items: bool,
    pub(super) prefix_items: Vec<Id>,
    pub(super) items: Option<Additional>,
    pub(super) contains: Option<Id>,
    pub(super) min_contains: Option<usize>,
    pub(super) max_contains: Option<usize>,
    pub(super) unevaluated_items: Option<Id>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<(Regex, &'s str)>,
    pub(super) minimum: Option<Decimal>,
    pub(super) maximum: Option<Decimal>,
    pub(super) exclusive_minimum: Option<Decimal>,
    pub(super) exclusive_maximum: Option<Decimal>,
    pub(super) multiple_of: Option<Decimal>,
    pub(super) not: Option<Id>,
    pub(super) all_of: Vec<Id>,
    pub(super) any_of: Vec<Id>,
    pub(super) one_of: Vec<Id>,
    /// `if`, `then`, `else`
    pub(super) condition: Option<(Id, Option<Id>, Option<Id>)>,
}

/// What holds for the rest: nothing may be there, anything may, or a schema.
#[derive(Clone, Copy)]
pub(super) enum Additional {
    Allowed(bool),
    Schema(Id),
}

pub(super) enum Dependency<'s> {
    Properties(Vec<&'s str>),
    Schema(Id),
}

/// Checks and compiles a document, with all its schemas that can be reached.
pub(super) fn compile<'s>(root: &'s Value, warnings: &mut Vec<String>) -> Result<Compiled<'s>, String> {
    let document = Document::new(root)?;
    super::meta::check(root, document.draft)?;
    all(document, false, warnings)
}

/// Compiles a metaschema: it isn't held against another one, and formats count in every draft.
pub(super) fn compile_meta(root: &Value) -> Result<Compiled<'_>, String> {
    all(Document::new(root)?, true, &mut Vec::new())
}

fn all<'s>(
    document: Document<'s>,
    asserts_formats: bool,
    warnings: &mut Vec<String>,
) -> Result<Compiled<'s>, String> {
    let draft = document.draft;
    let asserts_formats = asserts_formats || draft < Draft::V2019;
    let mut compiler =
        Compiler { document, asserts_formats, ids: HashMap::new(), pointers: Vec::new(), warnings };
    compiler.id("");
    let mut schemas = Vec::new();
    while schemas.len() < compiler.pointers.len() {
        if schemas.len() >= MAX_SCHEMAS {
            return Err(format!("schema has more than {MAX_SCHEMAS} parts"));
        }
        let pointer = compiler.pointers[schemas.len()].clone();
        schemas.push(compiler.schema(pointer)?);
    }
    Ok(Compiled { draft, schemas })
}

struct Compiler<'s, 'w> {
    document: Document<'s>,
    /// Since 2019-09 a format is only a remark.
    asserts_formats: bool,
    ids: HashMap<String, Id>,
    /// The pointers of all schemas that have a number; those at the end have yet to be compiled.
    pointers: Vec<String>,
    warnings: &'w mut Vec<String>,
}

/// The pointer of a schema that allows everything: what can't be resolved and needn't be.
const PERMISSIVE: &str = "\u{0}";

impl<'s> Compiler<'s, '_> {
    fn id(&mut self, pointer: &str) -> Id {
        if let Some(id) = self.ids.get(pointer) {
            return *id;
        }
        let id = self.pointers.len();
        self.pointers.push(pointer.to_owned());
        self.ids.insert(pointer.to_owned(), id);
        id
    }

    fn schema(&mut self, pointer: String) -> Result<Schema<'s>, String> {
        if pointer == PERMISSIVE {
            return Ok(Schema { boolean: Some(true), ..Schema::default() });
        }
        let value = self.document.at(&pointer)?;
        let resource = self.document.resource_of(&pointer).to_owned();
        let resource_id = self.id(&resource);
        let mut schema = Schema { resource: resource_id, ..Schema::default() };
        if pointer == resource {
            self.dynamic_anchors(&mut schema, &resource);
        }
        match value {
            Value::Bool(value) => schema.boolean = Some(*value),
            Value::Object(object) if object.is_empty() => schema.boolean = Some(true),
            Value::Object(object) => {
                Keywords { compiler: self, object, pointer: &pointer }.read(&mut schema)?
            }
            _ => {}
        }
        schema.pointer = pointer;
        Ok(schema)
    }

    fn dynamic_anchors(&mut self, schema: &mut Schema<'s>, resource: &str) {
        let resource = self.document.resources[resource].clone();
        for anchor in resource.dynamic_anchors {
            if let Some(pointer) = resource.anchors.get(&anchor) {
                let id = self.id(pointer);
                schema.dynamic_anchors.insert(anchor, id);
            }
        }
    }

    fn reference(&mut self, reference: &str, from: &str) -> Result<Id, String> {
        match self.document.resolve(reference, from)? {
            Target::Local(pointer) => {
                self.document.at(&pointer)?;
                Ok(self.id(&pointer))
            }
            Target::Remote(address) if address.starts_with("urn:") => {
                let warning =
                    format!("unresolved URN reference ignored; using permissive schema urn={address}");
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
                Ok(self.id(PERMISSIVE))
            }
            Target::Remote(address) => Err(not_loaded(&address)),
        }
    }
}

/// The keywords of the schema that is being compiled.
struct Keywords<'c, 's, 'w> {
    compiler: &'c mut Compiler<'s, 'w>,
    object: &'s Map<String, Value>,
    pointer: &'c str,
}

impl<'s> Keywords<'_, 's, '_> {
    fn read(&mut self, schema: &mut Schema<'s>) -> Result<(), String> {
        let draft = self.compiler.document.draft;
        schema.reference = self.reference("$ref")?;
        if draft < Draft::V2019 && schema.reference.is_some() {
            // What stands beside a reference doesn't count; the original lets this one through.
            schema.constant = self.object.get("const").filter(|_| draft >= Draft::V6);
            return Ok(());
        }
        self.applicators(schema, draft)?;
        self.assertions(schema)?;
        if self.compiler.asserts_formats {
            schema.format = self.text("format");
        }
        if draft >= Draft::V6 {
            schema.contains = self.schema("contains");
            schema.property_names = self.schema("propertyNames");
            schema.constant = self.object.get("const");
        }
        if draft >= Draft::V7 {
            schema.condition = self.condition();
        }
        if draft >= Draft::V2019 {
            self.since_2019(schema)?;
        }
        if draft >= Draft::V2020 {
            self.since_2020(schema)?;
        }
        Ok(())
    }

    fn applicators(&mut self, schema: &mut Schema<'s>, draft: Draft) -> Result<(), String> {
        schema.all_of = self.schemas("allOf");
        schema.any_of = self.schemas("anyOf");
        schema.one_of = self.schemas("oneOf");
        schema.not = self.schema("not");
        if draft < Draft::V2020 {
            if matches!(self.object.get("items"), Some(Value::Array(_))) {
                schema.prefix_items = self.schemas("items");
                schema.items = self.additional("additionalItems");
            } else {
                schema.items = self.schema("items").map(Additional::Schema);
            }
        }
        schema.properties = self.schema_map("properties").into_iter().collect();
        for (pattern, id) in self.schema_map("patternProperties") {
            schema.pattern_properties.push((self.regex("patternProperties", pattern)?, id));
        }
        schema.additional_properties = self.additional("additionalProperties");
        for (name, value) in self.map("dependencies") {
            let dependency = match value {
                Value::Array(items) => Dependency::Properties(texts(items)),
                _ => Dependency::Schema(self.below("dependencies", name)),
            };
            schema.dependencies.push((name, dependency));
        }
        Ok(())
    }

    fn assertions(&mut self, schema: &mut Schema<'s>) -> Result<(), String> {
        schema.types = self.types();
        schema.enumeration = self.object.get("enum").and_then(Value::as_array);
        schema.multiple_of = self.number("multipleOf");
        schema.maximum = self.number("maximum");
        schema.minimum = self.number("minimum");
        // In draft 4 they say of the bound beside them that it's excluded.
        schema.exclusive_maximum = if self.flag("exclusiveMaximum") {
            schema.maximum.take()
        } else {
            self.number("exclusiveMaximum")
        };
        schema.exclusive_minimum = if self.flag("exclusiveMinimum") {
            schema.minimum.take()
        } else {
            self.number("exclusiveMinimum")
        };
        schema.min_length = self.count("minLength");
        schema.max_length = self.count("maxLength");
        if let Some(pattern) = self.text("pattern") {
            schema.pattern = Some((self.regex("pattern", pattern)?, pattern));
        }
        schema.min_items = self.count("minItems");
        schema.max_items = self.count("maxItems");
        schema.unique_items = self.flag("uniqueItems");
        schema.min_properties = self.count("minProperties");
        schema.max_properties = self.count("maxProperties");
        schema.required = self
            .object
            .get("required")
            .and_then(Value::as_array)
            .map(|items| texts(items))
            .unwrap_or_default();
        Ok(())
    }

    fn since_2019(&mut self, schema: &mut Schema<'s>) -> Result<(), String> {
        schema.recursive_ref = self.reference("$recursiveRef")?;
        schema.recursive_anchor = self.flag("$recursiveAnchor");
        if schema.contains.is_some() {
            schema.min_contains = self.count("minContains");
            schema.max_contains = self.count("maxContains");
        }
        for (name, value) in self.map("dependentRequired") {
            if let Value::Array(items) = value {
                schema.dependent_required.push((name, texts(items)));
            }
        }
        schema.dependent_schemas = self.schema_map("dependentSchemas");
        schema.unevaluated_items = self.schema("unevaluatedItems");
        schema.unevaluated_properties = self.schema("unevaluatedProperties");
        Ok(())
    }

    fn since_2020(&mut self, schema: &mut Schema<'s>) -> Result<(), String> {
        if let Some(id) = self.reference("$dynamicRef")? {
            let anchor = self
                .text("$dynamicRef")
                .and_then(|text| text.split_once('#'))
                .map_or("", |(_, anchor)| anchor);
            let anchor = if anchor.starts_with('/') { "" } else { anchor };
            schema.dynamic_ref = Some((id, anchor.to_owned()));
        }
        schema.dynamic_anchor = self.text("$dynamicAnchor");
        schema.prefix_items = self.schemas("prefixItems");
        schema.items = self.schema("items").map(Additional::Schema);
        Ok(())
    }

    fn condition(&mut self) -> Option<(Id, Option<Id>, Option<Id>)> {
        let condition = self.schema("if")?;
        Some((condition, self.schema("then"), self.schema("else")))
    }

    fn reference(&mut self, keyword: &str) -> Result<Option<Id>, String> {
        let Some(reference) = self.text(keyword) else { return Ok(None) };
        self.compiler.reference(reference, self.pointer).map(Some)
    }

    fn below(&mut self, keyword: &str, name: &str) -> Id {
        let pointer = join(&join(self.pointer, keyword), name);
        self.compiler.id(&pointer)
    }

    fn schema(&mut self, keyword: &str) -> Option<Id> {
        self.object.get(keyword)?;
        let pointer = join(self.pointer, keyword);
        Some(self.compiler.id(&pointer))
    }

    fn schemas(&mut self, keyword: &str) -> Vec<Id> {
        let count = self.object.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|index| self.below(keyword, &index.to_string())).collect()
    }

    fn schema_map(&mut self, keyword: &str) -> Vec<(&'s str, Id)> {
        self.map(keyword).into_iter().map(|(name, _)| (name, self.below(keyword, name))).collect()
    }

    fn map(&self, keyword: &str) -> Vec<(&'s str, &'s Value)> {
        let map = self.object.get(keyword).and_then(Value::as_object);
        map.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
    }

    fn additional(&mut self, keyword: &str) -> Option<Additional> {
        match self.object.get(keyword)? {
            Value::Bool(allowed) => Some(Additional::Allowed(*allowed)),
            _ => self.schema(keyword).map(Additional::Schema),
        }
    }

    fn types(&self) -> Vec<&'static str> {
        let named: Vec<&str> = match self.object.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let known = ["null", "boolean", "number", "integer", "string", "array", "object"];
        known.into_iter().filter(|name| named.contains(name)).collect()
    }

    fn text(&self, keyword: &str) -> Option<&'s str> {
        self.object.get(keyword)?.as_str()
    }

    fn flag(&self, keyword: &str) -> bool {
        self.object.get(keyword).and_then(Value::as_bool).unwrap_or(false)
    }

    fn number(&self, keyword: &str) -> Option<Decimal> {
        self.object.get(keyword)?.as_number().map(Decimal::new)
    }

    fn count(&self, keyword: &str) -> Option<usize> {
        let number =
            self.object.get(keyword)?.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it's whole and not negative"
        )]
        Some(number as usize)
    }

    fn regex(&self, keyword: &str, pattern: &str) -> Result<Regex, String> {
        compile_regex(pattern).map_err(|error| {
            let at = address(&join(self.pointer, keyword));
            format!("invalid regex {} at {}: {error}", text::quote(pattern), text::quote(&at))
        })
    }
}

/// A pattern in Go's syntax, of bounded size. Go's `\z` is the end, its `\C` we don't have.
pub(super) fn compile_regex(pattern: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(&ascii_classes(pattern)).size_limit(MAX_PATTERN).build();
    built.map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// In Go `\d`, `\w`, `\s` and `\b` know only ASCII.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut in_class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '\\' => {
                let escaped = match (chars.next(), in_class) {
                    (Some('d'), _) => "[0-9]",
                    (Some('w'), _) => "[0-9A-Za-z_]",
                    (Some('s'), _) => "[\\t\\n\\x0c\\r ]",
                    (Some('D'), _) => "[^0-9]",
                    (Some('W'), _) => "[^0-9A-Za-z_]",
                    (Some('S'), _) => "[^\\t\\n\\x0c\\r ]",
                    (Some('b'), false) => "(?-u:\\b)",
                    (Some(other), _) => {
                        out.push('\\');
                        out.push(other);
                        continue;
                    }
                    (None, _) => "\\",
                };
                out.push_str(escaped);
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

fn texts(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(Value::as_str).collect()
}
