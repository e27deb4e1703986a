//! The life of an application: install, upgrade, prune, delete. Whoever disturbs controllers lets them go through
//! it in a [`World`] and compares [`Snapshot`]s.
//!
//! Two Kustomizations of one repository, of which one waits for the other. In the upgrade an object gets another
//! name, another comes anew, and so does a kind with an object of it.

mod snapshot;
mod world;

pub use snapshot::Snapshot;
pub use world::World;

use crate::{fixtures, git::Files};

/// What happens to an application in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The source and both Kustomizations are applied.
    Install,
    /// A push changes, renames and adds objects.
    Upgrade,
    /// A push takes objects away.
    Prune,
    /// Everything is deleted.
    Delete,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Install, Self::Upgrade, Self::Prune, Self::Delete];

    /// The tree that this phase pushes into a namespace's repository.
    fn files(self, namespace: &str) -> Files {
        let mut files = Files::default();
        let color = if self == Self::Install { "blue" } else { "green" };
        files.set("base/settings.yaml", fixtures::config_map("settings", color));
        files.set("apps/web.yaml", fixtures::application("web", color));
        match self {
            Self::Install => {
                files.set("base/old-name.yaml", fixtures::config_map("old-name", color));
                files.set("base/kept.yaml", kept());
                files.set("apps/extra.yaml", fixtures::application("extra", color));
            }
            Self::Upgrade => {
                files.set("base/new-name.yaml", fixtures::config_map("new-name", color));
                files.set("base/kept.yaml", kept());
                files.set("base/kind.yaml", definition(namespace));
                files.set("apps/extra.yaml", fixtures::application("extra", color));
                files.set("apps/added.yaml", fixtures::config_map("added", color));
                files.set("base/widget.yaml", widget(namespace));
            }
            Self::Prune => {
                files.set("base/kind.yaml", definition(namespace));
            }
            Self::Delete => {}
        }
        files
    }
}

/// Leaves the source in the prune phase and must stay all the same.
fn kept() -> String {
    fixtures::config_map("kept", "any").replace(
        "  name: kept\n",
        "  name: kept\n  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\n",
    )
}

/// The API group that a namespace's application brings along.
fn group(namespace: &str) -> String {
    format!("{namespace}.example.com")
}

fn definition(namespace: &str) -> String {
    let group = group(namespace);
    format!(
        "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.{group}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets, singular: widget}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
"
    )
}

fn widget(namespace: &str) -> String {
    let group = group(namespace);
    format!("apiVersion: {group}/v1\nkind: Widget\nmetadata:\n  name: first\nspec:\n  size: 3\n")
}
