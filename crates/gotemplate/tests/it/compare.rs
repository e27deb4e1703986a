//! One template of ours against what Go made of it.

use std::error::Error as _;

use gotemplate::{Environment, MissingKey, Options, Value};
use serde_json::Value as Json;

use crate::functions::{functions, named, value};

/// How our answer differs from Go's.
pub(crate) fn wrong(case: &Json, data: &Json) -> Option<String> {
    let expected = match (&case["output"], &case["error"]) {
        (Json::String(output), _) => Ok(output.as_str()),
        (_, error) => Err(chain_of(error, &case["chain"])),
    };
    let found = execute(case, data);
    let found = match &found {
        Ok(output) => Ok(output.as_str()),
        Err(chain) => Err(chain.iter().map(String::as_str).collect()),
    };
    (found != expected).then(|| format!("{}\n    go:   {expected:?}\n    ours: {found:?}", case["template"]))
}

fn chain_of<'a>(error: &'a Json, chain: &'a Json) -> Vec<&'a str> {
    let causes = chain.as_array().into_iter().flatten();
    // Go repeats a text for each of its wrappers.
    let mut texts: Vec<_> = [error].into_iter().chain(causes).filter_map(Json::as_str).collect();
    texts.dedup();
    texts
}

fn execute(case: &Json, data: &Json) -> Result<String, Vec<String>> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let missing_key = match text("missingkey") {
        "default" => MissingKey::Default,
        "error" => MissingKey::Error,
        _ => MissingKey::Zero,
    };
    let mut environment = Environment::new("root", &functions())
        .with_missing_key(missing_key)
        .with_delimiters(text("left"), text("right"));
    let data = value(data);
    if let Some(root) = data.as_map()
        && let Some(Value::Map(values)) = root.get(b"vals")
    {
        root.insert("vals", named(&values));
    }
    let mut output = Vec::new();
    environment
        .parse("t", text("template"))
        .and_then(|()| environment.execute(b"t", &data, &mut output, &Options::default()))
        .map_err(|error| texts(&error))?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

fn texts(error: &gotemplate::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts.dedup();
    texts
}
