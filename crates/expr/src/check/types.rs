//! Static types, and when one can stand for another.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Dyn,
    /// Of an empty literal or of nothing optional: fits everything, and takes on what it meets.
    Free,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    /// Of types themselves.
    Meta,
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Optional(Box<Self>),
    /// A letter of a signature, which stands for any type.
    Parameter(char),
}

impl Type {
    pub(crate) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    pub(crate) fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    pub(crate) fn optional(of: Self) -> Self {
        Self::Optional(Box::new(of))
    }

    /// Tells whether a part of it is free.
    pub(crate) fn has_free(&self) -> bool {
        match self {
            Self::Free => true,
            Self::List(of) | Self::Optional(of) => of.has_free(),
            Self::Map(key, value) => key.has_free() || value.has_free(),
            _ => false,
        }
    }

    /// An object of Kubernetes: a map whose values can be anything.
    pub(crate) fn object() -> Self {
        Self::map(Self::String, Self::Dyn)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::List(of) => return write!(f, "list({of})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Optional(of) => return write!(f, "optional_type({of})"),
            Self::Parameter(name) => return write!(f, "{name}"),
            Self::Dyn | Self::Free => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Meta => "type",
        };
        f.write_str(name)
    }
}

/// What the letters of a signature stand for in one call.
#[derive(Debug, Default)]
pub(crate) struct Bindings(Vec<(char, Type)>);

impl Bindings {
    /// Tells whether a type can stand where another one is wanted, and binds the letters of the latter.
    pub(crate) fn accept(&mut self, wanted: &Type, given: &Type) -> bool {
        match (wanted, given) {
            (Type::Parameter(name), given) => self.bind(*name, given),
            (_, Type::Dyn | Type::Free) | (Type::Dyn | Type::Free, _) => true,
            (Type::Timestamp | Type::Duration | Type::Optional(_), Type::Null) => true,
            (Type::List(wanted), Type::List(given)) | (Type::Optional(wanted), Type::Optional(given)) => {
                self.accept(wanted, given)
            }
            (Type::Map(key, value), Type::Map(given_key, given_value)) => {
                self.accept(key, given_key) && self.accept(value, given_value)
            }
            (wanted, given) => wanted == given,
        }
    }

    fn bind(&mut self, name: char, given: &Type) -> bool {
        let Some(at) = self.0.iter().position(|(known, _)| *known == name) else {
            self.0.push((name, given.clone()));
            return true;
        };
        let known = self.0[at].1.clone();
        if Self::default().accept(&known, given) {
            // The more general one of both stays.
            if *given == Type::Dyn || matches!(known, Type::Null | Type::Free) {
                self.0[at].1 = given.clone();
            }
            return true;
        }
        let accepted = Self::default().accept(given, &known);
        if accepted {
            self.0[at].1 = given.clone();
        }
        accepted
    }

    /// A type of the signature with its letters replaced; a letter that nothing is known about is free.
    pub(crate) fn resolve(&self, of: &Type) -> Type {
        match of {
            Type::Parameter(name) => {
                self.0.iter().find(|(known, _)| known == name).map_or(Type::Free, |(_, bound)| bound.clone())
            }
            Type::List(of) => Type::list(self.resolve(of)),
            Type::Optional(of) => Type::optional(self.resolve(of)),
            Type::Map(key, value) => Type::map(self.resolve(key), self.resolve(value)),
            other => other.clone(),
        }
    }
}
