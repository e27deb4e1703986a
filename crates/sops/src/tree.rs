//! A document as sops sees it: maps in order, with comments among their entries.

use zeroize::Zeroizing;

/// Bytes that may be secret; text in most cases.
pub(crate) type Text = Zeroizing<Vec<u8>>;

/// A map in order. Keys may repeat.
pub(crate) type Branch = Vec<Entry>;

/// A value.
#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Str(Text),
    /// Bytes that a document encrypted as such; old versions of sops did.
    Bytes(Text),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// RFC 3339 with as many digits of the second as needed.
    Time(Zeroizing<String>),
    List(Vec<Item>),
    Map(Branch),
}

/// What stands in a map.
#[derive(Clone)]
pub(crate) enum Entry {
    Pair(String, Value),
    Comment(Comment),
}

/// What stands in a list.
#[derive(Clone)]
pub(crate) enum Item {
    Value(Value),
    Comment(Comment),
}

/// A line of comment, without its sign.
#[derive(Clone)]
pub(crate) struct Comment {
    pub(crate) text: Text,
    /// Whether it stands behind a value on its line.
    pub(crate) inline: bool,
}

impl Value {
    pub(crate) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Str(Zeroizing::new(text.into()))
    }

    /// The type's name in Go, as messages of sops call it.
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "nil",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Bool(_) => "bool",
            Self::Time(_) => "time.Time",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    pub(crate) const fn is_complex(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }
}

/// A float as sops writes it into a MAC and into an encrypted value: Go's format `f` with as many digits as needed.
pub(crate) fn fixed_float(float: f64) -> String {
    if float.is_infinite() {
        return if float > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    float.to_string()
}
