//! The transformers of a kustomization file, in kustomize's order whatever the order in the file.

use super::{Target, run};
use crate::config::{self, Config, Spec, Specs, merge_spec, merge_specs};
use crate::error::{Context as _, Error, Problems, Result};
use crate::file::Label;
use crate::ids::Gvk;
use crate::options::Release;
use crate::origin::Origin;
use crate::plugins::{self, Role};
use crate::replacements::Replacements;
use crate::resmap::ResMap;
use crate::transform::{
    Affix, Annotations, Images, JsonPatch, Labels, MergePatches, Names, Namespace, Patches, Replicas,
    SubjectMode, Transform,
};

const VALIDATED_BY: &str = "validated-by";

/// A transformer, kustomize's name for it, and the field that asks for it.
type Named = (Box<dyn Transform>, &'static str, String);

impl Target<'_> {
    pub(super) fn transform(&self, map: &mut ResMap, config: &Config) -> Result<()> {
        let mut failed = None;
        let mut problems = Problems::default();
        for (transformer, name, field) in self.transformers(config)? {
            // What comes after a failure would fail for that alone, but others of its kind have reasons of their own.
            if failed.is_some_and(|failed| failed != name) {
                break;
            }
            let record = self.origin.as_ref().map(|origin| origin.builtin(self.file_name, name));
            let ran = self.run_placed(transformer.as_ref(), map, record.as_ref(), &field);
            if problems.note(ran)?.is_none() {
                failed = Some(name);
            }
        }
        problems.finish()?;
        for (plugin, origin, field) in
            self.plugins(&self.file.transformers, Role::Transformer, "transformers")?
        {
            let transformer =
                plugins::transformer(&plugin, &self.loader, self.shared).at(|| self.place(&field))?;
            self.run_placed(transformer.as_ref(), map, origin.as_ref(), &field)?;
        }
        Ok(())
    }

    /// Runs a transformer; what it finds wrong or remarkable is placed in its field.
    fn run_placed(
        &self,
        transformer: &dyn Transform,
        map: &mut ResMap,
        record: Option<&Origin>,
        field: &str,
    ) -> Result<()> {
        let warned = self.shared.warned();
        let ran = run(transformer, map, self.shared, record);
        self.shared.place_warnings(warned, || self.place(field));
        ran.map_err(|e| self.within(e, field))
    }

    /// All transformers, configured before any of them runs.
    pub(super) fn transformers(&self, config: &Config) -> Result<Vec<Named>> {
        let mut out: Vec<Named> = Vec::new();
        let mut problems = Problems::default();
        self.patches(&mut out, &mut problems)?;
        self.names(&mut out, config);
        problems.note(self.labels(&mut out, config))?;
        let file = &self.file;
        if !file.common_annotations.is_empty() {
            let annotations = file.common_annotations.clone();
            let specs = config.common_annotations.clone();
            let annotations = Annotations { annotations, specs };
            out.push((Box::new(annotations), "AnnotationsTransformer", "commonAnnotations".to_owned()));
        }
        self.late_patches(&mut out, &mut problems)?;
        for (index, replica) in file.replicas.iter().enumerate() {
            let replicas = Replicas { replica: replica.clone(), specs: config.replicas.clone() };
            out.push((Box::new(replicas), "ReplicaCountTransformer", format!("replicas[{index}]")));
        }
        for (index, image) in file.images.iter().enumerate() {
            let field = format!("images[{index}]");
            let images = Images::new(image.clone(), config.images.clone())
                .context(|| trouble("ImageTagTransformer"))
                .map_err(|e| self.within(e, &field));
            if let Some(images) = problems.note(images)? {
                out.push((Box::new(images), "ImageTagTransformer", field));
            }
        }
        if !file.replacements.is_empty() {
            let replacements = Replacements::new(&file.replacements, &self.loader)
                .context(|| trouble("ReplacementTransformer"))
                .map_err(|e| self.within(e, "replacements"));
            if let Some(replacements) = problems.note(replacements)? {
                out.push((Box::new(replacements), "ReplacementTransformer", "replacements".to_owned()));
            }
        }
        problems.finish()?;
        Ok(out)
    }

    fn patches(&self, out: &mut Vec<Named>, problems: &mut Problems) -> Result<()> {
        let file = &self.file;
        if !file.patches_strategic_merge.is_empty() {
            let patches = MergePatches::new(&file.patches_strategic_merge, "", &self.loader)
                .context(|| trouble("PatchStrategicMergeTransformer"))
                .map_err(|e| self.within(e, "patchesStrategicMerge"));
            if let Some(patches) = problems.note(patches)? {
                let field = "patchesStrategicMerge".to_owned();
                out.push((Box::new(patches), "PatchStrategicMergeTransformer", field));
            }
        }
        for (index, patch) in file.patches.iter().enumerate() {
            let field = format!("patches[{index}]");
            let patches = Patches::new(patch, &self.loader, self.shared)
                .context(|| trouble("PatchTransformer"))
                .map_err(|e| self.within(e, &field));
            if let Some(patches) = problems.note(patches)? {
                out.push((Box::new(patches), "PatchTransformer", field));
            }
        }
        Ok(())
    }

    fn late_patches(&self, out: &mut Vec<Named>, problems: &mut Problems) -> Result<()> {
        for (index, patch) in self.file.patches_json6902.iter().enumerate() {
            let field = format!("patchesJson6902[{index}]");
            let patch = JsonPatch::new(patch, &self.loader, self.shared)
                .context(|| trouble("PatchJson6902Transformer"))
                .map_err(|e| self.within(e, &field));
            if let Some(patch) = problems.note(patch)? {
                out.push((Box::new(patch), "PatchJson6902Transformer", field));
            }
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
            out.push((Box::new(namespace), "NamespaceTransformer", "namespace".to_owned()));
        }
        let affixes = [
            (Affix::Prefix, &file.name_prefix, &config.name_prefix, "PrefixTransformer", "namePrefix"),
            (Affix::Suffix, &file.name_suffix, &config.name_suffix, "SuffixTransformer", "nameSuffix"),
        ];
        for (affix, text, specs, name, field) in affixes {
            if !text.is_empty() {
                let names = Names { affix, text: text.clone(), specs: specs.clone() };
                out.push((Box::new(names), name, field.to_owned()));
            }
        }
    }

    // With any labels at all, kustomize runs one more transformer for commonLabels, empty or not.
    fn labels(&self, out: &mut Vec<Named>, config: &Config) -> Result<()> {
        let file = &self.file;
        if file.labels.is_empty() && file.common_labels.is_empty() {
            return Ok(());
        }
        for (index, label) in file.labels.iter().enumerate() {
            let field = format!("labels[{index}]");
            let specs = label_specs(label, config, self.shared.options.release)
                .context(|| "failed to merge labels".to_owned())
                .at(|| self.place(&format!("{field}.fields")))?;
            out.push((Box::new(Labels { labels: label.pairs.clone(), specs }), "LabelTransformer", field));
        }
        let labels = Labels { labels: file.common_labels.clone(), specs: config.common_labels.clone() };
        out.push((Box::new(labels), "LabelTransformer", "commonLabels".to_owned()));
        Ok(())
    }

    /// Runs the validators, which may change nothing but one label.
    pub(super) fn validate(&self, map: &mut ResMap) -> Result<()> {
        for (plugin, origin, field) in self.plugins(&self.file.validators, Role::Transformer, "validators")? {
            let transformer =
                plugins::transformer(&plugin, &self.loader, self.shared).at(|| self.place(&field))?;
            let before = map.clone();
            self.run_placed(transformer.as_ref(), map, origin.as_ref(), &field)?;
            let same = before.items().len() == map.items().len()
                && before.items().iter().zip(map.items()).all(|(a, b)| {
                    let mut b = b.clone();
                    drop_label(&mut b.node);
                    a.node == b.node
                });
            if !same {
                let kind = plugin.kind();
                let text = format!("validator shouldn't modify the resource map: {kind}");
                let help = "list it under 'transformers' if it is meant to change something";
                return Err(Error::new(text)
                    .at(self.place(&field))
                    .object(plugin.current_id().told())
                    .hint(help));
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

fn label_specs(label: &Label, config: &Config, release: Release) -> Result<Specs> {
    let mut specs = config::specs(&label.fields);
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
