//! The last steps: local objects go, the rest is sorted and freed of bookkeeping.

use crate::error::{Error, Result};
use crate::file::{Kustomization, SortOptions};
use crate::ids::{FIRST, LAST, ResId};
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
    Ok(resources.into_iter().map(|resource| object(resource, settings)).collect())
}

fn check_unique(resources: &[Resource]) -> Result<()> {
    let mut seen = HashSet::with_capacity(resources.len());
    match resources.iter().map(Resource::current_id).find(|id| !seen.insert(id.key())) {
        Some(id) => Err(Error::new(format!("may not add resource with an already registered id: {id}"))),
        None => Ok(()),
    }
}

fn is_local(resource: &Resource) -> bool {
    resource.annotation(LOCAL_CONFIG).is_some_and(|value| value != "false")
}

fn object(mut resource: Resource, settings: &Settings) -> Object {
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
        resource.set_metadata("labels", MANAGED_BY, &format!("kustomize-{}", settings.version));
    }
    Object::from_node_unchecked(resource.node)
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
struct Order {
    ranks: HashMap<String, i64>,
}

fn order(settings: &Settings) -> Result<Option<Order>> {
    let Some(sort) = &settings.sort else {
        return Ok((settings.reorder != Reorder::None).then(|| Order::new(FIRST, LAST)));
    };
    match (sort.order.as_str(), &sort.legacy_sort_options) {
        ("fifo", None) => Ok(None),
        ("fifo", Some(_)) => Err(Error::new(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )
        .field("sortOptions.legacySortOptions")),
        ("legacy", None) => Ok(Some(Order::new(FIRST, LAST))),
        ("legacy", Some(own)) => Ok(Some(Order::new(&own.order_first, &own.order_last))),
        _ => Err(Error::new("the field 'sortOptions.order' must be one of [fifo, legacy]").field("sortOptions.order")),
    }
}

impl Order {
    fn new<T: AsRef<str>>(first: &[T], last: &[T]) -> Self {
        let mut ranks = HashMap::new();
        for (place, kind) in (1_i64..).zip(first.iter().rev()) {
            ranks.insert(kind.as_ref().to_owned(), -place);
        }
        for (place, kind) in (1_i64..).zip(last) {
            ranks.insert(kind.as_ref().to_owned(), place);
        }
        Self { ranks }
    }

    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let rank = |key: &Key| self.ranks.get(&key.id.gvk.kind).copied().unwrap_or(0);
        if a.id.gvk == b.id.gvk {
            return a.text.cmp(&b.text);
        }
        let ranks = rank(a).cmp(&rank(b));
        // Namespaces of the core group come before others of that name.
        ranks.then_with(|| {
            let both_namespaces = a.id.gvk.kind == "Namespace" && b.id.gvk.kind == "Namespace";
            let one_is_core = a.id.gvk.group.is_empty() || b.id.gvk.group.is_empty();
            let plain = a.gvk.cmp(&b.gvk);
            if both_namespaces && one_is_core { plain.reverse() } else { plain }
        })
    }
}

struct Key {
    id: ResId,
    gvk: String,
    text: String,
}

fn sorted(resources: Vec<Resource>, order: &Order) -> Vec<Resource> {
    let or = |text: &str, mark: &str| if text.is_empty() { mark.to_owned() } else { text.to_owned() };
    let key = |resource: &Resource| {
        let id = resource.current_id();
        let text = format!("{}|{}|{}", id.gvk, or(&id.namespace, "~X"), or(&id.name, "~N"));
        Key { gvk: id.gvk.stable_sort_string(), text, id }
    };
    let mut keyed: Vec<(Key, Resource)> = resources.into_iter().map(|r| (key(&r), r)).collect();
    keyed.sort_by(|(a, _), (b, _)| order.compare(a, b));
    keyed.into_iter().map(|(_, resource)| resource).collect()
}
