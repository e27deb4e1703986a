//! The command lines of the control plane.

use std::{fmt, fs, process::Command};

use anyhow::{Context, Result};

use super::{Layout, access};
use crate::{Programs, User};

/// One process of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The store.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// The simulated kubelets.
    Kwok,
}

impl Part {
    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
        }
    }

    pub(super) fn command(self, programs: &Programs, layout: &Layout) -> Result<Command> {
        let mut command = Command::new(programs.path(self.name()));
        command.args(match self {
            Self::Etcd => etcd(layout),
            Self::ApiServer => apiserver(layout),
            Self::ControllerManager => controller_manager(layout),
            Self::Scheduler => scheduler(layout),
            Self::Kwok => kwok(programs, layout)?,
        });
        Ok(command)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn etcd(layout: &Layout) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", layout.etcd);
    let peer = format!("http://127.0.0.1:{}", layout.etcd_peer);
    vec![
        format!("--data-dir={}/etcd", layout.folder.display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--log-level=warn".to_owned(),
        // Nothing here survives a power cut anyway.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn apiserver(layout: &Layout) -> Vec<String> {
    let folder = layout.folder.display();
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", layout.etcd),
        format!("--secure-port={}", layout.apiserver),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--cert-dir={folder}"),
        format!("--tls-cert-file={folder}/apiserver.crt"),
        format!("--tls-private-key-file={folder}/apiserver.key"),
        format!("--service-account-key-file={folder}/service-account.pub"),
        format!("--service-account-signing-key-file={folder}/service-account.key"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--token-auth-file={folder}/tokens.csv"),
        "--authorization-mode=RBAC".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!("--audit-policy-file={folder}/audit-policy.yaml"),
        format!("--audit-log-path={folder}/audit.log"),
        // Don't drain: a test that kills or stops us isn't a client to be kind to.
        "--shutdown-delay-duration=0s".to_owned(),
    ]
}

fn controller_manager(layout: &Layout) -> Vec<String> {
    let folder = layout.folder.display();
    vec![
        format!("--kubeconfig={}", access::kubeconfig(layout, User::ControllerManager).display()),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", layout.controller_manager),
        format!("--cert-dir={folder}/controller-manager"),
        format!("--service-account-private-key-file={folder}/service-account.key"),
        // kwok's fast stages send no heartbeat.
        "--node-monitor-grace-period=2h".to_owned(),
    ]
}

fn scheduler(layout: &Layout) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", access::kubeconfig(layout, User::Scheduler).display()),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", layout.scheduler),
        format!("--cert-dir={}/scheduler", layout.folder.display()),
    ]
}

fn kwok(programs: &Programs, layout: &Layout) -> Result<Vec<String>> {
    let mut arguments = vec![
        format!("--kubeconfig={}", access::kubeconfig(layout, User::Kwok).display()),
        "--manage-all-nodes=true".to_owned(),
    ];
    let stages = programs.path("stages");
    for entry in fs::read_dir(&stages).with_context(|| format!("failed to read {stages:?}"))? {
        arguments.push(format!("--config={}", entry?.path().display()));
    }
    Ok(arguments)
}
