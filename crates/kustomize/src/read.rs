//! Texts to resources.

use crate::error::{Error, Problems, Result};
use crate::ids::{self, ResId};
use crate::resource::Resource;
use crate::schema_comments;
use crate::through_text;
use krm::{Node, Rules};
use std::collections::VecDeque;

/// Reads the resources of a file; lists are taken apart.
pub(crate) fn resources(bytes: &[u8], file: &str) -> Result<Vec<Resource>> {
    let documents = krm::parse_bytes(bytes, Rules::V3).map_err(|e| Error::malformed(file, &e))?;
    from_documents(documents, bytes, file)
}

/// Makes resources of the documents of a file, whose text is given too; lists are taken apart.
pub(crate) fn from_documents(documents: Vec<Node>, text: &[u8], file: &str) -> Result<Vec<Resource>> {
    let mut queue: VecDeque<Node> = plain_list(documents).into_iter().filter(|d| !is_nothing(d)).collect();
    let mut out = Vec::with_capacity(queue.len());
    let mut problems = Problems::default();
    while let Some(node) = queue.pop_front() {
        match expand(node)? {
            Expanded::Object(node) => out.extend(problems.note(checked(node).map_err(|e| e.file(file)))?),
            // Items of a list come after the documents that follow it.
            Expanded::Items(items) => queue.extend(items.into_iter().filter(|item| !is_nothing(item))),
        }
    }
    problems.finish()?;
    schema_comments::note(text, &mut out);
    Ok(out)
}

/// Whether a document says nothing, so that it is passed over.
///
/// Source: kyaml `RNode.IsNilOrEmpty`.
pub(crate) fn is_nothing(node: &Node) -> bool {
    match node {
        Node::Mapping(map) => map.is_empty(),
        Node::Sequence(items) => items.is_empty(),
        node @ Node::Scalar(_) => node.is_null(),
    }
}

/// The items of a list that is alone in its file, as they are; other lists go through JSON.
fn plain_list(mut documents: Vec<Node>) -> Vec<Node> {
    let [list] = documents.as_mut_slice() else { return documents };
    if !matches!(ids::text(list, "kind"), "List" | "ResourceList") {
        return documents;
    }
    match list.get_mut("items").and_then(Node::as_seq_mut) {
        Some(items) => std::mem::take(items),
        None => documents,
    }
}

enum Expanded {
    Object(Node),
    Items(Vec<Node>),
}

fn expand(mut node: Node) -> Result<Expanded> {
    let kind = ids::text(&node, "kind").to_owned();
    if !kind.ends_with("List") {
        return Ok(Expanded::Object(node));
    }
    match node.as_map_mut().and_then(|map| map.remove("items")) {
        None => Ok(Expanded::Object(node)),
        Some(Node::Sequence(mut items)) if items.iter().all(through_text::has_text_keys) => {
            items.iter_mut().for_each(through_text::as_item_of_list);
            Ok(Expanded::Items(items))
        }
        Some(Node::Sequence(_)) => {
            let line = node.line() as usize;
            Err(Error::new(format!("a key in {kind}/items isn't a text")).line(line).hint("put it in quotes"))
        }
        Some(items) if items.is_null() => Ok(Expanded::Items(Vec::new())),
        Some(items) => {
            let found = if items.as_map().is_some() { "map" } else { "scalar" };
            let line = node.line() as usize;
            let error = Error::new(format!("expected array in {kind}/items, but found {found}"));
            Err(error.line(line).hint("write a list under items"))
        }
    }
}

fn checked(node: Node) -> Result<Resource> {
    check_identity(&node)?;
    Ok(Resource::new(node))
}

/// Refuses an object without a kind or a name.
pub(crate) fn check_identity(node: &Node) -> Result<()> {
    let line = node.line() as usize;
    if node.as_map().is_none() {
        let help = "a file under 'resources' holds objects with apiVersion, kind and metadata";
        let error = Error::new("missing Resource metadata: expected an object, but found a list or a scalar");
        return Err(error.line(line).hint(help));
    }
    let kind = ids::text(node, "kind");
    let metadata = |key| node.at(&["metadata", key]).and_then(Node::text).unwrap_or_default();
    let name = metadata("name");
    let field = match (kind.is_empty(), name.is_empty()) {
        (true, _) => "kind",
        (_, true) if !kind.ends_with("List") => "metadata.name",
        _ => return Ok(()),
    };
    let text = format!(
        "missing {field} in object {{{{{} {kind}}} {{{{{name} {}}} {} {}}}}}",
        ids::text(node, "apiVersion"),
        metadata("namespace"),
        go_map(node, "labels"),
        go_map(node, "annotations"),
    );
    let id = ResId::of(node);
    let error = Error::new(text).line(line).hint(format!("give the object a {field}"));
    Err(if kind.is_empty() && name.is_empty() { error } else { error.object(id.told()) })
}

/// Whether there are any, as Go prints it; what they say is nobody's business.
fn go_map(node: &Node, field: &str) -> &'static str {
    match node.at(&["metadata", field]).and_then(Node::as_map) {
        Some(map) if !map.is_empty() => "map[...]",
        _ => "map[]",
    }
}
