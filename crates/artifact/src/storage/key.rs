//! Whose artifact it is, and which paths a store has.

use std::fmt;

/// An object that has artifacts: the folder of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    kind: String,
    namespace: String,
    name: String,
}

impl Key {
    /// Takes the kind as it is spelled in manifests, for example `GitRepository`.
    ///
    /// # Errors
    ///
    /// Fails if one of them couldn't be a name in Kubernetes, and so could lead elsewhere as part of a path.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Result<Self, InvalidKey> {
        let is_kind = !kind.is_empty() && kind.len() <= 63 && kind.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_kind && is_dns_name(namespace) && is_dns_name(name) {
            Ok(Self { kind: kind.into(), namespace: namespace.into(), name: name.into() })
        } else {
            Err(InvalidKey { kind: kind.into(), namespace: namespace.into(), name: name.into() })
        }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the folder, relative to the root of the store.
    #[must_use]
    pub fn dir(&self) -> String {
        format!("{}/{}/{}", self.kind.to_ascii_lowercase(), self.namespace, self.name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// A kind, namespace or name that can't be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object that can have artifacts: kind {kind:?}, namespace {namespace:?}, name {name:?}")]
pub struct InvalidKey {
    kind: String,
    namespace: String,
    name: String,
}

fn is_dns_name(name: &str) -> bool {
    name.len() <= 253
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
}

/// Says whether a file may be stored under this name.
pub(super) fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 250
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+:@~".contains(&b))
}

/// Says whether a path has the form `<kind>/<namespace>/<name>/<file>` and names no lock.
pub(crate) fn is_store_path(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let [kind, namespace, name, file] = parts.as_slice() else { return false };
    Key::new(kind, namespace, name).is_ok_and(|key| key.kind.to_ascii_lowercase() == *kind)
        && is_file_name(file)
        && !file.ends_with(super::LOCK)
}

#[cfg(test)]
mod tests {
    use super::{Key, is_store_path};

    #[test]
    fn the_folder_has_the_kind_in_lower_case() {
        assert_eq!(Key::new("GitRepository", "apps", "web.a").unwrap().dir(), "gitrepository/apps/web.a");
    }

    #[test]
    fn no_part_leads_elsewhere() {
        for (kind, namespace, name) in [
            ("", "a", "a"),
            ("GitRepository", "", "a"),
            ("GitRepository", "a", ""),
            ("../x", "a", "a"),
            ("GitRepository", "..", "a"),
            ("GitRepository", "a", "../b"),
            ("GitRepository", "a", ".hidden"),
            ("GitRepository", "a", "b\0"),
            ("GitRepository", "A", "b"),
        ] {
            assert!(Key::new(kind, namespace, name).is_err(), "{kind} {namespace} {name}");
        }
    }

    #[test]
    fn only_files_of_objects_are_paths_of_a_store() {
        for (path, is_path) in [
            ("gitrepository/a/b/c.tar.gz", true),
            ("ocirepository/a/b/sha256:abc.tar.gz", true),
            ("helmchart/a/b/c-1.0.0+x.tgz", true),
            ("GitRepository/a/b/c.tar.gz", false),
            ("gitrepository/a/b", false),
            ("gitrepository/a/b/c/d", false),
            ("gitrepository/a/b/..", false),
            ("gitrepository/../b/c", false),
            ("/gitrepository/a/b/c", false),
            ("gitrepository/a/b/.tmp-1", false),
            ("gitrepository/a/b/c.tar.gz.lock", false),
            ("", false),
        ] {
            assert_eq!(is_store_path(path), is_path, "{path}");
        }
    }
}
