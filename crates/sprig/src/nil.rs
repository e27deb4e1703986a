//! Go's nil slice.
//!
//! Some functions of Sprig give a nil `[]interface {}` where there is nothing to give. It prints
//! and behaves as an empty list, but JSON and YAML write it as `null`.

use std::any::Any;

use gotemplate::{Kind, Object, Value};

/// A nil `[]interface {}`.
pub(crate) struct NilSlice;

impl Object for NilSlice {
    fn type_name(&self) -> &str {
        "[]interface {}"
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn is_true(&self) -> bool {
        false
    }

    fn json(&self) -> Option<Value> {
        Some(Value::Nil)
    }

    fn elements(&self) -> Option<Value> {
        Some(Value::list(Vec::new()))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().is::<Self>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The list, or the nil slice when it has no elements.
pub(crate) fn list_or_nil(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::object(NilSlice) } else { Value::list(items) }
}
