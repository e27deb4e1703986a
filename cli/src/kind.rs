//! The kinds that commands work on.

use kube::core::{ApiResource, GroupVersionKind};

use api::{kustomize, source};

use crate::object::Object;

/// A kind of objects and how commands speak of it.
#[derive(Debug)]
pub(crate) struct Kind {
    group: &'static str,
    /// The kind's name on the wire.
    pub(crate) name: &'static str,
    /// Resource name, as in URLs.
    pub(crate) plural: &'static str,
    /// What `suspend` and `resume` call it.
    pub(crate) human: &'static str,
    /// What success is announced with, before the revision.
    done: &'static str,
    /// Where the revision stands in an object, as a JSON pointer.
    pub(crate) revision: &'static str,
}

const ARTIFACT_REVISION: &str = "/status/artifact/revision";

pub(crate) const GIT_REPOSITORY: Kind = source("GitRepository", "gitrepositories", "source git");
pub(crate) const OCI_REPOSITORY: Kind = source("OCIRepository", "ocirepositories", "source oci");
pub(crate) const BUCKET: Kind = source("Bucket", "buckets", "source bucket");
pub(crate) const EXTERNAL_ARTIFACT: Kind =
    source("ExternalArtifact", "externalartifacts", "source external-artifact");
pub(crate) const KUSTOMIZATION: Kind = Kind {
    group: kustomize::v1::GROUP,
    name: "Kustomization",
    plural: "kustomizations",
    human: "kustomization",
    done: "applied revision",
    revision: "/status/lastAppliedRevision",
};

pub(crate) const CONFIG_MAP: Kind = core("ConfigMap", "configmaps");
pub(crate) const SECRET: Kind = core("Secret", "secrets");

/// A kind of the core group, which commands only read.
const fn core(name: &'static str, plural: &'static str) -> Kind {
    Kind { group: "", name, plural, human: name, done: "", revision: "" }
}

const fn source(name: &'static str, plural: &'static str, human: &'static str) -> Kind {
    Kind {
        group: source::v1::GROUP,
        name,
        plural,
        human,
        done: "fetched revision",
        revision: ARTIFACT_REVISION,
    }
}

impl Kind {
    /// The kind as kube wants it.
    pub(crate) fn resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, "v1", self.name);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }

    /// What is said when an object has been reconciled.
    pub(crate) fn success(&self, object: &Object) -> String {
        format!("{} {}", self.done, object.text(self.revision))
    }
}
