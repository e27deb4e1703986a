//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

use super::Transform;
use crate::build::Shared;
use crate::error::{Context as _, Error, Result};
use crate::file::{Patch, PatchOptions, Selector};
use crate::json_patch::{self, Operation};
use crate::loader::Loader;
use crate::merge;
use crate::read;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::selector::Matcher;
use krm::{Node, Rules};

/// One entry of `patches`.
pub(crate) struct Patches {
    body: Body,
    target: Option<Selector>,
    options: PatchOptions,
    source: String,
}

enum Body {
    Merge(Vec<Resource>),
    Json(Vec<Operation>),
}

impl Patches {
    pub(crate) fn new(patch: &Patch, loader: &Loader<'_>, shared: &Shared<'_>) -> Result<Self> {
        let (text, source) = text_of(patch, loader)?;
        Ok(Self {
            body: body(&text, &source, shared)?,
            target: patch.target.clone(),
            options: patch.options.unwrap_or_default(),
            source,
        })
    }

    fn merge_all(&self, patches: &[Resource], map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let Some(target) = &self.target else {
            for patch in patches {
                let id = patch.original_id();
                let index = map
                    .find_one(&id)
                    .context(|| format!("no resource matches strategic merge patch {:?}", id.to_string()))?;
                let mut node = patch.node.clone();
                if self.options != PatchOptions::default() {
                    // The original notes the options in the patch's annotations, which makes texts of them all.
                    texts_only(&mut node, "annotations");
                }
                apply(&mut map.items_mut()[index], &node, self.options, shared)?;
            }
            return Ok(());
        };
        let patch = match patches {
            [] => return Ok(()),
            [patch] => patch,
            _ => {
                return Err(Error::new(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set \
                     `patches.target` field: {}",
                    self.source
                )));
            }
        };
        let matcher = Matcher::new(target)?;
        let mut found = false;
        for resource in map.items_mut().iter_mut().filter(|r| matcher.selects(r)) {
            found = true;
            apply(resource, &fitted(patch, resource), self.options, shared)?;
            void_api_version(resource);
        }
        if !found {
            return Ok(());
        }
        map.drop_gone();
        // Ids stay what they were unless the patch may change them.
        if self.options == PatchOptions::default() { Ok(()) } else { map.check_unique() }
    }

    fn patch_all(&self, operations: &[Operation], map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let Some(target) = &self.target else {
            return Err(Error::new(format!("must specify a target for JSON patch {}", self.source)));
        };
        let matcher = Matcher::new(target)?;
        for resource in map.items_mut().iter_mut().filter(|r| matcher.selects(r)) {
            resource.remember_id();
            resource.book.shared.clear();
            json_patch::apply(&mut resource.node, operations, shared)?;
        }
        Ok(())
    }
}

impl Transform for Patches {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        match &self.body {
            Body::Merge(patches) => self.merge_all(patches, map, shared),
            Body::Json(operations) => self.patch_all(operations, map, shared),
        }
    }
}

fn text_of(patch: &Patch, loader: &Loader<'_>) -> Result<(Vec<u8>, String)> {
    let inline = patch.patch.trim();
    match (inline.is_empty(), patch.path.is_empty()) {
        (true, true) => Err(Error::new("must specify one of patch and path").field("patches")),
        (false, false) => Err(Error::new("patch and path can't be set at the same time").field("patches")),
        // The text of a patch may hold a secret, so messages only tell that it was inline.
        (false, true) => Ok((inline.as_bytes().to_vec(), "[patch: inline]".to_owned())),
        (true, false) => {
            let path = &patch.path;
            let bytes =
                loader.load(path).context(|| format!("failed to get the patch file from path({path})"))?;
            Ok((bytes, format!("[path: {path:?}]")))
        }
    }
}

/// Tells which kind of patch a text is.
fn body(text: &[u8], source: &str, shared: &Shared<'_>) -> Result<Body> {
    let unparsable = || Error::new(format!("unable to parse SM or JSON patch from {source}"));
    let documents =
        krm::parse_bytes(text, Rules::V3).map_err(|e| unparsable().because(Error::malformed(source, &e)))?;
    if documents.iter().find(|d| !d.is_null()).is_some_and(|d| d.as_seq().is_some()) {
        // Values of JSON patches are read by the older rules.
        let limit = shared.options.limits.patch_operations;
        return json_patch::read(text, source, limit).map(Body::Json).map_err(|e| unparsable().because(e));
    }
    read::from_documents(documents, source).map(Body::Merge).map_err(|e| unparsable().because(e))
}

/// The patch with the apiVersion of what it goes to; its kind stays.
///
/// Its labels and annotations become texts: there `null` takes nothing away.
fn fitted(patch: &Resource, resource: &Resource) -> Node {
    let mut node = patch.node.clone();
    if let Some(map) = node.as_map_mut() {
        map.insert("apiVersion", Node::string(resource.api_version()));
    }
    for field in ["labels", "annotations"] {
        texts_only(&mut node, field);
    }
    node
}

fn texts_only(node: &mut Node, field: &str) {
    let Some(metadata) = node.get_mut("metadata").and_then(Node::as_map_mut) else { return };
    let Some(values) = metadata.get_mut(field) else { return };
    let text = |value: &Node| value.as_scalar().map(|s| s.text.clone()).unwrap_or_default();
    match values.as_map_mut() {
        Some(map) if !map.is_empty() => map.iter_mut().for_each(|(_, v)| *v = Node::string(text(v))),
        _ => drop(metadata.remove(field)),
    }
}

/// What the original leaves of an apiVersion that isn't there.
fn void_api_version(resource: &mut Resource) {
    if let Some(map) = resource.node.as_map_mut()
        && map.get("apiVersion").is_some_and(|v| v.as_str() == Some(""))
    {
        map.insert("apiVersion", Node::null());
    }
}

/// Merges a patch into a resource, which keeps its name, namespace and kind unless they may change.
fn apply(resource: &mut Resource, patch: &Node, options: PatchOptions, shared: &Shared<'_>) -> Result<()> {
    let PatchOptions { allow_name_change, allow_kind_change } = options;
    shared.count_added(patch, 0)?;
    let (name, namespace) = (resource.name().to_owned(), resource.namespace().to_owned());
    let kind = resource.kind().to_owned();
    if allow_name_change || allow_kind_change {
        resource.remember_id();
    }
    // The original replaces its own copy of the object, which nobody looks at again.
    if patch.get("$patch").and_then(Node::text) == Some("replace") {
        return Ok(());
    }
    let schemas = shared.schemas.borrow();
    let schema = schemas.of(resource.api_version(), &kind);
    let old = std::mem::replace(&mut resource.node, Node::null());
    let merged = merge::merge(Some(old), Some(patch), schema)
        .context(|| format!("failed to merge patch into {kind} {name:?}"))?;
    let Some(merged) = merged else { return Ok(()) };
    resource.node = merged;
    if resource.is_gone() {
        return Ok(());
    }
    if !allow_kind_change && let Some(map) = resource.node.as_map_mut() {
        map.insert("kind", Node::string(kind));
    }
    if !allow_name_change {
        resource.set_name(&name);
    }
    if resource.namespace() != namespace {
        resource.set_namespace(&namespace);
    }
    Ok(())
}

/// All entries of `patchesStrategicMerge`.
pub(crate) struct MergePatches {
    patches: Vec<Resource>,
}

impl MergePatches {
    pub(crate) fn new(entries: &[String], extra: &str, loader: &Loader<'_>) -> Result<Self> {
        if entries.is_empty() && extra.is_empty() {
            return Err(Error::new("empty file path and empty patch content"));
        }
        let mut patches = Vec::new();
        for entry in entries {
            // An entry is text if it reads as objects, else it's a path.
            match read::resources(entry.as_bytes(), "patch") {
                Ok(found) => patches.extend(found),
                Err(_) => patches.extend(read::resources(&loader.load(entry)?, entry)?),
            }
        }
        if !extra.is_empty() {
            patches.extend(read::resources(extra.as_bytes(), "patches")?);
        }
        if patches.is_empty() {
            let files = entries.join(" ");
            return Err(Error::new(format!("patch appears to be empty; files=[{files}], Patch={extra}")));
        }
        Ok(Self { patches })
    }
}

impl Transform for MergePatches {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        for patch in &self.patches {
            let index = map.find_one(&patch.original_id())?;
            let resource = &mut map.items_mut()[index];
            let node = fitted(patch, resource);
            apply(resource, &node, PatchOptions::default(), shared)?;
            void_api_version(resource);
            map.drop_gone();
        }
        Ok(())
    }
}

/// One entry of `patchesJson6902`.
pub(crate) struct JsonPatch {
    target: Selector,
    operations: Vec<Operation>,
}

impl JsonPatch {
    pub(crate) fn new(patch: &Patch, loader: &Loader<'_>, shared: &Shared<'_>) -> Result<Self> {
        let target = patch.target.clone().unwrap_or_default();
        if target.name.is_empty() {
            return Err(Error::new("must specify the target name").field("patchesJson6902.target.name"));
        }
        let text = match (patch.path.is_empty(), patch.patch.is_empty()) {
            (true, true) => {
                return Err(Error::new("empty file path and empty jsonOp").field("patchesJson6902"));
            }
            (false, false) => {
                return Err(
                    Error::new("must specify a file path or jsonOp, not both").field("patchesJson6902")
                );
            }
            (false, true) => loader.load(&patch.path)?,
            (true, false) => patch.patch.as_bytes().to_vec(),
        };
        let name = if patch.path.is_empty() { "patch" } else { &patch.path };
        let operations = json_patch::read(&text, name, shared.options.limits.patch_operations)?;
        Ok(Self { target, operations })
    }
}

impl Transform for JsonPatch {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        let matcher = Matcher::new(&self.target)?;
        for resource in map.items_mut().iter_mut().filter(|r| matcher.selects(r)) {
            resource.book.shared.clear();
            json_patch::apply(&mut resource.node, &self.operations, shared)?;
        }
        Ok(())
    }
}
