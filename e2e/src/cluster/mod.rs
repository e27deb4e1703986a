//! A Kubernetes control plane on loopback ports, with one simulated node.

mod access;
mod parts;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;

pub use access::User;
pub use parts::Part;

use crate::{
    Process, Programs,
    objects::Objects,
    scratch,
    serve::{Identity, free_port},
    wait,
};

const START: Duration = Duration::from_secs(60);

/// Where the files and ports of one control plane are.
pub(crate) struct Layout {
    pub(crate) folder: PathBuf,
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) apiserver: u16,
    pub(crate) controller_manager: u16,
    pub(crate) scheduler: u16,
}

/// etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok. Dropped means gone.
pub struct Cluster {
    programs: Programs,
    layout: Layout,
    parts: Mutex<BTreeMap<Part, Arc<Process>>>,
    client: Client,
}

/// A copy of a cluster's store.
pub struct Backup {
    folder: PathBuf,
}

impl Cluster {
    /// Starts a new control plane and waits until it can run Pods.
    pub async fn start(programs: &Programs) -> Result<Self> {
        let layout = layout()?;
        let identity = Identity::new()?;
        access::prepare(&layout, &identity)?;
        let client = client(&access::kubeconfig(&layout, User::Admin)).await?;
        let cluster = Self { programs: programs.clone(), layout, parts: Mutex::default(), client };
        cluster.bring_up().await?;
        Ok(cluster)
    }

    /// The folder of its files: logs, kubeconfigs, the store.
    pub fn folder(&self) -> &Path {
        &self.layout.folder
    }

    /// The kubeconfig file of a user.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        access::kubeconfig(&self.layout, user)
    }

    /// A way to its objects, as the administrator.
    pub fn objects(&self) -> Objects {
        Objects::new(self.client.clone())
    }

    /// The client of the administrator.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The audit log: one JSON line for each request of a controller.
    pub fn audit_log(&self) -> PathBuf {
        self.layout.folder.join("audit.log")
    }

    /// One of its processes.
    pub fn process(&self, part: Part) -> Result<Arc<Process>> {
        self.parts().get(&part).cloned().with_context(|| format!("{part} was not started"))
    }

    /// Ends a part at once (SIGKILL).
    pub fn kill(&self, part: Part) -> Result<()> {
        self.process(part)?.kill();
        Ok(())
    }

    /// Kills a part, starts it again and waits until it serves.
    pub async fn restart(&self, part: Part) -> Result<()> {
        self.kill(part)?;
        self.revive(part).await
    }

    /// Starts a part that was killed and waits until it serves.
    pub async fn revive(&self, part: Part) -> Result<()> {
        self.launch(part)?;
        self.serving(part).await
    }

    /// Takes a copy of the store. Store and API server are away for a moment.
    pub async fn back_up(&self) -> Result<Backup> {
        self.without_store(|| {
            let backup = self.layout.folder.join("backup");
            copy_folder(&self.store(), &backup)?;
            Ok(Backup { folder: backup })
        })
        .await
    }

    /// Puts a copy in the place of the store: what came after it has never been, and versions begin again where
    /// they were. Those who serve the cluster itself are started anew, as an operator would.
    pub async fn restore(&self, backup: &Backup) -> Result<()> {
        self.without_store(|| {
            fs::remove_dir_all(self.store()).context("failed to remove the store")?;
            copy_folder(&backup.folder, &self.store())
        })
        .await?;
        for part in [Part::ControllerManager, Part::Scheduler, Part::Kwok] {
            self.restart(part).await?;
        }
        Ok(())
    }

    /// Freezes a part (SIGSTOP).
    pub fn pause(&self, part: Part) -> Result<()> {
        self.process(part)?.pause()
    }

    /// Lets a frozen part go on.
    pub fn resume(&self, part: Part) -> Result<()> {
        self.process(part)?.resume()
    }

    /// A command of kubectl, as the administrator.
    pub fn kubectl(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(self.programs.path("kubectl"));
        command.env("KUBECONFIG", self.kubeconfig(User::Admin));
        // A cache of discovery outside would outlive the cluster and fit another one's port.
        command.env("KUBECACHEDIR", self.layout.folder.join("kubectl-cache"));
        command
    }

    /// The path of one program of the test bed.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.path(name)
    }

    async fn bring_up(&self) -> Result<()> {
        for part in [Part::Etcd, Part::ApiServer] {
            self.revive(part).await?;
        }
        for part in [Part::ControllerManager, Part::Scheduler, Part::Kwok] {
            self.launch(part)?;
        }
        self.add_node().await
    }

    async fn without_store<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        self.kill(Part::ApiServer)?;
        self.kill(Part::Etcd)?;
        let done = act()?;
        self.revive(Part::Etcd).await?;
        self.revive(Part::ApiServer).await?;
        Ok(done)
    }

    fn store(&self) -> PathBuf {
        self.layout.folder.join("etcd")
    }

    fn launch(&self, part: Part) -> Result<()> {
        let command = part.command(&self.programs, &self.layout)?;
        let log = self.layout.folder.join(format!("{part}.log"));
        let process = Arc::new(Process::spawn(part.name(), command, &log)?);
        self.parts().insert(part, process);
        Ok(())
    }

    async fn serving(&self, part: Part) -> Result<()> {
        let process = self.process(part)?;
        wait::until(&format!("{part} to serve"), START, async || {
            process.check()?;
            Ok(self.answers(part).await.then_some(()))
        })
        .await
    }

    async fn answers(&self, part: Part) -> bool {
        match part {
            Part::Etcd => tokio::net::TcpStream::connect(("127.0.0.1", self.layout.etcd)).await.is_ok(),
            Part::ApiServer => {
                let request =
                    http::Request::get("/readyz").body(Vec::new()).expect("the request is well-formed");
                self.client.request_text(request).await.is_ok_and(|text| text == "ok")
            }
            // They have work to do, not requests to answer.
            Part::ControllerManager | Part::Scheduler | Part::Kwok => true,
        }
    }

    async fn add_node(&self) -> Result<()> {
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": "node-1",
                "labels": { "kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux" },
                "annotations": { "kwok.x-k8s.io/node": "fake" },
            },
        });
        let objects = self.objects();
        objects.apply(&node).await?;
        let node = "Node/node-1".parse()?;
        objects
            .wait(&node, "a ready node", START, |object| crate::objects::condition(object?, "Ready", "True"))
            .await?;
        Ok(())
    }

    fn parts(&self) -> std::sync::MutexGuard<'_, BTreeMap<Part, Arc<Process>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The store last: the others would only complain.
        for part in [Part::Kwok, Part::Scheduler, Part::ControllerManager, Part::ApiServer, Part::Etcd] {
            if let Ok(process) = self.process(part) {
                process.kill();
            }
        }
        scratch::remove(&self.layout.folder);
    }
}

fn layout() -> Result<Layout> {
    Ok(Layout {
        folder: scratch::folder("cluster")?,
        etcd: free_port()?,
        etcd_peer: free_port()?,
        apiserver: free_port()?,
        controller_manager: free_port()?,
        scheduler: free_port()?,
    })
}

/// A client with the rights that a kubeconfig file gives.
pub async fn client(kubeconfig: &Path) -> Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig).context("failed to read kubeconfig")?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    Client::try_from(config).context("failed to make a client")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create {to:?}"))?;
    for entry in fs::read_dir(from).with_context(|| format!("failed to read {from:?}"))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("failed to copy {source:?}"))?;
        }
    }
    Ok(())
}

/// Writes a file of the layout.
fn write(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).with_context(|| format!("failed to write {path:?}"))
}
