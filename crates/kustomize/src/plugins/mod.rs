//! `generators`, `transformers` and `validators`: the built-in ones, configured as resources.

mod iam;
mod value_add;

use crate::build::Shared;
use crate::config::{self, Specs};
use crate::error::{Context as _, Error, ErrorKind, Result, closest};
use crate::file::{self, Fields, Patch};
use crate::generate;
use crate::loader::Loader;
use crate::replacements::Replacements;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::transform::{
    Affix, Annotations, Images, JsonPatch, Labels, MergePatches, Names, Namespace, Patches, Replicas,
    SubjectMode, Transform,
};
use krm::Node;

/// What a plugin is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Generator,
    Transformer,
}

/// Fails unless the plugin is a built-in one of this role.
pub(crate) fn check(plugin: &Resource, role: Role) -> Result<()> {
    let kind = plugin.kind();
    if plugin.api_version() != "builtin" {
        let message = format!("external plugins disabled; unable to load external plugin '{kind}'");
        let help = "programs and containers are not run here: use a built-in one (apiVersion: builtin), or list the \
                    result under 'resources'";
        return Err(Error::of(ErrorKind::Unsupported, message).hint(help));
    }
    let Some(found) = role_of(kind) else {
        let error = Error::of(ErrorKind::Unsupported, format!("unable to load builtin {}", plugin.gvk()));
        return Err(error.hint(match closest(kind, KINDS.iter().map(|(kind, _)| *kind)) {
            Some(name) => format!("did you mean {name:?}?"),
            None => format!("known are {}", KINDS.map(|(kind, _)| kind).join(", ")),
        }));
    };
    if found == role {
        return Ok(());
    }
    let wanted = if role == Role::Generator { "generator" } else { "transformer" };
    let error = Error::new(format!("plugin {} not a {wanted}", plugin.original_id()));
    Err(error.hint(match found {
        Role::Generator => "list it under 'generators'",
        Role::Transformer => "list it under 'transformers'",
    }))
}

/// The built-in ones.
const KINDS: [(&str, Role); 18] = [
    ("AnnotationsTransformer", Role::Transformer),
    ("ConfigMapGenerator", Role::Generator),
    ("HashTransformer", Role::Transformer),
    ("HelmChartInflationGenerator", Role::Generator),
    ("IAMPolicyGenerator", Role::Generator),
    ("ImageTagTransformer", Role::Transformer),
    ("LabelTransformer", Role::Transformer),
    ("NamespaceTransformer", Role::Transformer),
    ("PatchJson6902Transformer", Role::Transformer),
    ("PatchStrategicMergeTransformer", Role::Transformer),
    ("PatchTransformer", Role::Transformer),
    ("PrefixSuffixTransformer", Role::Transformer),
    ("PrefixTransformer", Role::Transformer),
    ("ReplacementTransformer", Role::Transformer),
    ("ReplicaCountTransformer", Role::Transformer),
    ("SecretGenerator", Role::Generator),
    ("SuffixTransformer", Role::Transformer),
    ("ValueAddTransformer", Role::Transformer),
];

fn role_of(kind: &str) -> Option<Role> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, role)| *role)
}

/// Runs a generator.
pub(crate) fn generate(plugin: &Resource, loader: &Loader<'_>) -> Result<Vec<Resource>> {
    let kind = plugin.kind();
    let run = || match kind {
        "ConfigMapGenerator" => Ok(vec![generated(generate::Kind::ConfigMap, plugin, loader)?]),
        "SecretGenerator" => Ok(vec![generated(generate::Kind::Secret, plugin, loader)?]),
        "IAMPolicyGenerator" => Ok(vec![iam::generate(&plugin.node)?]),
        _ => Err(Error::of(ErrorKind::Unsupported, "must specify --enable-helm").hint(generate::NO_CHARTS)),
    };
    run().context(|| trouble(kind))
}

fn generated(kind: generate::Kind, plugin: &Resource, loader: &Loader<'_>) -> Result<Resource> {
    let mut fields = Fields::new(&plugin.node, plugin.kind())?;
    let mut args = file::generator_fields(&mut fields, kind == generate::Kind::Secret)?;
    if args.name.is_empty() {
        args.name = plugin.name().to_owned();
    }
    if args.namespace.is_empty() {
        args.namespace = plugin.namespace().to_owned();
    }
    generate::generate(kind, &args, None, loader)
}

/// Configures a transformer.
pub(crate) fn transformer(
    plugin: &Resource,
    loader: &Loader<'_>,
    shared: &Shared<'_>,
) -> Result<Box<dyn Transform>> {
    let kind = plugin.kind().to_owned();
    configured(&plugin.node, &kind, loader, shared).context(|| trouble(&kind))
}

fn trouble(kind: &str) -> String {
    format!("trouble configuring builtin {kind}")
}

fn configured(
    node: &Node,
    kind: &str,
    loader: &Loader<'_>,
    shared: &Shared<'_>,
) -> Result<Box<dyn Transform>> {
    let mut f = Fields::new(node, kind)?;
    let given = file::field_specs(&mut f, "fieldSpecs")?.map(|specs| config::specs(&specs));
    let specs = given.clone().unwrap_or_default();
    let required = || {
        given.clone().ok_or_else(|| {
            Error::new("fieldSpecs is not expected to be nil")
                .hint("name the fields: fieldSpecs: [{path: metadata/name}]")
        })
    };
    Ok(match kind {
        "AnnotationsTransformer" => Box::new(Annotations { annotations: f.map("annotations")?, specs }),
        "LabelTransformer" => Box::new(Labels { labels: f.map("labels")?, specs }),
        "NamespaceTransformer" => Box::new(namespace(&mut f, specs)?),
        "PrefixTransformer" => {
            Box::new(Names { affix: Affix::Prefix, text: f.string("prefix")?, specs: required()? })
        }
        "SuffixTransformer" => {
            Box::new(Names { affix: Affix::Suffix, text: f.string("suffix")?, specs: required()? })
        }
        "PrefixSuffixTransformer" => {
            let prefix = Names { affix: Affix::Prefix, text: f.string("prefix")?, specs: required()? };
            let suffix = Names { affix: Affix::Suffix, text: f.string("suffix")?, specs: required()? };
            Box::new(Both(prefix, suffix))
        }
        "ImageTagTransformer" => {
            Box::new(Images::new(f.nested("imageTag", file::image)?.unwrap_or_default(), specs)?)
        }
        "ReplicaCountTransformer" => {
            Box::new(Replicas { replica: f.nested("replica", file::replica)?.unwrap_or_default(), specs })
        }
        "ReplacementTransformer" => {
            Box::new(Replacements::new(&f.list("replacements", file::replacement_entry)?, loader)?)
        }
        "PatchTransformer" => Box::new(Patches::new(&file::patch_fields(&mut f)?, loader, shared)?),
        "PatchStrategicMergeTransformer" => {
            Box::new(MergePatches::new(&f.strings("paths")?, &f.string("patches")?, loader)?)
        }
        "PatchJson6902Transformer" => {
            let patch = Patch {
                path: f.string("path")?,
                patch: f.string("jsonOp")?,
                target: f.nested("target", file::selector)?,
                options: None,
            };
            Box::new(JsonPatch::new(&patch, loader, shared)?)
        }
        "ValueAddTransformer" => Box::new(value_add::ValueAdd::new(&mut f, loader)?),
        _ => Box::new(Hash),
    })
}

fn namespace(f: &mut Fields<'_>, specs: Specs) -> Result<Namespace> {
    let mode = f.string("setRoleBindingSubjects")?;
    let subjects = match mode.as_str() {
        "" | "defaultOnly" => SubjectMode::DefaultOnly,
        "allServiceAccounts" => SubjectMode::AllServiceAccounts,
        "none" => SubjectMode::None,
        other => {
            return Err(Error::new(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \
                 \"allServiceAccounts\""
            )));
        }
    };
    let namespace = f.nested("metadata", |node, path| Fields::new(node, path)?.string("namespace"))?;
    Ok(Namespace {
        namespace: namespace.unwrap_or_default(),
        specs,
        unset_only: f.bool("unsetOnly")?,
        subjects,
    })
}

/// Two transformers, one after the other.
struct Both(Names, Names);

impl Transform for Both {
    fn transform(&self, map: &mut ResMap, shared: &Shared<'_>) -> Result<()> {
        self.0.transform(map, shared)?;
        self.1.transform(map, shared)
    }
}

/// Puts hashes behind the names of generated resources.
struct Hash;

impl Transform for Hash {
    fn transform(&self, map: &mut ResMap, _: &Shared<'_>) -> Result<()> {
        generate::add_hashes(map.items_mut());
        Ok(())
    }
}
