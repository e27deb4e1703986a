//! Everything together: cluster, Git server, event sink and both controllers.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result};

use crate::{
    Cluster, Controller, EventSink, GitServer, Objects, Programs, Proxy,
    controller::{Kind, Setup},
    programs,
    serve::free_port,
};

/// What most stories need.
pub struct Bed {
    /// The control plane.
    pub cluster: Arc<Cluster>,
    /// Its objects.
    pub objects: Objects,
    /// The Git server.
    pub git: GitServer,
    /// What the controllers posted.
    pub events: EventSink,
    /// source-controller.
    pub source: Controller,
    /// kustomize-controller.
    pub kustomize: Controller,
    /// The port of the artifact service.
    pub artifact_port: u16,
}

impl Bed {
    /// Starts all of it, with our own controllers.
    pub async fn start(flags: &[&str]) -> Result<Self> {
        let cluster = Arc::new(Cluster::start(&Programs::locate()?).await?);
        install_crds(&cluster.objects()).await?;
        Self::on(cluster, flags).await
    }

    /// Fails when a controller has ended.
    pub fn check(&self) -> Result<()> {
        self.source.process()?.check()?;
        self.kustomize.process()?.check()
    }

    /// The same, with flags for kustomize-controller alone.
    pub async fn start_kustomize(flags: &[&str]) -> Result<Self> {
        let cluster = Arc::new(Cluster::start(&Programs::locate()?).await?);
        install_crds(&cluster.objects()).await?;
        let kubeconfig = cluster.kubeconfig(Kind::Kustomize.user());
        Self::with(cluster, [&[], flags], &kubeconfig).await
    }

    /// The same, with a proxy between kustomize-controller and the API server.
    pub async fn behind_proxy(flags: &[&str]) -> Result<(Self, Proxy)> {
        let cluster = Arc::new(Cluster::start(&Programs::locate()?).await?);
        install_crds(&cluster.objects()).await?;
        let proxy = Proxy::start(&cluster, Kind::Kustomize.user()).await?;
        let bed = Self::with(cluster, [flags; 2], &proxy.kubeconfig()).await?;
        Ok((bed, proxy))
    }

    /// Starts Git server, sink and our own controllers on a cluster that has the definitions.
    pub async fn on(cluster: Arc<Cluster>, flags: &[&str]) -> Result<Self> {
        let kubeconfig = cluster.kubeconfig(Kind::Kustomize.user());
        Self::with(cluster, [flags; 2], &kubeconfig).await
    }

    /// With flags for source- and kustomize-controller, and the kubeconfig of the latter.
    async fn with(cluster: Arc<Cluster>, flags: [&[&str]; 2], kubeconfig: &Path) -> Result<Self> {
        let events = EventSink::start().await?;
        let artifact_port = free_port()?;
        let setup = |kind: Kind, kubeconfig: &Path, flags: &[&str]| -> Result<Setup> {
            let mut setup = Setup::ours(kind, kubeconfig.to_owned(), artifact_port)?;
            setup.events = events.url();
            setup.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
            Ok(setup)
        };
        let source =
            Controller::start(setup(Kind::Source, &cluster.kubeconfig(Kind::Source.user()), flags[0])?)
                .await?;
        let kustomize = Controller::start(setup(Kind::Kustomize, kubeconfig, flags[1])?).await?;
        let git = GitServer::start().await?;
        let objects = cluster.objects();
        Ok(Self { cluster, objects, git, events, source, kustomize, artifact_port })
    }
}

/// Applies `manifests/crds` and makes the namespace `flux-system`.
pub async fn install_crds(objects: &Objects) -> Result<()> {
    let folder = programs::workspace().join("manifests/crds");
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("failed to read {folder:?}"))? {
        files.push(entry?.path());
    }
    files.sort();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {file:?}"))?;
        // The list for kustomize lies among them.
        if text.contains("kind: CustomResourceDefinition") {
            objects.apply_crds(&text).await.with_context(|| format!("in {file:?}"))?;
        }
    }
    objects.namespace("flux-system").await
}
