use std::sync::LazyLock;

use expr::{Expression, Variables};
use serde_json::{Map, Value, json};

/// An expression and what it is evaluated over.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) expression: String,
    pub(crate) compile: bool,
}

/// What an evaluation comes to. Of errors only the kind counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Parse,
    Eval,
    Value(bool),
}

pub(crate) static OBJECTS: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../recorded/objects.json")).unwrap());

impl Case {
    pub(crate) fn data(&self) -> &'static Map<String, Value> {
        OBJECTS[if self.compile { "dependency" } else { "kustomization" }].as_object().unwrap()
    }

    /// As the original reads it.
    pub(crate) fn line(&self) -> Value {
        json!({"expression": self.expression, "compile": self.compile, "data": self.data()})
    }
}

/// What we answer, with the text of an error.
pub(crate) fn ours(case: &Case) -> (Answer, String) {
    let data = case.data();
    let names: Vec<&str> = data.keys().map(String::as_str).collect();
    let parsed = match case.compile {
        true => Expression::compile_bool(&case.expression, &names),
        false => Expression::parse(&case.expression),
    };
    match parsed.map(|expression| eval(&expression, data)) {
        Err(error) => (Answer::Parse, error.to_string()),
        Ok(Err(error)) => (Answer::Eval, error),
        Ok(Ok(value)) => (Answer::Value(value), String::new()),
    }
}

fn eval(expression: &Expression, data: &impl Variables) -> Result<bool, String> {
    expression.eval_bool(data).map_err(|error| error.to_string())
}

/// What the original answered, with the text of an error.
pub(crate) fn theirs(answer: &Value) -> (Answer, String) {
    if let Some(value) = answer["value"].as_bool() {
        return (Answer::Value(value), String::new());
    }
    match (answer["parse"].as_str(), answer["eval"].as_str()) {
        (Some(text), _) => (Answer::Parse, text.to_owned()),
        (_, Some(text)) => (Answer::Eval, text.to_owned()),
        _ => panic!("no answer: {answer}"),
    }
}

/// The expressions that are written down.
pub(crate) fn written() -> Vec<Case> {
    let read = |text: &str, compile: bool| -> Vec<Case> {
        text.lines().map(|line| Case { expression: line.to_owned(), compile }).collect()
    };
    let parsed = include_str!("../recorded/expressions.txt");
    let compiled = include_str!("../recorded/compiled.txt");
    // Those that only need types are checked both ways.
    let mut cases = read(parsed, false);
    cases.extend(read(parsed, true));
    cases.extend(read(compiled, true));
    cases.retain(|case| {
        !case.compile || !mentions_object(&case.expression) || compiled.contains(&case.expression)
    });
    cases
}

fn mentions_object(expression: &str) -> bool {
    ["status", "spec", "metadata", "data."].iter().any(|name| expression.contains(name))
}
