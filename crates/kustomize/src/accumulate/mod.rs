//! Gathers the resources of a kustomization, its bases and components, and runs its transformers on them.

mod resources;
mod transformers;

use crate::build::Shared;
use crate::config::{self, Config};
use crate::error::{self, Context as _, Error, ErrorKind, Place, Problems, Result};
use crate::file::{FILE_NAMES, Kustomization};
use crate::fs;
use crate::generate;
use crate::loader::Loader;
use crate::nameref;
use crate::origin::Origin;
use crate::plugins::{self, Role};
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::transform::Transform;
use crate::vars::{self, Variable};
use krm::Node;
use std::cell::OnceCell;
use std::rc::Rc;

/// What `buildMetadata` may list.
const BUILD_METADATA: [&str; 3] = ["managedByLabel", "originAnnotations", "transformerAnnotations"];

/// Lists and what they were called before.
const OLD_NAMES: [(&str, &str); 2] = [("resources", "bases"), ("images", "imageTags")];

/// A kustomization that is being built.
pub(crate) struct Target<'a> {
    shared: &'a Shared<'a>,
    loader: Loader<'a>,
    file: Kustomization,
    file_name: &'static str,
    /// The kustomization file as it was read, to find the places of mistakes.
    text: Vec<u8>,
    /// The same as a tree, once a place has been looked for.
    tree: OnceCell<Node>,
    /// Where this kustomization is, if the root wants to know where things come from.
    origin: Option<Origin>,
}

/// What has been gathered.
pub(crate) struct Accumulator {
    pub(crate) map: ResMap,
    pub(crate) config: Option<Rc<Config>>,
    pub(crate) vars: Vec<Variable>,
}

impl Accumulator {
    const fn new(map: ResMap) -> Self {
        Self { map, config: None, vars: Vec::new() }
    }

    fn empty(shared: &Shared<'_>) -> Self {
        Self::new(ResMap::new(shared.scopes.clone()))
    }

    fn add_config(&mut self, config: Rc<Config>) -> Result<()> {
        match &mut self.config {
            None if Rc::ptr_eq(&config, &config::defaults()) => self.config = Some(config),
            None => self.config = Some(Rc::new(config.settled()?)),
            Some(mine) if Rc::ptr_eq(mine, &config) || **mine == *config => {}
            Some(mine) => Rc::make_mut(mine).merge(&config)?,
        }
        Ok(())
    }

    fn config(&self) -> Rc<Config> {
        self.config.clone().unwrap_or_else(config::defaults)
    }

    fn absorb(&mut self, other: Self) -> Result<()> {
        self.map.append_all(other.map.into_items())?;
        if let Some(config) = other.config {
            self.add_config(config)?;
        }
        vars::merge(&mut self.vars, other.vars)
    }
}

impl<'a> Target<'a> {
    /// Reads the kustomization file of a directory.
    pub(crate) fn load(shared: &'a Shared<'a>, loader: Loader<'a>) -> Result<Self> {
        let dir = loader.place();
        let mut found =
            FILE_NAMES.iter().filter(|name| loader.files().is_file(&fs::join(loader.dir(), name)));
        let Some(file_name) = found.next() else {
            let text = format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{dir}'"
            );
            let help = "add a kustomization.yaml there that lists the files under 'resources'";
            return Err(Error::of(ErrorKind::File, text).hint(help));
        };
        if let Some(other) = found.next() {
            let text = format!("Found multiple kustomization files under: {dir}\n");
            return Err(Error::new(text).hint(format!("keep one of {file_name} and {other}")));
        }
        let name = loader.name_of(file_name);
        let text = loader.load(file_name)?;
        let mut file = Kustomization::parse_named(&text, &name)?;
        if let Some(error) = file.version_error(&dir) {
            return Err(error.at(Place::of_field(&name, &text, "apiVersion")));
        }
        for warning in std::mem::take(&mut file.warnings) {
            shared.warn(warning);
        }
        for (index, option) in file.build_metadata.iter().enumerate() {
            if !BUILD_METADATA.contains(&option.as_str()) {
                let place = Place::of_field(&name, &text, &format!("buildMetadata[{index}]"));
                shared.warn(format!(
                    "# Warning: unknown build metadata option {option:?} does nothing; known are {}{place}",
                    BUILD_METADATA.join(", ")
                ));
            }
        }
        let origin = (!file.build_metadata.is_empty()).then(Origin::default);
        Ok(Self { shared, loader, file, file_name, text, tree: OnceCell::new(), origin })
    }

    /// Where a field of the kustomization file is.
    pub(crate) fn place(&self, field: &str) -> Place {
        let place = self.place_of(field);
        if place.line.is_some() {
            return place;
        }
        let old = OLD_NAMES.iter().find_map(|(name, old)| self.old_place(field, name, old));
        old.unwrap_or(place)
    }

    fn place_of(&self, field: &str) -> Place {
        let tree = self.tree.get_or_init(|| error::tree(&self.text));
        Place::in_tree(&self.loader.name_of(self.file_name), &self.text, tree, field)
    }

    /// Where an entry is that was listed under the old name of a field: such entries come last.
    fn old_place(&self, field: &str, name: &str, old: &str) -> Option<Place> {
        let (index, rest) = field.strip_prefix(name)?.strip_prefix('[')?.split_once(']')?;
        let index: usize = index.parse().ok()?;
        let is_listed = |at: &usize| self.place_of(&format!("{name}[{at}]")).line.is_some();
        let before = (0..index).rev().find(is_listed).map_or(0, |last| last + 1);
        Some(self.place_of(&format!("{old}[{}]{rest}", index - before))).filter(|place| place.line.is_some())
    }

    pub(crate) const fn file(&self) -> &Kustomization {
        &self.file
    }

    /// Builds the root: gathers, then hashes names, fixes references and resolves variables.
    pub(crate) fn build(&self) -> Result<ResMap> {
        self.choose_schema(true)?;
        let mut gathered = self.accumulate(Accumulator::empty(self.shared))?;
        generate::add_hashes(gathered.map.items_mut());
        let config = gathered.config();
        nameref::fix(&mut gathered.map, &config.name_reference)?;
        vars::resolve(&mut gathered.map, &gathered.vars, &config.var_reference, self.shared)
            .map_err(|e| self.placed(e))?;
        Ok(gathered.map)
    }

    fn choose_schema(&self, is_root: bool) -> Result<()> {
        let openapi = &self.file.openapi;
        let (version, path) = (openapi.get("version"), openapi.get("path"));
        if let Some(key) = openapi.keys().find(|key| *key != "version" && *key != "path") {
            let field = format!("openapi.{key}");
            let error = Error::unsupported(&field, format!("field {field} is not supported"));
            return Err(error.at(self.place(&field)).hint("known here are version, path"));
        }
        let load = |path: &String| self.loader.load(path).at(|| self.place("openapi.path"));
        let bytes = path.map(load).transpose()?;
        let mut schemas = self.shared.schemas.borrow_mut();
        if !is_root && !schemas.is_open() {
            return Ok(());
        }
        match (version, path, bytes) {
            (Some(_), Some(_), _) => {
                let error = Error::new("builtin version and custom schema provided, cannot use both");
                Err(error.at(self.place("openapi")).hint("keep one of version and path"))
            }
            (Some(version), ..) => schemas.choose_version(version).at(|| self.place("openapi.version")),
            (None, Some(path), Some(bytes)) => schemas.choose_file(&bytes, path, &self.shared.scopes),
            _ => Ok(()),
        }
    }

    /// Runs all steps on what has been gathered before.
    fn accumulate(&self, mut gathered: Accumulator) -> Result<Accumulator> {
        self.shared.check_cancelled()?;
        let resources = self.file.resources.iter().map(String::as_str).enumerate();
        self.add_resources(&mut gathered, resources, "resources")
            .context(|| "accumulating resources".to_owned())
            .map_err(|e| self.with_wrong_settings(e))?;
        gathered.add_config(self.own_config()?)?;
        self.generate(&mut gathered)?;
        let mut gathered = self.add_components(gathered).context(|| "accumulating components".to_owned())?;
        self.check_size(&gathered)?;
        let config = gathered.config();
        self.transform(&mut gathered.map, &config)?;
        self.validate(&mut gathered.map)?;
        vars::collect(&mut gathered.vars, &self.file.vars, &mut gathered.map)
            .context(|| "merging vars".to_owned())
            .map_err(|e| self.placed(e))?;
        Ok(gathered)
    }

    fn check_size(&self, gathered: &Accumulator) -> Result<()> {
        let limit = self.shared.options.limits.objects;
        if gathered.map.items().len() > limit {
            return Err(Error::of(ErrorKind::Limit, format!("build has more than {limit} objects")));
        }
        Ok(())
    }

    /// Adds what is wrong with generators and transformers, whatever the resources are.
    fn with_wrong_settings(&self, error: Error) -> Error {
        if error.ends_the_build() {
            return error;
        }
        let settings = || {
            let mut problems = Problems::default();
            let config = problems.note(self.own_config())?;
            problems.note(self.generated())?;
            problems.note(self.transformers(&config.unwrap_or_else(config::defaults)).map(drop))?;
            problems.finish()
        };
        match settings() {
            Err(more) if !more.ends_the_build() => error.and(more),
            _ => error,
        }
    }

    fn own_config(&self) -> Result<Rc<Config>> {
        let mut config = config::defaults();
        let mut problems = Problems::default();
        for (index, path) in self.file.configurations.iter().enumerate() {
            let read = |bytes: Vec<u8>| {
                config::parse(&bytes, path).map_err(|e| e.in_text(&self.loader.name_of(path), &bytes))
            };
            let read = self.loader.load(path).and_then(read);
            let read = read.at(|| self.place(&format!("configurations[{index}]")));
            if let Some(more) = problems.note(read)? {
                Rc::make_mut(&mut config)
                    .merge(&more)
                    .at(|| self.place(&format!("configurations[{index}]")))?;
            }
        }
        for (index, path) in self.file.crds.iter().enumerate() {
            let read = |bytes: Vec<u8>| {
                config::from_definitions(&bytes, path)
                    .map_err(|e| e.in_text(&self.loader.name_of(path), &bytes))
            };
            let read = self.loader.load(path).and_then(read);
            let read = read
                .context(|| format!("loading CRDs [{}]", self.file.crds.join(" ")))
                .at(|| self.place(&format!("crds[{index}]")));
            if let Some(more) = problems.note(read)? {
                Rc::make_mut(&mut config).merge(&more).at(|| self.place(&format!("crds[{index}]")))?;
            }
        }
        problems.finish()?;
        Ok(config)
    }

    fn generate(&self, gathered: &mut Accumulator) -> Result<()> {
        let (made, fields): (Vec<Resource>, Vec<String>) = self.generated()?.into_iter().unzip();
        let absorbed = gathered.map.absorb_all(made);
        absorbed.map_err(|(at, error)| match fields.get(at) {
            Some(field) => error.at(self.place(field)).context("merging from generator"),
            None => error,
        })
    }

    /// What the generators make, each with the field that asks for it.
    fn generated(&self) -> Result<Vec<(Resource, String)>> {
        let global = self.file.generator_options.as_ref();
        let kinds = [
            (
                generate::Kind::ConfigMap,
                &self.file.config_map_generator,
                "ConfigMapGenerator",
                "configMapGenerator",
            ),
            (generate::Kind::Secret, &self.file.secret_generator, "SecretGenerator", "secretGenerator"),
        ];
        let mut made = Vec::new();
        let mut problems = Problems::default();
        for (kind, entries, name, field) in kinds {
            for (index, args) in entries.iter().enumerate() {
                let field = format!("{field}[{index}]");
                let warned = self.shared.warned();
                let generated = generate::generate(kind, args, global, &self.loader);
                self.shared.place_warnings(warned, || self.place(&field));
                let generated = generated.map_err(|e| self.within(e, &field));
                let Some(mut resource) = problems.note(generated)? else { continue };
                resource.book.origin =
                    self.origin.as_ref().map(|origin| origin.builtin(self.file_name, name));
                made.push((resource, field));
            }
        }
        problems.note(self.check_charts())?;
        let plugins = self
            .plugins(&self.file.generators, Role::Generator, "generators")
            .context(|| "loading generator plugins".to_owned());
        for (plugin, origin, field) in problems.note(plugins)?.unwrap_or_default() {
            let generated = plugins::generate(&plugin, &self.loader).at(|| self.place(&field));
            for mut resource in problems.note(generated)?.unwrap_or_default() {
                if resource.book.origin.is_none() {
                    resource.book.origin.clone_from(&origin);
                }
                made.push((resource, field.clone()));
            }
        }
        problems.finish()?;
        Ok(made)
    }

    fn check_charts(&self) -> Result<()> {
        if self.file.helm_charts.is_empty() {
            return Ok(());
        }
        let place = self.place("helmCharts");
        let place = if place.line.is_some() { place } else { self.place("helmChartInflationGenerator") };
        Err(Error::of(ErrorKind::Unsupported, "must specify --enable-helm")
            .at(place)
            .hint(generate::NO_CHARTS)
            .context("trouble configuring builtin HelmChartInflationGenerator"))
    }

    /// Places each problem in a field of the one given, or in that one.
    ///
    /// A line that a problem has is one of the text in that field, if it has no other file.
    fn within(&self, error: Error, field: &str) -> Error {
        error.without_stray_lines().map_each(|error| {
            let inner = error.in_field().filter(|_| error.in_file().is_none());
            let within = |inner: &str| {
                let separator = if inner.starts_with('[') { "" } else { "." };
                format!("{field}{separator}{inner}")
            };
            let Some(inner) = inner.map(within) else {
                return error.at(self.place(field));
            };
            let line = error.at_line();
            error.at_field(self.place(&inner).in_block(line, &self.text)).at(self.place(field))
        })
    }

    /// Places what was said of a field of this file as a whole.
    pub(crate) fn placed(&self, error: Error) -> Error {
        let field = error.in_field().filter(|_| error.in_file().is_none()).map(str::to_owned);
        match field {
            Some(field) => error.at_field(self.place(&field)),
            None => error,
        }
    }
}

/// Runs one transformer; with `record`, notes on all resources that it ran.
fn run(
    transformer: &dyn Transform,
    map: &mut ResMap,
    shared: &Shared<'_>,
    record: Option<&Origin>,
) -> Result<()> {
    shared.check_cancelled()?;
    transformer.transform(map, shared)?;
    map.drop_gone();
    map.items_mut().iter_mut().for_each(Resource::spread_shared);
    let Some(by) = record else { return Ok(()) };
    map.items_mut().iter_mut().for_each(|resource| resource.note_transformer(by));
    Ok(())
}
