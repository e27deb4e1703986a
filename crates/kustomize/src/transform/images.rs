//! `images`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Specs, walk};
use crate::error::{Error, Result};
use crate::file::Image;
use crate::resmap::ResMap;
use crate::selector;
use krm::{Node, Scalar};
use regex::Regex;
use std::cell::Cell;

/// Changes image references.
pub(crate) struct Images {
    image: Image,
    specs: Specs,
    pattern: Pattern,
    matched: Cell<bool>,
}

impl Images {
    pub(crate) fn new(image: Image, specs: Specs) -> Result<Self> {
        let pattern = Pattern::of(&image.name)?;
        Ok(Self { image, specs, pattern, matched: Cell::new(false) })
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        let Some(scalar) = node.as_scalar_mut() else {
            let found = if node.as_map().is_some() { "MappingNode" } else { "SequenceNode" };
            let text = format!("wrong node kind: expected ScalarNode but got {found}");
            return Err(Error::new(text).hint("write the image as one text: name:tag"));
        };
        if self.pattern.is_match(&scalar.text) {
            self.matched.set(true);
            *scalar = Scalar { line: scalar.line, ..Scalar::string(self.changed(&scalar.text)) };
        }
        Ok(())
    }

    fn changed(&self, reference: &str) -> String {
        let Image { new_name, new_tag, digest: new_digest, tag_suffix, .. } = &self.image;
        let (name, tag, digest) = split(reference);
        let name = if new_name.is_empty() { name } else { new_name };
        let (tag, digest) = match (new_tag.is_empty(), new_digest.is_empty(), tag_suffix.is_empty()) {
            (false, false, _) => (new_tag.clone(), new_digest.as_str()),
            (false, true, _) => (new_tag.clone(), ""),
            (true, false, _) => (String::new(), new_digest.as_str()),
            (true, true, false) => (format!("{tag}{tag_suffix}"), ""),
            (true, true, true) => (tag.to_owned(), digest),
        };
        let mut out = name.to_owned();
        for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
            if !part.is_empty() {
                out.push(mark);
                out.push_str(part);
            }
        }
        out
    }

    /// Any list named `containers` or `initContainers`, wherever it is.
    fn set_in_containers(&self, node: &mut Node) -> Result<()> {
        match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(items) => items.iter_mut().try_for_each(|item| self.set_in_containers(item)),
            Node::Mapping(map) => {
                for (key, value) in map.iter_mut() {
                    self.set_in_containers(value)?;
                    if !matches!(key.text.as_str(), "containers" | "initContainers") {
                        continue;
                    }
                    for item in value.as_seq_mut().into_iter().flatten().filter(|item| !item.is_null()) {
                        if item.as_map().is_none() {
                            let error = Error::new("wrong node kind: expected MappingNode in containers");
                            return Err(error.line(item.line() as usize));
                        }
                        item.get_mut("image").map_or(Ok(()), |image| self.set(image))?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl Images {
    fn set_in(&self, node: &mut Node) -> Result<()> {
        self.set_in_containers(node)?;
        for spec in &*self.specs {
            walk(spec, node, Create::Never, &mut |node| self.set(node))?;
        }
        Ok(())
    }
}

/// Which references an image's name is meant for; the name is an expression, as in kustomize.
enum Pattern {
    /// Letters, each for itself, and dots, each for any letter: what nearly all names are made of.
    Letters(String),
    Regex(Regex),
}

impl Pattern {
    fn of(name: &str) -> Result<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | ':' | '_' | '-');
        if name.chars().all(is_plain) {
            return Ok(Self::Letters(name.to_owned()));
        }
        let text = format!(
            "^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{{}}-]*)?$"
        );
        Regex::new(&text).map(Self::Regex).map_err(|e| {
            selector::bad_expression(name, &e).field("name").context(format!("invalid image name {name:?}"))
        })
    }

    fn is_match(&self, reference: &str) -> bool {
        match self {
            Self::Letters(name) => after_name(name, reference).is_some_and(is_tag_and_digest),
            Self::Regex(regex) => regex.is_match(reference),
        }
    }
}

fn after_name<'a>(name: &str, reference: &'a str) -> Option<&'a str> {
    let mut rest = reference.chars();
    for letter in name.chars() {
        let found = rest.next()?;
        if letter != found && (letter != '.' || found == '\n') {
            return None;
        }
    }
    Some(rest.as_str())
}

/// Whether a text is `:tag`, `@algorithm:digest`, both or nothing.
fn is_tag_and_digest(text: &str) -> bool {
    let is_rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '{' | '}' | '-');
    let text = text.strip_prefix(':').map_or(text, |tag| tag.trim_start_matches(is_rest));
    let Some(digest) = text.strip_prefix('@') else { return text.is_empty() };
    let Some((algorithm, digest)) = digest.split_once(':') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    algorithm.split(['.', '+', '_', '-']).all(is_word) && digest.chars().all(is_rest)
}

impl Transform for Images {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        for resource in map.items_mut() {
            if resource.kind() == "CustomResourceDefinition" {
                continue;
            }
            self.set_in(&mut resource.node).map_err(|e| e.object(resource.current_id().told()))?;
        }
        // Where the original says nothing.
        if !self.matched.get() {
            shared.warn(format!("image name matches no image: {:?}", self.image.name));
        }
        Ok(())
    }
}

/// Name, tag and digest of a reference; a port before the first slash belongs to the name.
fn split(reference: &str) -> (&str, &str, &str) {
    let start = reference.find('/').unwrap_or(0);
    let after = |mark: char| reference[start..].find(mark).map(|at| at + start);
    match (after(':'), after('@')) {
        (None, None) => (reference, "", ""),
        (Some(colon), Some(at)) if colon < at => {
            (&reference[..colon], &reference[colon + 1..at], &reference[at + 1..])
        }
        (_, Some(at)) => (&reference[..at], "", &reference[at + 1..]),
        (Some(colon), None) => (&reference[..colon], &reference[colon + 1..], ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(image: &Image, reference: &str, expected: &str) {
        let images = Images::new(image.clone(), Specs::default()).expect("the name is an expression");
        let mut node = Node::string(reference);
        images.set(&mut node).expect("a scalar can be set");
        assert_eq!(node.as_str(), Some(expected), "{image:?}");
    }

    #[test]
    fn plain_names_match_as_expressions_do() {
        let names = ["web", "r.io:5000/a_b/c-d", "a.b", ""];
        let parts = [
            "",
            ":",
            ":1",
            ":{}",
            ":a:b",
            "@",
            "@x:",
            "@sha256:0f",
            "@a.b+c:d",
            "@a..b:c",
            "@:x",
            "@a",
            "/x",
        ];
        for name in names {
            let expression = match Pattern::of(&format!("(?:{name})")).expect("it is an expression") {
                Pattern::Regex(regex) => regex,
                Pattern::Letters(_) => unreachable!("brackets aren't plain"),
            };
            let plain = Pattern::of(name).expect("it is plain");
            for stem in names.into_iter().chain(["a\nb", "aéb", "rxio:5000/a_b/c-d"]) {
                for reference in parts.iter().flat_map(|a| parts.map(|b| format!("{stem}{a}{b}"))) {
                    let expected = expression.is_match(&reference);
                    assert_eq!(plain.is_match(&reference), expected, "{name:?} {reference:?}");
                }
            }
        }
    }

    #[test]
    fn references_change_part_by_part() {
        let named = |name: &str| Image { name: name.to_owned(), ..Image::default() };
        let tag = Image { new_tag: "2".to_owned(), ..named("web") };
        check(&tag, "web", "web:2");
        check(&tag, "web:1", "web:2");
        check(&tag, "web@sha256:abc", "web:2");
        check(&tag, "other/web:1", "other/web:1");
        check(&tag, "web2:1", "web2:1");
        let digest = Image { digest: "sha256:abc".to_owned(), ..named("web") };
        check(&digest, "web:1", "web@sha256:abc");
        check(&Image { new_tag: "2".to_owned(), ..digest }, "web:1", "web:2@sha256:abc");
        let moved = Image { new_name: "r:5000/x".to_owned(), ..named("web") };
        check(&moved, "web:1", "r:5000/x:1");
        check(&moved, "web:1@sha256:abc", "r:5000/x:1@sha256:abc");
        check(&Image { tag_suffix: "-arm".to_owned(), ..named("web") }, "web:1", "web:1-arm");
        check(&Image { new_tag: "2".to_owned(), ..named("r:5000/web") }, "r:5000/web", "r:5000/web:2");
    }
}
