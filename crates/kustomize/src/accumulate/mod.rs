//! Gathers the resources of a kustomization, its bases and components, and runs its transformers on them.

mod resources;
mod transformers;

use crate::build::Shared;
use crate::config::{self, Config};
use crate::error::{Context as _, Error, ErrorKind, Result};
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
use std::rc::Rc;

/// A kustomization that is being built.
pub(crate) struct Target<'a> {
    shared: &'a Shared<'a>,
    loader: Loader<'a>,
    file: Kustomization,
    file_name: &'static str,
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

    fn empty() -> Self {
        Self::new(ResMap::default())
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
            return Err(Error::of(
                ErrorKind::File,
                format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory \
                     '{dir}'"
                ),
            ));
        };
        if found.next().is_some() {
            return Err(Error::new(format!("Found multiple kustomization files under: {dir}\n")));
        }
        let name = fs::join(loader.dir(), file_name).display().to_string();
        let mut file = Kustomization::parse_named(&loader.load(file_name)?, &name)?;
        let errors = file.version_errors();
        if !errors.is_empty() {
            let message = format!("Failed to read kustomization file under {dir}:\n{}", errors.join("\n"));
            return Err(Error::new(message).file(name));
        }
        for warning in std::mem::take(&mut file.warnings) {
            shared.warn(warning);
        }
        let origin = (!file.build_metadata.is_empty()).then(Origin::default);
        Ok(Self { shared, loader, file, file_name, origin })
    }

    pub(crate) const fn file(&self) -> &Kustomization {
        &self.file
    }

    /// Builds the root: gathers, then hashes names, fixes references and resolves variables.
    pub(crate) fn build(self) -> Result<ResMap> {
        self.choose_schema(true)?;
        let mut gathered = self.accumulate(Accumulator::empty())?;
        generate::add_hashes(gathered.map.items_mut());
        let config = gathered.config();
        nameref::fix(&mut gathered.map, &config.name_reference)?;
        vars::resolve(&mut gathered.map, &gathered.vars, &config.var_reference, self.shared)?;
        Ok(gathered.map)
    }

    fn choose_schema(&self, is_root: bool) -> Result<()> {
        let openapi = &self.file.openapi;
        let (version, path) = (openapi.get("version"), openapi.get("path"));
        if let Some(field) = openapi.keys().find(|key| *key != "version" && *key != "path") {
            let message = format!("field openapi.{field} is not supported");
            return Err(Error::unsupported(&format!("openapi.{field}"), message));
        }
        let bytes = path.map(|path| self.loader.load(path)).transpose()?;
        let mut schemas = self.shared.schemas.borrow_mut();
        if !is_root && !schemas.is_open() {
            return Ok(());
        }
        match (version, path, bytes) {
            (Some(_), Some(_), _) => {
                Err(Error::new("builtin version and custom schema provided, cannot use both")
                    .field("openapi"))
            }
            (Some(version), ..) => schemas.choose_version(version),
            (None, Some(path), Some(bytes)) => schemas.choose_file(&bytes, path, is_root),
            _ => Ok(()),
        }
    }

    /// Runs all steps on what has been gathered before.
    fn accumulate(&self, mut gathered: Accumulator) -> Result<Accumulator> {
        self.shared.check_cancelled()?;
        self.add_resources(&mut gathered, &self.file.resources)
            .context(|| "accumulating resources".to_owned())?;
        gathered.add_config(self.own_config()?)?;
        self.generate(&mut gathered)?;
        let mut gathered = self.add_components(gathered).context(|| "accumulating components".to_owned())?;
        self.check_size(&gathered)?;
        let config = gathered.config();
        self.transform(&mut gathered.map, &config)?;
        self.validate(&mut gathered.map)?;
        vars::collect(&mut gathered.vars, &self.file.vars, &mut gathered.map)
            .context(|| "merging vars".to_owned())?;
        Ok(gathered)
    }

    fn check_size(&self, gathered: &Accumulator) -> Result<()> {
        let limit = self.shared.options.limits.objects;
        if gathered.map.items().len() > limit {
            return Err(Error::of(ErrorKind::Limit, format!("build has more than {limit} objects")));
        }
        Ok(())
    }

    fn own_config(&self) -> Result<Rc<Config>> {
        let mut config = config::defaults();
        for path in &self.file.configurations {
            let more = config::parse(&self.loader.load(path)?, path)?;
            Rc::make_mut(&mut config).merge(&more)?;
        }
        for path in &self.file.crds {
            let more = config::from_definitions(&self.loader.load(path)?, path)
                .context(|| format!("loading CRDs [{}]", self.file.crds.join(" ")))?;
            Rc::make_mut(&mut config).merge(&more)?;
        }
        Ok(config)
    }

    fn generate(&self, gathered: &mut Accumulator) -> Result<()> {
        let global = self.file.generator_options.as_ref();
        let kinds = [
            (generate::Kind::ConfigMap, &self.file.config_map_generator, "ConfigMapGenerator"),
            (generate::Kind::Secret, &self.file.secret_generator, "SecretGenerator"),
        ];
        let mut made = Vec::new();
        for (kind, entries, name) in kinds {
            for args in entries {
                let mut resource = generate::generate(kind, args, global, &self.loader)
                    .context(|| format!("trouble configuring builtin {name} with config {:?}", args.name))?;
                resource.book.origin =
                    self.origin.as_ref().map(|origin| origin.builtin(self.file_name, name));
                made.push(resource);
            }
        }
        if !self.file.helm_charts.is_empty() {
            return Err(Error::unsupported("helmCharts", "must specify --enable-helm")
                .context("trouble configuring builtin HelmChartInflationGenerator"));
        }
        for (plugin, origin) in self.plugins(&self.file.generators, Role::Generator)? {
            for mut resource in plugins::generate(&plugin, &self.loader)? {
                if resource.book.origin.is_none() {
                    resource.book.origin.clone_from(&origin);
                }
                made.push(resource);
            }
        }
        made.into_iter().try_for_each(|resource| gathered.map.absorb(resource))
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
    for resource in map.items_mut() {
        if resource.book.origin.is_none() {
            resource.book.origin = Some(by.clone());
        } else {
            resource.book.transformations.push(by.clone());
        }
    }
    Ok(())
}
