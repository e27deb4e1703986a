//! A controller as a process, with the flags that all of Flux's have.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{Process, User, programs, scratch, serve::free_port, wait};

const START: Duration = Duration::from_secs(30);

/// Which controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// source-controller.
    Source,
    /// kustomize-controller.
    Kustomize,
}

impl Kind {
    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source-controller",
            Self::Kustomize => "kustomize-controller",
        }
    }

    /// Its user in the cluster.
    pub fn user(self) -> User {
        match self {
            Self::Source => User::SourceController,
            Self::Kustomize => User::KustomizeController,
        }
    }
}

/// How a controller is to be run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Which one.
    pub kind: Kind,
    /// The program and its first arguments.
    pub command: Vec<String>,
    /// The kubeconfig of the user it runs as.
    pub kubeconfig: PathBuf,
    /// Where events are posted; empty for nowhere.
    pub events: String,
    /// Port of the gRPC artifact service; 0 for a peer that has none.
    pub artifact_port: u16,
    /// Further flags.
    pub flags: Vec<String>,
}

impl Setup {
    /// Our own controller of this kind. `artifact_port` is where the source-controller serves gRPC.
    pub fn ours(kind: Kind, kubeconfig: PathBuf, artifact_port: u16) -> Result<Self> {
        let program = programs::controller(kind.name())?;
        Ok(Self {
            kind,
            command: vec![program.display().to_string()],
            kubeconfig,
            events: String::new(),
            artifact_port,
            flags: Vec::new(),
        })
    }
}

/// A controller that runs, or was killed and can be started again with the same addresses and storage.
pub struct Controller {
    setup: Setup,
    folder: PathBuf,
    ports: Ports,
    process: Mutex<Option<Arc<Process>>>,
}

struct Ports {
    metrics: u16,
    health: u16,
    storage: u16,
}

impl Controller {
    /// Starts a controller and waits until it says that it is ready.
    pub async fn start(setup: Setup) -> Result<Self> {
        let folder = scratch::folder(setup.kind.name())?;
        let ports = Ports { metrics: free_port()?, health: free_port()?, storage: free_port()? };
        let controller = Self { setup, folder, ports, process: Mutex::default() };
        if controller.setup.kind == Kind::Source {
            std::fs::create_dir(controller.storage()).context("failed to create the storage folder")?;
        }
        controller.launch().await?;
        Ok(controller)
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&self) {
        if let Some(process) = self.slot().take() {
            process.kill();
        }
    }

    /// Ends it in order (SIGTERM).
    pub async fn stop(&self, limit: Duration) -> Result<()> {
        let process = self.process()?;
        process.stop(limit).await?;
        *self.slot() = None;
        Ok(())
    }

    /// Kills it if it runs, starts it and waits until it is ready.
    pub async fn restart(&self) -> Result<()> {
        self.kill();
        self.launch().await
    }

    /// The process that runs now.
    pub fn process(&self) -> Result<Arc<Process>> {
        self.slot().clone().with_context(|| format!("{} does not run", self.setup.kind.name()))
    }

    /// Starts the process and returns before it is ready, if it isn't there.
    pub fn spawn(&self) -> Result<()> {
        let mut slot = self.slot();
        if slot.is_none() {
            *slot = Some(Arc::new(Process::spawn(self.setup.kind.name(), self.command(), &self.log())?));
        }
        Ok(())
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&self) -> Result<()> {
        let process = self.process()?;
        let url = format!("http://127.0.0.1:{}/readyz", self.ports.health);
        wait::until(&format!("{} to be ready", self.setup.kind.name()), START, async || {
            process.check()?;
            let answer = reqwest::get(&url).await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Where a source-controller stores artifacts.
    pub fn storage(&self) -> PathBuf {
        self.folder.join("storage")
    }

    /// `host:port` that artifacts are served at.
    pub fn storage_host(&self) -> String {
        format!("127.0.0.1:{}", self.ports.storage)
    }

    /// `host:port` of the gRPC artifact service.
    pub fn artifact_host(&self) -> String {
        format!("127.0.0.1:{}", self.setup.artifact_port)
    }

    /// The text of its metrics.
    pub async fn metrics(&self) -> Result<String> {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/metrics", self.ports.metrics)).await?;
        if !answer.status().is_success() {
            bail!("{} answers {} for its metrics", self.setup.kind.name(), answer.status());
        }
        Ok(answer.text().await?)
    }

    /// Its folder; the process may write to `tmp` below it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    async fn launch(&self) -> Result<()> {
        self.spawn()?;
        self.ready().await
    }

    fn command(&self) -> Command {
        let temporary = self.folder.join("tmp");
        for folder in [&temporary, &self.storage()] {
            // One that can't be made shows as the controller's own error.
            let _ = std::fs::create_dir_all(folder);
        }
        let mut command = Command::new(&self.setup.command[0]);
        command
            .args(&self.setup.command[1..])
            .args(self.flags())
            .args(&self.setup.flags)
            .env("KUBECONFIG", &self.setup.kubeconfig)
            .env("RUNTIME_NAMESPACE", "flux-system")
            .env("TMPDIR", temporary);
        command
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = vec![
            format!("--metrics-addr=127.0.0.1:{}", self.ports.metrics),
            format!("--health-addr=127.0.0.1:{}", self.ports.health),
            format!("--events-addr={}", self.setup.events),
        ];
        if self.setup.kind == Kind::Source {
            flags.extend([
                format!("--storage-path={}", self.storage().display()),
                format!("--storage-addr={}", self.storage_host()),
                format!("--storage-adv-addr={}", self.storage_host()),
            ]);
        }
        if self.setup.artifact_port != 0 {
            flags.push(match self.setup.kind {
                Kind::Source => format!("--artifact-grpc-addr=127.0.0.1:{}", self.setup.artifact_port),
                Kind::Kustomize => format!("--artifact-grpc-port={}", self.setup.artifact_port),
            });
        }
        flags
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Process>>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.kill();
        scratch::remove(&self.folder);
    }
}
