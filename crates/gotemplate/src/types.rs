//! Go's types and kinds, and how it prints them.

use std::fmt;
use std::rc::Rc;

/// A Go type, as far as templates can tell types apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// The type of an untyped nil; prints as `<nil>`.
    Nil,
    /// `interface {}`: accepts everything, nil included.
    Any,
    Bool,
    Int(IntType),
    Float64,
    Complex128,
    String,
    /// A slice of that element type.
    List(Rc<Self>),
    /// A map from string to that type.
    Map(Rc<Self>),
    /// A type of the program, by the name that `%T` prints.
    Named(Rc<str>, Kind),
}

/// Go's integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntType {
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uintptr,
}

/// Go's `reflect.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Invalid,
    Bool,
    Int(IntType),
    Float64,
    Complex128,
    String,
    Slice,
    Map,
    Struct,
    Ptr,
    Func,
}

impl Type {
    pub fn list_of(element: Self) -> Self {
        Self::List(Rc::new(element))
    }

    pub fn map_of(element: Self) -> Self {
        Self::Map(Rc::new(element))
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil | Self::Any => Kind::Invalid,
            Self::Bool => Kind::Bool,
            Self::Int(int) => Kind::Int(*int),
            Self::Float64 => Kind::Float64,
            Self::Complex128 => Kind::Complex128,
            Self::String => Kind::String,
            Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Named(_, kind) => *kind,
        }
    }
}

impl IntType {
    pub fn is_signed(self) -> bool {
        matches!(self, Self::Int | Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Its width in bits, on the 64-bit machines that Helm is built for.
    pub fn bits(self) -> u32 {
        match self {
            Self::Int8 | Self::Uint8 => 8,
            Self::Int16 | Self::Uint16 => 16,
            Self::Int32 | Self::Uint32 => 32,
            Self::Int | Self::Int64 | Self::Uint | Self::Uint64 | Self::Uintptr => 64,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Uintptr => "uintptr",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("<nil>"),
            Self::Any => f.write_str("interface {}"),
            Self::Bool => f.write_str("bool"),
            Self::Int(int) => f.write_str(int.name()),
            Self::Float64 => f.write_str("float64"),
            Self::Complex128 => f.write_str("complex128"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "[]{element}"),
            Self::Map(element) => write!(f, "map[string]{element}"),
            Self::Named(name, _) => f.write_str(name),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int(int) => int.name(),
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
            Self::Func => "func",
        })
    }
}
