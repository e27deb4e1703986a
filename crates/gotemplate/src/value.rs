//! What templates see: values with Go's dynamic types.
//!
//! A template's behaviour depends on the *type* of a value, not only on its content: `1` from a
//! template is an `int`, `1` from a values file a `float64`, and `typeOf`, `printf "%d"` and `eq`
//! tell them apart. Maps and lists are shared references, as in Go: a function that changes a map
//! changes it for everybody who holds it.

use std::any::Any;
use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;

use crate::cycles::Entries;
use crate::function::CallError;
use crate::string::Str;
use crate::types::{IntType, Kind, Type};

/// A Go value held in an `interface {}`.
#[derive(Clone, Default)]
pub enum Value {
    /// `nil`: null in YAML and JSON, a missing key, the `nil` of a template.
    #[default]
    Nil,
    Bool(bool),
    /// Any integer type; the value is within the range of its type.
    Int(i128, IntType),
    /// A `float64`: every number of a YAML or JSON document.
    Float(f64),
    /// A `complex128`: only from literals such as `1i`.
    Complex(f64, f64),
    /// A `string`; Go strings are bytes that needn't be UTF-8.
    String(Str),
    /// A slice, shared.
    List(Rc<List>),
    /// A map with string keys, shared.
    Map(Rc<Map>),
    /// A struct or pointer of the program that runs the template: a time, a version, `.Files`.
    Object(Rc<dyn Object>),
}

/// A Go slice: its element type and its elements.
pub struct List {
    element: Type,
    items: RefCell<Vec<Value>>,
}

/// A Go map with string keys, iterated in the order of its keys' bytes.
pub struct Map {
    class: MapClass,
    is_nil: bool,
    entries: Rc<Entries>,
}

/// The Go type of a [`Map`].
#[derive(Clone, Copy)]
pub enum MapClass {
    /// `map[string]interface {}`
    Any,
    /// `map[string]string`
    String,
    /// A defined type whose underlying type is `map[string]interface {}`, with methods.
    Named(&'static NamedMap),
}

/// A defined map type such as Helm's `common.Values`.
pub struct NamedMap {
    /// What `%T` prints.
    pub name: &'static str,
    /// Calls the method of that name, or says that there is none, as [`Object::method`] does. Methods
    /// win over keys.
    pub method: Method,
}

/// Calls a method of a [`NamedMap`] by its name; nothing when it has none of that name.
pub type Method = fn(&Rc<Map>, &str, &[Value]) -> Option<Result<Value, CallError>>;

/// A struct or pointer that a program hands to its templates.
pub trait Object: Any {
    /// What `%T` prints: `time.Time`, `*semver.Version`.
    fn type_name(&self) -> &str;

    /// `Kind::Struct`, `Kind::Ptr`, …
    fn kind(&self) -> Kind;

    /// Whether `if` takes it for true. Go: structs always, pointers unless nil.
    fn is_true(&self) -> bool {
        true
    }

    /// The exported field of that name.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// The exported fields in Go's order: for printing, and for JSON and YAML.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Calls the method of that name, or says that there is none.
    ///
    /// A method with arguments is first called with as many nils, to learn whether it exists: it has
    /// no effects and checks its arguments, see [`CallError::Arity`] and [`CallError::WrongType`].
    fn method(&self, _name: &str, _arguments: &[Value]) -> Option<Result<Value, CallError>> {
        None
    }

    /// The result of its `String()` or `Error()`, which `print`, `%v` and `%s` use.
    fn display(&self) -> Option<String> {
        None
    }

    /// What `encoding/json` makes of it, as a value of plain maps, lists and scalars.
    /// Without one, its [`fields`](Self::fields).
    fn json(&self) -> Option<Value> {
        None
    }

    /// What `index`, `range` and `len` see of an object whose kind is a map, slice or array.
    fn elements(&self) -> Option<Value> {
        None
    }

    /// Whether Go's `==` holds.
    fn equals(&self, _other: &dyn Object) -> bool {
        false
    }

    fn as_any(&self) -> &dyn Any;
}

/// Whether the object is a nil slice or map: no others are null in JSON.
pub(crate) fn is_nil_container(object: &dyn Object) -> bool {
    matches!(object.kind(), Kind::Slice | Kind::Map) && object.json().is_some_and(|json| json.is_nil())
}

impl Value {
    /// A Go `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value.into(), IntType::Int)
    }

    /// A Go `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(value.into(), IntType::Int64)
    }

    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(List::new(Type::Any, items)))
    }

    /// A `[]string`.
    pub fn strings<T: Into<Str>>(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(Self::string).collect();
        Self::List(Rc::new(List::new(Type::String, items)))
    }

    /// A `[]uint8`.
    pub fn bytes(bytes: &[u8]) -> Self {
        let items = bytes.iter().map(|&byte| Self::Int(byte.into(), IntType::Uint8)).collect();
        Self::List(Rc::new(List::new(Type::Int(IntType::Uint8), items)))
    }

    /// A `map[string]interface {}`.
    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self::Map(Rc::new(Map::new(MapClass::Any, entries)))
    }

    /// A `map[string]string`.
    pub fn string_map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self::Map(Rc::new(Map::new(MapClass::String, entries)))
    }

    pub fn object(object: impl Object) -> Self {
        Self::Object(Rc::new(object))
    }

    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }

    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&Rc<List>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Rc<Map>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The object behind the value when it is a `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// What `reflect.TypeOf` says; [`Type::Nil`] for nil.
    pub fn type_of(&self) -> Type {
        match self {
            Self::Nil => Type::Nil,
            Self::Bool(_) => Type::Bool,
            Self::Int(_, int) => Type::Int(*int),
            Self::Float(_) => Type::Float64,
            Self::Complex(..) => Type::Complex128,
            Self::String(_) => Type::String,
            Self::List(list) => Type::List(Rc::new(list.element.clone())),
            Self::Map(map) => match map.class {
                MapClass::Any => Type::map_of(Type::Any),
                MapClass::String => Type::map_of(Type::String),
                MapClass::Named(named) => Type::Named(named.name.into(), Kind::Map),
            },
            Self::Object(object) => Type::Named(object.type_name().into(), object.kind()),
        }
    }

    /// What `reflect.Value.Kind` says.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_, int) => Kind::Int(*int),
            Self::Float(_) => Kind::Float64,
            Self::Complex(..) => Kind::Complex128,
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
        }
    }

    /// Go's truth of a template condition: not nil, not zero, not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.is_true(),
        }
    }
}

impl List {
    pub fn new(element: Type, items: Vec<Value>) -> Self {
        Self { element, items: RefCell::new(items) }
    }

    /// The static type of the elements; [`Type::Any`] for `[]interface {}`.
    pub fn element(&self) -> &Type {
        &self.element
    }

    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow().get(index).cloned()
    }

    /// The elements. Don't hold it while calling anything that may change the list.
    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.items.borrow()
    }

    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.items.borrow_mut()
    }

    /// A copy of the elements, to walk while the list may change.
    pub fn to_vec(&self) -> Vec<Value> {
        self.items.borrow().clone()
    }
}

impl Map {
    pub fn new(class: MapClass, entries: BTreeMap<Str, Value>) -> Self {
        Self { class, is_nil: false, entries: Rc::new(RefCell::new(entries)) }
    }

    /// Go's nil map: it reads as an empty one, but must not be written to; see
    /// [`is_nil`](Self::is_nil).
    pub fn nil(class: MapClass) -> Self {
        Self { class, is_nil: true, entries: Rc::default() }
    }

    /// Whether a function that writes has to fail with Go's `assignment to entry in nil map`.
    pub fn is_nil(&self) -> bool {
        self.is_nil
    }

    /// The same map under another type, as a Go conversion gives it: a change to one is a change to
    /// both.
    #[must_use]
    pub fn converted(&self, class: MapClass) -> Self {
        Self { class, is_nil: self.is_nil, entries: Rc::clone(&self.entries) }
    }

    pub(crate) fn entries(&self) -> &Rc<Entries> {
        &self.entries
    }

    /// Takes the entries out if nobody else holds them.
    fn last_entries(&self) -> BTreeMap<Str, Value> {
        match self.entries.try_borrow_mut() {
            Ok(mut entries) if Rc::strong_count(&self.entries) == 1 => mem::take(&mut entries),
            _ => BTreeMap::new(),
        }
    }

    /// Whether both are one map, whatever their types.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    pub fn class(&self) -> MapClass {
        self.class
    }

    /// The static type of the values: what a missing key is a zero value of.
    pub fn element(&self) -> Type {
        match self.class {
            MapClass::String => Type::String,
            MapClass::Any | MapClass::Named(_) => Type::Any,
        }
    }

    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    pub fn contains(&self, key: &[u8]) -> bool {
        self.entries.borrow().contains_key(key)
    }

    /// The value of a key; `None` when there is no such key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    pub fn insert(&self, key: impl Into<Str>, value: Value) -> Option<Value> {
        self.entries.borrow_mut().insert(key.into(), value)
    }

    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow_mut().remove(key)
    }

    /// The entries in the order of their keys. Don't hold it while calling anything that may
    /// change the map.
    pub fn borrow(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.entries.borrow()
    }

    pub fn borrow_mut(&self) -> RefMut<'_, BTreeMap<Str, Value>> {
        self.entries.borrow_mut()
    }

    /// A copy of the entries, to walk while the map may change.
    pub fn to_vec(&self) -> Vec<(Str, Value)> {
        self.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        drop_flat(mem::take(self.items.get_mut()));
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let entries = self.last_entries();
        if entries.values().any(Value::is_container) {
            drop_flat(entries.into_values().collect());
        }
    }
}

/// Drops values one after another, not within each other: a template can nest them deeper than the
/// stack allows.
fn drop_flat(mut values: Vec<Value>) {
    values.retain(Value::is_container);
    while let Some(value) = values.pop() {
        match value {
            Value::List(list) => {
                if let Some(mut list) = Rc::into_inner(list) {
                    values.append(list.items.get_mut());
                }
            }
            Value::Map(map) => {
                if let Some(map) = Rc::into_inner(map) {
                    values.extend(map.last_entries().into_values());
                }
            }
            _ => {}
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Str> for Value {
    fn from(value: Str) -> Self {
        Self::String(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::string(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::string(value)
    }
}
