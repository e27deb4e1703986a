//! `printf` against what Go's `fmt.Sprintf` said.
//!
//! A line of `recorded/fmt.jsonl` is `[format, operands, text]` in JSON. Plain JSON scalars are nil,
//! `bool` and `string`; every other operand is an object whose only key is its Go type, and a text
//! that isn't UTF-8 is `{"base64": …}`. `FERRITE_FMT_RECORDED` names another such file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gotemplate::{
    Environment, Functions, IntType, LimitError, List, Map, MapClass, Options, Str, Type, Value, fmt,
};
use serde_json::Value as Json;

#[test]
fn printf_prints_what_go_prints() {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/fmt.jsonl");
    let path = std::env::var_os("FERRITE_FMT_RECORDED").map_or(default, PathBuf::from);
    let recorded = std::fs::read_to_string(&path).expect("the recorded cases can be read");
    let mut wrong = Vec::new();
    for line in recorded.lines() {
        let [format, operands, text]: [Json; 3] = serde_json::from_str(line).expect("a line is three values");
        let operands: Vec<Value> =
            operands.as_array().expect("operands are a list").iter().map(value).collect();
        let found = Str::from(fmt::sprintf(&bytes(&format), &operands));
        let expected = Str::from(bytes(&text));
        if found != expected {
            wrong.push(format!("{line}\n  {found:?} instead of\n  {expected:?}"));
        }
    }
    let some = wrong.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} differ:\n{some}", wrong.len(), recorded.lines().count());
}

fn bytes(json: &Json) -> Vec<u8> {
    match json {
        Json::String(text) => text.clone().into_bytes(),
        json => base64(&json["base64"]),
    }
}

fn base64(json: &Json) -> Vec<u8> {
    BASE64_STANDARD.decode(json.as_str().expect("base64 is a text")).expect("base64 is valid")
}

fn value(json: &Json) -> Value {
    let (kind, content) = match json {
        Json::Null => return Value::Nil,
        Json::Bool(flag) => return Value::Bool(*flag),
        Json::String(text) => return Value::string(text.as_str()),
        json => json.as_object().and_then(|object| object.iter().next()).expect("a type and its value"),
    };
    match kind.as_str() {
        "base64" => Value::string(base64(content)),
        "bytes" => Value::bytes(&base64(content)),
        "float64" => Value::Float(float(content)),
        "complex128" => Value::Complex(float(&content[0]), float(&content[1])),
        "list" => list(Type::Any, content),
        "[]string" => list(Type::String, content),
        "[]int" => list(Type::Int(IntType::Int), content),
        "[][]interface {}" => list(Type::list_of(Type::Any), content),
        "map" => map(MapClass::Any, content),
        "map[string]string" => map(MapClass::String, content),
        name => integer(name, content),
    }
}

fn float(json: &Json) -> f64 {
    json.as_str().expect("a number is a text").parse().expect("it is a number")
}

fn integer(name: &str, content: &Json) -> Value {
    let types = [
        IntType::Int,
        IntType::Int8,
        IntType::Int32,
        IntType::Int64,
        IntType::Uint,
        IntType::Uint8,
        IntType::Uint64,
    ];
    let int = types.into_iter().find(|int| int.name() == name).expect("it is an integer type");
    Value::Int(content.as_str().expect("a number is a text").parse().expect("it is a number"), int)
}

fn list(element: Type, content: &Json) -> Value {
    let items = content.as_array().expect("it is a list").iter().map(value).collect();
    Value::List(Rc::new(List::new(element, items)))
}

fn map(class: MapClass, content: &Json) -> Value {
    let entries = content.as_object().expect("it is a map").iter();
    let entries: BTreeMap<Str, Value> =
        entries.map(|(key, item)| (key.as_str().into(), value(item))).collect();
    Value::Map(Rc::new(Map::new(class, entries)))
}

#[test]
fn operands_are_spaced_as_in_go() {
    // Recorded from fmt.Sprint and fmt.Sprintln.
    let operands =
        [Value::int(1), Value::int(2), "a".into(), "b".into(), Value::int(3), Value::Nil, 1.5.into()];
    assert_eq!(fmt::sprint(&operands), b"1 2ab3 <nil> 1.5");
    assert_eq!(fmt::sprintln(&operands), b"1 2 a b 3 <nil> 1.5\n");
}

#[test]
fn an_action_prints_no_value_for_nil_only_at_the_top() {
    let print = |value: Value| {
        let mut out = b"<".to_vec();
        fmt::print_value(&mut out, &value);
        String::from_utf8(out).expect("it is text")
    };
    assert_eq!(print(Value::Nil), "<<no value>");
    assert_eq!(print(Value::list(vec![Value::Nil, 1e6.into()])), "<[<nil> 1e+06]");
    assert_eq!(print(Value::map([("b", Value::Nil), ("a", "x".into())])), "<map[a:x b:<nil>]");
}

#[test]
fn a_map_that_holds_itself_ends() {
    let map = Value::map([("a", Value::Nil)]);
    map.as_map().expect("it is a map").insert("self", map.clone());
    let text = fmt::sprint(std::slice::from_ref(&map));
    assert!(text.windows(19).any(|part| part == b"<nested too deeply>"));
    map.as_map().expect("it is a map").remove(b"self");
}

#[test]
fn the_output_is_bounded() {
    let format = b"%1000000d".repeat(100);
    assert_eq!(fmt::sprintf(&format, &vec![Value::int(1); 100]).len(), fmt::MAX_OUTPUT + 1);
}

#[test]
fn what_is_printed_beyond_the_bound_is_an_error() {
    // Twenty levels that hold the next one twice: a gigabyte when printed.
    let text = Value::string("x".repeat(1000));
    let doubled = (0..20).fold(text, |inner, _| Value::list(vec![inner.clone(), inner]));
    let mut environment = Environment::new("all", &Functions::default());
    environment.parse("action", "{{ . }}").expect("it parses");
    environment.parse("function", "{{ len (print .) }}").expect("it parses");
    for name in ["action", "function"] {
        let mut output = Vec::new();
        let error = environment
            .execute(name.as_bytes(), &doubled, &mut output, &Options::default())
            .expect_err("it is too much");
        assert_eq!(error.limit(), Some(LimitError::Output(fmt::MAX_OUTPUT as u64)), "{name}");
    }
}
