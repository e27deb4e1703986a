//! Fields, methods and map entries.

use super::{At, Context, Operand, Result};
use crate::environment::MissingKey;
use crate::error::Error;
use crate::function::CallError;
use crate::node::{Expression, ExpressionKind, Name, Part};
use crate::strconv;
use crate::types::{Kind, Type};
use crate::value::{Map, MapClass, Object, Value};

/// What is given to the last field of a chain, should it be a method.
struct Arguments<'e, 'a> {
    words: &'e [Expression],
    last: Option<&'a Value>,
}

impl<'e> Context<'e> {
    /// What fields are asked of in `f.a` or `(…).a`.
    pub(super) fn chain_receiver(&mut self, dot: &Operand, inner: &'e Expression) -> Result<Operand> {
        self.at = At::Part(Part::Expression(inner));
        match &inner.kind {
            ExpressionKind::Pipe(pipe) => {
                let pipe = self.syntax().get(*pipe);
                crate::stack::grow(|| self.pipeline(dot, pipe)).map(Operand::concrete)
            }
            ExpressionKind::Function(identifier) => {
                self.function(dot, identifier, At::Part(Part::Expression(inner)), &[], None)
            }
            // The parser makes no other chains.
            _ => Ok(Operand::default()),
        }
    }

    /// Follows `names` from the receiver; the last one gets the arguments.
    pub(super) fn field_chain(
        &mut self,
        dot: &Operand,
        receiver: &Operand,
        expression: &'e Expression,
        names: &'e [Name],
        arguments: &'e [Expression],
        last: Option<&Value>,
    ) -> Result<Operand> {
        let Some((last_name, names)) = names.split_last() else { return Ok(receiver.clone()) };
        let nothing = Arguments { words: &[], last: None };
        let mut value;
        let mut receiver = receiver;
        for name in names {
            value = self.field(dot, receiver, expression, *name, &nothing)?;
            receiver = &value;
        }
        let arguments = Arguments { words: arguments, last };
        self.field(dot, receiver, expression, *last_name, &arguments)
    }

    fn field(
        &mut self,
        dot: &Operand,
        receiver: &Operand,
        expression: &'e Expression,
        name: Name,
        arguments: &Arguments<'e, '_>,
    ) -> Result<Operand> {
        if receiver.is_invalid() {
            if self.environment.missing_key() == MissingKey::Error {
                let name = strconv::quote(self.tree.source.name(name));
                return Err(self.fail(format!("nil data; no entry for key {name}")));
            }
            return Ok(Operand::default());
        }
        match &receiver.value {
            Value::Nil => {
                Err(self.fail(format!("nil pointer evaluating interface {{}}.{}", self.shown(name))))
            }
            Value::Map(map) => {
                if let MapClass::Named(class) = map.class()
                    && let Some(result) = self.method(dot, expression, name, arguments, |name, values| {
                        (class.method)(map, name, values)
                    })?
                {
                    return Ok(result);
                }
                self.entry(map, name, arguments)
            }
            Value::Object(object) => self.object_field(dot, receiver, &**object, expression, name, arguments),
            _ => Err(self.no_field(receiver, name)),
        }
    }

    fn object_field(
        &mut self,
        dot: &Operand,
        receiver: &Operand,
        object: &dyn Object,
        expression: &'e Expression,
        name: Name,
        arguments: &Arguments<'e, '_>,
    ) -> Result<Operand> {
        let method =
            self.method(dot, expression, name, arguments, |name, values| object.method(name, values))?;
        if let Some(result) = method {
            return Ok(result);
        }
        match object.kind() {
            Kind::Struct | Kind::Ptr => {
                let text = std::str::from_utf8(self.tree.source.name(name)).ok();
                let field = text.and_then(|name| object.field(name));
                let value = field.ok_or_else(|| self.no_field(receiver, name))?;
                self.not_invoked(name, arguments)?;
                Ok(Operand::result(value))
            }
            Kind::Map => match object.elements() {
                Some(Value::Map(map)) => self.entry(&map, name, arguments),
                _ => Err(self.no_field(receiver, name)),
            },
            _ => Err(self.no_field(receiver, name)),
        }
    }

    fn no_field(&self, receiver: &Operand, name: Name) -> Box<Error> {
        let (kind, name) = (receiver.static_type(), self.shown(name));
        self.fail(format!("can't evaluate field {name} in type {kind}"))
    }

    fn not_invoked(&self, name: Name, arguments: &Arguments<'_, '_>) -> Result<()> {
        if arguments.is_empty() {
            return Ok(());
        }
        let name = self.shown(name);
        Err(self.fail(format!("{name} has arguments but cannot be invoked as function")))
    }

    fn entry(&self, map: &Map, name: Name, arguments: &Arguments<'_, '_>) -> Result<Operand> {
        if !arguments.is_empty() {
            let name = self.shown(name);
            return Err(self.fail(format!("{name} is not a method but has arguments")));
        }
        let boxed = !matches!(map.class(), MapClass::String);
        if let Some(value) = map.get(self.tree.source.name(name)) {
            return Ok(Operand { value, boxed });
        }
        match self.environment.missing_key() {
            MissingKey::Default => Ok(Operand::default()),
            MissingKey::Zero if boxed => Ok(Operand::boxed(Value::Nil)),
            MissingKey::Zero => Ok(Operand::concrete(Value::string(""))),
            MissingKey::Error => {
                let name = strconv::quote(self.tree.source.name(name));
                Err(self.fail(format!("map has no entry for key {name}")))
            }
        }
    }

    /// Calls a method; nothing when there is none of that name.
    fn method(
        &mut self,
        dot: &Operand,
        expression: &'e Expression,
        name: Name,
        arguments: &Arguments<'e, '_>,
        call: impl Fn(&str, &[Value]) -> Option<std::result::Result<Value, CallError>>,
    ) -> Result<Option<Operand>> {
        let Ok(name) = std::str::from_utf8(self.tree.source.name(name)) else { return Ok(None) };
        // Go looks for the method, and at the number of arguments, before it evaluates them.
        let blanks = vec![Value::Nil; arguments.count()];
        let Some(mut result) = call(name, &blanks) else { return Ok(None) };
        if !blanks.is_empty() && !matches!(result, Err(CallError::Arity { .. })) {
            let values = self.method_arguments(dot, arguments)?;
            result = call(name, &values).unwrap_or(Ok(Value::Nil));
        }
        match result {
            Ok(value) => Ok(Some(Operand::result(value))),
            Err(CallError::Arity { want, at_least }) => {
                Err(self.wrong_arity(name, want, at_least, arguments))
            }
            Err(CallError::WrongType { argument, expected }) => {
                Err(self.wrong_type(dot, arguments, argument, &expected))
            }
            Err(error) => Err(self.call_failed(At::Part(Part::Expression(expression)), name, error)),
        }
    }

    fn method_arguments(&mut self, dot: &Operand, arguments: &Arguments<'e, '_>) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(arguments.words.len() + 1);
        for word in arguments.words {
            values.push(self.argument(dot, &Type::Any, word)?);
        }
        values.extend(arguments.last.cloned());
        Ok(values)
    }

    #[cold]
    fn wrong_arity(
        &self,
        name: &str,
        want: usize,
        at_least: bool,
        arguments: &Arguments<'_, '_>,
    ) -> Box<Error> {
        // Go doesn't count what comes from the pipeline here.
        let (least, got) =
            if at_least { ("at least ", arguments.words.len()) } else { ("", arguments.count()) };
        self.fail(format!("wrong number of args for {name}: want {least}{want} got {got}"))
    }

    /// What Go says before it calls a method with such an argument.
    #[cold]
    fn wrong_type(
        &mut self,
        dot: &Operand,
        arguments: &Arguments<'e, '_>,
        argument: usize,
        expected: &Type,
    ) -> Box<Error> {
        let checked = match (arguments.words.get(argument), arguments.last) {
            (Some(word), _) => self.argument(dot, expected, word),
            (None, last) => self.fit(&Operand::concrete(last.cloned().unwrap_or_default()), expected),
        };
        match checked {
            Err(error) => error,
            Ok(value) => {
                let got = value.type_of();
                self.fail(format!("wrong type for value; expected {expected}; got {got}"))
            }
        }
    }
}

impl Arguments<'_, '_> {
    fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn count(&self) -> usize {
        self.words.len() + usize::from(self.last.is_some())
    }
}
