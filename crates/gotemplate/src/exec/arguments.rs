//! Arguments, and how they fit parameters.

use super::{At, Context, Operand, Result};
use crate::node::{Expression, ExpressionKind, Part};
use crate::types::{IntType, Kind, Type};
use crate::value::{List, Map, MapClass, Value};

impl<'e> Context<'e> {
    /// The value of an argument for a parameter of that type.
    pub(super) fn argument(
        &mut self,
        dot: &Operand,
        parameter: &Type,
        word: &'e Expression,
    ) -> Result<Value> {
        if *parameter == Type::Any {
            return self.operand(dot, word).map(|operand| operand.value);
        }
        match &word.kind {
            ExpressionKind::Nil => {
                self.at = At::Part(Part::Expression(word));
                zero(parameter).ok_or_else(|| self.fail(format!("cannot assign nil to {parameter}")))
            }
            kind @ (ExpressionKind::Bool(_) | ExpressionKind::Number(_) | ExpressionKind::String(_)) => {
                self.at = At::Part(Part::Expression(word));
                self.typed_literal(parameter, word, *kind)
            }
            _ => {
                let operand = self.operand(dot, word)?;
                self.fit(&operand, parameter)
            }
        }
    }

    /// The value of an argument of any type.
    pub(super) fn operand(&mut self, dot: &Operand, word: &'e Expression) -> Result<Operand> {
        self.at = At::Part(Part::Expression(word));
        let syntax = self.syntax();
        match &word.kind {
            ExpressionKind::Dot => Ok(dot.clone()),
            ExpressionKind::Nil => Ok(Operand::default()),
            ExpressionKind::Field(names) => self.field_chain(dot, dot, word, syntax.row(*names), &[], None),
            ExpressionKind::Variable(variable, names) => {
                self.variable(dot, word, variable, syntax.row(*names), &[], None)
            }
            ExpressionKind::Pipe(pipe) => {
                crate::stack::grow(|| self.pipeline(dot, syntax.get(*pipe))).map(Operand::concrete)
            }
            ExpressionKind::Function(identifier) => {
                self.function(dot, identifier, At::Part(Part::Expression(word)), &[], None)
            }
            ExpressionKind::Chain(inner, names) => {
                let receiver = self.chain_receiver(dot, syntax.get(*inner))?;
                self.field_chain(dot, &receiver, word, syntax.row(*names), &[], None)
            }
            kind => self.literal(*kind).map(Operand::concrete),
        }
    }

    /// Checks that a value can be passed for a parameter.
    pub(super) fn fit(&self, operand: &Operand, parameter: &Type) -> Result<Value> {
        if operand.is_invalid() {
            return zero(parameter).ok_or_else(|| self.fail(format!("invalid value; expected {parameter}")));
        }
        if let Some(value) = assign(&operand.value, parameter) {
            return Ok(value);
        }
        let got = if operand.value.is_nil() { Type::Any } else { operand.value.type_of() };
        Err(self.fail(format!("wrong type for value; expected {parameter}; got {got}")))
    }

    /// A literal takes the type of the parameter, if it can.
    fn typed_literal(&self, parameter: &Type, word: &Expression, kind: ExpressionKind) -> Result<Value> {
        let number = match kind {
            ExpressionKind::Number(number) => Some(self.syntax().get(number)),
            _ => None,
        };
        let (value, expected) = match parameter.kind() {
            Kind::Bool => match kind {
                ExpressionKind::Bool(value) => (Some(Value::Bool(value)), "bool"),
                _ => (None, "bool"),
            },
            Kind::String => match kind {
                ExpressionKind::String(literal) => {
                    (Some(Value::String(self.syntax().get(literal).text.clone())), "string")
                }
                _ => (None, "string"),
            },
            Kind::Int(int) if int.is_signed() => {
                (number.and_then(|number| number.int).map(|value| wrap(value.into(), int)), "integer")
            }
            Kind::Int(int) => (
                number.and_then(|number| number.uint).map(|value| wrap(value.into(), int)),
                "unsigned integer",
            ),
            Kind::Float64 => (number.and_then(|number| number.float).map(Value::Float), "float"),
            Kind::Complex128 => (
                number
                    .and_then(|number| number.complex)
                    .map(|(real, imaginary)| Value::Complex(real, imaginary)),
                "complex",
            ),
            _ => {
                let word = self.print(At::Part(Part::Expression(word)));
                return Err(self.fail(format!("can't handle {word} for arg of type {parameter}")));
            }
        };
        value.ok_or_else(|| {
            let word = self.print(At::Part(Part::Expression(word)));
            self.fail(format!("expected {expected}; found {word}"))
        })
    }
}

/// Go's conversion of an integer literal to a narrower type, which drops bits.
fn wrap(value: i128, int: IntType) -> Value {
    let bits = int.bits();
    let low = value & ((1 << bits) - 1);
    let is_negative = int.is_signed() && low >> (bits - 1) != 0;
    Value::Int(if is_negative { low - (1 << bits) } else { low }, int)
}

/// What nil is as a value of that type; `None` when it can't be.
fn zero(parameter: &Type) -> Option<Value> {
    match parameter {
        Type::Any | Type::Nil => Some(Value::Nil),
        Type::List(element) => Some(Value::List(List::new((**element).clone(), Vec::new()).into())),
        Type::Map(element) => {
            let class = if **element == Type::String { MapClass::String } else { MapClass::Any };
            Some(Value::Map(Map::nil(class).into()))
        }
        Type::Named(_, Kind::Ptr | Kind::Map | Kind::Slice | Kind::Func) => Some(Value::Nil),
        _ => None,
    }
}

/// The value as one of the parameter's type; `None` when Go can't assign it.
fn assign(value: &Value, parameter: &Type) -> Option<Value> {
    let fits = match (parameter, value) {
        (Type::Any, _)
        | (Type::String, Value::String(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Float64, Value::Float(_))
        | (Type::Complex128, Value::Complex(..)) => true,
        (Type::Int(int), Value::Int(_, found)) => int == found,
        (Type::List(element), Value::List(list)) => list.element() == &**element,
        (Type::Map(element), Value::Map(map)) => map.element() == **element,
        (Type::Named(name, _), Value::Map(map)) => match map.class() {
            MapClass::Named(class) => *class.name == **name,
            MapClass::Any | MapClass::String => false,
        },
        (Type::Named(name, _), Value::Object(object)) => {
            let found = object.type_name();
            // A pointer will do where what it points to is wanted.
            found == &**name || object.kind() == Kind::Ptr && found.strip_prefix('*') == Some(name)
        }
        (Type::List(_) | Type::Map(_), Value::Object(object)) => {
            let elements = object.elements()?;
            return (elements.type_of() == *parameter).then_some(elements);
        }
        _ => false,
    };
    fits.then(|| value.clone())
}
