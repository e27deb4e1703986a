//! `resources` and `components`.

use super::{Accumulator, Target};
use crate::error::{Context as _, Error, ErrorKind, Problems, Result};
use crate::file::COMPONENT;
use crate::fs;
use crate::loader::{Loader, without_secrets};
use crate::origin::Origin;
use crate::plugins::Role;
use crate::read;
use crate::remote::Repository;
use crate::resource::Resource;

impl<'a> Target<'a> {
    /// Adds what a list names.
    pub(super) fn add_resources<'p>(
        &self,
        gathered: &mut Accumulator,
        entries: impl Iterator<Item = (usize, &'p str)>,
        field: &str,
    ) -> Result<()> {
        let mut problems = Problems::default();
        for (index, path) in entries {
            let added = self.add_resource(gathered, path);
            problems.note(added.at(|| self.place(&format!("{field}[{index}]"))))?;
        }
        problems.finish()
    }

    fn add_resource(&self, gathered: &mut Accumulator, path: &str) -> Result<()> {
        let full = fs::join(self.loader.dir(), path);
        if self.loader.fetches(path) {
            return self.add_remote(gathered, path);
        }
        if !self.loader.files().exists(&full) {
            self.loader.check_remote(path)?;
        }
        if self.loader.files().is_dir(&full) {
            self.add_directory(gathered, path)
        } else {
            self.add_file(gathered, path).map_err(|e| self.also_no_directory(e, path))
        }
    }

    fn add_file(&self, gathered: &mut Accumulator, path: &str) -> Result<()> {
        let from = || format!("accumulating resources from '{}'", without_secrets(path));
        let bytes = self.loader.load(path).context(from)?;
        let name = self.loader.name_of(path);
        let mut resources =
            read::resources(&bytes, path).map_err(|e| e.in_text(&name, &bytes)).context(from)?;
        if let Some(origin) = &self.origin {
            for resource in &mut resources {
                resource.book.origin = Some(origin.append(path));
            }
        }
        let added = gathered.map.append_all(resources);
        added
            .map_err(|e| self.registered_twice(e, path, &bytes))
            .context(|| format!("merging resources from '{path}'"))
    }

    /// Says where the object that there is already stands, and where it stands again.
    fn registered_twice(&self, error: Error, path: &str, bytes: &[u8]) -> Error {
        let object = error.about_object().unwrap_or_default().to_owned();
        let lines = |bytes: &[u8], path: &str| -> Vec<usize> {
            let resources = read::resources(bytes, path).unwrap_or_default();
            let same = resources.iter().filter(|resource| resource.current_id().told() == object);
            same.map(|resource| resource.node.line() as usize).collect()
        };
        let here = lines(bytes, path);
        let name = self.loader.name_of(path);
        let error = error.line(here.last().copied().unwrap_or_default()).in_text(&name, bytes);
        let before = self.file.resources.iter().take_while(|other| *other != path).find_map(|other| {
            let bytes = self.loader.load(other).ok()?;
            let line = lines(&bytes, other).first().copied()?;
            Some(format!("{}:{line}", self.loader.name_of(other)))
        });
        let before =
            before.or_else(|| here.first().filter(|_| here.len() > 1).map(|at| format!("{name}:{at}")));
        match before {
            Some(place) => error.replace_hint(format!(
                "it is in {place}, too: keep one of the two; to change the other one, make a patch of it"
            )),
            None => error,
        }
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
            no_directory.context(format!("accumulation err='{}'", no_file.brief()))
        })
    }

    // kustomize tries every path as a directory too and tells about both.
    fn also_no_directory(&self, error: Error, path: &str) -> Error {
        if matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Cancelled) {
            return error;
        }
        error.map_each(|error| match self.loader.enter(path) {
            Ok(_) => error,
            Err(other) => {
                let text = format!("accumulation err='{}'", error.brief());
                let is_absolute = path.starts_with('/');
                let other = if is_absolute { other.at(error.place()) } else { other.in_place_of(&error) };
                Error::of(error.kind(), text).because(other)
            }
        })
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
            .accumulate(Accumulator::empty(self.shared))
            .context(|| format!("recursed accumulation of path '{dir}'"))?;
        gathered.absorb(child).context(|| format!("recursed merging from path '{dir}'"))
    }

    pub(super) fn add_components(&self, mut gathered: Accumulator) -> Result<Accumulator> {
        for (index, path) in self.file.components.iter().enumerate() {
            gathered = self.add_component(gathered, path).map_err(|e| {
                let error = e.at(self.place(&format!("components[{index}]")));
                self.with_unreadable_components(error, index + 1)
            })?;
        }
        Ok(gathered)
    }

    fn add_component(&self, gathered: Accumulator, path: &str) -> Result<Accumulator> {
        let target = self.component(path)?;
        let dir = target.loader.place();
        let add = target.accumulate(gathered).context(|| format!("recursed accumulation of path '{dir}'"));
        add.context(|| "accumulateDirectory".to_owned())
    }

    fn component(&self, path: &str) -> Result<Self> {
        let loader = self.loader.enter(path).context(|| "loader.New".to_owned())?;
        self.child(loader, path, true).context(|| "accumulateDirectory".to_owned())
    }

    /// Adds which of the components behind one that failed can't be read either.
    fn with_unreadable_components(&self, error: Error, from: usize) -> Error {
        if error.ends_the_build() {
            return error;
        }
        let rest = self.file.components.iter().enumerate().skip(from);
        rest.fold(error, |error, (index, path)| match self.component(path) {
            Err(more) if !more.ends_the_build() => {
                error.and(more.at(self.place(&format!("components[{index}]"))))
            }
            _ => error,
        })
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
            ))
            .hint("list the directory under 'resources', or make it a component with kind: Component")),
            (false, true) => Err(Error::new(format!("expected kind != 'Component' for path '{dir}'"))
                .hint("list the directory under 'components'")),
            _ => Ok(target),
        }
    }

    /// The resources that configure generators or transformers, each with where it comes from and its field.
    pub(super) fn plugins(
        &self,
        entries: &[String],
        role: Role,
        field: &str,
    ) -> Result<Vec<(Resource, Option<Origin>, String)>> {
        let mut gathered = Accumulator::empty(self.shared);
        let mut fields = Vec::new();
        let mut paths = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            // An entry is text if it reads as objects, else it's a path.
            match read::resources(entry.as_bytes(), "plugin").ok().filter(|found| !found.is_empty()) {
                None => paths.push((index, entry.as_str())),
                Some(mut found) => {
                    for resource in &mut found {
                        resource.book.origin = self.origin.as_ref().map(|o| o.append(self.file_name));
                    }
                    let added = gathered.map.append_all(found);
                    added.at(|| self.place(&format!("{field}[{index}]")))?;
                    fields.resize(gathered.map.items().len(), index);
                }
            }
        }
        for (index, path) in paths {
            self.add_resources(&mut gathered, std::iter::once((index, path)), field)?;
            fields.resize(gathered.map.items().len(), index);
        }
        let mut problems = Problems::default();
        let mut plugins = Vec::new();
        for (resource, index) in gathered.map.into_items().into_iter().zip(fields) {
            let field = format!("{field}[{index}]");
            let object = resource.current_id().told();
            let checked = crate::plugins::check(&resource, role);
            problems.note(checked.map_err(|e| e.at(self.place(&field)).object(object)))?;
            let origin = resource.book.origin.clone().map(|from| Origin::configured(&from, &resource));
            plugins.push((resource, origin, field));
        }
        problems.finish()?;
        Ok(plugins)
    }
}
