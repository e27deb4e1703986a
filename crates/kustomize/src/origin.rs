//! Where resources come from (`buildMetadata`).

use crate::remote::Repository;
use crate::resource::Resource;
use krm::Node;

/// Where a resource comes from or what changed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Of the file, relative to the root.
    pub(crate) path: String,
    /// The repository that path is in, if it was fetched.
    pub(crate) repository: String,
    /// What of the repository was asked for.
    pub(crate) reference: String,
    /// The kustomization or plugin file that configured the generator or transformer.
    pub(crate) configured_in: String,
    /// The generator or transformer.
    pub(crate) configured_by: Option<ConfiguredBy>,
}

/// A generator or transformer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfiguredBy {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Origin {
    /// The origin one path further down.
    pub(crate) fn append(&self, path: &str) -> Self {
        let Ok(repository) = Repository::parse(path) else {
            return Self { path: join(&self.path, path), ..self.place() };
        };
        // kustomize cuts the path out of a place holder, which stays where nothing is left of it (resource/origin.go).
        let below = if join("", &repository.path).is_empty() { "notCloned" } else { &repository.path };
        Self {
            path: join("", below),
            repository: without_password(&repository.clone_url()),
            reference: repository.reference,
            ..Self::default()
        }
    }

    /// Only the repository.
    fn place(&self) -> Self {
        Self { repository: self.repository.clone(), reference: self.reference.clone(), ..Self::default() }
    }

    /// The origin of what a field of the file in this directory made or changed.
    pub(crate) fn builtin(&self, file: &str, kind: &str) -> Self {
        let by =
            ConfiguredBy { api_version: "builtin".to_owned(), kind: kind.to_owned(), ..Default::default() };
        Self { configured_in: join(&self.path, file), configured_by: Some(by), ..self.place() }
    }

    /// The origin of what a plugin made or changed, from where the plugin itself is.
    pub(crate) fn configured(from: &Self, plugin: &Resource) -> Self {
        let by = ConfiguredBy {
            api_version: plugin.api_version().to_owned(),
            kind: plugin.kind().to_owned(),
            name: plugin.name().to_owned(),
            namespace: plugin.namespace().to_owned(),
        };
        Self { configured_in: from.path.clone(), configured_by: Some(by), ..from.place() }
    }

    /// The annotation's text.
    pub(crate) fn to_text(&self) -> String {
        self.lines().concat()
    }

    /// The text of a list.
    pub(crate) fn list_to_text(list: &[Self]) -> String {
        let mut out = String::new();
        for origin in list {
            for (index, line) in origin.lines().into_iter().enumerate() {
                out.push_str(if index == 0 { "- " } else { "  " });
                out.push_str(&line);
            }
        }
        out
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        line(&mut lines, "path", &self.path);
        line(&mut lines, "repo", &self.repository);
        line(&mut lines, "ref", &self.reference);
        line(&mut lines, "configuredIn", &self.configured_in);
        if let Some(by) = &self.configured_by {
            lines.push("configuredBy:\n".to_owned());
            line(&mut lines, "  apiVersion", &by.api_version);
            line(&mut lines, "  kind", &by.kind);
            line(&mut lines, "  name", &by.name);
            line(&mut lines, "  namespace", &by.namespace);
        }
        lines
    }
}

fn line(lines: &mut Vec<String>, key: &str, value: &str) {
    if !value.is_empty() {
        lines.push(format!("{key}: {}", krm::emit(&Node::string(value))));
    }
}

/// The URL as it may get into a cluster: a user may stay, a password may not.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rfind('@') {
        Some(at) if host[..at].contains(':') => format!("{scheme}://{}", &rest[at + 1..]),
        _ => url.to_owned(),
    }
}

/// Joins two relative paths by their letters, as Go's `filepath.Join` does.
fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
