//! Variables of `spec.postBuild` in objects.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;

use api::kustomize::v1::{GROUP, PostBuild, SubstituteStrategy};
use krm::{Node, Object, Rules};

use crate::envsubst::{self, Limits};
use crate::go_json::{self, NullKey};
use crate::inputs::Variables;

/// What a variable's name looks like; as Flux shows it.
const NAME: &str = "^[_[:alpha:]][_[:alpha:][:digit:]]*$";

/// Why variables can't be substituted in an object. Flux's texts, with the place behind them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubstituteError {
    /// The variables can't be read.
    #[error("{0}")]
    Variables(Arc<dyn StdError + Send + Sync>),
    /// A variable has a name that no text can refer to.
    #[error("envsubst error: '{0}' var name is invalid, must match '{NAME}'")]
    Name(String),
    /// A substitution is written wrong, or its variable isn't set.
    #[error("envsubst error: variable substitution failed: {kind} in line {line} of the object{}", behind(.field))]
    Substitution {
        /// What is wrong.
        kind: envsubst::ErrorKind,
        /// The line of the object as kustomize writes it.
        line: u32,
        /// The path of the value that it's in, dotted, if it's in one.
        field: Option<String>,
    },
    /// With the values in it, the object isn't YAML any more.
    #[error("envsubst error: YAMLToJSON")]
    Yaml(#[source] krm::Error),
    /// With the values in it, the object isn't JSON any more.
    #[error("envsubst error: YAMLToJSON")]
    Json(#[source] NullKey),
    /// With the values in it, the object is something else.
    #[error("UnmarshalJSON: json: cannot unmarshal {0} into Go value of type map[string]interface {{}}")]
    NotAMap(&'static str),
}

fn behind(path: &Option<String>) -> String {
    path.as_ref().map_or_else(String::new, |path| format!(", field {path}"))
}

/// The variables of one build.
pub(crate) struct Substitution {
    variables: Result<BTreeMap<String, String>, Arc<dyn StdError + Send + Sync>>,
    always: bool,
    strict: bool,
}

impl Substitution {
    /// Lays the variables that stand in the spec over the ones that were read.
    pub(crate) fn new(spec: &PostBuild, read: &Variables, strict: bool) -> Self {
        let variables = match read {
            Variables::Unreadable(error) => Err(Arc::clone(error)),
            Variables::Read(read) => {
                let all = read.iter().chain(&spec.substitute);
                Ok(all.map(|(name, value)| (name.clone(), value.replace('\n', ""))).collect())
            }
        };
        let always = spec.substitute_strategy == Some(SubstituteStrategy::Always);
        Self { variables, always, strict }
    }

    /// Substitutes in an object; returns whether it was looked at.
    pub(crate) fn apply(&self, object: &mut Object) -> Result<bool, SubstituteError> {
        if is_disabled(object) {
            return Ok(false);
        }
        let variables = self.variables.as_ref().map_err(|e| SubstituteError::Variables(Arc::clone(e)))?;
        if variables.is_empty() && !self.always {
            return Ok(false);
        }
        if let Some(name) = variables.keys().find(|name| !is_name(name)) {
            return Err(SubstituteError::Name(name.clone()));
        }
        if !mentions_any(object.node()) {
            go_json::round(object.node_mut());
            return Ok(true);
        }
        let text = krm::emit(object.node());
        let substituted = self.text(&text, variables).map_err(|e| SubstituteError::Substitution {
            kind: e.kind,
            line: e.line,
            field: self.culprit(object.node(), variables),
        })?;
        *object = Object::from_node_unchecked(read_back(&substituted)?);
        Ok(true)
    }

    fn text(&self, text: &str, variables: &BTreeMap<String, String>) -> Result<String, envsubst::Error> {
        let lookup = |name: &str| variables.get(name).map(String::as_str);
        envsubst::substitute(text, lookup, self.strict, &Limits::default())
    }

    /// The first value that can't be substituted by itself, in the order of the text.
    fn culprit(&self, node: &Node, variables: &BTreeMap<String, String>) -> Option<String> {
        let mut found = None;
        visit(node, &mut Vec::new(), &mut |path, text| {
            if self.text(text, variables).is_err() {
                found = Some(dotted(path));
            }
            found.is_none()
        });
        found
    }
}

fn is_disabled(object: &Object) -> bool {
    let key = format!("{GROUP}/substitute");
    object.label(&key) == Some("disabled") || object.annotation(&key) == Some("disabled")
}

fn is_name(name: &str) -> bool {
    let is_first = |byte: u8| byte == b'_' || byte.is_ascii_alphabetic();
    let mut bytes = name.bytes();
    bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit())
}

/// Whether there is anything to substitute or to unescape.
fn mentions_any(node: &Node) -> bool {
    match node {
        Node::Scalar(scalar) => scalar.text.contains('$'),
        Node::Sequence(items) => items.iter().any(mentions_any),
        Node::Mapping(map) => map.iter().any(|(key, value)| key.text.contains('$') || mentions_any(value)),
    }
}

/// Reads the text as Flux does: by YAML 1.1, its first document alone.
fn read_back(text: &str) -> Result<Node, SubstituteError> {
    let documents = krm::parse_bytes(text.as_bytes(), Rules::V2).map_err(SubstituteError::Yaml)?;
    let mut node = documents.into_iter().next().unwrap_or_else(Node::null);
    go_json::through(&mut node).map_err(SubstituteError::Json)?;
    match &node {
        Node::Mapping(_) => Ok(node),
        node if node.is_null() => Ok(Node::map()),
        Node::Sequence(_) => Err(SubstituteError::NotAMap("array")),
        Node::Scalar(scalar) => Err(SubstituteError::NotAMap(match scalar.value() {
            krm::ScalarValue::Bool(_) => "bool",
            krm::ScalarValue::Str(_) => "string",
            _ => "number",
        })),
    }
}

/// Calls a function with each text and where it is, keys in order, until it returns false.
fn visit<'n>(
    node: &'n Node,
    path: &mut Vec<Cow<'n, str>>,
    look: &mut dyn FnMut(&[Cow<'n, str>], &str) -> bool,
) -> bool {
    match node {
        Node::Scalar(scalar) => look(path, &scalar.text),
        Node::Sequence(items) => items.iter().enumerate().all(|(index, item)| {
            path.push(format!("[{index}]").into());
            let goes_on = visit(item, path, look);
            path.pop();
            goes_on
        }),
        Node::Mapping(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| krm::key_order(&a.text, &b.text));
            entries.into_iter().all(|(key, value)| {
                path.push(Cow::Borrowed(&key.text));
                let goes_on = look(path, &key.text) && visit(value, path, look);
                path.pop();
                goes_on
            })
        }
    }
}

fn dotted(path: &[Cow<'_, str>]) -> String {
    path.join(".").replace(".[", "[")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain(error: &dyn StdError) -> String {
        error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
    }

    fn run(text: &str, build: serde_json::Value, read: &[(&str, &str)], strict: bool) -> String {
        let read = read.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let spec = serde_json::from_value(build).unwrap();
        let substitution = Substitution::new(&spec, &Variables::Read(read), strict);
        let mut object = Object::from_node_unchecked(krm::parse(text).unwrap().remove(0));
        match substitution.apply(&mut object) {
            Ok(_) => krm::emit(object.node()),
            Err(error) => chain(&error),
        }
    }

    fn check(text: &str, variables: &[(&str, &str)], expected: &str) {
        assert_eq!(run(text, json!({}), variables, true), expected, "{text}");
    }

    #[test]
    fn values_are_put_into_the_text_so_that_types_change() {
        check("a: \"${n}\"", &[("n", "8")], "a: 8\n");
        check("a: \"${b}\"", &[("b", "yes")], "a: true\n");
        check("a: ${q}${n}${q}", &[("q", "\""), ("n", "8")], "a: \"8\"\n");
        check("a: x${n}", &[("n", "8")], "a: x8\n");
        check("a: ${m}", &[("m", "{b: [1, 2.50]}")], "a:\n  b:\n  - 1\n  - 2.5\n");
        check(
            "a: ${v}",
            &[("v", "x\nkind: Secret")],
            "envsubst error: YAMLToJSON: yaml: line 1: mapping values are not allowed in this context",
        );
        check("a: |\n  ${v}\n  $${w}\n", &[("v", "x")], "a: |\n  x\n  ${w}\n");
    }

    // What kustomize makes of these with sigs.k8s.io/yaml, recorded.
    #[test]
    fn numbers_and_keys_become_what_they_are_in_go() {
        for (value, expected) in [
            ("12345678901", "12345678901"),
            ("9007199254740993", "9007199254740992"),
            ("1e3", "1000"),
            ("0777", "511"),
            ("'0777'", "\"0777\""),
            ("1_000", "1000"),
            ("1:30", "\"1:30\""),
            ("2026-01-01", "\"2026-01-01\""),
            ("~", "null"),
            ("123456789012345678901234567890", "1.2345678901234568e+29"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("-0", "0"),
            ("1e21", "1e+21"),
            ("18446744073709551615", "1.8446744073709552e+19"),
            ("0.0000001", "1e-07"),
            ("!!binary aGk=", "hi"),
        ] {
            check("a: ${v}", &[("v", value)], &format!("a: {expected}\n"));
        }
        let prefix = "envsubst error: YAMLToJSON";
        check("a: ${v}", &[("v", ".inf")], &format!("{prefix}: yaml: line 1: unsupported value: .inf"));
        check(
            "${k}: x",
            &[("k", "~")],
            &format!("{prefix}: unsupported map key of type: %!s(<nil>), key: <nil>"),
        );
        check("${k}: x", &[("k", "n")], "\"false\": x\n");
        check("${k}: x", &[("k", "1")], "\"1\": x\n");
        check("a: 9007199254740993\n", &[("k", "1")], "a: 9007199254740992\n");
    }

    #[test]
    fn the_place_follows_what_is_wrong() {
        check(
            "a: b\ndata:\n  c:\n  - d\n  - e ${color-x}\n",
            &[("v", "x")],
            "envsubst error: variable substitution failed: missing closing brace in line 5 of the object, field data.c[1]",
        );
        check(
            "a: ${v}\nb: ${w}",
            &[("v", "x")],
            "envsubst error: variable substitution failed: variable not set (strict mode): \"w\" in line 2 of the object, field b",
        );
        check(
            "a: 1",
            &[("my-color", "x")],
            &format!("envsubst error: 'my-color' var name is invalid, must match '{NAME}'"),
        );
    }

    #[test]
    fn the_spec_says_whether_and_with_what() {
        let text = "a: ${v:=d}${w}\n";
        assert_eq!(run(text, json!({}), &[], false), text);
        assert_eq!(run(text, json!({"substituteStrategy": "Always"}), &[], false), "a: d\n");
        let build = json!({"substitute": {"v": "in\nline"}});
        assert_eq!(run(text, build, &[("v", "read"), ("w", "!\n")], true), "a: inline!\n");
        let off = "a: ${v}\nmetadata:\n  labels:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\n";
        check(off, &[("v", "x")], off);
        let other = "metadata:\n  annotations:\n    kustomize.toolkit.fluxcd.io/substitute: Disabled${v}\n";
        check(other, &[("v", "")], &other.replace("${v}", ""));
    }

    #[test]
    fn an_object_may_not_become_something_else() {
        let prefix = "UnmarshalJSON: json: cannot unmarshal";
        let suffix = "into Go value of type map[string]interface {}";
        let mut found = Vec::new();
        for text in ["- a\n", "x\n", "1\n", "true\n"] {
            found.push(read_back(text).unwrap_err().to_string());
        }
        let expected = ["array", "string", "number", "bool"].map(|kind| format!("{prefix} {kind} {suffix}"));
        assert_eq!(found, expected);
        assert_eq!(read_back("").unwrap(), Node::map());
    }
}
