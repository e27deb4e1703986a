//! Logging in to Vault as a ServiceAccount.

use auth::jwt::Claims;
use auth::{Operation, Secret};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use super::super::{Doing, Error, Services};
use super::settings::Settings;
use super::write;
use crate::decrypt::memo::Memo;
use crate::decrypt::structured::Fields;

/// The key of the ConfigMap that lists the instances.
const CONFIG: &str = "config.yaml";

/// The instances that may be logged in to, and the tokens that they gave.
pub(super) struct Logins {
    client: Client,
    namespace: String,
    name: String,
    paths: OnceCell<Vec<[String; 2]>>,
    tokens: Memo<Secret>,
}

impl Logins {
    pub(super) fn new(client: &Client, namespace: &str, name: &str) -> Self {
        Self {
            client: client.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            paths: OnceCell::new(),
            tokens: Memo::default(),
        }
    }

    /// A token for an instance, which must be listed.
    pub(super) async fn token(
        &self,
        services: &Services,
        settings: &Settings,
        address: &str,
    ) -> Result<Secret, Error> {
        let path = self.path(address).await?;
        let now = services.tokens.now();
        self.tokens.get(address, now, login(services, settings, address, path)).await
    }

    async fn path(&self, address: &str) -> Result<&str, Error> {
        let paths = self.paths.get_or_try_init(|| self.read()).await?;
        let found = paths.iter().rev().find(|[listed, path]| listed == address && !path.is_empty());
        found.map(|[_, path]| path.as_str()).ok_or_else(|| {
            let map = format!("{}/{}", self.namespace, self.name);
            let address = super::shown(address);
            let text = format!("no Vault login path configured for address '{address}' in ConfigMap '{map}'");
            Error::Invalid(text)
        })
    }

    async fn read(&self) -> Result<Vec<[String; 2]>, Error> {
        let map = format!("{}/{}", self.namespace, self.name);
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.namespace);
        let found = api.get(&self.name).await.doing(|| format!("failed to get Vault ConfigMap '{map}'"))?;
        let data = found.data.unwrap_or_default();
        let Some(text) = data.get(CONFIG) else {
            return Err(Error::Invalid(format!("Vault ConfigMap '{map}' is missing the '{CONFIG}' key")));
        };
        let fields = Fields::new(text.as_bytes());
        let fields = fields.doing(|| format!("failed to parse '{CONFIG}' in Vault ConfigMap '{map}'"))?;
        Ok(fields.rows("instances", ["address", "loginPath"]))
    }
}

#[derive(Deserialize)]
struct Given {
    auth: Option<Login>,
}

#[derive(Deserialize)]
struct Login {
    client_token: String,
    /// In seconds; 0 is without end.
    #[serde(default)]
    lease_duration: i64,
}

/// Shows Vault a Kubernetes token that is for it alone; the role is named after whom the token stands for.
async fn login(
    services: &Services,
    settings: &Settings,
    address: &str,
    path: &str,
) -> Result<(Secret, Option<Timestamp>), Error> {
    let who = services.who.wanting(Operation::DecryptWithVault).towards(&[address.to_owned()]);
    let token = services.tokens.kubernetes(&who).await;
    let token = token.doing(|| "failed to issue Kubernetes token for Vault authentication".into())?.token;
    let derive = || "failed to derive Vault role for authentication".to_owned();
    let claims = Claims::unverified(&token).doing(derive)?;
    let (namespace, name) = claims.service_account().doing(derive)?;
    let role = format!("{namespace}_{name}");
    let body = json!({ "role": role, "jwt": token.expose() });
    let answer = write(settings, address, path, &body, None, &[&token]).await.doing(|| {
        format!("failed to authenticate with Vault '{address}' at login path '{path}' as role '{role}'")
    })?;
    let given: Given = answer.json()?;
    let Some(login) = given.auth.filter(|login| !login.client_token.is_empty()) else {
        let text = format!("Vault '{address}' returned no token for login at '{path}' as role '{role}'");
        return Err(Error::Invalid(text));
    };
    let life = SignedDuration::from_secs(login.lease_duration.clamp(0, 86_400 * 366));
    let until = (login.lease_duration > 0).then(|| services.tokens.now().checked_add(life).ok()).flatten();
    Ok((login.client_token.into(), until))
}
