//! Values with what Go's reflection knows about their static type.

use crate::types::Type;
use crate::value::Value;

/// A value on its way through a pipeline.
///
/// An element of a `map[string]interface {}` has the static type `interface {}`, and error texts
/// say so; what a function returns or a literal has its own type. Nil comes in both forms: as an
/// `interface {}` that holds nothing, of which no field may be asked, and as no value at all, of
/// which any field may be asked.
#[derive(Clone, Default)]
pub(crate) struct Operand {
    pub(crate) value: Value,
    /// Whether the static type is `interface {}`.
    pub(crate) boxed: bool,
}

impl Operand {
    /// A value of its own type; no value when it is nil.
    pub(crate) fn concrete(value: Value) -> Self {
        Self { value, boxed: false }
    }

    /// A value in an `interface {}`.
    pub(crate) fn boxed(value: Value) -> Self {
        Self { value, boxed: true }
    }

    /// An element of a map or list of that type.
    pub(crate) fn element(value: Value, element: &Type) -> Self {
        Self { value, boxed: *element == Type::Any }
    }

    /// What a function, field or method gave: their nil is an interface's.
    pub(crate) fn result(value: Value) -> Self {
        Self { boxed: value.is_nil(), value }
    }

    pub(crate) fn is_invalid(&self) -> bool {
        !self.boxed && self.value.is_nil()
    }

    pub(crate) fn static_type(&self) -> Type {
        if self.boxed { Type::Any } else { self.value.type_of() }
    }
}
