//! Plain data against compiled schemas.

use super::compile::{Additional, Compiled, Dependency, Id, Schema};
use super::document::{Draft, address, encode, join};
use super::format;
use super::number::{Decimal, print_count};
use super::report::{Failure, Kind, quote, quote_all};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Most pairs of a schema and a value that are looked at.
const MAX_STEPS: usize = 5_000_000;

/// How deep schemas may lie in schemas and values in values, together.
const MAX_DEPTH: usize = 400;

/// Holds a value against the first schema; what is wrong with it, if anything is.
///
/// # Errors
/// It would take too long.
pub(super) fn validate(compiled: &Compiled<'_>, value: &Value) -> Result<Option<Failure>, String> {
    let mut run = Run { compiled, steps: 0, exhausted: None };
    let scope = Scope { schema: 0, keyword: "", level: 0, depth: 0, parent: None };
    let result = run.schema(&scope, value, "", Open::of(value, &compiled.schemas[0], false));
    match run.exhausted {
        Some(limit) => Err(format!("schema takes more than {limit}")),
        None => Ok(result.err()),
    }
}

type Outcome = Result<Open, Failure>;

/// What no schema has looked at yet: for `unevaluatedProperties` and `unevaluatedItems`.
#[derive(Clone, Default)]
struct Open {
    properties: BTreeSet<String>,
    items: BTreeSet<usize>,
}

impl Open {
    fn of(value: &Value, schema: &Schema<'_>, is_wanted: bool) -> Self {
        let mut open = Self::default();
        match value {
            Value::Object(object)
                if schema.additional_properties.is_none()
                    && (is_wanted || schema.unevaluated_properties.is_some()) =>
            {
                open.properties = object.keys().cloned().collect();
            }
            Value::Array(items)
                if schema.items.is_none() && (is_wanted || schema.unevaluated_items.is_some()) =>
            {
                open.items = (schema.prefix_items.len()..items.len()).collect();
            }
            _ => {}
        }
        open
    }

    fn is_empty(&self) -> bool {
        self.properties.is_empty() && self.items.is_empty()
    }

    fn keep_common(&mut self, other: &Self) {
        self.properties.retain(|name| other.properties.contains(name));
        self.items.retain(|index| other.items.contains(index));
    }
}

/// The schemas that led here, innermost first.
struct Scope<'p> {
    schema: Id,
    /// The keyword of the reference that led here; empty where the schema lies within the one before.
    keyword: &'static str,
    /// Counts how deep in the values we are; the same for schemas of the same value.
    level: usize,
    depth: usize,
    parent: Option<&'p Self>,
}

impl Scope<'_> {
    /// An outer scope in which the same schema is held against the same value.
    fn cycle(&self) -> Option<&Self> {
        let outer = std::iter::successors(self.parent, |scope| scope.parent);
        outer.take_while(|scope| scope.level == self.level).find(|scope| scope.schema == self.schema)
    }

    /// The keywords that led here, as a pointer.
    fn path(&self, schemas: &[Schema<'_>]) -> String {
        let Some(parent) = self.parent else { return String::new() };
        let step = if self.keyword.is_empty() {
            encode(
                schemas[self.schema]
                    .pointer
                    .strip_prefix(&schemas[parent.schema].pointer)
                    .unwrap_or_default(),
            )
        } else {
            format!("/{}", self.keyword)
        };
        parent.path(schemas) + &step
    }

    /// A scope within this one, of the same schema and value.
    const fn inner(&self) -> Scope<'_> {
        Scope {
            schema: self.schema,
            keyword: "",
            level: self.level,
            depth: self.depth + 1,
            parent: Some(self),
        }
    }
}

struct Run<'c, 's> {
    compiled: &'c Compiled<'s>,
    steps: usize,
    exhausted: Option<String>,
}

impl<'s> Run<'_, 's> {
    /// Holds a value against the schema of the scope.
    fn schema(&mut self, scope: &Scope<'_>, value: &Value, at: &str, open: Open) -> Outcome {
        let compiled = self.compiled;
        let schema = &compiled.schemas[scope.schema];
        if self.is_exhausted(scope) {
            return Ok(open);
        }
        if let Some(allowed) = schema.boolean {
            return if allowed { Ok(open) } else { Err(rule(at, "false schema")) };
        }
        if let Some(outer) = scope.cycle() {
            let [inner, outer] = [scope, outer].map(|scope| scope.path(&compiled.schemas));
            let target = crate::text::quote(&address(&schema.pointer));
            return Err(rule(
                at,
                format!("both {inner} and {outer} resolve to {target} causing reference cycle"),
            ));
        }
        if let Some(message) = any_value(schema, value) {
            return Err(rule(at, message));
        }
        let mut check = Check { run: self, schema, scope, value, at, open, failures: Vec::new() };
        if let Some(id) = schema.reference {
            let outcome = check.reference("$ref", id);
            if compiled.draft < Draft::V2019 {
                return outcome.map(|()| check.open);
            }
            check.add(outcome);
        }
        match value {
            Value::Object(object) => check.object(object),
            Value::Array(items) => check.array(items),
            Value::String(text) => check.text(text),
            Value::Number(number) => check.number(&Decimal::new(number)),
            _ => {}
        }
        if compiled.draft >= Draft::V2019 {
            check.references();
        }
        check.combinations();
        if compiled.draft >= Draft::V2019 {
            check.unevaluated();
        }
        let Check { open, mut failures, .. } = check;
        match failures.len() {
            0 => Ok(open),
            1 => Err(failures.remove(0)),
            _ => Err(Failure { at: at.to_owned(), kind: Kind::Group, causes: failures }),
        }
    }

    fn is_exhausted(&mut self, scope: &Scope<'_>) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.exhausted = Some(format!("{MAX_STEPS} steps"));
        } else if self.exhausted.is_none() && scope.depth > MAX_DEPTH {
            self.exhausted = Some(format!("{MAX_DEPTH} levels"));
        }
        self.exhausted.is_some()
    }
}

/// The rules for values of any type; the first that is broken ends it.
fn any_value(schema: &Schema<'_>, value: &Value) -> Option<String> {
    let found = type_of(value);
    let is_integer = || value.as_number().is_some_and(|number| Decimal::new(number).is_whole());
    let fits = |wanted: &&str| *wanted == found || (*wanted == "integer" && is_integer());
    if !schema.types.is_empty() && !schema.types.iter().any(fits) {
        return Some(format!("got {found}, want {}", schema.types.join(" or ")));
    }
    if let Some(constant) = schema.constant.filter(|constant| !equal(constant, value)) {
        return Some(if is_composite(constant) {
            "'const' failed".to_owned()
        } else {
            format!("value must be {}", display(constant))
        });
    }
    if let Some(values) =
        schema.enumeration.filter(|values| !values.iter().any(|allowed| equal(allowed, value)))
    {
        let shown = || values.iter().map(display).collect::<Vec<_>>().join(", ");
        return Some(match values.len() {
            _ if values.iter().any(is_composite) => "'enum' failed".to_owned(),
            1 => format!("value must be {}", shown()),
            _ => format!("value must be one of {}", shown()),
        });
    }
    let (format, text) = (schema.format?, value.as_str()?);
    let problem = format::check(format, text)?;
    Some(format!("{} is not valid {format}: {problem}", quote(text)))
}

/// A value being held against a schema.
struct Check<'r, 'c, 's, 'p> {
    run: &'r mut Run<'c, 's>,
    schema: &'c Schema<'s>,
    scope: &'p Scope<'p>,
    value: &'p Value,
    at: &'p str,
    open: Open,
    failures: Vec<Failure>,
}

impl Check<'_, '_, '_, '_> {
    fn fail(&mut self, message: impl Into<String>) {
        self.failures.push(rule(self.at, message));
    }

    fn fail_with(&mut self, message: impl Into<String>, causes: Vec<Failure>) {
        self.failures.push(Failure { causes, ..rule(self.at, message) });
    }

    fn add(&mut self, outcome: Result<(), Failure>) {
        self.failures.extend(outcome.err());
    }

    /// Holds the same value against a schema within this one.
    fn same(&mut self, id: Id) -> Result<(), Failure> {
        self.same_by("", id)
    }

    fn same_by(&mut self, keyword: &'static str, id: Id) -> Result<(), Failure> {
        let scope = Scope { schema: id, keyword, ..self.scope.inner() };
        let open = Open::of(self.value, &self.run.compiled.schemas[id], !self.open.is_empty());
        let open = self.run.schema(&scope, self.value, self.at, open)?;
        self.open.keep_common(&open);
        Ok(())
    }

    /// Holds a part of the value against a schema.
    fn part(&mut self, id: Id, value: &Value, key: &str) -> Result<(), Failure> {
        let scope = Scope { schema: id, level: self.scope.level + 1, ..self.scope.inner() };
        let open = Open::of(value, &self.run.compiled.schemas[id], false);
        self.run.schema(&scope, value, &join(self.at, key), open).map(drop)
    }

    fn reference(&mut self, keyword: &'static str, id: Id) -> Result<(), Failure> {
        self.same_by(keyword, id).map_err(|failure| {
            let causes = if matches!(failure.kind, Kind::Group) { failure.causes } else { vec![failure] };
            Failure { at: self.at.to_owned(), kind: Kind::Reference, causes }
        })
    }

    fn object(&mut self, object: &Map<String, Value>) {
        let schema = self.schema;
        self.bounds("Properties", object.len(), schema.min_properties, schema.max_properties);
        let missing = missing(object, &schema.required);
        match missing.len() {
            0 => {}
            1 => self.fail(format!("missing property {}", quote_all(missing))),
            _ => self.fail(format!("missing properties {}", quote_all(missing))),
        }
        for (name, dependency) in schema.dependencies.iter().filter(|(name, _)| object.contains_key(*name)) {
            match dependency {
                Dependency::Properties(wanted) => self.required_with(object, name, wanted),
                Dependency::Schema(id) => {
                    let outcome = self.same(*id);
                    self.add(outcome);
                }
            }
        }
        self.properties(object);
        if let Some(id) = schema.property_names {
            object.keys().for_each(|name| self.property_name(id, name));
        }
        for (_, id) in schema.dependent_schemas.iter().filter(|(name, _)| object.contains_key(*name)) {
            let outcome = self.same(*id);
            self.add(outcome);
        }
        for (name, wanted) in schema.dependent_required.iter().filter(|(name, _)| object.contains_key(*name))
        {
            self.required_with(object, name, wanted);
        }
    }

    fn properties(&mut self, object: &Map<String, Value>) {
        let schema = self.schema;
        let mut forbidden = Vec::new();
        for (name, value) in object {
            let named = schema.properties.get(name.as_str()).copied();
            let patterns = schema.pattern_properties.iter().filter(|(pattern, _)| pattern.is_match(name));
            let mut ids: Vec<Id> = named.into_iter().chain(patterns.map(|(_, id)| *id)).collect();
            let mut is_evaluated = !ids.is_empty();
            if !is_evaluated && let Some(additional) = schema.additional_properties {
                is_evaluated = true;
                match additional {
                    Additional::Allowed(true) => {}
                    Additional::Allowed(false) => forbidden.push(name.as_str()),
                    Additional::Schema(id) => ids.push(id),
                }
            }
            for id in ids {
                let outcome = self.part(id, value, name);
                self.add(outcome);
            }
            if is_evaluated {
                self.open.properties.remove(name);
            }
        }
        if !forbidden.is_empty() {
            self.fail(format!("additional properties {} not allowed", quote_all(forbidden)));
        }
    }

    fn property_name(&mut self, id: Id, name: &str) {
        let value = Value::from(name);
        let scope = Scope { schema: id, level: self.scope.level + 1, ..self.scope.inner() };
        let Err(failure) = self.run.schema(&scope, &value, "", Open::default()) else { return };
        let causes = if matches!(failure.kind, Kind::Group) { failure.causes } else { vec![failure] };
        self.fail_with(format!("invalid propertyName {}", quote(name)), causes);
    }

    fn required_with(&mut self, object: &Map<String, Value>, name: &str, wanted: &[&str]) {
        let missing = missing(object, wanted);
        if !missing.is_empty() {
            self.fail(format!("properties {} required, if {} exists", quote_all(missing), quote(name)));
        }
    }

    fn array(&mut self, items: &[Value]) {
        let schema = self.schema;
        self.bounds("Items", items.len(), schema.min_items, schema.max_items);
        if schema.unique_items
            && let Some((first, second)) = duplicates(items)
        {
            self.fail(format!("items at {} and {} are equal", print_count(first), print_count(second)));
        }
        let fixed = schema.prefix_items.len().min(items.len());
        for (index, item) in items.iter().enumerate() {
            let id = match schema.prefix_items.get(index) {
                Some(id) => *id,
                None => match schema.items {
                    Some(Additional::Schema(id)) => id,
                    _ => break,
                },
            };
            let outcome = self.part(id, item, &index.to_string());
            self.add(outcome);
        }
        if matches!(schema.items, Some(Additional::Allowed(false))) && fixed < items.len() {
            let count = print_count(items.len() - fixed);
            self.fail(format!("last {count} additionalItem(s) not allowed"));
        }
        if let Some(id) = schema.contains {
            self.contains(id, items);
        }
    }

    fn contains(&mut self, id: Id, items: &[Value]) {
        let schema = self.schema;
        let mut matched = Vec::new();
        let mut failures = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match self.part(id, item, &index.to_string()) {
                Err(failure) => failures.push(failure),
                Ok(()) => {
                    matched.push(index.to_string());
                    if self.run.compiled.draft >= Draft::V2020 {
                        self.open.items.remove(&index);
                    }
                }
            }
        }
        let found = || format!("matched {} items at {}", print_count(matched.len()), matched.join(" "));
        match schema.min_contains {
            Some(least) if matched.len() < least => {
                let found = if matched.is_empty() { "none matched".to_owned() } else { found() };
                let least = print_count(least);
                self.fail_with(
                    format!("min {least} items required to match contains schema, but {found}"),
                    failures,
                );
            }
            None if matched.is_empty() => self.fail_with("no items match contains schema", failures),
            _ => {}
        }
        if let Some(most) = schema.max_contains.filter(|most| matched.len() > *most) {
            let most = print_count(most);
            self.fail(format!("max {most} items required to match contains schema, but {}", found()));
        }
    }

    fn text(&mut self, text: &str) {
        let schema = self.schema;
        if schema.min_length.is_some() || schema.max_length.is_some() {
            self.bounds("Length", text.chars().count(), schema.min_length, schema.max_length);
        }
        if let Some((_, source)) = schema.pattern.as_ref().filter(|(pattern, _)| !pattern.is_match(text)) {
            self.fail(format!("{} does not match pattern {}", quote(text), quote(source)));
        }
    }

    fn bounds(&mut self, what: &str, found: usize, least: Option<usize>, most: Option<usize>) {
        let got = print_count(found);
        if let Some(least) = least.filter(|least| found < *least) {
            self.fail(format!("min{what}: got {got}, want {}", print_count(least)));
        }
        if let Some(most) = most.filter(|most| found > *most) {
            self.fail(format!("max{what}: got {got}, want {}", print_count(most)));
        }
    }

    fn number(&mut self, number: &Decimal) {
        let schema = self.schema;
        let rules = [
            ("minimum", &schema.minimum, number_rule(|order| order.is_ge())),
            ("maximum", &schema.maximum, number_rule(|order| order.is_le())),
            ("exclusiveMinimum", &schema.exclusive_minimum, number_rule(|order| order.is_gt())),
            ("exclusiveMaximum", &schema.exclusive_maximum, number_rule(|order| order.is_lt())),
        ];
        for (name, bound, holds) in rules {
            if let Some(bound) = bound.as_ref().filter(|bound| !holds(number.compare(bound))) {
                self.fail(format!("{name}: got {}, want {}", number.print(), bound.print()));
            }
        }
        if let Some(divisor) = schema.multiple_of.as_ref().filter(|divisor| !number.is_multiple_of(divisor)) {
            self.fail(format!("multipleOf: got {}, want {}", number.print(), divisor.print()));
        }
    }

    /// `$recursiveRef` and `$dynamicRef`, which go to the outermost schema that takes the name.
    fn references(&mut self) {
        let schemas = &self.run.compiled.schemas;
        if let Some(fallback) = self.schema.recursive_ref {
            let mut target = fallback;
            if schemas[fallback].recursive_anchor {
                let mut scope = Some(self.scope);
                while let Some(outer) = scope {
                    if schemas[schemas[outer.schema].resource].recursive_anchor {
                        target = outer.schema;
                    }
                    scope = outer.parent;
                }
            }
            let outcome = self.reference("$recursiveRef", target);
            self.add(outcome);
        }
        if let Some((fallback, anchor)) = &self.schema.dynamic_ref {
            let mut target = *fallback;
            if !anchor.is_empty() && schemas[*fallback].dynamic_anchor == Some(anchor) {
                let mut scope = Some(self.scope);
                while let Some(outer) = scope {
                    target = *schemas[schemas[outer.schema].resource]
                        .dynamic_anchors
                        .get(anchor)
                        .unwrap_or(&target);
                    scope = outer.parent;
                }
            }
            let outcome = self.reference("$dynamicRef", target);
            self.add(outcome);
        }
    }

    fn combinations(&mut self) {
        let schema = self.schema;
        if let Some(id) = schema.not
            && self.same(id).is_ok()
        {
            self.fail("'not' failed");
        }
        let failures: Vec<Failure> = schema.all_of.iter().filter_map(|id| self.same(*id).err()).collect();
        if !failures.is_empty() {
            self.fail_with("'allOf' failed", failures);
        }
        self.any_of();
        self.one_of();
        if let Some((condition, then, otherwise)) = schema.condition {
            let branch = if self.same(condition).is_ok() { then } else { otherwise };
            if let Some(id) = branch {
                let outcome = self.same(id);
                self.add(outcome);
            }
        }
    }

    fn any_of(&mut self) {
        let mut failures = Vec::new();
        let mut matched = self.schema.any_of.is_empty();
        for id in &self.schema.any_of {
            match self.same(*id) {
                Err(failure) => failures.push(failure),
                Ok(()) => {
                    matched = true;
                    // What is unevaluated depends on all of them.
                    if self.open.is_empty() {
                        break;
                    }
                }
            }
        }
        if !matched {
            self.fail_with("'anyOf' failed", failures);
        }
    }

    fn one_of(&mut self) {
        let mut failures = Vec::new();
        let mut matched: Option<usize> = None;
        for (index, id) in self.schema.one_of.iter().enumerate() {
            match (self.same(*id), matched) {
                (Err(failure), None) => failures.push(failure),
                (Err(_), Some(_)) => {}
                (Ok(()), None) => matched = Some(index),
                (Ok(()), Some(first)) => {
                    let [first, second] = [first, index].map(print_count);
                    self.fail(format!("'oneOf' failed, subschemas {first}, {second} matched"));
                    break;
                }
            }
        }
        if matched.is_none() && !self.schema.one_of.is_empty() {
            self.fail_with("'oneOf' failed, none matched", failures);
        }
    }

    fn unevaluated(&mut self) {
        if let (Value::Object(object), Some(id)) = (self.value, self.schema.unevaluated_properties) {
            for name in std::mem::take(&mut self.open.properties) {
                if let Some(value) = object.get(&name) {
                    let outcome = self.part(id, value, &name);
                    self.add(outcome);
                }
            }
        }
        if let (Value::Array(items), Some(id)) = (self.value, self.schema.unevaluated_items) {
            for index in std::mem::take(&mut self.open.items) {
                let outcome = self.part(id, &items[index], &index.to_string());
                self.add(outcome);
            }
        }
    }
}

const fn number_rule(holds: fn(std::cmp::Ordering) -> bool) -> fn(std::cmp::Ordering) -> bool {
    holds
}

fn rule(at: &str, message: impl Into<String>) -> Failure {
    Failure { at: at.to_owned(), kind: Kind::Rule(message.into()), causes: Vec::new() }
}

fn missing<'n>(object: &Map<String, Value>, wanted: &[&'n str]) -> Vec<&'n str> {
    wanted.iter().copied().filter(|name| !object.contains_key(*name)).collect()
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

const fn is_composite(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// A scalar as Go prints it.
fn display(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => quote(text),
        value => value.to_string(),
    }
}

/// Equal as JSON: `1` is `1.0`.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Decimal::new(left).compare(&Decimal::new(right)).is_eq()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        (left, right) => left == right,
    }
}

/// The first pair of equal items.
fn duplicates(items: &[Value]) -> Option<(usize, usize)> {
    // Equal items have the same text once numbers are floats; that bounds the time for long lists.
    let mut seen = std::collections::HashMap::new();
    items
        .iter()
        .enumerate()
        .find_map(|(index, item)| seen.insert(canonical(item), index).map(|first| (first, index)))
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN).to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            let mut entries: Vec<String> =
                object.iter().map(|(key, value)| format!("{key:?}:{}", canonical(value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}
