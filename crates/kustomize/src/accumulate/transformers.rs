//! The transformers of a kustomization file, in kustomize's order whatever the order in the file.

use super::{Target, run};
use crate::config::{Config, Spec, merge_spec, merge_specs};
use crate::error::{Context as _, Error, Result};
use crate::file::Label;
use crate::ids::Gvk;
use crate::options::Release;
use crate::plugins::{self, Role};
use crate::replacements::Replacements;
use crate::resmap::ResMap;
use crate::transform::{
    Affix, Annotations, Images, JsonPatch, Labels, MergePatches, Names, Namespace, Patches, Replicas,
    SubjectMode, Transform,
};

const VALIDATED_BY: &str = "validated-by";

/// A transformer and kustomize's name for it.
type Named = (Box<dyn Transform>, &'static str);

impl Target<'_> {
    pub(super) fn transform(&self, map: &mut ResMap, config: &Config) -> Result<()> {
        for (transformer, name) in self.transformers(config)? {
            let record = self.origin.as_ref().map(|origin| origin.builtin(self.file_name, name));
            run(transformer.as_ref(), map, self.shared, record.as_ref())?;
        }
        for (plugin, origin) in self.plugins(&self.file.transformers, Role::Transformer)? {
            let transformer = plugins::transformer(&plugin, &self.loader, self.shared)?;
            run(transformer.as_ref(), map, self.shared, origin.as_ref())?;
        }
        Ok(())
    }

    /// All transformers, configured before any of them runs.
    fn transformers(&self, config: &Config) -> Result<Vec<Named>> {
        let mut out: Vec<Named> = Vec::new();
        self.patches(&mut out)?;
        self.names(&mut out, config);
        self.labels(&mut out, config)?;
        let file = &self.file;
        if !file.common_annotations.is_empty() {
            let annotations = file.common_annotations.clone();
            let specs = config.common_annotations.clone();
            out.push((Box::new(Annotations { annotations, specs }), "AnnotationsTransformer"));
        }
        for patch in &file.patches_json6902 {
            let patch = JsonPatch::new(patch, &self.loader, self.shared)
                .context(|| trouble("PatchJson6902Transformer"))?;
            out.push((Box::new(patch), "PatchJson6902Transformer"));
        }
        for replica in &file.replicas {
            let specs = config.replicas.clone();
            out.push((Box::new(Replicas { replica: replica.clone(), specs }), "ReplicaCountTransformer"));
        }
        for image in &file.images {
            let images = Images::new(image.clone(), config.images.clone())
                .context(|| trouble("ImageTagTransformer"))?;
            out.push((Box::new(images), "ImageTagTransformer"));
        }
        if !file.replacements.is_empty() {
            let replacements = Replacements::new(&file.replacements, &self.loader)
                .context(|| trouble("ReplacementTransformer"))?;
            out.push((Box::new(replacements), "ReplacementTransformer"));
        }
        Ok(out)
    }

    fn patches(&self, out: &mut Vec<Named>) -> Result<()> {
        let file = &self.file;
        if !file.patches_strategic_merge.is_empty() {
            let patches = MergePatches::new(&file.patches_strategic_merge, "", &self.loader)
                .context(|| trouble("PatchStrategicMergeTransformer"))?;
            out.push((Box::new(patches), "PatchStrategicMergeTransformer"));
        }
        for patch in &file.patches {
            let patches =
                Patches::new(patch, &self.loader, self.shared).context(|| trouble("PatchTransformer"))?;
            out.push((Box::new(patches), "PatchTransformer"));
        }
        Ok(())
    }

    fn names(&self, out: &mut Vec<Named>, config: &Config) {
        let file = &self.file;
        if !file.namespace.is_empty() {
            let namespace = Namespace {
                namespace: file.namespace.clone(),
                specs: config.namespace.clone(),
                unset_only: false,
                subjects: SubjectMode::default(),
            };
            out.push((Box::new(namespace), "NamespaceTransformer"));
        }
        let affixes = [
            (Affix::Prefix, &file.name_prefix, &config.name_prefix, "PrefixTransformer"),
            (Affix::Suffix, &file.name_suffix, &config.name_suffix, "SuffixTransformer"),
        ];
        for (affix, text, specs, name) in affixes {
            if !text.is_empty() {
                out.push((Box::new(Names { affix, text: text.clone(), specs: specs.clone() }), name));
            }
        }
    }

    // With any labels at all, kustomize runs one more transformer for commonLabels, empty or not.
    fn labels(&self, out: &mut Vec<Named>, config: &Config) -> Result<()> {
        let file = &self.file;
        if file.labels.is_empty() && file.common_labels.is_empty() {
            return Ok(());
        }
        for label in &file.labels {
            let specs = label_specs(label, config, self.shared.options.release)
                .context(|| "failed to merge labels".to_owned())?;
            out.push((Box::new(Labels { labels: label.pairs.clone(), specs }), "LabelTransformer"));
        }
        let labels = Labels { labels: file.common_labels.clone(), specs: config.common_labels.clone() };
        out.push((Box::new(labels), "LabelTransformer"));
        Ok(())
    }

    /// Runs the validators, which may change nothing but one label.
    pub(super) fn validate(&self, map: &mut ResMap) -> Result<()> {
        for (plugin, origin) in self.plugins(&self.file.validators, Role::Transformer)? {
            let transformer = plugins::transformer(&plugin, &self.loader, self.shared)?;
            let before = map.clone();
            run(transformer.as_ref(), map, self.shared, origin.as_ref())?;
            let same = before.items().len() == map.items().len()
                && before.items().iter().zip(map.items()).all(|(a, b)| {
                    let mut b = b.clone();
                    drop_label(&mut b.node);
                    a.node == b.node
                });
            if !same {
                let kind = plugin.kind();
                return Err(Error::new(format!("validator shouldn't modify the resource map: {kind}")));
            }
        }
        Ok(())
    }
}

fn drop_label(node: &mut krm::Node) {
    let Some(metadata) = node.get_mut("metadata").and_then(krm::Node::as_map_mut) else { return };
    let Some(labels) = metadata.get_mut("labels").and_then(krm::Node::as_map_mut) else { return };
    if labels.remove(VALIDATED_BY).is_some() && labels.is_empty() {
        metadata.remove("labels");
    }
}

fn trouble(kind: &str) -> String {
    format!("trouble configuring builtin {kind}")
}

fn label_specs(label: &Label, config: &Config, release: Release) -> Result<Vec<Spec>> {
    let mut specs: Vec<Spec> = label.fields.iter().map(Spec::new).collect();
    merge_specs(&mut specs, &config.labels)?;
    if label.include_selectors {
        merge_specs(&mut specs, &config.common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        merge_specs(&mut specs, &config.template_labels)?;
    }
    let in_claims = label.include_templates && release == Release::V5_8;
    if label.include_volume_claim_templates || in_claims {
        merge_specs(&mut specs, &config.volume_claim_template_labels)?;
    }
    merge_spec(&mut specs, &Spec::at(Gvk::default(), "metadata/labels", true))?;
    Ok(specs)
}
