//! `namePrefix` and `nameSuffix`.

use super::Transform;
use crate::build::Shared;
use crate::config::{Create, Specs, walk};
use crate::error::{Error, Result};
use crate::ids::Gvk;
use crate::resmap::ResMap;
use krm::{Node, ScalarKind};

/// Which end of a name is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affix {
    Prefix,
    Suffix,
}

/// Puts a text in front of or behind names.
pub(crate) struct Names {
    pub(crate) affix: Affix,
    pub(crate) text: String,
    pub(crate) specs: Specs,
}

impl Transform for Names {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        for resource in map.items_mut() {
            let gvk = resource.original_id().gvk;
            if keeps_name(&gvk) {
                continue;
            }
            for spec in self.specs.iter().filter(|spec| spec.gvk.selects(&gvk)) {
                if spec.path == "metadata/name" && !self.text.is_empty() {
                    let affixes = match self.affix {
                        Affix::Prefix => &mut resource.book.prefixes,
                        Affix::Suffix => &mut resource.book.suffixes,
                    };
                    affixes.push(self.text.clone());
                    resource.remember_id();
                }
                walk(spec, &mut resource.node, Create::Never, &mut |node| self.change(node))?;
            }
        }
        Ok(())
    }
}

impl Names {
    fn change(&self, node: &mut Node) -> Result<()> {
        // An object without a name is told of at the end.
        if node.is_null() {
            return Ok(());
        }
        let Some(scalar) = node.as_scalar_mut() else {
            return Err(Error::new("wrong node kind: expected ScalarNode"));
        };
        scalar.text = match self.affix {
            Affix::Prefix => format!("{}{}", self.text, scalar.text),
            Affix::Suffix => format!("{}{}", scalar.text, self.text),
        };
        scalar.kind = ScalarKind::Str;
        Ok(())
    }
}

fn keeps_name(gvk: &Gvk) -> bool {
    match &*gvk.kind {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}
