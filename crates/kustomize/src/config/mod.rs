//! Transformer configuration: which fields of which kinds hold names, labels, images, references.

mod crds;
mod spec;
mod tables;

pub(crate) use crds::from_definitions;
pub(crate) use spec::{Create, Spec, split_path, walk, walk_anyway};

use crate::error::{Context as _, Error, Result};
use crate::file::{self, FieldSpec, Fields};
use crate::ids::Gvk;
use krm::{Node, Rules};
use std::borrow::Cow;
use std::rc::Rc;

/// Places in resources; those of the defaults are in the program itself.
pub(crate) type Specs = Cow<'static, [Spec]>;

/// Which fields of which kinds are meant by the fields of a kustomization file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Config {
    pub(crate) name_prefix: Specs,
    pub(crate) name_suffix: Specs,
    pub(crate) namespace: Specs,
    pub(crate) common_labels: Specs,
    pub(crate) labels: Specs,
    pub(crate) template_labels: Specs,
    pub(crate) volume_claim_template_labels: Specs,
    pub(crate) common_annotations: Specs,
    pub(crate) name_reference: Cow<'static, [References]>,
    pub(crate) var_reference: Specs,
    pub(crate) images: Specs,
    pub(crate) replicas: Specs,
}

/// Where a kind is referred to by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct References {
    pub(crate) target: Gvk,
    pub(crate) specs: Specs,
}

const DEFAULTS: Config = Config {
    name_prefix: Cow::Borrowed(tables::NAME_PREFIX),
    name_suffix: Cow::Borrowed(tables::NAME_SUFFIX),
    namespace: Cow::Borrowed(tables::NAMESPACE),
    common_labels: Cow::Borrowed(tables::COMMON_LABELS),
    labels: Cow::Borrowed(&[]),
    template_labels: Cow::Borrowed(tables::TEMPLATE_LABELS),
    volume_claim_template_labels: Cow::Borrowed(tables::VOLUME_CLAIM_TEMPLATE_LABELS),
    common_annotations: Cow::Borrowed(tables::COMMON_ANNOTATIONS),
    name_reference: Cow::Borrowed(tables::NAME_REFERENCE),
    var_reference: Cow::Borrowed(tables::VAR_REFERENCE),
    images: Cow::Borrowed(tables::IMAGES),
    replicas: Cow::Borrowed(tables::REPLICAS),
};

thread_local! {
    static SHARED_DEFAULTS: Rc<Config> = Rc::new(DEFAULTS);
}

/// The defaults; one copy, so that configurations without anything special can be told by their pointer.
pub(crate) fn defaults() -> Rc<Config> {
    SHARED_DEFAULTS.with(Rc::clone)
}

/// Reads a transformer configuration file.
pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Config> {
    let mut config = Config::default();
    let documents = krm::parse_bytes(bytes, Rules::V2).map_err(|e| Error::malformed(name, &e))?;
    for node in documents.iter().filter(|d| !d.is_null()) {
        let read = read(node).map_err(|e| e.file(name))?;
        config.merge(&read)?;
    }
    Ok(config)
}

fn read(node: &Node) -> Result<Config> {
    let mut f = Fields::new(node, "TransformerConfig")?;
    let mut list = |name: &'static str| -> Result<Specs> {
        Ok(specs(&file::field_specs(&mut f, name)?.unwrap_or_default()))
    };
    let mut config = Config {
        name_prefix: list("namePrefix")?,
        name_suffix: list("nameSuffix")?,
        namespace: list("namespace")?,
        common_labels: list("commonLabels")?,
        labels: list("labels")?,
        template_labels: list("templateLabels")?,
        volume_claim_template_labels: list("volumeClaimTemplateLabels")?,
        common_annotations: list("commonAnnotations")?,
        var_reference: list("varReference")?,
        images: list("images")?,
        replicas: list("replicas")?,
        name_reference: Cow::default(),
    };
    config.name_reference = Cow::Owned(f.list("nameReference", read_references)?);
    f.finish()?;
    Ok(config)
}

fn read_references(node: &Node, path: &str) -> Result<References> {
    let mut f = Fields::new(node, path)?;
    let target = Gvk::of_parts(&f.string("group")?, &f.string("version")?, &f.string("kind")?);
    let specs = specs(&file::field_specs(&mut f, "fieldSpecs")?.unwrap_or_default());
    f.finish()?;
    Ok(References { target, specs })
}

/// The places that a file names.
pub(crate) fn specs(given: &[FieldSpec]) -> Specs {
    given.iter().map(Spec::new).collect()
}

impl Config {
    /// The configuration as it looks to transformers.
    ///
    /// Merging into nothing isn't a copy: entries are sorted by then, and one for all kinds goes if one for a
    /// kind with the same path came before it.
    pub(crate) fn settled(&self) -> Result<Self> {
        let mut settled = Self::default();
        settled.merge(self)?;
        Ok(settled)
    }

    /// Adds what another configuration has and this one hasn't.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        let lists = [
            (&mut self.name_prefix, &other.name_prefix, "NamePrefix"),
            (&mut self.name_suffix, &other.name_suffix, "NameSuffix"),
            (&mut self.namespace, &other.namespace, "NameSpace"),
            (&mut self.common_labels, &other.common_labels, "CommonLabels"),
            (&mut self.labels, &other.labels, "Labels"),
            (&mut self.template_labels, &other.template_labels, "TemplateLabels"),
            (
                &mut self.volume_claim_template_labels,
                &other.volume_claim_template_labels,
                "VolumeClaimTemplateLabels",
            ),
            (&mut self.common_annotations, &other.common_annotations, "CommonAnnotations"),
            (&mut self.var_reference, &other.var_reference, "VarReference"),
            (&mut self.images, &other.images, "Images"),
            (&mut self.replicas, &other.replicas, "Replicas"),
        ];
        for (mine, theirs, name) in lists {
            merge_specs(mine, theirs).context(|| format!("failed to merge {name} fieldSpec"))?;
            mine.to_mut().sort_by(|a, b| a.gvk.legacy_order(&b.gvk));
        }
        for theirs in &*other.name_reference {
            self.merge_references(theirs)?;
        }
        self.name_reference.to_mut().sort_by(|a, b| a.target.legacy_order(&b.target));
        Ok(())
    }

    pub(crate) fn merge_references(&mut self, theirs: &References) -> Result<()> {
        let references = self.name_reference.to_mut();
        match references.iter_mut().find(|mine| mine.target == theirs.target) {
            Some(mine) => merge_specs(&mut mine.specs, &theirs.specs),
            None => {
                references.push(theirs.clone());
                Ok(())
            }
        }
    }
}

/// Adds places to a list; one that is covered already is passed over.
pub(crate) fn merge_specs(mine: &mut Specs, theirs: &[Spec]) -> Result<()> {
    theirs.iter().try_for_each(|spec| merge_spec(mine, spec))
}

pub(crate) fn merge_spec(mine: &mut Specs, spec: &Spec) -> Result<()> {
    match mine.iter().find(|known| known.path == spec.path && spec.gvk.selects(&known.gvk)) {
        Some(known) if known.create != spec.create => Err(Error::new("conflicting fieldspecs")),
        Some(_) => Ok(()),
        None => {
            mine.to_mut().push(spec.clone());
            Ok(())
        }
    }
}
