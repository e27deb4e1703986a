//! Rendered files to manifests and hooks, in the order in which they are installed.
//!
//! Helm's `pkg/release/v1/util`: a file is cut into documents, each document's head is read, hooks
//! are set apart, and both are sorted by kind.

mod head;
mod hook;
mod order;

use std::collections::BTreeMap;

use head::Head;
pub(crate) use hook::is_zero;
pub use hook::{DELETE_POLICY, Event, Execution, HOOK, Hook, OUTPUT_LOG_POLICY, WEIGHT};
pub use order::Order;

use crate::{Compat, parallel};

/// A document that is part of the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template it comes from.
    pub source: String,
    /// Empty for a document of comments only.
    pub kind: String,
    /// The object's name; empty without one.
    pub name: String,
    /// The document as it was rendered.
    pub content: String,
}

/// What a set of rendered files is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    pub hooks: Vec<Hook>,
    pub manifests: Vec<Manifest>,
    /// Hooks that were dropped: their source and what their annotation says.
    pub unknown_hooks: Vec<(String, String)>,
}

/// A document that isn't YAML, or isn't an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("YAML parse error on {source_file}: {message}")]
pub struct Error {
    /// The template that the document comes from.
    pub source_file: String,
    pub message: String,
}

/// Sorts rendered files, by template name, into hooks and manifests.
///
/// Partials (`_name`) and blank files are passed over. Hooks with an event that Helm doesn't know are
/// dropped, as Helm does, and listed.
///
/// # Errors
/// The first document that can't be read.
pub fn sort(files: &BTreeMap<String, String>, order: Order, compat: Compat) -> Result<Sorted, Error> {
    let files = files.iter().filter(|(source, content)| !is_partial(source) && !is_blank(content));
    let documents: Vec<_> = files
        .flat_map(|(source, content)| split(content, compat).into_iter().map(move |text| (source, text)))
        .collect();
    let heads = parallel::map(&documents, |(_, text)| text.len(), |(_, text)| Head::read(text, compat));
    let mut sorted = Sorted::default();
    for ((source, text), head) in documents.into_iter().zip(heads) {
        let head = head.map_err(|message| Error { source_file: source.clone(), message })?;
        place(&mut sorted, source, text, head);
    }
    sorted.hooks.sort_by_cached_key(|hook| order.rank(&hook.kind, compat));
    sorted.manifests.sort_by_cached_key(|manifest| order.rank(&manifest.kind, compat));
    Ok(sorted)
}

/// Cuts a file into its documents; blank ones are left out.
///
/// Helm 4.2 cuts at every line that starts with `---`, whatever follows, and keeps the line breaks at
/// a document's end; before, the dashes and all space around them were cut away.
pub fn split(content: &str, compat: Compat) -> Vec<&str> {
    let mut documents = Vec::new();
    let mut rest = content.trim_start();
    let mut next = if rest.starts_with("---") { Some(0) } else { separator(rest) };
    while let Some(at) = next {
        documents.push(&rest[..at]);
        rest = after_separator(&rest[at + 3..], compat);
        next = separator(rest);
    }
    documents.push(rest);
    documents
        .into_iter()
        .map(|document| if compat == Compat::V4_2 { document.trim_start() } else { document.trim() })
        .filter(|document| !document.is_empty())
        .collect()
}

/// Where the next line begins that starts with `---`.
fn separator(text: &str) -> Option<usize> {
    text.find("\n---").map(|at| at + 1)
}

fn after_separator(text: &str, compat: Compat) -> &str {
    // Before 4.2 the pattern also took the line breaks, so that a `---` after them began no document.
    if compat == Compat::V4_2 { text.trim_start_matches([' ', '\t']) } else { text.trim_start() }
}

/// Files whose base name starts with `_` are only there to be included.
pub(crate) fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|base| base.starts_with('_'))
}

fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

fn place(sorted: &mut Sorted, source: &str, document: &str, head: Head) {
    let Some(events) = head.annotations.get(HOOK) else {
        sorted.manifests.push(Manifest {
            source: source.to_owned(),
            kind: head.kind,
            name: head.name,
            content: document.to_owned(),
        });
        return;
    };
    match words(events).map(|word| Event::parse(&word)).collect::<Option<Vec<_>>>() {
        Some(events) => sorted.hooks.push(hook(&head, source, document, &events)),
        None => sorted.unknown_hooks.push((source.to_owned(), events.clone())),
    }
}

fn hook(head: &Head, source: &str, document: &str, events: &[Event]) -> Hook {
    let list = |annotation: &str| {
        head.annotations.get(annotation).map(|value| words(value).collect()).unwrap_or_default()
    };
    Hook {
        name: head.name.clone(),
        kind: head.kind.clone(),
        path: source.to_owned(),
        manifest: document.to_owned(),
        events: events.iter().map(|event| event.as_str().to_owned()).collect(),
        weight: head.annotations.get(WEIGHT).and_then(|weight| weight.parse().ok()).unwrap_or(0),
        delete_policies: list(DELETE_POLICY),
        output_log_policies: list(OUTPUT_LOG_POLICY),
        last_run: Execution::default(),
    }
}

/// The words of a list in an annotation.
fn words(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split(',').map(|word| word.trim().to_lowercase())
}

#[cfg(test)]
mod tests;
