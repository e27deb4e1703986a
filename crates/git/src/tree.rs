use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::{BStr, BString},
    objs::{FindExt, tree::EntryKind},
    odb::{HeaderExt, store::init},
    validate::path::component,
};

use crate::{
    error::{Cause, Error, in_one_line},
    fetch::Fetched,
    options::Limits,
};

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A folder; its entries follow.
    Directory,
    /// A symbolic link; its content is where it leads.
    Symlink,
    /// The commit of another repository. It has no content here.
    Submodule,
}

/// An entry of a tree.
pub struct Entry<'a> {
    /// The path below the root of the tree.
    pub path: &'a Path,
    /// What it is.
    pub mode: Mode,
    hash: ObjectId,
    objects: &'a gix::odb::Handle,
}

impl Entry<'_> {
    /// Returns the size of a file or link in bytes, without reading it.
    ///
    /// # Errors
    ///
    /// [`Error::Object`] when the pack is damaged, or for a folder or submodule.
    pub fn size(&self) -> Result<u64, Error> {
        let header = self.objects.header(self.hash).map_err(|error| unreadable(self.hash, &error))?;
        Ok(header.size())
    }

    /// Reads a file or link into the buffer, which it empties before.
    ///
    /// # Errors
    ///
    /// [`Error::Object`] when the pack is damaged, or for a folder or submodule.
    pub fn read<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
        let blob =
            self.objects.find_blob(&self.hash, buffer).map_err(|error| unreadable(self.hash, &error))?;
        Ok(blob.data)
    }
}

impl Fetched {
    /// Shows every entry of the tree to the visitor, in byte order of the names, each folder before
    /// what is in it.
    ///
    /// Nothing but the folders on the way is held in memory; entries are read when the visitor asks.
    ///
    /// # Errors
    ///
    /// The visitor's error, which ends the walk; [`Error::IllegalPath`] for names such as `..` and
    /// `.git`, or one that stands twice in its folder.
    pub fn visit<E: From<Error>>(
        &self,
        visitor: &mut dyn FnMut(&Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let objects = open(&self.objects(), self.limits).map_err(|source| damaged(self.tree, source))?;
        let mut seen = 0;
        let mut path = PathBuf::new();
        let mut open_folders = vec![read_folder(&objects, self.tree, &path)?];
        while let Some(folder) = open_folders.last_mut() {
            let Some(item) = folder.pop() else {
                open_folders.pop();
                path.pop();
                continue;
            };
            seen += 1;
            if seen > self.limits.entries {
                return Err(Error::TooManyEntries(self.limits.entries).into());
            }
            path.push(OsStr::from_bytes(&item.name));
            visitor(&Entry { path: &path, mode: item.mode, hash: item.hash, objects: &objects })?;
            if item.mode == Mode::Directory {
                open_folders.push(read_folder(&objects, item.hash, &path)?);
            } else {
                path.pop();
            }
        }
        Ok(())
    }
}

struct Item {
    name: BString,
    mode: Mode,
    hash: ObjectId,
}

/// Reads one folder, last entry first.
fn read_folder(objects: &gix::odb::Handle, tree: ObjectId, path: &Path) -> Result<Vec<Item>, Error> {
    let mut buffer = Vec::new();
    let tree_ref = objects.find_tree(&tree, &mut buffer).map_err(|error| unreadable(tree, &error))?;
    let mut items = Vec::with_capacity(tree_ref.entries.len());
    for entry in tree_ref.entries {
        let illegal = || illegal(entry.filename, tree, path);
        let mode = mode(entry.mode.kind());
        if !is_legal(entry.filename, mode) {
            return Err(illegal());
        }
        items.push(Item { name: entry.filename.to_owned(), mode, hash: entry.oid.to_owned() });
    }
    // Git sorts folders as if a slash stood behind their name; a walk of a work tree doesn't.
    items.sort_by(|left, right| right.name.cmp(&left.name));
    if let Some(pair) = items.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(illegal(pair[0].name.as_ref(), tree, path));
    }
    Ok(items)
}

fn mode(kind: EntryKind) -> Mode {
    match kind {
        EntryKind::Blob => Mode::File,
        EntryKind::BlobExecutable => Mode::Executable,
        EntryKind::Tree => Mode::Directory,
        EntryKind::Link => Mode::Symlink,
        EntryKind::Commit => Mode::Submodule,
    }
}

fn is_legal(name: &BStr, mode: Mode) -> bool {
    let kind = (mode == Mode::Symlink).then_some(component::Mode::Symlink);
    let options = component::Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };
    !name.contains(&b'\\')
        && !name.contains(&0)
        && gix::validate::path::component(name, kind, options).is_ok()
}

fn illegal(name: &BStr, tree: ObjectId, path: &Path) -> Error {
    let path = path.join(OsStr::from_bytes(name));
    Error::IllegalPath { path: path.to_string_lossy().into_owned(), tree: tree.to_string() }
}

pub(crate) fn open(objects: &Path, limits: Limits) -> Result<gix::odb::Handle, Cause> {
    let options = init::Options {
        use_multi_pack_index: false,
        alloc_limit_bytes: Some(limits.object),
        ..init::Options::default()
    };
    gix::odb::at_opts(objects, gix::hash::Kind::Sha1, None, options).map_err(Cause::Disk)
}

fn unreadable(hash: ObjectId, error: &dyn std::error::Error) -> Error {
    damaged(hash, Cause::Protocol(in_one_line(error)))
}

fn damaged(hash: ObjectId, source: Cause) -> Error {
    Error::Object { hash: hash.to_string(), source }
}
