//! What a Secret's values are: keys, and credentials of key services.

use auth::azure::{Application, Certificate};
use auth::{Secret, aws, azure, gcp};
use sops::Identities;

use super::Error;
use super::error::ImportError;
use super::secret::{Material, extension};
use super::structured::Fields;

/// What a Secret gave. What is `None` is asked of the identity.
#[derive(Default)]
pub(super) struct Imported {
    /// age and OpenPGP keys.
    pub identities: Identities,
    /// The token for any Vault.
    pub vault: Option<Secret>,
    /// Credentials of AWS.
    pub aws: Option<aws::Credentials>,
    /// Credentials of Azure, and where they log in.
    pub azure: Option<AzureFile>,
    /// Credentials of Google Cloud.
    pub gcp: Option<gcp::Credential>,
}

/// Credentials of Azure, and where they log in if not in the public cloud.
#[derive(Debug)]
pub(super) struct AzureFile {
    pub credential: azure::Credential,
    pub authority: Option<String>,
}

impl Imported {
    /// Takes what it knows by name; other keys of the Secret are passed over.
    pub(super) fn new(material: &Material) -> Result<Self, Error> {
        let mut imported = Self::default();
        for (key, value) in &material.values {
            imported.take(key, value).map_err(|source| Error::Import {
                key: key.clone(),
                what: material.what,
                name: material.name.clone(),
                source: Box::new(source),
            })?;
        }
        Ok(imported)
    }

    fn take(&mut self, key: &str, value: &[u8]) -> Result<(), ImportError> {
        match (key, extension(key)) {
            (_, ".asc") => self.identities.add_pgp(text(value)?)?,
            (_, ".agekey") => self.identities.add_age(text(value)?)?,
            ("sops.vault-token", _) => {
                self.vault = Some(text(value)?.trim()).filter(|token| !token.is_empty()).map(Secret::from);
            }
            ("sops.aws-kms", _) => self.aws = Some(aws_credentials(value)?),
            ("sops.azure-kv", _) => self.azure = Some(azure_file(value)?),
            ("sops.gcp-kms", _) => {
                self.gcp = Some(gcp::Credential::from_json(value, gcp::Origin::Tenant)?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn text(value: &[u8]) -> Result<&str, ImportError> {
    std::str::from_utf8(value).map_err(|_| ImportError::NotText)
}

fn aws_credentials(value: &[u8]) -> Result<aws::Credentials, ImportError> {
    let fields = Fields::new(value).map_err(ImportError::Aws)?;
    let text = |name| fields.text(name).unwrap_or_default();
    Ok(aws::Credentials {
        access_key_id: text("aws_access_key_id").to_owned(),
        secret_access_key: text("aws_secret_access_key").into(),
        session_token: fields.text("aws_session_token").map(Secret::from),
        expires: None,
    })
}

/// Which credential the fields make, in Flux's order.
///
/// Source: kustomize-controller `internal/sops/azkv/config.go`.
pub(super) fn azure_file(value: &[u8]) -> Result<AzureFile, ImportError> {
    let fields = Fields::new(value).map_err(ImportError::Azure)?;
    let application = |tenant, client| {
        let (tenant, client) = fields.text(tenant).zip(fields.text(client))?;
        Some(Application { tenant: tenant.to_owned(), client: client.to_owned() })
    };
    let own = application("tenantId", "clientId");
    let credential = if let Some((own, secret)) = own.clone().zip(fields.text("clientSecret")) {
        azure::Credential::Secret(own, secret.into())
    } else if let Some((own, pem)) = own.zip(fields.text("clientCertificate")) {
        let certificate = Certificate::from_pem(pem.as_bytes())?;
        azure::Credential::Certificate(own, certificate, fields.is_true("clientCertificateSendChain"))
    } else if let Some((theirs, password)) = application("tenant", "appId").zip(fields.text("password")) {
        azure::Credential::Secret(theirs, password.into())
    } else if let Some(client) = fields.text("clientId") {
        azure::Credential::Managed(Some(client.to_owned()))
    } else {
        return Err(ImportError::AzureIncomplete);
    };
    Ok(AzureFile { credential, authority: fields.text("authorityHost").map(str::to_owned) })
}
