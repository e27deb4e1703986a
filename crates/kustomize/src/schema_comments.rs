//! Comments that are schemas, such as `list: # {"$ref": "#/definitions/example"}`.
//!
//! In kustomize such a comment takes the place of the schema of its field, so that a patch merges a list which it would
//! replace else, or the other way round. Here a field that has one isn't merged at all: the build fails.
//!
//! Source: kyaml `walk.GetSchema`, `fieldmeta.Read`.

use crate::error::{Error, Result};
use crate::resource::Resource;
use krm::{Mapping, Node};

/// A field with a schema in its comment.
#[derive(Clone, Debug)]
pub(crate) struct SchemaComment {
    field: String,
    line: u32,
}

impl SchemaComment {
    /// What is wrong with merging the field.
    pub(crate) fn refuse(&self) -> Result<()> {
        let message = format!("the schema in the comment of field {:?} is not supported", self.field);
        Err(Error::unsupported(&self.field, message).line(self.line as usize))
    }
}

/// Notes on resources which of their fields have such a comment, if any has.
pub(crate) fn note(text: &[u8], resources: &mut [Resource]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if !text.split('#').skip(1).any(|rest| after_sign(rest).starts_with('{')) {
        return;
    }
    let lines = commented_lines(text);
    if lines.is_empty() {
        return;
    }
    for resource in resources {
        resource.book.schema_comment = find(&resource.node, &mut Vec::new(), &lines);
    }
}

/// A line whose values have a schema in their comment.
struct Line {
    number: u32,
    /// Whether an element of a list begins there that the comment stands above.
    is_element: bool,
}

fn commented_lines(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut above = false;
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        if let Some(comment) = start.strip_prefix('#') {
            above |= is_schema(comment);
        } else if !start.is_empty() {
            if above || line.match_indices('#').any(|(at, _)| is_schema(&line[at + 1..])) {
                found.push(Line { number, is_element: above && start.starts_with("- ") });
            }
            above = false;
        }
    }
    found
}

/// Whether a comment is a JSON object that says something.
fn is_schema(comment: &str) -> bool {
    let comment = after_sign(comment);
    comment.starts_with('{')
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(comment.trim_end())
            .is_ok_and(|schema| !schema.is_empty())
}

fn after_sign(comment: &str) -> &str {
    comment.trim_start_matches(['#', ' ', '\t'])
}

/// The first field at one of the lines that holds more than a scalar, which no schema changes.
fn find(node: &Node, path: &mut Vec<String>, lines: &[Line]) -> Option<SchemaComment> {
    let at = |line: u32| lines.binary_search_by_key(&line, |l| l.number).ok().map(|found| &lines[found]);
    match node {
        Node::Scalar(_) => None,
        Node::Sequence(items) => items.iter().find_map(|item| {
            let first = item.as_map().and_then(|map| map.entry_at(0)).map(|(key, _)| key.line);
            match first.and_then(at).filter(|line| line.is_element) {
                Some(line) => Some(SchemaComment { field: path.join("."), line: line.number }),
                None => find(item, path, lines),
            }
        }),
        Node::Mapping(map) => find_in_map(map, path, lines, &at),
    }
}

fn find_in_map<'a>(
    map: &Mapping,
    path: &mut Vec<String>,
    lines: &'a [Line],
    at: &dyn Fn(u32) -> Option<&'a Line>,
) -> Option<SchemaComment> {
    for (key, value) in map.iter().filter(|(_, value)| value.as_scalar().is_none()) {
        path.push(key.text.clone());
        let found = match at(key.line) {
            Some(line) => Some(SchemaComment { field: path.join("."), line: line.number }),
            None => find(value, path, lines),
        };
        if found.is_some() {
            return found;
        }
        path.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::read;

    fn found(text: &str) -> Option<(String, u32)> {
        let resources = read::resources(text.as_bytes(), "r.yaml").expect("the text is an object");
        resources[0].book.schema_comment.as_ref().map(|c| (c.field.clone(), c.line))
    }

    #[test]
    fn schemas_are_found_on_what_they_change() {
        let head = "kind: A\nmetadata: {name: a}\n";
        let cases = [
            ("a:\n  list: # {\"$ref\": \"#/definitions/x\"}\n  - b", Some(("a.list".to_owned(), 4))),
            ("# {\"items\": {}}\nlist: [a]", Some(("list".to_owned(), 4))),
            ("list: [a] ## {\"type\": \"array\"}", Some(("list".to_owned(), 3))),
            ("list:\n# {\"a\": 1}\n- b: 1", Some(("list".to_owned(), 5))),
            ("replicas: 3 # {\"$openapi\": \"replicas\"}", None),
            ("# {\"$openapi\": \"replicas\"}\nreplicas: 3", None),
            ("list: # {}\n- b", None),
            ("list: # {not json}\n- b", None),
            ("text: |\n  list: # {\"a\": 1}\n  - b", None),
        ];
        for (text, expected) in cases {
            assert_eq!(found(&format!("{head}{text}\n")), expected, "{text}");
        }
    }
}
