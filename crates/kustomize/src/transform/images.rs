//! `images`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Spec, walk};
use crate::error::{Error, Result};
use crate::file::Image;
use crate::resmap::ResMap;
use krm::{Node, Scalar};
use regex::Regex;

/// Changes image references.
pub(crate) struct Images {
    image: Image,
    specs: Vec<Spec>,
    pattern: Regex,
}

impl Images {
    pub(crate) fn new(image: Image, specs: Vec<Spec>) -> Result<Self> {
        // The name is put in as an expression, as kustomize does.
        let name = &image.name;
        let text = format!(
            "^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{{}}-]*)?$"
        );
        let pattern = Regex::new(&text).map_err(|e| {
            Error::new(format!("invalid image name {name:?}")).field("images.name").because(e)
        })?;
        Ok(Self { image, specs, pattern })
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        let Some(scalar) = node.as_scalar_mut() else {
            return Err(Error::new("wrong node kind: expected ScalarNode").line(node.line() as usize));
        };
        if self.pattern.is_match(&scalar.text) {
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
                    let items = value.as_seq_mut().into_iter().flatten();
                    items.filter_map(|item| item.get_mut("image")).try_for_each(|image| self.set(image))?;
                }
                Ok(())
            }
        }
    }
}

impl Transform for Images {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        for resource in map.items_mut() {
            if resource.kind() == "CustomResourceDefinition" {
                continue;
            }
            self.set_in_containers(&mut resource.node)?;
            for spec in &self.specs {
                walk(spec, &mut resource.node, Create::Never, &mut |node| self.set(node))?;
            }
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
        let images = Images::new(image.clone(), Vec::new()).expect("the name is an expression");
        let mut node = Node::string(reference);
        images.set(&mut node).expect("a scalar can be set");
        assert_eq!(node.as_str(), Some(expected), "{image:?}");
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
