//! Where in a file something stands.

use krm::{Mapping, Node, Rules, Scalar, ScalarKind, Style};
use std::fmt;

/// Where a mistake is, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) file: Option<String>,
    /// Counted from 1.
    pub(crate) line: Option<usize>,
    /// Counted from 1, in characters.
    pub(crate) column: Option<usize>,
    /// Such as `patches[0].target.name`.
    pub(crate) field: Option<String>,
    /// Such as `Deployment prod/web`.
    pub(crate) object: Option<String>,
}

impl Place {
    /// Finds a field in the text of a file; a field that isn't there has no line.
    pub(crate) fn of_field(file: &str, text: &[u8], field: &str) -> Self {
        Self::in_tree(file, text, &tree(text), field)
    }

    /// Finds a field in a file whose [`tree`] is at hand.
    pub(crate) fn in_tree(file: &str, text: &[u8], tree: &Node, field: &str) -> Self {
        let found = std::str::from_utf8(text).ok().and_then(|text| find(text, tree, field));
        let (line, column) = found.unzip();
        let mut place = Self {
            file: Some(file.to_owned()),
            line,
            column: column.flatten(),
            field: Some(field.to_owned()).filter(|field| !field.is_empty()),
            object: None,
        };
        place.fill_column(text);
        place
    }

    /// Takes from the other what isn't known; its line only if that is one of the same file.
    pub(crate) fn fill(&mut self, other: Self) {
        let is_same_file = self.file.is_none() || other.file.is_none() || self.file == other.file;
        if is_same_file && self.line.is_none() {
            (self.line, self.column) = (other.line, other.column);
        }
        if is_same_file {
            self.file = self.file.take().or(other.file);
            self.field = self.field.take().or(other.field);
        }
        self.object = self.object.take().or(other.object);
    }

    /// Gives the line's first character as the column, if no other is known.
    pub(crate) fn fill_column(&mut self, text: &[u8]) {
        let (Some(line), None) = (self.line, self.column) else { return };
        let line = text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1));
        self.column =
            line.and_then(|line| line.iter().position(|b| *b != b' ' && *b != b'\t')).map(|at| at + 1);
    }

    /// The place in a block of text whose key is here, if it has a line in that block.
    pub(crate) fn in_block(self, line: Option<usize>, text: &[u8]) -> Self {
        let key = self.line.and_then(|key| text.split(|b| *b == b'\n').nth(key.checked_sub(1)?));
        let key = key.map(<[u8]>::trim_ascii_end).unwrap_or_default();
        let is_block =
            [": |", ": |-", ": |+", ": >", ": >-", ": >+"].iter().any(|end| key.ends_with(end.as_bytes()));
        match (self.line, line) {
            (Some(key), Some(line)) if is_block => {
                let mut place = Self { line: Some(key + line), column: None, ..self };
                place.fill_column(text);
                place
            }
            _ => self,
        }
    }

    const fn is_unknown(&self) -> bool {
        self.file.is_none() && self.line.is_none() && self.field.is_none() && self.object.is_none()
    }
}

/// ` in app/kustomization.yaml:3:5, field resources[0], object ConfigMap settings`, or nothing.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() {
            return Ok(());
        }
        f.write_str(" in ")?;
        let mut separator = "";
        match (&self.file, self.line) {
            (Some(file), None) => f.write_str(file)?,
            (Some(file), Some(line)) => write!(f, "{file}:{line}")?,
            (None, Some(line)) => write!(f, "line {line}")?,
            (None, None) => {}
        }
        if let (Some(_), Some(column)) = (self.line, self.column) {
            write!(f, ":{column}")?;
        }
        if self.file.is_some() || self.line.is_some() {
            separator = ", ";
        }
        for (name, value) in [("field", &self.field), ("object", &self.object)] {
            if let Some(value) = value {
                write!(f, "{separator}{name} {value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// The first document of a text; null if it can't be read.
pub(crate) fn tree(text: &[u8]) -> Node {
    let documents = krm::parse_bytes(text, Rules::V2).unwrap_or_default();
    documents.into_iter().find(|document| !document.is_null()).unwrap_or_else(Node::null)
}

/// Line and column of a field: of the key that it has, or of what stands in the list.
fn find(text: &str, root: &Node, field: &str) -> Option<(usize, Option<usize>)> {
    let (mut node, mut key, mut rest) = (root, None, field);
    while !rest.is_empty() {
        let (step, more) = step(node, rest)?;
        rest = more;
        (key, node) = match step {
            Step::Entry(index) => node.as_map()?.entry_at(index).map(|(key, value)| (Some(key), value))?,
            Step::Item(index) => (None, node.as_seq()?.get(index)?),
        };
    }
    let scalar = key.or_else(|| first_scalar(node))?;
    Some((scalar.line as usize, column(text, root, scalar)))
}

/// A step into a value.
enum Step {
    Entry(usize),
    Item(usize),
}

/// The first step to a field, and the field from there; keys may have dots in them.
fn step<'f>(node: &Node, field: &'f str) -> Option<(Step, &'f str)> {
    let rest = |at: usize| {
        let rest = field.get(at..)?;
        match rest.bytes().next() {
            None | Some(b'[') => Some(rest),
            Some(b'.') => rest.get(1..),
            Some(_) => None,
        }
    };
    match node {
        Node::Mapping(map) => {
            let fits = |key: &Scalar| {
                let length = key.text.len();
                let is_it = field.get(..length).is_some_and(|name| name.eq_ignore_ascii_case(&key.text));
                rest(length).filter(|_| is_it && length > 0)
            };
            let fitting = map.iter().enumerate().filter_map(|(index, (key, _))| Some((index, fits(key)?)));
            fitting.min_by_key(|(_, rest)| rest.len()).map(|(index, rest)| (Step::Entry(index), rest))
        }
        Node::Sequence(_) => {
            let (index, _) = field.strip_prefix('[')?.split_once(']')?;
            Some((Step::Item(index.parse().ok()?), rest(index.len() + 2)?))
        }
        Node::Scalar(_) => None,
    }
}

/// Takes a field out; an entry of a list leaves null. Tells whether it was there.
pub(crate) fn take_out(node: &mut Node, field: &str) -> bool {
    let Some((step, rest)) = step(node, field) else { return false };
    match (step, node) {
        (Step::Entry(index), Node::Mapping(map)) if rest.is_empty() => {
            let Some(key) = map.entry_at(index).map(|(key, _)| key.text.clone()) else { return false };
            map.remove(&key).is_some()
        }
        (Step::Entry(index), Node::Mapping(map)) => {
            map.value_at_mut(index).is_some_and(|value| take_out(value, rest))
        }
        (Step::Item(index), Node::Sequence(items)) => match items.get_mut(index) {
            Some(item) if rest.is_empty() => {
                *item = Node::null();
                true
            }
            Some(item) => take_out(item, rest),
            None => false,
        },
        _ => false,
    }
}

fn first_scalar(node: &Node) -> Option<&Scalar> {
    match node {
        Node::Scalar(scalar) => Some(scalar),
        Node::Sequence(items) => items.first().and_then(first_scalar),
        Node::Mapping(map) => map.iter().next().map(|(key, _)| key),
    }
}

// Trees have lines only. What stands in front of a scalar in its line is passed over, scalar by scalar.
fn column(text: &str, root: &Node, wanted: &Scalar) -> Option<usize> {
    let line = text.lines().nth((wanted.line as usize).checked_sub(1)?)?;
    let mut at = 0;
    for scalar in in_line(root, wanted.line) {
        let is_it = std::ptr::eq(scalar, wanted);
        match line.get(at..)?.find(scalar.text.as_str()) {
            _ if is_it && scalar.text.is_empty() => return None,
            Some(found) if is_it => {
                let quote = usize::from(matches!(scalar.style, Style::SingleQuoted | Style::DoubleQuoted));
                return Some(line.get(..at + found)?.chars().count() + 1 - quote);
            }
            Some(found) => at += found + scalar.text.len(),
            None if is_it => return None,
            None => {}
        }
    }
    None
}

fn in_line(node: &Node, line: u32) -> Vec<&Scalar> {
    let mut found = Vec::new();
    collect(node, line, &mut found);
    found
}

fn collect<'a>(node: &'a Node, line: u32, found: &mut Vec<&'a Scalar>) {
    match node {
        Node::Scalar(scalar) => {
            let is_block = matches!(scalar.style, Style::Literal | Style::Folded);
            if scalar.line == line && scalar.kind != ScalarKind::Null && !is_block {
                found.push(scalar);
            }
        }
        Node::Sequence(items) => items.iter().for_each(|item| collect(item, line, found)),
        Node::Mapping(map) => collect_entries(map, line, found),
    }
}

fn collect_entries<'a>(map: &'a Mapping, line: u32, found: &mut Vec<&'a Scalar>) {
    for (key, value) in map.iter() {
        if key.line == line {
            found.push(key);
        }
        collect(value, line, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, expected: Option<(usize, Option<usize>)>) {
        let text =
            "resources:\n- a.yaml\n- 'b.yaml'\nimages: [{name: x, newTag: x}, {name: é, newTag: name}]\n";
        assert_eq!(find(text, &tree(text.as_bytes()), field), expected, "{field}");
    }

    #[test]
    fn fields_are_found_with_line_and_column() {
        check("resources", Some((1, Some(1))));
        check("resources[0]", Some((2, Some(3))));
        check("resources[1]", Some((3, Some(3))));
        check("images[0].newTag", Some((4, Some(20))));
        check("images[1]", Some((4, Some(33))));
        check("images[1].newTag", Some((4, Some(42))));
        check("images[2]", None);
        check("patches", None);
    }

    #[test]
    fn fields_are_taken_out_by_name() {
        let text = "commonLabels: {app.kubernetes.io/name: x, app: y}\nimages: [{name: a}, {name: b}]\n";
        let mut node = krm::parse(text).expect("the text is YAML").remove(0);
        assert!(take_out(&mut node, "commonLabels.app.kubernetes.io/name"));
        assert!(!take_out(&mut node, "commonLabels.app.kubernetes.io/name"));
        assert!(take_out(&mut node, "images[0]"));
        assert!(take_out(&mut node, "images[1].name"));
        assert_eq!(krm::emit(&node), "commonLabels:\n  app: \"y\"\nimages:\n- null\n- {}\n");
    }

    #[test]
    fn what_is_known_is_told() {
        let mut place = Place { line: Some(2), ..Place::default() };
        assert_eq!(place.to_string(), " in line 2");
        place.fill(Place { file: Some("a.yaml".to_owned()), line: Some(9), ..Place::default() });
        place.fill_column(b"a:\n  b: c\n");
        assert_eq!(place.to_string(), " in a.yaml:2:3");
        place.fill(Place { object: Some("ConfigMap a".to_owned()), ..Place::default() });
        assert_eq!(place.to_string(), " in a.yaml:2:3, object ConfigMap a");
        assert_eq!(Place::default().to_string(), "");
    }
}
