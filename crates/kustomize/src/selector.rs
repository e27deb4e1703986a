//! Which resources a patch or a replacement is for.

use crate::error::{Error, Result};
use crate::file::Selector;
use crate::ids::{self, Gvk, ResId};
use crate::resource::Resource;
use regex::Regex;

/// A selector with its expressions compiled.
pub(crate) struct Matcher {
    group: Option<Expression>,
    version: Option<Expression>,
    kind: Option<Expression>,
    name: Option<Expression>,
    namespace: Option<Expression>,
    labels: Labels,
    annotations: Labels,
}

impl Matcher {
    pub(crate) fn new(selector: &Selector) -> Result<Self> {
        Ok(Self {
            group: expression(&selector.group, "group")?,
            version: expression(&selector.version, "version")?,
            kind: expression(&selector.kind, "kind")?,
            name: expression(&selector.name, "name")?,
            namespace: expression(&selector.namespace, "namespace")?,
            labels: Labels::parse(&selector.label_selector).map_err(|e| e.field("labelSelector"))?,
            annotations: Labels::parse(&selector.annotation_selector)
                .map_err(|e| e.field("annotationSelector"))?,
        })
    }

    /// Whether a patch with this target is for the resource.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        let (group, version) = ids::split(resource.api_version());
        fits(&self.kind, resource.kind())
            && fits(&self.group, group)
            && fits(&self.version, version)
            && (fits(&self.name, resource.name()) || fits(&self.name, resource.original_name()))
            && self.fits_namespace(resource)
            && self.fits_metadata(resource)
    }

    /// Whether one id as a whole fits; the namespace is the written one.
    pub(crate) fn fits_id(&self, id: &ResId) -> bool {
        fits(&self.namespace, &id.namespace) && fits(&self.name, &id.name) && self.fits_gvk(&id.gvk)
    }

    /// Whether labels and annotations fit.
    pub(crate) fn fits_metadata(&self, resource: &Resource) -> bool {
        self.labels.fits(resource, "labels") && self.annotations.fits(resource, "annotations")
    }

    /// Whether no part of an id is given.
    pub(crate) const fn has_no_id(&self) -> bool {
        self.group.is_none()
            && self.version.is_none()
            && self.kind.is_none()
            && self.name.is_none()
            && self.namespace.is_none()
    }

    /// Whether neither labels nor annotations are asked for.
    pub(crate) const fn has_no_metadata(&self) -> bool {
        self.labels.0.is_empty() && self.annotations.0.is_empty()
    }

    fn fits_namespace(&self, resource: &Resource) -> bool {
        self.namespace.is_none()
            || fits(&self.namespace, resource.original_namespace())
            || fits(&self.namespace, resource.effective_namespace())
    }

    fn fits_gvk(&self, gvk: &Gvk) -> bool {
        fits(&self.group, &gvk.group) && fits(&self.version, &gvk.version) && fits(&self.kind, &gvk.kind)
    }
}

/// A regular expression for a whole text; most have nothing special in them.
enum Expression {
    Text(String),
    Regex(Regex),
}

fn expression(text: &str, field: &str) -> Result<Option<Expression>> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/')) {
        return Ok(Some(Expression::Text(text.to_owned())));
    }
    let compiled = Regex::new(&format!("^(?:{text})$"));
    compiled.map(Expression::Regex).map(Some).map_err(|e| bad_expression(text, &e).field(field))
}

/// What is wrong with a regular expression, in one line.
pub(crate) fn bad_expression(text: &str, error: &regex::Error) -> Error {
    let told = error.to_string();
    let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Error::new(format!("error parsing regexp: {reason}: `{text}`")).hint(
        "write a regular expression (RE2) for the whole text; a backslash takes the meaning of a sign away",
    )
}

fn fits(expression: &Option<Expression>, text: &str) -> bool {
    match expression {
        None => true,
        Some(Expression::Text(whole)) => whole == text,
        Some(Expression::Regex(regex)) => regex.is_match(text),
    }
}

/// Requirements of a Kubernetes label selector.
struct Labels(Vec<Requirement>);

struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

impl Labels {
    fn parse(text: &str) -> Result<Self> {
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let requirement = Requirement::parse(part);
            let bad = || {
                Error::new(format!("unable to parse requirement: {part:?} of selector {text:?}"))
                    .hint("write requirements such as app=web, app!=web, app in (web, api), app or !app")
            };
            requirements.push(requirement.ok_or_else(bad)?);
        }
        Ok(Self(requirements))
    }

    fn fits(&self, resource: &Resource, field: &str) -> bool {
        self.0.iter().all(|requirement| {
            let value = resource.metadata_map(field).find(|(key, _)| *key == requirement.key).map(|(_, v)| v);
            requirement.fits(value)
        })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        let make = |key: &str, operator, values: Vec<String>| {
            let key = key.trim();
            let ok = !key.is_empty() && !key.contains(char::is_whitespace);
            ok.then(|| Self { key: key.to_owned(), operator, values })
        };
        let one = |value: &str| vec![value.trim().to_owned()];
        if let Some(list) = text.strip_suffix(')') {
            let (head, list) = list.split_once('(')?;
            let values = list.split(',').map(|v| v.trim().to_owned()).collect();
            let head = head.trim_end();
            if let Some(key) = head.strip_suffix("notin") {
                return make(key, Operator::NotIn, values);
            }
            return make(head.strip_suffix("in")?, Operator::In, values);
        }
        if let Some((key, value)) = text.split_once("!=") {
            return make(key, Operator::NotIn, one(value));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return make(key, Operator::In, one(value));
        }
        if let Some((key, value)) = text.split_once('>') {
            return make(key, Operator::Greater, one(value));
        }
        if let Some((key, value)) = text.split_once('<') {
            return make(key, Operator::Less, one(value));
        }
        match text.strip_prefix('!') {
            Some(key) => make(key, Operator::Missing, Vec::new()),
            None => make(text, Operator::Exists, Vec::new()),
        }
    }

    fn fits(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|v| v == value);
        let compared = |wanted: std::cmp::Ordering| {
            let number = |text: &str| text.parse::<i64>().ok();
            let bound = self.values.first().and_then(|v| number(v));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn resource() -> Resource {
        let text =
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {a: '1', tier: front}}}";
        Resource::new(krm::parse(text).expect("the text is YAML").remove(0))
    }

    #[test]
    fn labels_are_selected_as_kubernetes_does() {
        let cases = [
            ("", true),
            ("a=1", true),
            ("a==1", true),
            ("a!=1", false),
            ("b!=1", true),
            ("a in (1,2)", true),
            ("a notin (1,2)", false),
            ("a", true),
            ("!a", false),
            ("!b", true),
            ("a=1,tier=back", false),
            ("tier in (front, back), a", true),
            ("a>0", true),
            ("a<1", false),
        ];
        for (selector, expected) in cases {
            let selector = Selector { label_selector: selector.to_owned(), ..Selector::default() };
            let matcher = Matcher::new(&selector).expect("the selector is valid");
            assert_eq!(matcher.selects(&resource()), expected, "{selector:?}");
        }
    }

    #[test]
    fn a_selector_that_makes_no_sense_is_refused() {
        for selector in ["a b", "=x", "a in 1"] {
            let selector = Selector { label_selector: selector.to_owned(), ..Selector::default() };
            assert!(Matcher::new(&selector).is_err(), "{selector:?}");
        }
    }

    #[test]
    fn parts_of_an_id_are_whole_expressions() {
        let cases = [("w.b", true), ("we", false), ("x|web", true), ("", true)];
        for (name, expected) in cases {
            let selector = Selector { name: name.to_owned(), ..Selector::default() };
            let matcher = Matcher::new(&selector).expect("the selector is valid");
            assert_eq!(matcher.selects(&resource()), expected, "{name:?}");
        }
        let outside = Selector { namespace: "default".to_owned(), ..Selector::default() };
        assert!(Matcher::new(&outside).expect("the selector is valid").selects(&resource()));
        assert!(Matcher::new(&Selector { name: "(".to_owned(), ..Selector::default() }).is_err());
    }
}
