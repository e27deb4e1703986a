//! Semantic versions: `semver`, `semverCompare`, and the object that `semver` gives.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::Display;

use gotemplate::{CallError, Functions, IntType, Kind, Object, Value};

use crate::arguments::{Answer, NIL_DEREFERENCE, STRING, plain, text};
use crate::methods::{self, Parameter};
use crate::semver::{Constraint, Version};

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "semver", [STRING], |arguments| {
        let version = Version::parse(&text(arguments, 0)?.to_string_lossy());
        Ok(Value::object(VersionObject::pointer(version.map_err(message)?)))
    });
    plain(functions, "semverCompare", [STRING, STRING], |arguments| {
        let constraint = Constraint::parse(&text(arguments, 0)?.to_string_lossy()).map_err(message)?;
        let version = Version::parse(&text(arguments, 1)?.to_string_lossy()).map_err(message)?;
        Ok(Value::Bool(constraint.check(&version)))
    });
}

/// A version as templates see it: the pointer that `semver` gives, or the struct that methods such
/// as `IncMajor` give.
pub(crate) struct VersionObject {
    version: Version,
    pointer: bool,
}

impl VersionObject {
    fn pointer(version: Version) -> Self {
        Self { version, pointer: true }
    }

    fn value(version: Version) -> Value {
        Value::object(Self { version, pointer: false })
    }

    /// What a copy in depth is: Go copies exported fields, and a version has none.
    pub(crate) fn blank(&self) -> Value {
        Value::object(Self { version: Version::new(0, 0, 0), pointer: self.pointer })
    }

    /// Methods without parameters. Only the pointer has `Original`.
    fn property(&self, name: &str) -> Option<Value> {
        let version = &self.version;
        let number = |number: u64| Value::Int(number.into(), IntType::Uint64);
        Some(match name {
            "String" => Value::from(version.to_string()),
            "Major" => number(version.major()),
            "Minor" => number(version.minor()),
            "Patch" => number(version.patch()),
            "Prerelease" => Value::from(version.prerelease()),
            "Metadata" => Value::from(version.metadata()),
            "Original" if self.pointer => Value::from(version.original()),
            "MarshalJSON" => Value::bytes(format!("\"{version}\"").as_bytes()),
            "MarshalText" => Value::bytes(version.to_string().as_bytes()),
            _ => return None,
        })
    }

    fn increment(&self, name: &str, arguments: &[Value]) -> Answer {
        methods::check(arguments, &[])?;
        let (next, part) = match name {
            "IncMajor" => (self.version.next_major(), "major"),
            "IncMinor" => (self.version.next_minor(), "minor"),
            _ => (self.version.next_patch(), "patch"),
        };
        let overflow = || format!("{part} version increment would overflow uint64").into();
        next.map(Self::value).ok_or_else(overflow)
    }

    fn set(&self, name: &str, arguments: &[Value]) -> Answer {
        methods::check(arguments, &[Parameter::String])?;
        let part = text(arguments, 0)?.to_string_lossy();
        let set = match name {
            "SetPrerelease" => self.version.with_prerelease(&part),
            _ => self.version.with_metadata(&part),
        };
        set.map(Self::value).map_err(message)
    }

    /// Methods that compare; only the pointer has them.
    fn comparison(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        let holds: fn(Ordering) -> Value = match name {
            "LessThan" => |order| order.is_lt().into(),
            "LessThanEqual" => |order| order.is_le().into(),
            "GreaterThan" => |order| order.is_gt().into(),
            "GreaterThanEqual" => |order| order.is_ge().into(),
            "Equal" => |order| order.is_eq().into(),
            "Compare" => |order| Value::int(order as i64),
            _ => return None,
        };
        let compare = || {
            methods::check(arguments, &[Parameter::Object("*semver.Version")])?;
            let other = arguments.first().and_then(Value::downcast::<Self>);
            let other = other.ok_or_else(|| CallError::from(NIL_DEREFERENCE))?;
            Ok(holds(self.version.cmp(&other.version)))
        };
        Some(compare())
    }
}

impl Object for VersionObject {
    fn type_name(&self) -> &str {
        if self.pointer { "*semver.Version" } else { "semver.Version" }
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Ptr } else { Kind::Struct }
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        if let Some(value) = self.property(name) {
            return Some(methods::check(arguments, &[]).map(|()| value));
        }
        match name {
            "IncMajor" | "IncMinor" | "IncPatch" => Some(self.increment(name, arguments)),
            "SetPrerelease" | "SetMetadata" => Some(self.set(name, arguments)),
            _ if self.pointer => self.comparison(name, arguments),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let version = &self.version;
        let number = |number: u64| Value::Int(number.into(), IntType::Uint64);
        vec![
            ("major", number(version.major())),
            ("minor", number(version.minor())),
            ("patch", number(version.patch())),
            ("pre", Value::from(version.prerelease())),
            ("metadata", Value::from(version.metadata())),
            ("original", Value::from(version.original())),
        ]
    }

    fn display(&self) -> Option<String> {
        Some(self.version.to_string())
    }

    fn json(&self) -> Option<Value> {
        Some(Value::from(self.version.to_string()))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        // Structs are equal field by field; two pointers only when they are the same.
        let Some(other) = other.as_any().downcast_ref::<Self>() else { return false };
        match (self.pointer, other.pointer) {
            (true, true) => std::ptr::eq(self, other),
            (false, false) => {
                self.version.original() == other.version.original()
                    && self.version.to_string() == other.version.to_string()
            }
            _ => false,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn message(error: impl Display) -> CallError {
    error.to_string().into()
}
