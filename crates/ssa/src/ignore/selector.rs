//! Which objects a rule is for.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// Largest compiled expression, in bytes.
const LARGEST: usize = 1 << 20;

/// A selector with its expressions compiled; what isn't given matches everything.
#[derive(Debug)]
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// A field of a selector can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// It is no regular expression.
    #[error("invalid {field} regex: error parsing regexp: {reason}: `{text}`")]
    Expression {
        /// Such as `name`.
        field: &'static str,
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is no selector.
    #[error("invalid {field} selector: unable to parse requirement: {text:?}")]
    Requirement {
        /// `label` or `annotation`.
        field: &'static str,
        /// The requirement.
        text: String,
    },
}

impl Selector {
    pub(super) fn new(selector: &api::kustomize::v1::Selector) -> Result<Self, SelectorError> {
        Ok(Self {
            group: expression("group", selector.group.as_deref())?,
            version: expression("version", selector.version.as_deref())?,
            kind: expression("kind", selector.kind.as_deref())?,
            name: expression("name", selector.name.as_deref())?,
            namespace: expression("namespace", selector.namespace.as_deref())?,
            labels: requirements("label", selector.label_selector.as_deref())?,
            annotations: requirements("annotation", selector.annotation_selector.as_deref())?,
        })
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let api_version = text("/apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let fits = |expression: &Option<Regex>, text: &str| {
            expression.as_ref().is_none_or(|expression| expression.is_match(text))
        };
        let all = |requirements: &[Requirement], field: &str| {
            let values = object.pointer("/metadata").and_then(|metadata| metadata.get(field));
            requirements.iter().all(|one| one.fits(values.and_then(|values| values.get(&one.key)?.as_str())))
        };
        fits(&self.group, group)
            && fits(&self.version, version)
            && fits(&self.kind, text("/kind"))
            && fits(&self.name, text("/metadata/name"))
            && fits(&self.namespace, text("/metadata/namespace"))
            && all(&self.labels, "labels")
            && all(&self.annotations, "annotations")
    }
}

fn expression(field: &'static str, text: Option<&str>) -> Result<Option<Regex>, SelectorError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let compiled = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(LARGEST).build();
    compiled.map(Some).map_err(|error| {
        let told = error.to_string();
        let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        SelectorError::Expression { field, text: text.to_owned(), reason }
    })
}

/// One requirement of a label selector.
#[derive(Debug)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

fn requirements(field: &'static str, text: Option<&str>) -> Result<Vec<Requirement>, SelectorError> {
    let mut depth = 0_u32;
    let parts = text.unwrap_or_default().split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    let error = |text: &str| SelectorError::Requirement { field, text: text.to_owned() };
    let parse = |part: &str| Requirement::parse(part).ok_or_else(|| error(part));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        let make = |key: &str, operator, values: Vec<String>| {
            let key = key.trim();
            let bad = |c: char| c.is_whitespace() || "()!=<>".contains(c);
            (!key.is_empty() && !key.contains(bad)).then(|| Self { key: key.to_owned(), operator, values })
        };
        let one = |value: &str| vec![value.trim().to_owned()];
        if let Some(list) = text.strip_suffix(')') {
            let (head, list) = list.split_once('(')?;
            let values = list.split(',').map(|value| value.trim().to_owned()).collect();
            let (key, operator) = head.trim_end().rsplit_once(char::is_whitespace)?;
            return match operator {
                "in" => make(key, Operator::In, values),
                "notin" => make(key, Operator::NotIn, values),
                _ => None,
            };
        }
        if let Some((key, value)) = text.split_once("!=") {
            return make(key, Operator::NotIn, one(value));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return make(key, Operator::In, one(value));
        }
        if let Some((key, value)) = text.split_once('>') {
            value.trim().parse::<i64>().ok()?;
            return make(key, Operator::Greater, one(value));
        }
        if let Some((key, value)) = text.split_once('<') {
            value.trim().parse::<i64>().ok()?;
            return make(key, Operator::Less, one(value));
        }
        match text.strip_prefix('!') {
            Some(key) => make(key, Operator::Missing, Vec::new()),
            None => make(text, Operator::Exists, Vec::new()),
        }
    }

    fn fits(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|one| one == value);
        let compared = |wanted: std::cmp::Ordering| {
            let number = |text: &str| text.parse::<i64>().ok();
            let bound = self.values.first().and_then(|bound| number(bound));
            value.and_then(number).zip(bound).is_some_and(|(a, b)| a.cmp(&b) == wanted)
        };
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::Missing => value.is_none(),
            Operator::Greater => compared(std::cmp::Ordering::Greater),
            Operator::Less => compared(std::cmp::Ordering::Less),
        }
    }
}
