//! Naming an object in one word: `Kind/name`, `Kind/namespace/name`, `group/version:Kind/name`.

use std::{fmt, str::FromStr};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Which object is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Ignored for kinds of the whole cluster.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

impl Ref {
    /// The reference to a whole object.
    pub fn of(object: &Value) -> Result<Self> {
        let text = |value: &Value, field: &str| -> Result<String> {
            Ok(value[field]
                .as_str()
                .with_context(|| format!("an object without {field}: {object}"))?
                .to_owned())
        };
        Ok(Self {
            api_version: text(object, "apiVersion")?,
            kind: text(object, "kind")?,
            namespace: object["metadata"]["namespace"].as_str().map(str::to_owned),
            name: text(&object["metadata"], "name")?,
        })
    }

    /// A GitRepository.
    pub fn git_repository(namespace: &str, name: &str) -> Self {
        Self::new("source.toolkit.fluxcd.io/v1", "GitRepository", namespace, name)
    }

    /// A Kustomization.
    pub fn kustomization(namespace: &str, name: &str) -> Self {
        Self::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization", namespace, name)
    }

    /// A ConfigMap.
    pub fn config_map(namespace: &str, name: &str) -> Self {
        Self::new("v1", "ConfigMap", namespace, name)
    }

    /// Any namespaced object.
    pub fn new(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// The same object in this namespace, unless it names one.
    pub fn or_namespace(mut self, namespace: &str) -> Self {
        self.namespace.get_or_insert_with(|| namespace.to_owned());
        self
    }
}

impl FromStr for Ref {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (api_version, rest) = match text.split_once(':') {
            // A colon may also be part of a name.
            Some((api_version, rest)) if api_version.contains('/') && rest.contains('/') => {
                (Some(api_version), rest)
            }
            _ => (None, text),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (kind, namespace, name) = match parts[..] {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some(namespace), name),
            _ => bail!("not a reference to an object: {text:?}"),
        };
        let api_version = match api_version {
            Some(api_version) => api_version,
            None => known(kind).with_context(|| format!("the API version of {kind} has to be given"))?,
        };
        Ok(Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

fn known(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "ConfigMap" | "Secret" | "Service" | "ServiceAccount" | "Namespace" | "Node" | "Pod" | "Event" => {
            "v1"
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        "Ingress" => "networking.k8s.io/v1",
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => "rbac.authorization.k8s.io/v1",
        "Lease" => "coordination.k8s.io/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "GitRepository" | "OCIRepository" => "source.toolkit.fluxcd.io/v1",
        "Kustomization" => "kustomize.toolkit.fluxcd.io/v1",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: (&str, &str, Option<&str>, &str)) {
        let reference: Ref = text.parse().unwrap();
        let Ref { api_version, kind, namespace, name } = &reference;
        assert_eq!((api_version.as_str(), kind.as_str(), namespace.as_deref(), name.as_str()), expected);
    }

    #[test]
    fn forms_of_a_reference() {
        check("ConfigMap/a", ("v1", "ConfigMap", None, "a"));
        check("Deployment/ns/a", ("apps/v1", "Deployment", Some("ns"), "a"));
        check("x.example.com/v1:Widget/w", ("x.example.com/v1", "Widget", None, "w"));
        check("Role/ns/system:a", ("rbac.authorization.k8s.io/v1", "Role", Some("ns"), "system:a"));
    }

    #[test]
    fn unknown_kind_needs_an_api_version() {
        assert!("Widget/w".parse::<Ref>().is_err());
    }
}
