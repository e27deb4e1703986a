//! Lists and watches.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};

use super::state::State;

pub(super) type Events = UnboundedReceiver<Result<Frame<Bytes>, std::io::Error>>;

/// A watch that is open.
pub(super) struct Watching {
    selection: Selection,
    pub(super) sender: UnboundedSender<Result<Frame<Bytes>, std::io::Error>>,
}

struct Selection {
    /// Without `namespaces/x` where it is for all of them.
    path: String,
    /// Label that must be there, whatever its value.
    label: String,
    /// Name of the only object, or nothing.
    name: String,
}

/// What happened to an object.
pub(super) struct Change {
    version: u64,
    path: String,
    before: Option<Value>,
    /// As it is now, or was at the end.
    object: Value,
    gone: bool,
}

impl Selection {
    fn of(path: &str, query: &str) -> Self {
        let name = parameter(query, "fieldSelector").trim_start_matches("metadata.name=").to_owned();
        let label = parameter(query, "labelSelector").split('=').next().unwrap_or_default().to_owned();
        // The Pods of the tests have no labels.
        let label = if path.ends_with("/pods") { String::new() } else { label };
        Self { path: path.to_owned(), label, name }
    }

    fn takes(&self, path: &str, object: &Value) -> bool {
        let labelled = self.label.is_empty() || object["metadata"]["labels"].get(&self.label).is_some();
        is_in(path, &self.path)
            && labelled
            && (self.name.is_empty() || object["metadata"]["name"] == self.name)
    }

    fn event(&self, change: &Change) -> Option<Frame<Bytes>> {
        let taken = change.before.as_ref().is_some_and(|before| self.takes(&change.path, before));
        let takes = !change.gone && self.takes(&change.path, &change.object);
        let kind = match (taken, takes) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        Some(event(kind, &change.object))
    }
}

impl State {
    pub(super) fn list(&self, path: &str, query: &str) -> Value {
        let selection = Selection::of(path, query);
        let items: Vec<_> = self.select(&selection).collect();
        json!({"kind": "List", "metadata": {"resourceVersion": self.clock.to_string()}, "items": items})
    }

    fn select<'a>(&'a self, selection: &'a Selection) -> impl Iterator<Item = &'a Value> {
        let here = |(path, object): &(&String, &Value)| selection.takes(path, object);
        self.objects.iter().filter(here).map(|(_, object)| object)
    }

    pub(super) fn watch(&mut self, path: &str, query: &str) -> Events {
        let (sender, receiver) = futures::channel::mpsc::unbounded();
        let selection = Selection::of(path, query);
        let frames: Vec<_> = match parameter(query, "resourceVersion").parse::<u64>() {
            Err(_) => self.select(&selection).map(|object| event("ADDED", object)).collect(),
            Ok(version) => {
                let later = self.history.iter().filter(|change| change.version > version);
                later.filter_map(|change| selection.event(change)).collect()
            }
        };
        for frame in frames {
            let _ = sender.unbounded_send(Ok(frame));
        }
        self.watches.push(Watching { selection, sender });
        receiver
    }

    pub(super) fn store(&mut self, path: &str, object: Value) {
        let before = self.objects.insert(path.into(), object.clone());
        self.tell(Change { version: self.clock, path: path.into(), before, object, gone: false });
    }

    pub(super) fn take(&mut self, path: &str) {
        let Some(before) = self.objects.remove(path) else { return };
        self.clock += 1;
        let mut object = before.clone();
        object["metadata"]["resourceVersion"] = self.clock.to_string().into();
        self.tell(Change {
            version: self.clock,
            path: path.into(),
            before: Some(before),
            object,
            gone: true,
        });
    }

    fn tell(&mut self, change: Change) {
        for watch in &self.watches {
            if let Some(frame) = watch.selection.event(&change) {
                let _ = watch.sender.unbounded_send(Ok(frame));
            }
        }
        self.history.push(change);
    }
}

fn event(kind: &str, object: &Value) -> Frame<Bytes> {
    Frame::data(Bytes::from(format!("{}\n", json!({"type": kind, "object": object})).into_bytes()))
}

/// Tells whether an object lies in a collection, be it of one namespace or of all.
fn is_in(object: &str, collection: &str) -> bool {
    let Some((parent, _)) = object.rsplit_once('/') else { return false };
    let Some((root, rest)) = parent.split_once("/namespaces/") else { return parent == collection };
    parent == collection
        || rest.split_once('/').is_some_and(|(_, plural)| format!("{root}/{plural}") == collection)
}

fn parameter(query: &str, key: &str) -> String {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_default().replace("%2F", "/").replace("%3D", "=")
}
