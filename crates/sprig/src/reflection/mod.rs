//! Types, kinds, and equality in depth.

mod equal;

use gotemplate::{Functions, Value};

use crate::arguments::{ANY, STRING, any, plain, text};

pub(crate) use equal::deep_equal;

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "typeOf", [ANY], |arguments| Ok(type_of(any(arguments, 0)?).into()));
    plain(functions, "typeIs", [STRING, ANY], |arguments| {
        Ok((*text(arguments, 0)? == *type_of(any(arguments, 1)?)).into())
    });
    plain(functions, "typeIsLike", [STRING, ANY], |arguments| {
        let actual = type_of(any(arguments, 1)?);
        let target = text(arguments, 0)?;
        let pointed = actual.strip_prefix('*');
        Ok((*target == *actual || pointed.is_some_and(|pointed| *target == *pointed)).into())
    });
    plain(functions, "kindOf", [ANY], |arguments| Ok(kind_of(any(arguments, 0)?).into()));
    plain(functions, "kindIs", [STRING, ANY], |arguments| {
        Ok((*text(arguments, 0)? == *kind_of(any(arguments, 1)?)).into())
    });
    plain(functions, "deepEqual", [ANY, ANY], |arguments| {
        Ok(deep_equal(any(arguments, 0)?, any(arguments, 1)?).into())
    });
}

fn type_of(value: &Value) -> String {
    value.type_of().to_string()
}

fn kind_of(value: &Value) -> String {
    value.kind().to_string()
}
