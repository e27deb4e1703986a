//! Dotted paths into objects, as replacements and variables use them.

use crate::config::split_path;
use crate::error::{Error, Result};
use krm::{Mapping, Node, Rules, Scalar, Style};
use regex::Regex;

/// Splits a path at dots; `\.` and brackets protect them.
pub(crate) fn split(path: &str) -> Vec<String> {
    let parts = split_path(path, b'.');
    let mut out = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            out.push(part);
            continue;
        }
        let mut joined = part;
        for next in parts.by_ref() {
            joined.push('.');
            joined.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        // Only `[key=value]` keeps its brackets.
        if !joined.contains('=') {
            joined = joined.trim_matches(['[', ']']).to_owned();
        }
        out.push(joined);
    }
    out.into_iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

/// Splits a path that may have `name[0]` in it.
pub(crate) fn split_with_indices(path: &str) -> Vec<String> {
    let mut out = Vec::new();
    for part in split(path) {
        let indexed = part.strip_suffix(']').and_then(|p| p.rsplit_once('['));
        match indexed.filter(|(_, index)| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit())) {
            Some((name, index)) => {
                if !name.is_empty() {
                    out.push(name.to_owned());
                }
                out.push(index.to_owned());
            }
            None => out.push(part),
        }
    }
    out
}

/// One part of a path.
enum Part<'a> {
    Field(&'a str),
    Index(usize),
    Last,
    Every,
    /// `[key=value]`; an empty key is the element itself.
    Element(&'a str, &'a str),
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Result<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let index = text.parse().map_err(|_| Error::new(format!("index {text} is too large")))?;
            return Ok(Self::Index(index));
        }
        match text {
            "-" => Ok(Self::Last),
            "*" => Ok(Self::Every),
            _ => match text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
                Some(inner) => {
                    let (key, value) = inner.split_once('=').ok_or_else(|| {
                        Error::new(format!("list path element {text} must have the form [key=value]"))
                    })?;
                    Ok(Self::Element(key, value))
                }
                None => Ok(Self::Field(text)),
            },
        }
    }

    /// What has to be made for the part to make sense in it.
    fn container(text: Option<&'a str>, leaf: Leaf) -> Node {
        match text.map(Part::of) {
            None => leaf.make(),
            Some(Ok(Self::Field(_) | Self::Last | Self::Every)) => Node::map(),
            Some(_) => Node::Sequence(Vec::new()),
        }
    }
}

/// The kind of value that is made at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    Scalar,
    List,
    Map,
}

impl Leaf {
    pub(crate) const fn of(node: &Node) -> Self {
        match node {
            Node::Scalar(_) => Self::Scalar,
            Node::Sequence(_) => Self::List,
            Node::Mapping(_) => Self::Map,
        }
    }

    fn make(self) -> Node {
        match self {
            // What is put in decides what it means.
            Self::Scalar => Node::Scalar(Scalar::untagged("", Style::Plain, Rules::V3)),
            Self::List => Node::Sequence(Vec::new()),
            Self::Map => Node::map(),
        }
    }
}

/// The one value at a path.
pub(crate) fn get<'a>(node: &'a Node, path: &[String]) -> Result<Option<&'a Node>> {
    let Some((first, rest)) = path.split_first() else { return Ok(Some(node)) };
    let next = match Part::of(first)? {
        Part::Every => return Err(Error::new("wildcard is not supported in PathGetter")),
        Part::Field(name) => match node {
            Node::Mapping(map) => map.get(name),
            node if node.is_null() => None,
            _ => return Err(wrong_kind("MappingNode", node)),
        },
        Part::Index(index) => list(node)?.get(index),
        Part::Last => list(node)?.last(),
        Part::Element("", value) => list(node)?.iter().find(|item| text(item) == value),
        Part::Element(key, value) => {
            list(node)?.iter().find(|item| item.get(key).is_some_and(|field| text(field) == value))
        }
    };
    next.map_or(Ok(None), |next| get(next, rest))
}

/// Calls a function on every value at a path and counts them; with `create`, makes what is missing.
pub(crate) fn visit(
    node: &mut Node,
    path: &[String],
    create: Option<Leaf>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    let Some((first, rest)) = path.split_first() else {
        set(node)?;
        return Ok(1);
    };
    match Part::of(first)? {
        Part::Index(index) => {
            let items = list_mut(node)?;
            if items.len() == index {
                items.extend(create.map(|leaf| Part::container(rest.first().map(String::as_str), leaf)));
            }
            let found = items.len();
            match items.get_mut(index) {
                Some(item) => visit(item, rest, create, set),
                None => Err(Error::new(format!("index {index} specified but only {found} elements found"))),
            }
        }
        Part::Every => {
            let mut count = 0;
            for item in list_mut(node)? {
                count += visit(item, rest, create, set)?;
            }
            Ok(count)
        }
        Part::Element(key, value) => visit_elements(node, (key, value), rest, create, set),
        Part::Field(name) => visit_field(node, name, rest, create, set),
        Part::Last => visit_field(node, "-", rest, create, set),
    }
}

fn visit_field(
    node: &mut Node,
    name: &str,
    rest: &[String],
    create: Option<Leaf>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    if node.is_null() {
        return Ok(0);
    }
    let Some(map) = node.as_map_mut() else { return Err(wrong_kind("MappingNode", node)) };
    if let Some(leaf) = create.filter(|_| map.get(name).is_none()) {
        map.insert(name, Part::container(rest.first().map(String::as_str), leaf));
    }
    let Some(field) = map.get_mut(name) else { return Ok(0) };
    if !rest.is_empty() && field.as_scalar().is_some() {
        // Inside of a text there is nothing that could be set from here.
        return Ok(0);
    }
    visit(field, rest, create, set)
}

fn visit_elements(
    node: &mut Node,
    (key, value): (&str, &str),
    rest: &[String],
    create: Option<Leaf>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    let expression = Expression::of(value)?;
    let mut count = 0;
    for item in list_mut(node)? {
        let fits = match key {
            "" => expression.is_match(text(item)),
            key => item.get(key).is_some_and(|field| expression.is_match(text(field))),
        };
        if fits {
            count += visit(item, if key.is_empty() { &[] } else { rest }, create, set)?;
        }
    }
    if count > 0 || create.is_none() {
        return Ok(count);
    }
    let own = Node::Scalar(Scalar::untagged(value, Style::Plain, Rules::V3));
    let mut item = if key.is_empty() {
        own
    } else {
        let mut map = Mapping::new();
        map.push(Scalar::string(key), own);
        Node::Mapping(map)
    };
    let count = visit(&mut item, if key.is_empty() { &[] } else { rest }, create, set)?;
    list_mut(node)?.push(item);
    Ok(count)
}

/// What an element's field has to match, unanchored as in kustomize.
enum Expression<'a> {
    Text(&'a str),
    Regex(Regex),
}

impl<'a> Expression<'a> {
    fn of(text: &'a str) -> Result<Self> {
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b':')) {
            return Ok(Self::Text(text));
        }
        let bad = |e| Error::new(format!("invalid expression {text:?}")).because(e);
        Regex::new(text).map(Self::Regex).map_err(bad)
    }

    fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Text(part) => text.contains(part),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn list(node: &Node) -> Result<&[Node]> {
    node.as_seq().ok_or_else(|| wrong_kind("SequenceNode", node))
}

fn list_mut(node: &mut Node) -> Result<&mut Vec<Node>> {
    match node {
        Node::Sequence(items) => Ok(items),
        other => Err(wrong_kind("SequenceNode", other)),
    }
}

fn wrong_kind(expected: &str, node: &Node) -> Error {
    let found = match node {
        Node::Scalar(_) => "ScalarNode",
        Node::Sequence(_) => "SequenceNode",
        Node::Mapping(_) => "MappingNode",
    };
    Error::new(format!("wrong node kind: expected {expected} but got {found}"))
}

fn text(node: &Node) -> &str {
    node.as_scalar().map_or("", |scalar| scalar.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_at_dots_that_nothing_protects() {
        let cases: [(&str, &[&str]); 6] = [
            ("a.b.c", &["a", "b", "c"]),
            ("a\\.b.c", &["a.b", "c"]),
            ("metadata.annotations.[a.b/c]", &["metadata", "annotations", "a.b/c"]),
            ("x.[name=a.b].y", &["x", "[name=a.b]", "y"]),
            (" a . b ", &["a", "b"]),
            ("a..b", &["a", "b"]),
        ];
        for (path, expected) in cases {
            assert_eq!(split(path), expected, "{path}");
        }
        assert_eq!(split_with_indices("spec.ports[0].port"), ["spec", "ports", "0", "port"]);
    }

    fn check(text: &str, path: &str, create: Option<Leaf>, expected: &str) {
        let mut node = krm::parse(text).expect("the text is YAML").remove(0);
        let set = &mut |field: &mut Node| {
            *field = Node::string("new");
            Ok(())
        };
        let found = match visit(&mut node, &split(path), create, set) {
            Ok(0) => "nothing".to_owned(),
            Ok(_) => serde_json::to_string(&node.to_json()).expect("the value is JSON"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn places_are_found_and_made() {
        check("{a: {b: 1}}", "a.b", None, r#"{"a":{"b":"new"}}"#);
        check("{a: {}}", "a.b", None, "nothing");
        check("{a: {}}", "a.b.c", Some(Leaf::Scalar), r#"{"a":{"b":{"c":"new"}}}"#);
        check("{a: [{n: x}, {n: y}]}", "a.*.n", None, r#"{"a":[{"n":"new"},{"n":"new"}]}"#);
        check(
            "{a: [{n: bx}, {n: y}]}",
            "a.[n=x].v",
            Some(Leaf::Scalar),
            r#"{"a":[{"n":"bx","v":"new"},{"n":"y"}]}"#,
        );
        check("{a: []}", "a.[n=x].v", Some(Leaf::Scalar), r#"{"a":[{"n":"x","v":"new"}]}"#);
        check("{a: [1]}", "a.1", Some(Leaf::Scalar), r#"{"a":[1,"new"]}"#);
        check("{a: [1]}", "a.1", None, "index 1 specified but only 1 elements found");
        check("{a: [1]}", "a.b", None, "wrong node kind: expected MappingNode but got SequenceNode");
    }
}
