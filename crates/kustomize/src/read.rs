//! Texts to resources.

use crate::error::{Error, Result};
use crate::ids;
use crate::resource::Resource;
use crate::through_text;
use krm::{Node, Rules};
use std::collections::VecDeque;

/// Reads the resources of a file; lists are taken apart.
pub(crate) fn resources(bytes: &[u8], file: &str) -> Result<Vec<Resource>> {
    let documents = krm::parse_bytes(bytes, Rules::V3).map_err(|e| Error::malformed(file, &e))?;
    from_documents(documents, file)
}

/// Makes resources of the documents of a file; lists are taken apart.
pub(crate) fn from_documents(documents: Vec<Node>, file: &str) -> Result<Vec<Resource>> {
    let mut queue: VecDeque<Node> = plain_list(documents).into_iter().filter(|d| !d.is_null()).collect();
    let mut out = Vec::with_capacity(queue.len());
    while let Some(node) = queue.pop_front() {
        match expand(node)? {
            Expanded::Object(node) => out.push(checked(node).map_err(|e| e.file(file))?),
            // Items of a list come after the documents that follow it.
            Expanded::Items(items) => queue.extend(items.into_iter().filter(|item| !item.is_null())),
        }
    }
    Ok(out)
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
            items.iter_mut().for_each(through_text::unfold);
            Ok(Expanded::Items(items))
        }
        Some(Node::Sequence(_)) => {
            Err(Error::new(format!("a key in {kind}/items isn't a text: put it in quotes")))
        }
        Some(items) if items.is_null() => Ok(Expanded::Items(Vec::new())),
        Some(items) => {
            let found = if items.as_map().is_some() { "map" } else { "scalar" };
            Err(Error::new(format!("expected array in {kind}/items, but found {found}")))
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
        return Err(Error::new("expected an object, but found a list or a scalar").line(line));
    }
    let kind = ids::text(node, "kind");
    let name = node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    if kind.is_empty() {
        return Err(Error::new(format!("missing kind in object {name:?}")).line(line));
    }
    if name.is_empty() && !kind.ends_with("List") {
        let api_version = ids::text(node, "apiVersion");
        let message = format!("missing metadata.name in object {{{api_version} {kind}}}");
        return Err(Error::new(message).line(line));
    }
    Ok(())
}
