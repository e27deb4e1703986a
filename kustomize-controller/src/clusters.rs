//! Where objects are applied: the own cluster or another one, as the controller itself or as a ServiceAccount.

use std::collections::HashMap;
use std::sync::Arc;

use api::kustomize::v1::{GROUP, Kustomization};
use api::meta::KubeConfigReference;
use auth::Tokens;
use parking_lot::Mutex;
use ssa::Live;
use ssa::order::GroupKind;
use toolkit::clients::{Clients as Connections, Target};
use toolkit::run::{Runtime, StartError};

use crate::args::Program;
use crate::identity::CloudClusters;
use crate::kustomization::Cause;
use crate::watched::Watched;

/// Of how many other clusters the kinds are remembered; with more, they are learned anew.
const REMEMBERED: usize = 256;

/// A cluster, seen by one identity.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// Applies, prunes and waits.
    pub manager: ssa::Manager,
    /// The watches, where it is our own cluster and drift is found by watching.
    pub live: Option<Live>,
}

/// All clusters that Kustomizations are applied to.
pub(crate) struct Clusters {
    connections: Connections,
    own: ssa::Manager,
    live: Option<Live>,
    options: ssa::Options,
    /// Managers of other clusters, for what they know of the kinds there.
    others: Mutex<HashMap<String, ssa::Manager>>,
}

impl Clusters {
    pub(crate) fn new(
        program: &Program,
        runtime: &Runtime,
        watched: &Watched,
        tokens: Tokens,
    ) -> Result<Self, StartError> {
        let options = manager_options(program);
        let connections = program.target.options(&runtime.args, &runtime.features)?;
        let identity = CloudClusters::new(tokens, &program.target.default_kubeconfig_service_account);
        Ok(Self {
            connections: Connections::with_identity(runtime, connections, Arc::new(identity)),
            own: ssa::Manager::new(runtime.client.clone(), options.clone()),
            live: watched.live().cloned(),
            options,
            others: Mutex::default(),
        })
    }

    /// The cluster that the Kustomization names, in the name of whom it names.
    pub(crate) async fn of(&self, object: &Kustomization) -> Result<Cluster, Cause> {
        let target = target(object);
        let client = self.connections.get(&target).await.map_err(|e| Cause::Client(Box::new(e)))?;
        Ok(match target.kube_config {
            None => Cluster { manager: self.own.with_client(client), live: self.live.clone() },
            Some(reference) => {
                Cluster { manager: self.other(target.namespace, reference, client), live: None }
            }
        })
    }

    /// The ServiceAccount in whose name the objects are applied, if any.
    pub(crate) fn account<'a>(&'a self, object: &'a Kustomization) -> Option<&'a str> {
        self.connections.service_account(&target(object))
    }

    /// Whether that ServiceAccount exists in our own cluster; without one there is nothing to lack.
    pub(crate) async fn has_account(&self, object: &Kustomization) -> Result<bool, kube::Error> {
        self.connections.can_impersonate(&target(object)).await
    }

    fn other(&self, namespace: &str, reference: &KubeConfigReference, client: kube::Client) -> ssa::Manager {
        let mut others = self.others.lock();
        if others.len() >= REMEMBERED {
            others.clear();
        }
        let manager = others
            .entry(name_of(namespace, reference))
            .or_insert_with(|| ssa::Manager::new(client.clone(), self.options.clone()));
        manager.with_client(client)
    }
}

fn target(object: &Kustomization) -> Target<'_> {
    Target {
        namespace: object.metadata.namespace.as_deref().unwrap_or_default(),
        kube_config: object.spec.kube_config.as_ref(),
        service_account: object.spec.service_account_name.as_deref(),
    }
}

/// Names the place where a cluster is described.
fn name_of(namespace: &str, reference: &KubeConfigReference) -> String {
    let secret = reference.secret_ref.as_ref().map(|secret| {
        let key = secret.key.as_deref().unwrap_or_default();
        format!("Secret/{namespace}/{}/{key}", secret.name)
    });
    let config =
        reference.config_map_ref.as_ref().map(|config| format!("ConfigMap/{namespace}/{}", config.name));
    secret.or(config).unwrap_or_default()
}

fn manager_options(program: &Program) -> ssa::Options {
    ssa::Options {
        concurrency: program.concurrent_ssa,
        override_managers: program.override_manager.clone(),
        custom_stage_kinds: GroupKind::parse_list(&program.custom_apply_stage_kinds),
        ..ssa::Options::new(FIELD_MANAGER, GROUP)
    }
}

/// Field manager of what is applied.
const FIELD_MANAGER: &str = "kustomize-controller";
