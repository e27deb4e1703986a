use std::fmt;

/// What a token is wanted for; the value of the label `operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each name is its own text")]
pub enum Operation {
    FetchKubeConfig,
    DecryptWithAws,
    DecryptWithAzure,
    DecryptWithGcp,
    DecryptWithVault,
}

impl Operation {
    /// All of them, for removing the series of an object that is gone.
    pub const ALL: [Self; 5] = [
        Self::FetchKubeConfig,
        Self::DecryptWithAws,
        Self::DecryptWithAzure,
        Self::DecryptWithGcp,
        Self::DecryptWithVault,
    ];

    /// The value of the label.
    ///
    /// Source: kustomize-controller `api/v1/metrics.go`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FetchKubeConfig => "fetch_kubeconfig",
            Self::DecryptWithAws => "decrypt_with_aws",
            Self::DecryptWithAzure => "decrypt_with_azure",
            Self::DecryptWithGcp => "decrypt_with_gcp",
            Self::DecryptWithVault => "decrypt_with_vault",
        }
    }
}

/// The object on whose behalf a token is wanted, and what for: the labels of a cache event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InvolvedObject {
    /// The object's kind, such as `Kustomization`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What the token is for.
    pub operation: Operation,
}

/// A ServiceAccount that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountName {
    /// Its namespace: that of the object.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether the operator's flag named it, not the object: errors then say so.
    pub by_default: bool,
}

impl fmt::Display for ServiceAccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// As whom a token is wanted, and for which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ServiceAccount; `None` is the controller itself.
    pub service_account: Option<ServiceAccountName>,
    /// The object.
    pub object: InvolvedObject,
    /// Whom the Kubernetes token is for; empty is the provider's default.
    pub audiences: Vec<String>,
}

impl Identity {
    /// The ServiceAccount that the object names, else the operator's default, else the controller.
    ///
    /// Empty and blank names count as absent, so that they can't turn a tenant into the controller past a default.
    #[must_use]
    pub fn new(object: InvolvedObject, named: Option<&str>, default: Option<&str>) -> Self {
        let given = |name: Option<&str>| name.map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned);
        let (named, default) = (given(named), given(default));
        let by_default = named.is_none();
        let service_account = named.or(default).map(|name| ServiceAccountName {
            namespace: object.namespace.clone(),
            name,
            by_default,
        });
        Self { service_account, object, audiences: Vec::new() }
    }

    /// The same identity, with Kubernetes tokens for others.
    #[must_use]
    pub fn towards(&self, audiences: &[String]) -> Self {
        Self { audiences: audiences.to_vec(), ..self.clone() }
    }

    /// The same identity, for another operation.
    #[must_use]
    pub fn wanting(&self, operation: Operation) -> Self {
        Self { object: InvolvedObject { operation, ..self.object.clone() }, ..self.clone() }
    }
}
