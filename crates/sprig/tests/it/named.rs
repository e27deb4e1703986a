//! Maps of a defined type, such as Helm's `.Values`: functions take them for plain maps.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotemplate::{Environment, Map, MapClass, MissingKey, NamedMap, Str, Value};
use sprig::json::decode;

use crate::support::{Case, cases, execute, functions};

static VALUES: NamedMap = NamedMap { name: "common.Values", method: |_, _, _| None };

/// Data whose `Values` have a type of their own; `Annotations` is a `map[string]string`.
fn data() -> Value {
    let values = decode(br#"{"a":1,"m":{"x":"y"},"l":["p",null]}"#).expect("JSON");
    let values = values.as_map().expect("a map").converted(MapClass::Named(&VALUES));
    let annotations = BTreeMap::from([(Str::from("k"), Value::from("v"))]);
    let annotations = Map::new(MapClass::String, annotations);
    Value::map([("Values", Value::Map(Rc::new(values))), ("Annotations", Value::Map(Rc::new(annotations)))])
}

/// Recorded from Sprig 3.3.0 on Go 1.26.
#[test]
fn functions_see_the_map_and_keep_it_shared() {
    let functions = functions();
    let mut wrong = Vec::new();
    for Case { template, output, error, .. } in cases("named") {
        let template = template.expect("a template");
        let mut environment = Environment::new("t", &functions).with_missing_key(MissingKey::Zero);
        let actual = execute(&mut environment, &template, &data());
        let expected = output.ok_or(error.unwrap_or_default());
        if actual != expected {
            wrong.push(format!("{template}\n  Go   {expected:?}\n  here {actual:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
