//! `resources` and `components`.

use super::{Accumulator, Target};
use crate::error::{Context as _, Error, ErrorKind, Result};
use crate::file::COMPONENT;
use crate::fs;
use crate::loader::{Loader, without_secrets};
use crate::origin::Origin;
use crate::read;
use crate::remote::Repository;
use crate::resmap::ResMap;

impl<'a> Target<'a> {
    pub(super) fn add_resources(&self, gathered: &mut Accumulator, paths: &[String]) -> Result<()> {
        for path in paths {
            let full = fs::join(self.loader.dir(), path);
            if self.loader.fetches(path) {
                self.add_remote(gathered, path)?;
                continue;
            }
            if !self.loader.files().exists(&full) {
                self.loader.check_remote(path)?;
            }
            if self.loader.files().is_dir(&full) {
                self.add_directory(gathered, path)?;
            } else {
                self.add_file(gathered, path).map_err(|e| self.also_no_directory(e, path))?;
            }
        }
        Ok(())
    }

    fn add_file(&self, gathered: &mut Accumulator, path: &str) -> Result<()> {
        let from = || format!("accumulating resources from '{}'", without_secrets(path));
        let bytes = self.loader.load(path).context(from)?;
        let mut resources = read::resources(&bytes, path).context(from)?;
        if let Some(origin) = &self.origin {
            for resource in &mut resources {
                resource.book.origin = Some(origin.append(path));
            }
        }
        gathered.map.append_all(resources).context(|| format!("merging resources from '{path}'"))
    }

    // A URL may be one of a file, of a repository, or of both.
    fn add_remote(&self, gathered: &mut Accumulator, path: &str) -> Result<()> {
        let Err(no_file) = self.add_file(gathered, path) else { return Ok(()) };
        if matches!(no_file.kind(), ErrorKind::Remote | ErrorKind::Limit | ErrorKind::Cancelled) {
            return Err(no_file);
        }
        let as_directory =
            self.loader.enter(path).and_then(|loader| self.accumulate_directory(gathered, loader, path));
        as_directory.map_err(|no_directory| {
            if no_file.kind() == ErrorKind::Malformed && Repository::parse(path).is_err() {
                return no_file;
            }
            no_directory.context(format!("accumulation err='{}'", no_file.chain()))
        })
    }

    // kustomize tries every path as a directory too and tells about both.
    fn also_no_directory(&self, error: Error, path: &str) -> Error {
        if matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Cancelled) {
            return error;
        }
        match self.loader.enter(path) {
            Ok(_) => error,
            Err(other) => {
                let kind = error.kind();
                Error::of(kind, format!("accumulation err='{}'", error.chain())).because(other)
            }
        }
    }

    fn add_directory(&self, gathered: &mut Accumulator, path: &str) -> Result<()> {
        let full = fs::join(self.loader.dir(), path);
        let not_a_file = || {
            format!(
                "accumulation err='accumulating resources from '{path}': '{}' must resolve to a file'",
                full.display()
            )
        };
        let add =
            self.loader.enter(path).and_then(|loader| self.accumulate_directory(gathered, loader, path));
        add.context(not_a_file)
    }

    fn accumulate_directory(&self, gathered: &mut Accumulator, loader: Loader<'a>, path: &str) -> Result<()> {
        let target = self.child(loader, path, false)?;
        let dir = target.loader.place();
        let child = target
            .accumulate(Accumulator::empty())
            .context(|| format!("recursed accumulation of path '{dir}'"))?;
        gathered.absorb(child).context(|| format!("recursed merging from path '{dir}'"))
    }

    pub(super) fn add_components(&self, mut gathered: Accumulator) -> Result<Accumulator> {
        for path in &self.file.components {
            let loader = self.loader.enter(path).context(|| "loader.New".to_owned())?;
            let add = |gathered| {
                let target = self.child(loader, path, true)?;
                let dir = target.loader.place();
                target.accumulate(gathered).context(|| format!("recursed accumulation of path '{dir}'"))
            };
            gathered = add(gathered).context(|| "accumulateDirectory".to_owned())?;
        }
        Ok(gathered)
    }

    fn child(&self, loader: Loader<'a>, path: &str, wants_component: bool) -> Result<Self> {
        let dir = loader.place();
        let mut target =
            Self::load(self.shared, loader).context(|| format!("couldn't make target for path '{dir}'"))?;
        target.origin = self.origin.as_ref().map(|origin| origin.append(path));
        target.choose_schema(false)?;
        let is_component = target.file.kind == COMPONENT;
        match (wants_component, is_component) {
            (true, false) => Err(Error::new(format!(
                "expected kind 'Component' for path '{dir}' but got '{}'",
                target.file.kind
            ))),
            (false, true) => Err(Error::new(format!("expected kind != 'Component' for path '{dir}'"))),
            _ => Ok(target),
        }
    }

    /// The resources that configure generators or transformers, each with where it comes from.
    pub(super) fn plugins(
        &self,
        entries: &[String],
        role: crate::plugins::Role,
    ) -> Result<Vec<(crate::resource::Resource, Option<Origin>)>> {
        let mut gathered = Accumulator::new(ResMap::default());
        let mut paths = Vec::new();
        for entry in entries {
            // An entry is text if it reads as objects, else it's a path.
            match read::resources(entry.as_bytes(), "plugin").ok().filter(|found| !found.is_empty()) {
                None => paths.push(entry.clone()),
                Some(mut found) => {
                    for resource in &mut found {
                        resource.book.origin = self.origin.as_ref().map(|o| o.append(self.file_name));
                    }
                    gathered.map.append_all(found)?;
                }
            }
        }
        self.add_resources(&mut gathered, &paths)?;
        let plugins = gathered.map.into_items().into_iter();
        plugins
            .map(|resource| {
                crate::plugins::check(&resource, role)?;
                let origin = resource.book.origin.clone().map(|from| Origin::configured(&from, &resource));
                Ok((resource, origin))
            })
            .collect()
    }
}
