//! The last steps: local objects go, the rest is sorted and freed of bookkeeping.

use crate::error::{Error, Result};
use crate::file::{Kustomization, SortOptions};
use crate::ids::{FIRST, LAST};
use crate::options::{Options, Reorder};
use crate::origin::Origin;
use crate::read;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::through_text;
use krm::{Node, Object, ScalarKind};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// What the root file and the caller say about the output.
pub(crate) struct Settings {
    sort: Option<SortOptions>,
    reorder: Reorder,
    origins: bool,
    transformations: bool,
    managed_by: bool,
    version: String,
}

impl Settings {
    pub(crate) fn of(file: &Kustomization, options: &Options) -> Self {
        let wants = |name: &str| file.build_metadata.iter().any(|m| m == name);
        Self {
            sort: file.sort_options.clone(),
            reorder: options.reorder,
            origins: wants("originAnnotations"),
            transformations: wants("transformerAnnotations"),
            version: options.version.clone(),
            managed_by: wants("managedByLabel") || options.managed_by_label,
        }
    }
}

/// Makes the output of what was gathered.
pub(crate) fn finish(map: ResMap, settings: &Settings) -> Result<Vec<Object>> {
    let mut resources = map.into_items();
    resources.iter().try_for_each(|resource| read::check_identity(&resource.node))?;
    resources.retain(|resource| !is_local(resource));
    check_unique(&resources)?;
    if let Some(order) = order(settings)? {
        resources = sorted(resources, &order);
    }
    for resource in &mut resources {
        through_text::unfold_annotations(&mut resource.node);
        through_text::object(&mut resource.node)?;
    }
    resources.into_iter().map(|resource| object(resource, settings)).collect()
}

fn check_unique(resources: &[Resource]) -> Result<()> {
    let mut seen = HashSet::with_capacity(resources.len());
    match resources.iter().map(Resource::current_id).find(|id| !seen.insert(id.key())) {
        Some(id) => Err(Error::new(format!("may not add resource with an already registered id: {id}"))
            .object(id.told())
            .hint("two objects have become one: let their names or namespaces differ")),
        None => Ok(()),
    }
}

fn is_local(resource: &Resource) -> bool {
    resource.annotation(LOCAL_CONFIG).is_some_and(|value| value != "false")
}

fn object(mut resource: Resource, settings: &Settings) -> Result<Object> {
    resource.strip_bookkeeping();
    annotations_to_text(&mut resource.node);
    let origin = resource.book.origin.take().filter(|_| settings.origins);
    if let Some(origin) = origin {
        resource.set_metadata("annotations", ORIGIN, &origin.to_text());
    }
    let transformations = std::mem::take(&mut resource.book.transformations);
    if settings.transformations && !transformations.is_empty() {
        resource.set_metadata("annotations", TRANSFORMATIONS, &Origin::list_to_text(&transformations));
    }
    if settings.managed_by {
        check_labels(&resource)?;
        resource.set_metadata("labels", MANAGED_BY, &format!("kustomize-{}", settings.version));
    }
    Ok(Object::from_node_unchecked(resource.node))
}

/// Refuses labels that no label can be added to.
fn check_labels(resource: &Resource) -> Result<()> {
    match resource.node.at(&["metadata", "labels"]) {
        Some(labels) if !labels.is_null() && labels.as_map().is_none() => {
            let id = resource.current_id();
            let message = format!(
                "considering field 'metadata/labels' of object {id}: wrong node kind: expected MappingNode"
            );
            Err(Error::new(message).object(id.told()).hint("make the labels a map"))
        }
        _ => Ok(()),
    }
}

// kustomize rewrites all annotations at the end, which makes texts of numbers and booleans.
fn annotations_to_text(node: &mut Node) {
    let annotations =
        node.get_mut("metadata").and_then(|m| m.get_mut("annotations")).and_then(Node::as_map_mut);
    for (_, value) in annotations.into_iter().flat_map(krm::Mapping::iter_mut) {
        match value.as_scalar_mut() {
            Some(scalar) => scalar.kind = ScalarKind::Str,
            None => *value = Node::string(""),
        }
    }
}

/// The place of each kind, in front of or behind those that aren't listed.
struct Order<'a> {
    ranks: HashMap<&'a str, i64>,
}

fn order(settings: &Settings) -> Result<Option<Order<'_>>> {
    let Some(sort) = &settings.sort else {
        return Ok((settings.reorder != Reorder::None).then(|| Order::new(FIRST, LAST)));
    };
    match (sort.order.as_str(), &sort.legacy_sort_options) {
        ("fifo", None) => Ok(None),
        ("fifo", Some(_)) => Err(Error::new(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )
        .field("sortOptions.legacySortOptions")
        .hint("take the options out, or write order: legacy")),
        ("legacy", None) => Ok(Some(Order::new(FIRST, LAST))),
        ("legacy", Some(own)) => Ok(Some(Order::new(&own.order_first, &own.order_last))),
        _ => Err(Error::new("the field 'sortOptions.order' must be one of [fifo, legacy]")
            .field("sortOptions.order")
            .hint("write order: fifo to keep the order of the files, order: legacy for that by kind")),
    }
}

impl<'a> Order<'a> {
    fn new<T: AsRef<str>>(first: &'a [T], last: &'a [T]) -> Self {
        let mut ranks = HashMap::with_capacity(first.len() + last.len());
        for (place, kind) in (1_i64..).zip(first.iter().rev()) {
            ranks.insert(kind.as_ref(), -place);
        }
        for (place, kind) in (1_i64..).zip(last) {
            ranks.insert(kind.as_ref(), place);
        }
        Self { ranks }
    }

    fn key(&self, resource: &Resource) -> Key {
        let or = |text: &str, mark: &str| if text.is_empty() { mark.to_owned() } else { text.to_owned() };
        let id = resource.current_id();
        Key {
            rank: self.ranks.get(&*id.gvk.kind).copied().unwrap_or(0),
            text: format!("{}|{}|{}", id.gvk, or(&id.namespace, "~X"), or(&id.name, "~N")),
            gvk: id.gvk.stable_sort_string(),
            is_core: id.gvk.group.is_empty(),
            kind: id.gvk.kind.into_owned(),
        }
    }
}

/// What decides on a resource's place.
struct Key {
    rank: i64,
    is_core: bool,
    kind: String,
    gvk: String,
    text: String,
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        let plain = || self.gvk.cmp(&other.gvk);
        let kinds = || match (self.is_core_namespace(), other.is_core_namespace()) {
            (true, true) => plain().reverse(),
            // Namespaces of the core group come before others of that name.
            (true, false) if other.kind == "Namespace" => Ordering::Less,
            (false, true) if self.kind == "Namespace" => Ordering::Greater,
            _ => plain(),
        };
        self.rank.cmp(&other.rank).then_with(kinds).then_with(|| self.text.cmp(&other.text))
    }

    fn is_core_namespace(&self) -> bool {
        self.kind == "Namespace" && self.is_core
    }
}

fn sorted(resources: Vec<Resource>, order: &Order) -> Vec<Resource> {
    // Resources are large: only their places are sorted.
    let keys: Vec<Key> = resources.iter().map(|resource| order.key(resource)).collect();
    let mut places: Vec<usize> = (0..keys.len()).collect();
    places.sort_by(|a, b| keys[*a].compare(&keys[*b]));
    let mut resources: Vec<Option<Resource>> = resources.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| resources[place].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_one_order_whatever_their_groups_are() {
        let order = Order::new(FIRST, LAST);
        let key = |(version, kind): (&str, &str)| {
            let text = format!("{{apiVersion: {version:?}, kind: {kind}, metadata: {{name: x}}}}");
            order.key(&Resource::new(krm::parse(&text).expect("the text is YAML").remove(0)))
        };
        let versions = ["v1", "v2", "a/v1", "a/v2", "é/v1", "~/v1", "a_b/c", "a/b_c"];
        let keys: Vec<Key> =
            versions.iter().flat_map(|v| ["Namespace", "Service", "Other"].map(|k| key((v, k)))).collect();
        for (a, b) in keys.iter().flat_map(|a| keys.iter().map(move |b| (a, b))) {
            assert_eq!(a.compare(b), b.compare(a).reverse(), "{} {}", a.text, b.text);
            for c in keys.iter().filter(|c| a.compare(b).is_le() && b.compare(c).is_le()) {
                assert!(a.compare(c).is_le(), "{} {} {}", a.text, b.text, c.text);
            }
        }
    }
}
