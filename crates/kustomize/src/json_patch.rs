//! JSON patches (RFC 6902), as evanphx/json-patch applies them.

use crate::build::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::file::Fields;
use crate::through_text;
use krm::{Node, Rules};

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    op: Op,
    path: String,
    /// The line in the patch, counted from 1; 0 if it isn't known.
    line: usize,
}

#[derive(Clone, Debug)]
enum Op {
    Add(Node),
    Remove,
    Replace(Node),
    Move(String),
    Copy(String),
    Test(Node),
}

/// Reads the text of a patch: JSON if it begins with `[`, else YAML, whose first document counts.
pub(crate) fn read(text: &[u8], name: &str, limit: usize) -> Result<Vec<Operation>> {
    if text.starts_with(b"[") {
        let value: serde_json::Value = serde_json::from_slice(text).map_err(|e| malformed(name, &e))?;
        return parse(&Node::from(value), limit);
    }
    let documents = krm::parse_bytes(text, Rules::V2).map_err(|e| Error::malformed(name, &e))?;
    parse(&documents.into_iter().next().unwrap_or_else(Node::null), limit)
}

// The error of serde_json tells places, never what stands there.
fn malformed(name: &str, error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    Error::of(ErrorKind::Malformed, format!("text that begins with '[' must be JSON; it isn't at {place}"))
        .file(name)
        .line(error.line())
        .hint("mind commas and quotes, or write the patch as YAML")
}

/// Reads the operations of a patch.
fn parse(node: &Node, limit: usize) -> Result<Vec<Operation>> {
    let items = node.as_seq().ok_or_else(|| Error::new("a JSON patch must be a list of operations"))?;
    if items.len() > limit {
        return Err(Error::of(ErrorKind::Limit, format!("JSON patch has more than {limit} operations")));
    }
    items.iter().map(operation).collect()
}

fn operation(node: &Node) -> Result<Operation> {
    let mut f = Fields::new(node, "patch")?;
    let name = f.string("op")?;
    let path = f.string("path")?;
    let from = f.string("from")?;
    let value = || {
        let mut value = node.get("value").cloned().unwrap_or_else(Node::null);
        through_text::unfold(&mut value);
        value
    };
    let op = match name.as_str() {
        "add" => Op::Add(value()),
        "remove" => Op::Remove,
        "replace" => Op::Replace(value()),
        "move" => Op::Move(from),
        "copy" => Op::Copy(from),
        "test" => Op::Test(value()),
        other => {
            return Err(Error::new(format!("Unexpected kind: {other}"))
                .line(node.line() as usize)
                .hint("op is one of add, remove, replace, move, copy, test"));
        }
    };
    Ok(Operation { op, path, line: node.line() as usize })
}

/// Applies all operations; the value is left half done if one fails.
pub(crate) fn apply(node: &mut Node, operations: &[Operation], shared: &Shared<'_>) -> Result<()> {
    through_text::object(node)?;
    for operation in operations {
        apply_one(node, operation, shared).map_err(|e| e.line(operation.line).hint(help(operation, node)))?;
    }
    through_text::from_json(node);
    Ok(())
}

/// What to do about an operation that failed.
fn help(Operation { op, path, .. }: &Operation, node: &Node) -> String {
    let from = match op {
        Op::Move(from) | Op::Copy(from) => from,
        _ => path,
    };
    if from.is_empty() {
        return "give the operation a path".to_owned();
    }
    if !from.starts_with('/') {
        return format!("let the path begin with a slash: /{from}");
    }
    if let Op::Test(_) = op {
        return "the object has another value there, or none".to_owned();
    }
    let ways = from.match_indices('/').map(|(at, _)| &from[..at]).chain([from.as_str()]);
    match ways.skip(1).find(|way| !matches!(find(node, way), Some(Some(_)))) {
        Some(way) if way != from => {
            format!("the object has no {way}: add it by an operation before this one")
        }
        _ => "the object has nothing at that path: take the operation out, or correct the path".to_owned(),
    }
}

fn apply_one(node: &mut Node, Operation { op, path, .. }: &Operation, shared: &Shared<'_>) -> Result<()> {
    let count = |value: &Node| shared.count_added(value, path.split('/').count());
    match op {
        Op::Add(value) => {
            count(value)?;
            add(node, path, value.clone())
        }
        Op::Remove => remove(node, path).map(drop),
        Op::Replace(value) => {
            count(value)?;
            replace(node, path, value.clone())
        }
        Op::Move(from) => {
            let value =
                remove(node, from).map_err(|e| e.context(format!("error in move for path: '{path}'")))?;
            count(&value)?;
            add(node, path, value)
        }
        Op::Copy(from) => {
            let value = copied(node, from)?;
            count(&value)?;
            add(node, path, value)
        }
        Op::Test(value) => test(node, path, value),
    }
}

fn add(node: &mut Node, path: &str, value: Node) -> Result<()> {
    let missing =
        || Error::new(format!("add operation does not apply: doc is missing path: {path:?}: missing value"));
    let (parent, key) = parent(node, path).ok_or_else(missing)?;
    match parent {
        Node::Mapping(map) => map.insert(key, value),
        Node::Sequence(items) if key == "-" => items.push(value),
        Node::Sequence(items) => {
            let at = index(&key, items.len() + 1).ok_or_else(|| bad_index("add", path, &key))?;
            items.insert(at, value);
        }
        Node::Scalar(_) => return Err(missing()),
    }
    Ok(())
}

fn remove(node: &mut Node, path: &str) -> Result<Node> {
    let fail = |what: String| Error::new(format!("error in remove for path: '{path}': {what}"));
    let missing = || {
        Error::new(format!("remove operation does not apply: doc is missing path: {path:?}: missing value"))
    };
    let (parent, key) = parent(node, path).ok_or_else(missing)?;
    match parent {
        Node::Mapping(map) => map
            .remove(&key)
            .ok_or_else(|| fail(format!("Unable to remove nonexistent key: {key}: missing value"))),
        Node::Sequence(items) => {
            let at = index(&key, items.len()).ok_or_else(|| bad_index("remove", path, &key))?;
            Ok(items.remove(at))
        }
        Node::Scalar(_) => Err(missing()),
    }
}

fn replace(node: &mut Node, path: &str, value: Node) -> Result<()> {
    if path.is_empty() {
        if value.as_map().is_none() {
            return Err(Error::new("replace operation value must be an object"));
        }
        *node = value;
        return Ok(());
    }
    let missing = |what: &str| {
        Error::new(format!("replace operation does not apply: doc is missing {what}: {path}: missing value"))
    };
    let (parent, key) = parent(node, path).ok_or_else(|| missing("path"))?;
    match parent {
        // The original looks for a list's element only; a key of a map needn't be there.
        Node::Mapping(map) => map.insert(key, value),
        Node::Sequence(items) => {
            let at = index(&key, items.len()).ok_or_else(|| missing("key"))?;
            items[at] = value;
        }
        Node::Scalar(_) => return Err(missing("path")),
    }
    Ok(())
}

fn copied(node: &Node, from: &str) -> Result<Node> {
    let missing = || Error::new(format!("copy operation does not apply: doc is missing from path: {from}"));
    Ok(find(node, from).ok_or_else(missing)?.cloned().unwrap_or_else(Node::null))
}

fn test(node: &Node, path: &str, expected: &Node) -> Result<()> {
    let found = if path.is_empty() { Some(Some(node)) } else { find(node, path) };
    let same = match found {
        Some(Some(found)) => equal(found, expected),
        Some(None) => expected.is_null(),
        None => {
            return Err(Error::new(format!("test operation does not apply: is missing path: {path}")));
        }
    };
    if same { Ok(()) } else { Err(Error::new(format!("testing value {path} failed: test failed"))) }
}

fn equal(a: &Node, b: &Node) -> bool {
    a.to_json() == b.to_json()
}

/// What a path leads to: nothing at all, a key that its map doesn't have, or a value.
fn find<'a>(node: &'a Node, path: &str) -> Option<Option<&'a Node>> {
    let (way, last) = path.rsplit_once('/')?;
    let step = |node: &'a Node, key: &str| {
        let key = unescape(key);
        match node {
            Node::Mapping(map) => Some(map.get(&key)),
            Node::Sequence(items) => items.get(index(&key, items.len())?).map(Some),
            Node::Scalar(_) => None,
        }
    };
    let parent = way.split('/').skip(1).try_fold(node, |node, key| step(node, key)?)?;
    step(parent, last)
}

/// The container that a path's last part is in, and that part.
fn parent<'a>(node: &'a mut Node, path: &str) -> Option<(&'a mut Node, String)> {
    let (way, last) = path.rsplit_once('/')?;
    let parent = way.split('/').skip(1).try_fold(node, |node, key| {
        let key = unescape(key);
        match node {
            Node::Mapping(map) => map.get_mut(&key),
            Node::Sequence(items) => {
                let at = index(&key, items.len())?;
                items.get_mut(at)
            }
            Node::Scalar(_) => None,
        }
    })?;
    if parent.as_scalar().is_some() { None } else { Some((parent, unescape(last))) }
}

fn unescape(key: &str) -> String {
    if key.contains('~') { key.replace("~1", "/").replace("~0", "~") } else { key.to_owned() }
}

/// A position below `len`; negative ones count from the end.
fn index(key: &str, len: usize) -> Option<usize> {
    let at: i64 = key.parse().ok()?;
    let at = if at < 0 { i64::try_from(len).ok()?.checked_add(at)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < len)
}

fn bad_index(op: &str, path: &str, key: &str) -> Error {
    Error::new(format!(
        "error in {op} for path: '{path}': Unable to access invalid index: {key}: invalid index referenced"
    ))
}
