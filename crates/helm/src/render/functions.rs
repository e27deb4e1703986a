//! The functions that Helm adds to Sprig's, and those it takes away.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gotemplate::{CallError, Function, Functions, Str, Type, Value};

use super::{Context, Lookup, Options, ROOT, durations, error, toml, yaml};
use crate::Compat;

/// How often one template may be in the middle of including itself.
const MAX_NESTED_INCLUDES: usize = 1000;

/// Everything a chart's templates may call.
pub(super) fn all(context: &Context, options: &Options) -> Functions {
    let mut functions = sprig::functions(&context.sources);
    // Charts mustn't see the environment of the program that renders them.
    functions.remove("env");
    functions.remove("expandenv");
    if !options.enable_dns {
        functions.insert("getHostByName", Function::new([Type::String], |_, _| Ok(Value::from(""))));
    }
    templates(&mut functions);
    encodings(&mut functions, options.compat);
    demands(&mut functions);
    lookup(&mut functions, context.lookup.clone());
    if options.compat == Compat::V4_2 {
        durations::register(&mut functions);
    }
    functions
}

/// `include` and `tpl`: templates that execute templates.
fn templates(functions: &mut Functions) {
    let nested: Rc<RefCell<HashMap<Str, usize>>> = Rc::default();
    functions.insert(
        "include",
        Function::new([Type::String, Type::Any], move |context, arguments| {
            let name = text(arguments, 0);
            enter(&nested, &name)?;
            let result = context.execute(&name, &arguments[1]);
            leave(&nested, &name);
            Ok(Value::String(result?))
        }),
    );
    functions.insert(
        "tpl",
        Function::new([Type::String, Type::Any], |context, arguments| {
            let source = text(arguments, 0);
            let mut child = context.environment().clone();
            let parsed = child
                .parsed(ROOT, source.clone())
                .map_err(|error| wrapped("cannot parse template", &source, Box::new(error)))?;
            child.add(&parsed);
            let output = context.execute_parsed(&child, &parsed, &arguments[1]);
            let output = output.map_err(|error| match error {
                CallError::Template(error) => {
                    wrapped("error during tpl function execution for", &source, error)
                }
                other => other,
            })?;
            Ok(Value::String(without_no_value(output)))
        }),
    );
}

fn enter(nested: &RefCell<HashMap<Str, usize>>, name: &Str) -> Result<(), CallError> {
    let mut nested = nested.borrow_mut();
    let depth = nested.entry(name.clone()).or_default();
    if *depth > MAX_NESTED_INCLUDES {
        return Err(CallError::from(format!(
            "rendering template has a nested reference name: {name}: unable to execute template"
        )));
    }
    *depth += 1;
    Ok(())
}

fn leave(nested: &RefCell<HashMap<Str, usize>>, name: &Str) {
    if let Some(depth) = nested.borrow_mut().get_mut(name) {
        *depth -= 1;
    }
}

fn wrapped(words: &str, template: &Str, source: Box<gotemplate::Error>) -> CallError {
    let words = format!("{words} {}", gotemplate::strconv::quote(template));
    CallError::Wrapped { words, source }
}

/// Helm takes `<no value>` out of what `tpl` gives, too.
fn without_no_value(output: Str) -> Str {
    const MARK: &[u8] = b"<no value>";
    if !output.windows(MARK.len()).any(|window| window == MARK) {
        return output;
    }
    let mut out = Vec::with_capacity(output.len());
    let mut rest = &output[..];
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + MARK.len()..];
    }
    out.extend_from_slice(rest);
    out.into()
}

/// `toYaml` and its kin.
fn encodings(functions: &mut Functions, compat: Compat) {
    functions.insert("toYaml", any(|value| written(yaml::to_yaml(value))));
    functions.insert("toYamlPretty", any(|value| written(yaml::to_yaml_pretty(value))));
    functions.insert("fromYaml", string(from_yaml));
    functions.insert("fromYamlArray", string(from_yaml_array));
    functions
        .insert("toToml", any(|value| Ok(Value::string(toml::encode(value).unwrap_or_else(|error| error)))));
    functions
        .insert("fromToml", string(|text| toml::decode(&text.to_string_lossy()).unwrap_or_else(error_map)));
    functions.insert("fromJson", string(from_json));
    functions.insert("fromJsonArray", string(from_json_array));
    if compat == Compat::V3 {
        return;
    }
    functions.insert(
        "mustToYaml",
        any(|value| {
            yaml::to_yaml(value).map(Value::string).map_err(|error| CallError::from(not_json(&error)))
        }),
    );
    if compat < Compat::V4_2 {
        return;
    }
    functions
        .insert("mustToToml", any(|value| toml::encode(value).map(Value::string).map_err(CallError::from)));
}

/// What Helm says of what has no form in YAML.
pub(super) fn not_json(error: &yaml::Error) -> String {
    format!("error marshaling into JSON: {error}")
}

/// Helm gives nothing for what has no form in YAML; what is too large is an error nevertheless.
fn written(text: Result<String, yaml::Error>) -> Result<Value, CallError> {
    match text {
        Ok(text) => Ok(Value::string(text)),
        Err(error @ yaml::Error::TooLarge) => Err(CallError::from(error.to_string())),
        Err(_) => Ok(Value::from("")),
    }
}

fn from_yaml(text: &Str) -> Value {
    match yaml::from_yaml(text) {
        Ok(Value::Nil) => Value::map::<Str>([]),
        Ok(value) if value.as_map().is_some() => value,
        Ok(other) => error_map(mismatch("error unmarshaling JSON: while decoding JSON: ", &other, MAP)),
        Err(error) => error_map(error.to_string()),
    }
}

fn from_yaml_array(text: &Str) -> Value {
    match yaml::from_yaml(text) {
        Ok(Value::Nil) => Value::list(Vec::new()),
        Ok(value) if value.as_list().is_some() => value,
        Ok(other) => error_list(mismatch("error unmarshaling JSON: while decoding JSON: ", &other, LIST)),
        Err(error) => error_list(error.to_string()),
    }
}

fn from_json(text: &Str) -> Value {
    let decoded = sprig::json::decode_map(text);
    match (decoded.error, &decoded.value) {
        (None, Value::Nil) => Value::map::<Str>([]),
        (None, _) => decoded.value,
        // What could be read stays.
        (Some(error), Value::Map(map)) => {
            map.insert("Error", Value::string(error));
            decoded.value
        }
        (Some(error), _) => error_map(error),
    }
}

fn from_json_array(text: &Str) -> Value {
    let decoded = sprig::json::decode_list(text);
    match decoded.error {
        None => decoded.value,
        Some(error) => error_list(error),
    }
}

const MAP: &str = "map[string]interface {}";
const LIST: &str = "[]interface {}";

/// What Go's JSON says of a value of the wrong kind.
fn mismatch(prefix: &str, found: &Value, wanted: &str) -> String {
    let found = match found {
        Value::Map(_) => "object",
        Value::List(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    format!("{prefix}json: cannot unmarshal {found} into Go value of type {wanted}")
}

fn error_map(message: String) -> Value {
    Value::map([("Error", Value::string(message))])
}

fn error_list(message: String) -> Value {
    Value::list(vec![Value::string(message)])
}

/// `required` and `fail`.
fn demands(functions: &mut Functions) {
    functions.insert(
        "required",
        Function::new([Type::String, Type::Any], |_, arguments| {
            let value = &arguments[1];
            if value.is_nil() || value.as_str().is_some_and(|text| text.is_empty()) {
                return Err(CallError::from(error::marked(&text(arguments, 0).to_string_lossy())));
            }
            Ok(value.clone())
        }),
    );
    functions.insert(
        "fail",
        Function::new([Type::String], |_, arguments| {
            Err(CallError::from(error::marked(&text(arguments, 0).to_string_lossy())))
        }),
    );
}

fn lookup(functions: &mut Functions, cluster: Option<Rc<dyn Lookup>>) {
    let body = move |arguments: &[Value]| {
        let nothing = || Value::map::<Str>([]);
        let Some(cluster) = &cluster else { return Ok(nothing()) };
        let [version, kind, namespace, name] = [0, 1, 2, 3].map(|index| text(arguments, index).to_string());
        let found = cluster.lookup(&version, &kind, &namespace, &name).map_err(CallError::from)?;
        Ok(found.unwrap_or_else(nothing))
    };
    let parameters = [Type::String, Type::String, Type::String, Type::String];
    functions.insert("lookup", Function::new(parameters, move |_, arguments| body(arguments)));
}

/// A function of one argument of any type.
fn any(body: impl Fn(&Value) -> Result<Value, CallError> + 'static) -> Function {
    Function::new([Type::Any], move |_, arguments| body(arguments.first().unwrap_or(&Value::Nil)))
}

/// A function of one string that doesn't fail.
fn string(body: impl Fn(&Str) -> Value + 'static) -> Function {
    Function::new([Type::String], move |_, arguments| Ok(body(&text(arguments, 0))))
}

/// An argument that was declared as a string.
fn text(arguments: &[Value], index: usize) -> Str {
    arguments.get(index).and_then(Value::as_str).cloned().unwrap_or_default()
}
