//! The functions and types that the recorder gave to Go's templates.

use std::any::Any;
use std::rc::Rc;

use gotemplate::fmt;
use gotemplate::{
    CallError, Environment, Function, Functions, IntType, Kind, Map, MapClass, NamedMap, Object, Type, Value,
};
use serde_json::Value as Json;

pub(crate) static VALUES: NamedMap = NamedMap { name: "main.Values", method };

fn method(map: &Rc<Map>, name: &str, arguments: &[Value]) -> Option<Result<Value, CallError>> {
    match name {
        "AsMap" => Some(match arguments {
            [] => Ok(Value::map(map.to_vec())),
            _ => Err(CallError::Arity { want: 0, at_least: false }),
        }),
        "Table" => Some(match arguments {
            [Value::String(name)] => match map.get(name) {
                Some(Value::Map(table)) => Ok(named(&table)),
                _ => Err(format!("no table {:?}", name.to_string()).into()),
            },
            [_] => Err(CallError::WrongType { argument: 0, expected: Type::String }),
            _ => Err(CallError::Arity { want: 1, at_least: false }),
        }),
        _ => None,
    }
}

pub(crate) fn named(map: &Map) -> Value {
    let entries = map.borrow().clone();
    Value::Map(Rc::new(Map::new(MapClass::Named(&VALUES), entries)))
}

/// A struct with a pointer's methods.
struct Version {
    is_pointer: bool,
}

struct Inner;

impl Object for Version {
    fn type_name(&self) -> &str {
        if self.is_pointer { "*main.Version" } else { "main.Version" }
    }

    fn kind(&self) -> Kind {
        if self.is_pointer { Kind::Ptr } else { Kind::Struct }
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Major", Value::Int(3, IntType::Uint64)),
            ("Pre", Value::string("x")),
            ("In", Value::object(Inner)),
            ("Nothing", Value::Nil),
        ]
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, CallError>> {
        if !self.is_pointer {
            return None;
        }
        match (name, arguments) {
            ("String" | "Fail", [_, ..]) => Some(Err(CallError::Arity { want: 0, at_least: false })),
            ("String", _) => Some(Ok(Value::string("v3"))),
            ("Fail", _) => Some(Err("failed method".into())),
            ("Less", [Value::Int(other, IntType::Int)]) => Some(Ok(Value::Bool(3 < *other))),
            ("Less", [_]) => {
                let expected = Type::Int(IntType::Int);
                Some(Err(CallError::WrongType { argument: 0, expected }))
            }
            ("Less", _) => Some(Err(CallError::Arity { want: 1, at_least: false })),
            _ => None,
        }
    }

    fn display(&self) -> Option<String> {
        self.is_pointer.then(|| "v3".to_owned())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        !self.is_pointer && other.kind() == Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for Inner {
    fn type_name(&self) -> &str {
        "main.Inner"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Name", Value::string("n")), ("Any", Value::int(1))]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The recorder's data as Go's `encoding/json` decodes it.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        Json::String(text) => Value::string(&**text),
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(entries) => Value::map(entries.iter().map(|(key, item)| (key.as_str(), value(item)))),
    }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(value, _) => *value as i64,
        _ => 0,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map(ToString::to_string).unwrap_or_default()
}

fn same(kind: Type) -> Function {
    Function::new([kind], |_, arguments| Ok(arguments[0].clone()))
}

fn sum(kind: IntType) -> Function {
    Function::new([Type::Int(kind), Type::Int(kind)], move |_, arguments| {
        Ok(Value::Int((int(&arguments[0]).wrapping_add(int(&arguments[1]))).into(), kind))
    })
}

fn version(is_pointer: bool) -> Function {
    Function::new([], move |_, _| Ok(Value::object(Version { is_pointer })))
}

fn joined(separator: &Value, items: &[Value]) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(&text(separator))
}

fn dict(arguments: &[Value]) -> Result<Value, CallError> {
    let pairs = arguments.chunks_exact(2);
    if let Some(pair) = pairs.clone().find(|pair| pair[0].as_str().is_none()) {
        let found = if pair[0].is_nil() { "nil".to_owned() } else { pair[0].type_of().to_string() };
        return Err(format!("interface conversion: interface {{}} is {found}, not string").into());
    }
    Ok(Value::map(pairs.map(|pair| (text(&pair[0]), pair[1].clone()))))
}

pub(crate) fn functions() -> Functions {
    let mut functions = Functions::default();
    plain(&mut functions);
    containers(&mut functions);
    functions.insert(
        "include",
        Function::new([Type::String, Type::Any], |context, arguments| {
            context.execute(text(&arguments[0]).as_bytes(), &arguments[1]).map(Value::String)
        }),
    );
    functions.insert(
        "tpl",
        Function::new([Type::String, Type::Any], |context, arguments| {
            let mut environment: Environment = context.environment().clone();
            let template = text(&arguments[0]);
            let parsed =
                environment.parsed("tpl", template.as_str()).map_err(|error| CallError::Wrapped {
                    words: format!(
                        "cannot parse template {}",
                        gotemplate::strconv::quote(template.as_bytes())
                    ),
                    source: Box::new(error),
                })?;
            environment.add(&parsed);
            context.execute_parsed(&environment, &parsed, &arguments[1]).map(Value::String)
        }),
    );
    functions
}

fn plain(functions: &mut Functions) {
    functions.insert(
        "upper",
        Function::new([Type::String], |_, arguments| Ok(text(&arguments[0]).to_uppercase().into())),
    );
    functions.insert("add", sum(IntType::Int));
    functions.insert("add64", sum(IntType::Int64));
    functions.insert("u8", same(Type::Int(IntType::Uint8)));
    functions.insert("i8", same(Type::Int(IntType::Int8)));
    functions.insert("u64", same(Type::Int(IntType::Uint64)));
    functions.insert("cplx", same(Type::Complex128));
    functions.insert("id", same(Type::Any));
    functions.insert("null", Function::new([], |_, _| Ok(Value::Nil)));
    functions.insert("version", version(true));
    functions.insert("struct", version(false));
    functions.insert(
        "half",
        Function::new([Type::Float64], |_, arguments| match arguments[0] {
            Value::Float(value) => Ok(Value::Float(value / 2.0)),
            _ => Err("not a float".into()),
        }),
    );
    functions
        .insert("neg", Function::new([Type::Bool], |_, arguments| Ok(Value::Bool(!arguments[0].is_true()))));
    functions.insert(
        "typeOf",
        Function::new([Type::Any], |_, arguments| Ok(Value::string(fmt::sprintf(b"%T", &arguments[..1])))),
    );
    functions.insert("fail", Function::new([Type::String], |_, arguments| Err(text(&arguments[0]).into())));
}

fn containers(functions: &mut Functions) {
    functions.insert(
        "list",
        Function::variadic([], Type::Any, |_, arguments| Ok(Value::list(arguments.to_vec()))),
    );
    functions.insert(
        "strs",
        Function::variadic([], Type::String, |_, arguments| Ok(Value::strings(arguments.iter().map(text)))),
    );
    functions.insert(
        "join",
        Function::new([Type::String, Type::list_of(Type::String)], |_, arguments| {
            let items = arguments[1].as_list().map(|list| list.to_vec()).unwrap_or_default();
            Ok(joined(&arguments[0], &items).into())
        }),
    );
    functions.insert(
        "first",
        Function::variadic([Type::String], Type::String, |_, arguments| {
            Ok((text(&arguments[0]) + &joined(&arguments[0], &arguments[1..])).into())
        }),
    );
    functions.insert(
        "size",
        Function::new([Type::list_of(Type::Any)], |_, arguments| {
            Ok(Value::int(arguments[0].as_list().map_or(0, |list| list.len()) as i64))
        }),
    );
    functions.insert(
        "count",
        Function::variadic([], Type::Any, |_, arguments| Ok(Value::int(arguments.len() as i64))),
    );
    functions.insert("dict", Function::variadic([], Type::Any, |_, arguments| dict(arguments)));
    functions.insert(
        "keys",
        Function::new([Type::map_of(Type::Any)], |_, arguments| {
            Ok(Value::int(arguments[0].as_map().map_or(0, |map| map.len()) as i64))
        }),
    );
    functions.insert(
        "strmap",
        Function::new([Type::String, Type::String], |_, arguments| {
            let map = Map::new(MapClass::String, Default::default());
            map.insert(text(&arguments[0]), arguments[1].clone());
            Ok(Value::Map(Rc::new(map)))
        }),
    );
    functions.insert(
        "set",
        Function::new([Type::map_of(Type::Any), Type::String, Type::Any], |_, arguments| {
            if let Some(map) = arguments[0].as_map() {
                if map.is_nil() {
                    return Err("assignment to entry in nil map".into());
                }
                map.insert(text(&arguments[1]), arguments[2].clone());
            }
            Ok(arguments[0].clone())
        }),
    );
}
