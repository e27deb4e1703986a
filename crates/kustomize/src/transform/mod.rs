//! What the fields of a kustomization file do to the resources gathered so far.

mod images;
mod labels;
mod names;
mod namespace;
mod patches;
mod replicas;

pub(crate) use images::Images;
pub(crate) use labels::{Annotations, Labels};
pub(crate) use names::{Affix, Names};
pub(crate) use namespace::{Namespace, SubjectMode};
pub(crate) use patches::{JsonPatch, MergePatches, Patches};
pub(crate) use replicas::Replicas;

use crate::build::Shared;
use crate::error::Result;
use crate::resmap::ResMap;

/// Something that changes resources.
pub(crate) trait Transform {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()>;
}
