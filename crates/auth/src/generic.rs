//! Tokens of our own API server, for others that trust it.

use std::sync::Arc;

use crate::error::Doing;
use crate::jwt::Claims;
use crate::{Bearer, Error, Secret, Tokens};

/// A token for the controller's own ServiceAccount.
pub(crate) async fn of_controller(tokens: &Tokens, audiences: &[String]) -> Result<Bearer, Error> {
    let accounts = &tokens.options().service_accounts;
    let (namespace, name) = accounts.own().await.map_err(|e| Error::Own(Arc::new(e)))?;
    let token = accounts.token(&namespace, &name, audiences).await;
    let token = token.map_err(|e| Error::ControllerToken {
        account: format!("{namespace}/{name}"),
        source: Arc::new(e),
    })?;
    bearer(token)
}

/// A token with its expiry, which it tells itself.
pub(crate) fn bearer(token: Secret) -> Result<Bearer, Error> {
    let expires = Claims::unverified(&token).and_then(|claims| claims.expires());
    Ok(Bearer { expires: expires.doing(|| "failed to read the issued token".into())?, token })
}

/// Reads a token that somebody else keeps fresh.
pub(crate) async fn read_token(path: &std::path::Path, what: &'static str) -> Result<Secret, Error> {
    let failed = |e| Error::ReadFile { what, path: path.display().to_string(), source: Arc::new(e) };
    let text = zeroize::Zeroizing::new(tokio::fs::read_to_string(path).await.map_err(failed)?);
    Ok(text.trim().into())
}
