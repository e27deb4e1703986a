use crate::resolve::Rules;
use crate::{number, resolve, time};
use std::borrow::Cow;

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A leaf.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Self>),
    /// A map in source order.
    Mapping(Mapping),
}

/// A leaf: its text, what the text means, and how it was written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text after unescaping; of a number as it was written.
    pub text: String,
    /// What the text means.
    pub kind: ScalarKind,
    /// How it was written.
    pub style: Style,
    /// Line in the source, counted from 1; 0 where the value was made here.
    pub line: u32,
    /// Whether it has no tag of its own: whatever text it gets, the text alone tells what it means.
    pub untagged: bool,
    /// In how many brackets (`[…]`, `{…}`) it stands; go-yaml v3 writes some scalars differently there.
    pub brackets: u8,
}

/// What a scalar means (its YAML tag).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Any other number.
    Float,
    /// Text.
    Str,
    /// A plain date or time: text once it leaves YAML.
    Timestamp,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    #[default]
    Plain,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A scalar's value.
#[derive(Clone, Debug, PartialEq)]
pub enum ScalarValue<'a> {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text; times in RFC 3339.
    Str(Cow<'a, str>),
}

impl Scalar {
    /// Makes a text.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        Self::new(text.into(), ScalarKind::Str)
    }

    /// Makes a value from the text and its meaning.
    #[must_use]
    pub const fn new(text: String, kind: ScalarKind) -> Self {
        Self { text, kind, style: Style::Plain, line: 0, untagged: false, brackets: 0 }
    }

    /// Makes a scalar that has no tag: text in quotes is text, any other means what it means when read.
    #[must_use]
    pub fn untagged(text: impl Into<String>, style: Style, rules: Rules) -> Self {
        let text = text.into();
        let kind = if style == Style::Plain { resolve::resolve(&text, rules) } else { ScalarKind::Str };
        Self { style, untagged: true, ..Self::new(text, kind) }
    }

    /// Makes a plain scalar that means what its text means when read.
    #[must_use]
    pub fn resolved(text: impl Into<String>, rules: Rules) -> Self {
        let text = text.into();
        let kind = resolve::resolve(&text, rules);
        Self::new(text, kind)
    }

    /// What the scalar stands for.
    ///
    /// A number whose text isn't one (it was overwritten) reads as text.
    #[must_use]
    pub fn value(&self) -> ScalarValue<'_> {
        match self.kind {
            ScalarKind::Null => ScalarValue::Null,
            ScalarKind::Str => ScalarValue::Str(Cow::Borrowed(&self.text)),
            ScalarKind::Bool => {
                resolve::boolean(&self.text).map_or_else(|| self.as_text(), ScalarValue::Bool)
            }
            ScalarKind::Timestamp => {
                time::rfc3339(&self.text).map_or_else(|| self.as_text(), |t| ScalarValue::Str(Cow::Owned(t)))
            }
            ScalarKind::Int | ScalarKind::Float => match number::parse(&self.text) {
                Some(number::Number::Int(i)) => ScalarValue::Int(i),
                Some(number::Number::Uint(u)) => ScalarValue::Uint(u),
                Some(number::Number::Float(f)) => ScalarValue::Float(f),
                None => self.as_text(),
            },
        }
    }

    fn as_text(&self) -> ScalarValue<'_> {
        ScalarValue::Str(Cow::Borrowed(&self.text))
    }
}

/// Where a scalar stood and how it was quoted are no part of its value.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text
    }
}

impl Node {
    /// An empty map.
    #[must_use]
    pub const fn map() -> Self {
        Self::Mapping(Mapping::new())
    }

    /// No value, written out as `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::Scalar(Scalar::new("null".to_owned(), ScalarKind::Null))
    }

    /// A text.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        Self::Scalar(Scalar::string(text))
    }

    /// A whole number.
    #[must_use]
    pub fn int(value: i64) -> Self {
        Self::Scalar(Scalar::new(value.to_string(), ScalarKind::Int))
    }

    /// A boolean.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::Scalar(Scalar::new(value.to_string(), ScalarKind::Bool))
    }

    /// The value under a key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value under a key, if this is a map that has it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.as_map_mut()?.get_mut(key)
    }

    /// The value at a path of map keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The map, if this is one.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Mapping> {
        if let Self::Mapping(map) = self { Some(map) } else { None }
    }

    /// The map, if this is one.
    pub const fn as_map_mut(&mut self) -> Option<&mut Mapping> {
        if let Self::Mapping(map) = self { Some(map) } else { None }
    }

    /// The list, if this is one.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Self]> {
        if let Self::Sequence(items) = self { Some(items) } else { None }
    }

    /// The list, if this is one.
    pub const fn as_seq_mut(&mut self) -> Option<&mut Vec<Self>> {
        if let Self::Sequence(items) = self { Some(items) } else { None }
    }

    /// The scalar, if this is one.
    #[must_use]
    pub const fn as_scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// The scalar, if this is one.
    pub const fn as_scalar_mut(&mut self) -> Option<&mut Scalar> {
        if let Self::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// The text of a scalar that isn't null, whatever it means.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.as_scalar().filter(|s| s.kind != ScalarKind::Null).map(|s| s.text.as_str())
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().filter(|s| s.kind == ScalarKind::Str).map(|s| s.text.as_str())
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(|s| s.kind == ScalarKind::Null)
    }

    /// Whether this is an empty map.
    #[must_use]
    pub fn is_empty_map(&self) -> bool {
        self.as_map().is_some_and(Mapping::is_empty)
    }

    /// The first source line known in this value; 0 where none is.
    #[must_use]
    pub fn line(&self) -> u32 {
        match self {
            Self::Scalar(scalar) => scalar.line,
            Self::Sequence(items) => items.first().map_or(0, Self::line),
            Self::Mapping(map) => map.entries.first().map_or(0, |(key, _)| key.line),
        }
    }
}

/// A map in source order, each key once.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    entries: Vec<(Scalar, Node)>,
}

impl Mapping {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(crate) const fn from_entries(entries: Vec<(Scalar, Node)>) -> Self {
        Self { entries }
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where a key stands.
    #[must_use]
    pub fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(k, _)| k.text == key)
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(k, _)| k.text == key).map(|(_, v)| v)
    }

    /// The value under a key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(k, _)| k.text == key).map(|(_, v)| v)
    }

    /// The entry at a position.
    #[must_use]
    pub fn entry_at(&self, index: usize) -> Option<(&Scalar, &Node)> {
        self.entries.get(index).map(|(k, v)| (k, v))
    }

    /// The value at a position.
    pub fn value_at_mut(&mut self, index: usize) -> Option<&mut Node> {
        self.entries.get_mut(index).map(|(_, v)| v)
    }

    /// Sets a key, in place if it's there, else at the end.
    pub fn insert(&mut self, key: impl Into<String> + AsRef<str>, value: Node) {
        match self.get_mut(key.as_ref()) {
            Some(old) => *old = value,
            None => self.entries.push((Scalar::string(key), value)),
        }
    }

    /// Adds an entry at the end without looking for the key.
    ///
    /// The caller knows that the key isn't there yet.
    pub fn push(&mut self, key: Scalar, value: Node) {
        self.entries.push((key, value));
    }

    /// The value under a key, made if it's missing.
    pub fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let index = self.position(key).unwrap_or_else(|| {
            self.entries.push((Scalar::string(key), make()));
            self.entries.len() - 1
        });
        &mut self.entries[index].1
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let index = self.position(key)?;
        Some(self.entries.remove(index).1)
    }

    /// Keeps the entries that pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&Scalar, &mut Node) -> bool) {
        self.entries.retain_mut(|(k, v)| keep(k, v));
    }

    /// All entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Scalar, &Node)> + Clone {
        self.entries.iter().map(|(k, v)| (k, v))
    }

    /// All entries in order.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Scalar, &mut Node)> {
        self.entries.iter_mut().map(|(k, v)| (&*k, v))
    }

    /// Notes on all keys in how many brackets the map stands.
    pub fn set_key_brackets(&mut self, brackets: u8) {
        self.entries.iter_mut().for_each(|(key, _)| key.brackets = brackets);
    }
}

impl IntoIterator for Mapping {
    type Item = (Scalar, Node);
    type IntoIter = std::vec::IntoIter<(Scalar, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl FromIterator<(String, Node)> for Mapping {
    fn from_iter<T: IntoIterator<Item = (String, Node)>>(iter: T) -> Self {
        Self { entries: iter.into_iter().map(|(k, v)| (Scalar::string(k), v)).collect() }
    }
}

/// The order of keys is no part of a map's value.
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let same_order = self.entries.iter().zip(&other.entries).all(|((a, _), (b, _))| a.text == b.text);
        if same_order {
            return self.entries.iter().zip(&other.entries).all(|((_, a), (_, b))| a == b);
        }
        let sorted = |map: &'_ Self| {
            let mut entries: Vec<usize> = (0..map.len()).collect();
            entries.sort_by(|a, b| map.entries[*a].0.text.cmp(&map.entries[*b].0.text));
            entries
        };
        sorted(self).into_iter().zip(sorted(other)).all(|(a, b)| {
            let ((ka, va), (kb, vb)) = (&self.entries[a], &other.entries[b]);
            ka.text == kb.text && va == vb
        })
    }
}
