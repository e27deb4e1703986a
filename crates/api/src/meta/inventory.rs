use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The objects that were applied, in apply order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ResourceInventory {
    /// One entry an object.
    pub entries: Vec<ResourceRef>,
}

/// One entry of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub struct ResourceRef {
    /// `<namespace>_<name>_<group>_<kind>`, see [`ObjectRef`].
    pub id: String,
    /// API version of the kind, without the group.
    pub v: String,
}

/// Who an object is, whatever its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// Empty for the core group.
    pub group: String,
    /// Such as `Deployment`.
    pub kind: String,
}

const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// The inventory's form. Names of RBAC objects may hold colons, which are written `__`.
///
/// Source: cli-utils `object.ObjMetadata`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, group, kind } = self;
        if group == RBAC_GROUP {
            return write!(f, "{namespace}_{}_{group}_{kind}", name.replace(':', "__"));
        }
        write!(f, "{namespace}_{name}_{group}_{kind}")
    }
}

/// The text has not the form `<namespace>_<name>_<group>_<kind>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse stored object metadata: {0}")]
pub struct ParseObjectRefError(String);

impl FromStr for ObjectRef {
    type Err = ParseObjectRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (namespace, rest) = text.split_once('_')?;
            let (rest, kind) = rest.rsplit_once('_')?;
            let (name, group) = rest.rsplit_once('_')?;
            (!name.is_empty() && !kind.is_empty()).then(|| Self {
                namespace: namespace.to_owned(),
                name: name.replace("__", ":"),
                group: group.to_owned(),
                kind: kind.to_owned(),
            })
        };
        parse().ok_or_else(|| ParseObjectRefError(text.to_owned()))
    }
}

impl ObjectRef {
    /// The form of events and messages: `Kind/namespace/name`, or `Kind/name` where there is no namespace.
    #[must_use]
    pub fn subject(&self) -> String {
        if self.namespace.is_empty() {
            return format!("{}/{}", self.kind, self.name);
        }
        format!("{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_a_round_trip() {
        for id in [
            "default_backend__Service",
            "apps_backend_apps_Deployment",
            "_admin__view_rbac.authorization.k8s.io_ClusterRole",
            "_flux-system__Namespace",
        ] {
            assert_eq!(id.parse::<ObjectRef>().unwrap().to_string(), id);
        }
    }

    #[test]
    fn colons_of_rbac_names_are_escaped() {
        let id: ObjectRef = "_admin__view_rbac.authorization.k8s.io_ClusterRole".parse().unwrap();
        assert_eq!(id.name, "admin:view");
        assert_eq!(id.subject(), "ClusterRole/admin:view");
    }

    #[test]
    fn incomplete_ids_are_refused() {
        for id in ["", "a", "a_b", "a_b_c", "a__g_Kind", "a_b_g_"] {
            assert!(id.parse::<ObjectRef>().is_err(), "{id}");
        }
    }
}
