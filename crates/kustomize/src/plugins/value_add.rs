//! `ValueAddTransformer`: puts one value in several places.

use crate::build::Shared;
use crate::config::{Create, Spec, Specs, walk_anyway};
use crate::error::{Error, Result};
use crate::file::{self, Fields, Selector};
use crate::ids::Gvk;
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::selector::Matcher;
use crate::transform::{Namespace, SubjectMode, Transform};
use krm::{Node, Rules};

pub(super) struct ValueAdd {
    value: String,
    targets: Vec<Target>,
}

struct Target {
    selector: Option<Selector>,
    field_path: String,
    file_path_position: i64,
}

impl ValueAdd {
    pub(super) fn new(f: &mut Fields<'_>, loader: &Loader<'_>) -> Result<Self> {
        let mut value = f.string("value")?;
        if value.is_empty() {
            // The name of the directory stands in.
            let name = loader.dir().file_name().map(|name| name.to_string_lossy().into_owned());
            value = name.filter(|n| !n.is_empty()).ok_or_else(|| Error::new("a value must be specified"))?;
        }
        let mut targets = f.list("targets", target)?;
        let file = f.string("targetFilePath")?;
        if !file.is_empty() {
            targets.extend(from_file(&loader.load(&file)?, &file)?);
        }
        if targets.is_empty() {
            return Err(Error::new("must specify at least one target"));
        }
        Ok(Self { value, targets })
    }
}

fn from_file(bytes: &[u8], name: &str) -> Result<Vec<Target>> {
    let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| Error::malformed(name, &e))?;
    let Some(node) = documents.first() else { return Ok(Vec::new()) };
    Fields::new(node, "targets")?.list("targets", target)
}

fn target(node: &Node, path: &str) -> Result<Target> {
    let mut f = Fields::new(node, path)?;
    let target = Target {
        selector: f.nested("selector", file::selector)?,
        field_path: f.string("fieldPath")?,
        file_path_position: f.int("filePathPosition")?,
    };
    if target.field_path.is_empty() {
        return Err(Error::new("fieldPath cannot be empty"));
    }
    if target.file_path_position < 0 {
        let at = target.file_path_position;
        return Err(Error::new(format!("value of FilePathPosition ({at}) cannot be negative")));
    }
    Ok(target)
}

impl Transform for ValueAdd {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        for target in &self.targets {
            let matcher = target.selector.as_ref().map(Matcher::new).transpose()?;
            let spec = Spec::at(Gvk::default(), target.field_path.clone(), true);
            for resource in map.items_mut() {
                if matcher.as_ref().is_some_and(|m| !m.selects(resource)) {
                    continue;
                }
                if target.field_path == "metadata/namespace" {
                    self.namespace().change(resource)?;
                    continue;
                }
                walk_anyway(&spec, &mut resource.node, Create::Scalar, &mut |node| self.set(node, target))?;
            }
        }
        Ok(())
    }
}

impl ValueAdd {
    fn namespace(&self) -> Namespace {
        let subjects = SubjectMode::default();
        Namespace { namespace: self.value.clone(), specs: Specs::default(), unset_only: false, subjects }
    }

    fn set(&self, node: &mut Node, target: &Target) -> Result<()> {
        let Some(old) = node.as_scalar() else {
            return Err(Error::new("wrong node kind: expected ScalarNode"));
        };
        let old = if old.kind == krm::ScalarKind::Null { "" } else { &old.text };
        let new = match usize::try_from(target.file_path_position) {
            Ok(position) if position > 0 => with_part(old, position - 1, &self.value),
            _ => self.value.clone(),
        };
        *node = Node::string(new);
        Ok(())
    }
}

/// Puts a name in a path, at most behind the last one.
fn with_part(path: &str, position: usize, name: &str) -> String {
    let (root, rest) = path.strip_prefix('/').map_or(("", path), |rest| ("/", rest));
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), name);
    format!("{root}{}", parts.join("/"))
}
