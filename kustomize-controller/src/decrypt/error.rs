/// The keys of a Kustomization can't be had. Texts are Flux's; no value of a Secret is in them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such Secret.
    #[error("{0}")]
    NotFound(String),
    /// The Secret could not be read.
    #[error("cannot get sops {what} '{name}'")]
    Get {
        /// Which of the Secrets, in Flux's words.
        what: &'static str,
        /// `namespace/name`.
        name: String,
        source: Box<kube::Error>,
    },
    /// A value of the Secret can't be used.
    #[error("failed to import '{key}' data from sops {what} '{name}'")]
    Import {
        /// The key of the value.
        key: String,
        /// Which of the Secrets, in Flux's words.
        what: &'static str,
        /// `namespace/name`.
        name: String,
        source: Box<ImportError>,
    },
}

/// A value of a Secret can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("the value is not valid UTF-8")]
    NotText,
    #[error(transparent)]
    Identity(#[from] sops::IdentityError),
    #[error("failed to unmarshal AWS credentials file")]
    Aws(#[source] NotYaml),
    #[error("failed to unmarshal Azure authentication file")]
    Azure(#[source] NotYaml),
    #[error(
        "invalid data: requires a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or \
         'tenantId', 'clientId' and 'clientCertificate'"
    )]
    AzureIncomplete,
    #[error(transparent)]
    Credential(#[from] auth::Error),
}

/// A text is not a YAML map.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotYaml {
    #[error("the text can't be decoded")]
    Encoding,
    #[error("YAML syntax error in line {0}")]
    Syntax(usize),
    #[error("the document is not a map")]
    NotAMap,
}
