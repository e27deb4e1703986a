//! Static types: what cel-go's checker refuses before anything is evaluated.
//!
//! It is simpler than the original in one point: the element type of an empty list or map is taken for anything.

mod signatures;
mod types;

pub(crate) use self::signatures::arities;
use self::types::Bindings;
pub(crate) use self::types::Type;
use crate::ast::{Call, Element, Entry, Kind, Loop, LoopKind, Node, deeper};
use crate::eval::type_named;
use crate::parse::{Issue, Issues, qualified_name};

/// The type of an expression whose variables are objects of these names.
pub(crate) fn check(node: &Node, variables: &[&str]) -> Result<Type, Issues> {
    let mut checker = Checker { variables, scope: Vec::new(), issues: Vec::new(), in_format: false };
    let found = checker.type_of(node);
    if checker.issues.is_empty() { Ok(found) } else { Err(Issues(checker.issues)) }
}

struct Checker<'c> {
    variables: &'c [&'c str],
    scope: Vec<(&'c str, Type)>,
    issues: Vec<Issue>,
    /// The arguments of `format` may be of different types.
    in_format: bool,
}

impl<'c> Checker<'c> {
    /// Reports and goes on with a type that fits everywhere.
    fn refuse(&mut self, at: usize, message: String) -> Type {
        // One text for an expression of hundreds of mistakes is enough.
        if self.issues.len() < 10 {
            self.issues.push(Issue { at, message });
        }
        Type::Dyn
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.refuse(at, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn type_of(&mut self, node: &'c Node) -> Type {
        deeper(|| self.find_type(node))
    }

    fn find_type(&mut self, node: &'c Node) -> Type {
        match &node.kind {
            Kind::Null => Type::Null,
            Kind::Bool(_) => Type::Bool,
            Kind::Int(_) => Type::Int,
            Kind::Uint(_) => Type::Uint,
            Kind::Double(_) => Type::Double,
            Kind::String(_) => Type::String,
            Kind::Bytes(_) => Type::Bytes,
            Kind::Name(name) => self.named(name).unwrap_or_else(|| self.undeclared(node.at, name)),
            Kind::Select { operand, optional, .. } => self.select(node, operand, *optional),
            Kind::Has { operand, .. } => {
                let of = self.type_of(operand);
                self.field_of(node.at, &of);
                Type::Bool
            }
            Kind::Index { operand, index, optional } => {
                let arguments = [self.type_of(operand), self.type_of(index)];
                self.apply(node.at, if *optional { "_[?_]" } else { "_[_]" }, &arguments)
            }
            Kind::And(terms) => self.terms(node.at, "_&&_", terms),
            Kind::Or(terms) => self.terms(node.at, "_||_", terms),
            Kind::Ternary(parts) => {
                let arguments: Vec<Type> = parts.iter().map(|part| self.type_of(part)).collect();
                self.apply(node.at, "_?_:_", &arguments)
            }
            Kind::Call(call) => self.call(node.at, call),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(the) => self.looped(node.at, the),
            Kind::OptMap { target, variable, body, flat } => {
                self.opt_map(node.at, target, variable, body, *flat)
            }
        }
    }

    fn named(&self, name: &str) -> Option<Type> {
        if let Some((_, bound)) = self.scope.iter().rev().find(|(bound, _)| *bound == name) {
            return Some(bound.clone());
        }
        if self.variables.contains(&name) {
            return Some(Type::object());
        }
        type_named(name).map(|_| Type::Meta)
    }

    fn select(&mut self, node: &'c Node, operand: &'c Node, optional: bool) -> Type {
        if let Some(name) = qualified_name(node)
            && type_named(&name).is_some()
        {
            return Type::Meta;
        }
        let of = self.type_of(operand);
        let found = self.field_of(operand.at.max(node.at), &of);
        match (optional, found) {
            (true, found) if !matches!(found, Type::Optional(_)) => Type::optional(found),
            (_, found) => found,
        }
    }

    /// The type of a field.
    fn field_of(&mut self, at: usize, of: &Type) -> Type {
        match of {
            Type::Dyn | Type::Free => Type::Dyn,
            Type::Map(_, value) => (**value).clone(),
            Type::Optional(of) => Type::optional(self.field_of(at, of)),
            other => self.refuse(at, format!("type '{other}' does not support field selection")),
        }
    }

    fn terms(&mut self, at: usize, operator: &str, terms: &'c [Node]) -> Type {
        for term in terms {
            let found = self.type_of(term);
            self.apply(at, operator, &[Type::Bool, found]);
        }
        Type::Bool
    }

    fn call(&mut self, at: usize, call: &'c Call) -> Type {
        let name = match call.target {
            Some(_) => format!(".{}", call.function),
            None => call.function.clone(),
        };
        let formats = call.function == "format" && call.target.is_some();
        let outer = self.in_format;
        self.in_format |= formats;
        let parts = call.target.as_deref().into_iter().chain(&call.arguments);
        let arguments: Vec<Type> = parts.map(|part| self.type_of(part)).collect();
        self.in_format = outer;
        self.apply(at, &name, &arguments)
    }

    /// The result of a function; of several that fit with different results it can be any.
    fn apply(&mut self, at: usize, name: &str, arguments: &[Type]) -> Type {
        let Some(signatures) = signatures::of(name) else {
            return self.undeclared(at, name.trim_start_matches('.'));
        };
        let mut result: Option<Type> = None;
        for signature in signatures.iter().filter(|signature| signature.arguments.len() == arguments.len()) {
            let mut bindings = Bindings::default();
            let fits = signature
                .arguments
                .iter()
                .zip(arguments)
                .all(|(wanted, given)| bindings.accept(wanted, given));
            if fits {
                let found = bindings.resolve(&signature.result);
                result = Some(match result {
                    // Of null, which fits every optional, nothing is known at all.
                    Some(other)
                        if other != found || (found.has_free() && arguments.contains(&Type::Null)) =>
                    {
                        Type::Dyn
                    }
                    _ => found,
                });
            }
        }
        result.unwrap_or_else(|| {
            let shown = shown_arguments(name, arguments);
            let name = name.trim_start_matches('.');
            self.refuse(at, format!("found no matching overload for '{name}' applied to '{shown}'"))
        })
    }

    fn list(&mut self, elements: &'c [Element]) -> Type {
        let mut of: Option<Type> = None;
        for element in elements {
            let mut found = self.type_of(&element.node);
            if element.optional {
                found = self.content(element.node.at, found);
            }
            of = Some(self.joined(element.node.at, of, found));
        }
        Type::list(of.unwrap_or(Type::Free))
    }

    fn map(&mut self, entries: &'c [Entry]) -> Type {
        let (mut keys, mut values) = (None, None);
        for entry in entries {
            let key = self.type_of(&entry.key);
            keys = Some(self.joined(entry.key.at, keys, key));
            let mut value = self.type_of(&entry.value);
            if entry.optional {
                value = self.content(entry.value.at, value);
            }
            values = Some(self.joined(entry.value.at, values, value));
        }
        Type::map(keys.unwrap_or(Type::Free), values.unwrap_or(Type::Free))
    }

    /// What an optional holds.
    fn content(&mut self, at: usize, of: Type) -> Type {
        match of {
            Type::Optional(of) => *of,
            Type::Dyn | Type::Free => Type::Dyn,
            other => self.refuse(at, format!("expected type 'optional_type({other})' but found '{other}'")),
        }
    }

    /// Literals have elements of one type, which is the first one's.
    fn joined(&mut self, at: usize, known: Option<Type>, found: Type) -> Type {
        let Some(known) = known else { return found };
        if self.in_format {
            return if known == found { known } else { Type::Dyn };
        }
        if !alike(&known, &found) {
            self.refuse(at, format!("expected type '{known}' but found '{found}'"));
        }
        if known == Type::Free { found } else { known }
    }

    fn looped(&mut self, at: usize, the: &'c Loop) -> Type {
        let range = self.type_of(&the.range);
        let item = match &range {
            Type::Dyn | Type::Free => Type::Dyn,
            Type::List(of) => (**of).clone(),
            Type::Map(key, _) => (**key).clone(),
            other => {
                let message = "cannot be range of a comprehension (must be list, map, or dynamic)";
                self.refuse(the.range.at, format!("expression of type '{other}' {message}"))
            }
        };
        self.scope.push((&the.variable, item.clone()));
        if let Some(filter) = &the.filter {
            let found = self.type_of(filter);
            self.apply(at, "_?_:_", &[found, Type::Dyn, Type::Dyn]);
        }
        let body = self.type_of(&the.body);
        self.scope.pop();
        match the.kind {
            LoopKind::Map => Type::list(body),
            LoopKind::Filter => {
                self.apply(at, "_?_:_", &[body, Type::Dyn, Type::Dyn]);
                Type::list(item)
            }
            LoopKind::ExistsOne => {
                self.apply(at, "_?_:_", &[body, Type::Dyn, Type::Dyn]);
                Type::Bool
            }
            LoopKind::All => self.apply(at, "_&&_", &[Type::Bool, body]),
            LoopKind::Exists => self.apply(at, "_||_", &[Type::Bool, body]),
        }
    }

    fn opt_map(
        &mut self,
        at: usize,
        target: &'c Node,
        variable: &'c str,
        body: &'c Node,
        flat: bool,
    ) -> Type {
        let target_type = self.type_of(target);
        let item = self.content(target.at, target_type);
        self.scope.push((variable, item));
        let body_type = self.type_of(body);
        self.scope.pop();
        match (flat, body_type) {
            (false, body) => Type::optional(body),
            (true, body @ (Type::Optional(_) | Type::Dyn | Type::Free)) => body,
            (true, other) => {
                self.refuse(at, format!("expected type 'optional_type({other})' but found '{other}'"))
            }
        }
    }
}

/// Types that a literal may mix: the same, or differing only where nothing is known.
fn alike(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Free, _) | (_, Type::Free) => true,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => alike(a, b),
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            alike(key, other_key) && alike(value, other_value)
        }
        (a, b) => a == b,
    }
}

fn shown_arguments(name: &str, arguments: &[Type]) -> String {
    let shown: Vec<String> = arguments.iter().map(Type::to_string).collect();
    match shown.split_first() {
        Some((target, rest)) if name.starts_with('.') => format!("{target}.({})", rest.join(", ")),
        _ => format!("({})", shown.join(", ")),
    }
}
