//! The value of an expression.

pub(crate) mod budget;
pub(crate) mod compare;
pub(crate) mod failure;
mod loops;
mod operators;

use std::rc::Rc;

pub(crate) use self::budget::Budget;
pub(crate) use self::failure::Failure;
use self::failure::shortened;
use crate::Variables;
use crate::ast::{Call, Element, Entry, Kind, Node, deeper};
use crate::functions;
use crate::parse::qualified_name;
use crate::value::{List, Map, Text, Val};

pub(crate) type Outcome<'a> = Result<Val<'a>, Failure>;

/// The names that are types where no variable has them.
const TYPES: [&str; 13] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional_type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
];

/// Evaluates an expression.
pub(crate) fn evaluate<'a>(node: &'a Node, variables: &'a dyn Variables) -> Outcome<'a> {
    Evaluation { variables, scope: Vec::new(), budget: Budget::default() }.value(node)
}

/// The type of that name.
pub(crate) fn type_named(name: &str) -> Option<&'static str> {
    TYPES.into_iter().find(|known| *known == name)
}

struct Evaluation<'a> {
    variables: &'a dyn Variables,
    /// What macros have bound, innermost last.
    scope: Vec<(&'a str, Val<'a>)>,
    budget: Budget,
}

impl<'a> Evaluation<'a> {
    fn value(&mut self, node: &'a Node) -> Outcome<'a> {
        self.budget.step()?;
        deeper(|| self.value_of(node))
    }

    fn value_of(&mut self, node: &'a Node) -> Outcome<'a> {
        match &node.kind {
            Kind::Null => Ok(Val::Null),
            Kind::Bool(value) => Ok(Val::Bool(*value)),
            Kind::Int(value) => Ok(Val::Int(*value)),
            Kind::Uint(value) => Ok(Val::Uint(*value)),
            Kind::Double(value) => Ok(Val::Double(*value)),
            Kind::String(text) => Ok(Val::String(Text::Borrowed(text))),
            Kind::Bytes(bytes) => {
                self.budget.make_bytes(bytes.len())?;
                Ok(Val::Bytes(bytes.as_slice().into()))
            }
            Kind::Name(name) => self.named(name).ok_or_else(|| unknown(name)),
            Kind::Select { operand, field, optional } => self.select(node, operand, field, *optional),
            Kind::Has { operand, field } => self.has(operand, field),
            Kind::Index { operand, index, optional } => self.index(operand, index, *optional),
            Kind::And(terms) => self.logic(terms, false),
            Kind::Or(terms) => self.logic(terms, true),
            Kind::Ternary(parts) => self.ternary(parts),
            Kind::Call(call) => self.call(call),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(the) => self.looped(the),
            Kind::OptMap { target, variable, body, flat } => self.opt_map(target, variable, body, *flat),
        }
    }

    fn named(&self, name: &str) -> Option<Val<'a>> {
        let bound = self.scope.iter().rev().find(|(bound, _)| *bound == name);
        if let Some((_, value)) = bound {
            return Some(value.clone());
        }
        self.variables.get(name).map(Val::from).or_else(|| type_named(name).map(Val::Type))
    }

    fn select(&mut self, node: &'a Node, operand: &'a Node, field: &'a str, optional: bool) -> Outcome<'a> {
        let value = match self.value(operand) {
            Err(Failure::Error(_)) if let Some(name) = self.unknown_name(node) => {
                return type_named(&name).map(Val::Type).ok_or_else(|| unknown(&name));
            }
            other => other?,
        };
        match (value, optional) {
            (Val::Type(name), _) if is_name(operand) => Err(unknown_field(name, field)),
            (Val::Optional(None), _) => Ok(Val::Optional(None)),
            (Val::Optional(Some(value)), _) => Ok(Val::optional(present(&value, field)?)),
            (value, true) => Ok(Val::optional(present(&value, field)?)),
            // cel-go says of everything without fields, other than lists, that it lacks the key.
            (value, false) => present(&value, field)?.ok_or_else(|| Failure::no_such_key(field)),
        }
    }

    /// `a.b.c` where there is no `a`. It may be the name of a type.
    fn unknown_name(&self, node: &'a Node) -> Option<String> {
        let name = qualified_name(node)?;
        let root = name.split('.').next().unwrap_or_default();
        self.named(root).is_none().then_some(name)
    }

    fn has(&mut self, operand: &'a Node, field: &'a str) -> Outcome<'a> {
        let found = match self.value(operand)? {
            Val::Type(name) if is_name(operand) => return Err(unknown_field(name, field)),
            Val::Optional(value) => match value.as_deref() {
                Some(value) => present(value, field)?.is_some(),
                None => false,
            },
            value => present(&value, field)?.is_some(),
        };
        Ok(Val::Bool(found))
    }

    fn index(&mut self, operand: &'a Node, index: &'a Node, optional: bool) -> Outcome<'a> {
        let operand = self.value(operand)?;
        if matches!(operand, Val::Optional(None)) {
            return Ok(operand);
        }
        let index = self.value(index)?;
        match operand {
            Val::Optional(Some(operand)) => Ok(Val::optional(self.element(&operand, &index, true)?)),
            operand if optional => Ok(Val::optional(self.element(&operand, &index, true)?)),
            operand => self.element(&operand, &index, false)?.ok_or_else(Failure::no_overload),
        }
    }

    /// The element of a list or map; where it is absent, nothing if that is asked for, else an error.
    fn element(
        &mut self,
        operand: &Val<'a>,
        index: &Val<'a>,
        optional: bool,
    ) -> Result<Option<Val<'a>>, Failure> {
        if !can_be_index(index) {
            return Err(Failure::new(format!("invalid qualifier type: {}", index.type_name())));
        }
        let found = match operand {
            Val::List(list) => list_index(index)?.and_then(|index| list.get(index)),
            Val::Map(map) => compare::find(&mut self.budget, map, index)?,
            _ => None,
        };
        match found {
            None if !optional => Err(absent(operand, index)),
            found => Ok(found),
        }
    }

    /// Terms from left to right until one decides; an error counts only when none does.
    fn logic(&mut self, terms: &'a [Node], decisive: bool) -> Outcome<'a> {
        let mut failure = None;
        for term in terms {
            match self.value(term) {
                Ok(Val::Bool(value)) if value == decisive => return Ok(Val::Bool(decisive)),
                Ok(Val::Bool(_)) => {}
                Ok(_) => failure = failure.or(Some(Failure::no_overload())),
                Err(Failure::TooMuch) => return Err(Failure::TooMuch),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn ternary(&mut self, parts: &'a [Node; 3]) -> Outcome<'a> {
        match self.value(&parts[0])? {
            Val::Bool(true) => self.value(&parts[1]),
            Val::Bool(false) => self.value(&parts[2]),
            _ => Err(Failure::no_overload()),
        }
    }

    fn call(&mut self, call: &'a Call) -> Outcome<'a> {
        if let Some(outcome) = self.or(call) {
            return outcome;
        }
        let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
        for argument in call.target.as_deref().into_iter().chain(&call.arguments) {
            arguments.push(self.value(argument)?);
        }
        if let Some(outcome) = operators::apply(&mut self.budget, &call.function, &arguments) {
            return outcome;
        }
        functions::call(&mut self.budget, call, &arguments)
    }

    /// `or` and `orValue`, which evaluate their argument only when they need it.
    fn or(&mut self, call: &'a Call) -> Option<Outcome<'a>> {
        let (Some(target), [argument]) = (call.target.as_deref(), call.arguments.as_slice()) else {
            return None;
        };
        let flat = match call.function.as_str() {
            "or" => true,
            "orValue" => false,
            _ => return None,
        };
        let target = match self.value(target) {
            Ok(target) => target,
            Err(failure) => return Some(Err(failure)),
        };
        Some(match target {
            Val::Optional(Some(value)) if !flat => Ok((*value).clone()),
            Val::Optional(Some(value)) => Ok(Val::Optional(Some(value))),
            Val::Optional(None) => self.value(argument),
            _ => Err(Failure::no_overload()),
        })
    }

    fn list(&mut self, elements: &'a [Element]) -> Outcome<'a> {
        self.budget.make_values(elements.len())?;
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.value(&element.node)?;
            match (element.optional, value) {
                (false, value) => items.push(value),
                (true, Val::Optional(value)) => items.extend(value.as_deref().cloned()),
                (true, _) => {
                    return Err(Failure::new(
                        "cannot initialize optional list element from non-optional value",
                    ));
                }
            }
        }
        Ok(Val::list(items))
    }

    fn map(&mut self, nodes: &'a [Entry]) -> Outcome<'a> {
        self.budget.make_values(2 * nodes.len())?;
        let mut entries: Vec<(Val<'a>, Val<'a>)> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let key = self.value(&node.key)?;
            if matches!(key, Val::Bytes(_)) {
                return Err(Failure::new("unsupported key type: bytes"));
            }
            let value = match (node.optional, self.value(&node.value)?) {
                (false, value) => value,
                (true, Val::Optional(Some(value))) => (*value).clone(),
                (true, Val::Optional(None)) => continue,
                (true, _) => {
                    return Err(Failure::new("cannot initialize optional entry from non-optional value"));
                }
            };
            self.put(&mut entries, key, value)?;
        }
        Ok(Val::Map(Map::Owned(entries.into())))
    }

    /// Of entries with the same key the last one stays.
    fn put(
        &mut self,
        entries: &mut Vec<(Val<'a>, Val<'a>)>,
        key: Val<'a>,
        value: Val<'a>,
    ) -> Result<(), Failure> {
        for (known, old) in entries.iter_mut() {
            if known.type_name() == key.type_name() && compare::equal(&mut self.budget, known, &key)? {
                *old = value;
                return Ok(());
            }
        }
        entries.push((key, value));
        Ok(())
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new(format!("no such attribute(s): {name}"))
}

/// The name of a type is no attribute that could have fields.
fn unknown_field(name: &str, field: &str) -> Failure {
    unknown(&format!("{name}.{field}"))
}

fn is_name(node: &Node) -> bool {
    matches!(node.kind, Kind::Name(_))
}

/// A field, where the value can have fields.
fn present<'a>(value: &Val<'a>, field: &str) -> Result<Option<Val<'a>>, Failure> {
    Ok(match value {
        Val::Map(map) => map.field(field),
        Val::List(_) => return Err(Failure::new("unsupported index type 'string' in list")),
        _ => None,
    })
}

/// Tells whether lists or maps can be asked for it.
pub(crate) fn can_be_index(index: &Val<'_>) -> bool {
    matches!(index, Val::String(_) | Val::Int(_) | Val::Uint(_) | Val::Bool(_) | Val::Double(_))
}

/// An index as a number; nothing where no list is that long.
fn list_index(index: &Val<'_>) -> Result<Option<usize>, Failure> {
    match index {
        Val::Int(index) => Ok(usize::try_from(*index).ok()),
        Val::Uint(index) => Ok(usize::try_from(*index).ok()),
        Val::Double(index) if index.fract() == 0.0 && index.abs() < 9e15 => {
            Ok(usize::try_from(*index as i64).ok())
        }
        other => Err(Failure::new(format!("unsupported index type '{}' in list", other.type_name()))),
    }
}

fn absent(operand: &Val<'_>, index: &Val<'_>) -> Failure {
    let shown = match index {
        Val::String(key) => shortened(key).to_owned(),
        Val::Int(index) => index.to_string(),
        Val::Uint(index) => index.to_string(),
        Val::Double(index) => index.to_string(),
        Val::Bool(key) => key.to_string(),
        other => other.type_name().to_owned(),
    };
    match operand {
        Val::List(_) => Failure::new(format!("index out of bounds: {shown}")),
        _ => Failure::new(format!("no such key: {shown}")),
    }
}

impl<'a> Evaluation<'a> {
    fn opt_map(&mut self, target: &'a Node, variable: &'a str, body: &'a Node, flat: bool) -> Outcome<'a> {
        let value = match self.value(target)? {
            Val::Optional(Some(value)) => (*value).clone(),
            Val::Optional(None) => return Ok(Val::Optional(None)),
            _ => return Err(Failure::no_overload()),
        };
        let mapped = self.with(variable, value, body)?;
        if flat { Ok(mapped) } else { Ok(Val::Optional(Some(Rc::new(mapped)))) }
    }

    /// Evaluates with one name more.
    fn with(&mut self, name: &'a str, value: Val<'a>, body: &'a Node) -> Outcome<'a> {
        self.scope.push((name, value));
        let outcome = self.value(body);
        self.scope.pop();
        outcome
    }

    /// The elements of a list or the keys of a map.
    fn range(&mut self, node: &'a Node) -> Result<List<'a>, Failure> {
        match self.value(node)? {
            Val::List(list) => Ok(list),
            Val::Map(map) => {
                self.budget.make_values(map.len())?;
                Ok(List::Owned(map.keys().collect()))
            }
            _ => Err(Failure::no_overload()),
        }
    }
}
