//! Who may enter: the server's certificate, tokens and kubeconfig files.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result};
use rcgen::KeyPair;

use super::{Layout, write};
use crate::serve::Identity;

/// A user of the cluster. Each may do everything; the name tells them apart in the audit log and in
/// managed fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// Whoever runs the test.
    Admin,
    /// source-controller.
    SourceController,
    /// kustomize-controller.
    KustomizeController,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// kwok.
    Kwok,
}

impl User {
    const ALL: [Self; 6] = [
        Self::Admin,
        Self::SourceController,
        Self::KustomizeController,
        Self::ControllerManager,
        Self::Scheduler,
        Self::Kwok,
    ];

    /// The user's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SourceController => "source-controller",
            Self::KustomizeController => "kustomize-controller",
            Self::ControllerManager => "system:kube-controller-manager",
            Self::Scheduler => "system:kube-scheduler",
            Self::Kwok => "kwok",
        }
    }

    fn token(self) -> String {
        // The cluster lives on loopback for the length of a test.
        format!("token-of-{}", self.file())
    }

    fn file(self) -> String {
        self.name().replace(':', "-")
    }
}

/// The kubeconfig file of a user.
pub(super) fn kubeconfig(layout: &Layout, user: User) -> PathBuf {
    layout.folder.join(format!("{}.kubeconfig", user.file()))
}

/// Writes certificate, keys, tokens, kubeconfigs and the audit policy.
pub(super) fn prepare(layout: &Layout, identity: &Identity) -> Result<()> {
    let file = |name: &str| layout.folder.join(name);
    write(&file("apiserver.crt"), &identity.certificate_pem())?;
    write(&file("apiserver.key"), &identity.key_pem())?;
    let signer = KeyPair::generate().context("failed to make a key")?;
    write(&file("service-account.key"), &signer.serialize_pem())?;
    write(&file("service-account.pub"), &signer.public_key_pem())?;
    write(&file("tokens.csv"), &tokens()?)?;
    write(&file("audit-policy.yaml"), AUDIT_POLICY)?;
    for user in User::ALL {
        write(&kubeconfig(layout, user), &kubeconfig_text(layout, identity, user))?;
    }
    Ok(())
}

/// Only the controllers' requests; watches say nothing about work done.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [watch]
- level: Metadata
  users: [source-controller, kustomize-controller]
- level: None
";

fn tokens() -> Result<String> {
    let mut text = String::new();
    for user in User::ALL {
        writeln!(text, "{},{},{},\"system:masters\"", user.token(), user.name(), user.name())?;
    }
    Ok(text)
}

fn kubeconfig_text(layout: &Layout, identity: &Identity, user: User) -> String {
    format!(
        "\
apiVersion: v1
kind: Config
clusters:
- name: ferrite
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority-data: {authority}
users:
- name: {user}
  user:
    token: {token}
contexts:
- name: ferrite
  context:
    cluster: ferrite
    user: {user}
current-context: ferrite
",
        port = layout.apiserver,
        authority = identity.authority(),
        user = user.file(),
        token = user.token(),
    )
}
