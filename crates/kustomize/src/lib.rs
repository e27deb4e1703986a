//! The kustomize build engine.
//!
//! [`build`] turns a directory with a kustomization file into the objects that `kustomize build` prints. It reads files
//! only through a [`FileSystem`] and needs neither network nor clock.

mod accumulate;
mod build;
mod config;
mod error;
mod file;
mod file_names;
mod finish;
mod fs;
mod generate;
mod ids;
mod json_patch;
mod loader;
mod lookup;
mod merge;
mod nameref;
mod options;
mod origin;
mod plugins;
mod read;
mod remote;
mod replacements;
mod resmap;
mod resource;
mod schema_comments;
mod scopes;
mod selector;
mod shared_values;
mod through_text;
mod transform;
mod vars;

pub use build::{Build, build};
pub use error::{Error, ErrorKind};
pub use file::{
    COMPONENT, FILE_NAMES, FieldOptions, FieldRef, FieldSpec, GeneratorArgs, GeneratorOptions, Image,
    KUSTOMIZATION, Kustomization, Label, LegacySortOptions, Metadata, ObjectRef, Patch, PatchOptions,
    ReplacementEntry, Replica, Selector, SortOptions, SourceSelector, TargetSelector, Var,
};
pub use fs::{FileSystem, MemoryFs, RootedDir};
pub use options::{CustomSchema, Limits, LoadRestrictions, Options, Release, RemoteBases, Reorder};
pub use remote::{NotARepository, RemoteError, RemoteLoader, Repository};
