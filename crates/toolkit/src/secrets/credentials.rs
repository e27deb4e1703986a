use std::fmt;

use super::{SecretData, SecretError};

/// The longest address of a proxy, in bytes.
const MAX_PROXY: usize = 2048;

/// A user's name and password. Prints without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A proxy. Prints without its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is, without credentials; the scheme is `http`, `https` or `socks5`.
    pub address: url::Url,
    /// How to log in there.
    pub credentials: Option<Basic>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address.as_str()).finish_non_exhaustive()
    }
}

impl SecretData {
    /// Reads `username` and `password`; `None` when neither is there.
    ///
    /// # Errors
    /// When only one of them is there, or one is not text.
    pub fn basic(&self) -> Result<Option<Basic>, SecretError> {
        match (self.text("username")?, self.text("password")?) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => {
                Ok(Some(Basic { username: username.to_owned(), password: password.to_owned() }))
            }
            _ => Err(SecretError::IncompleteBasic(self.full_name())),
        }
    }

    /// Reads `bearerToken`.
    ///
    /// # Errors
    /// When it is not text.
    pub fn bearer_token(&self) -> Result<Option<String>, SecretError> {
        Ok(self.text("bearerToken")?.map(str::to_owned))
    }

    /// Reads `address`, `username` and `password` of a proxy.
    ///
    /// # Errors
    /// When the address is missing, too long, or no URL of a proxy.
    pub fn proxy(&self) -> Result<Proxy, SecretError> {
        let address =
            self.text("address")?.ok_or_else(|| SecretError::MissingKey(self.full_name(), "address"))?;
        let invalid = || SecretError::ProxyAddress(self.full_name());
        if address.len() > MAX_PROXY {
            return Err(invalid());
        }
        let mut address = url::Url::parse(address).map_err(|_| invalid())?;
        if !matches!(address.scheme(), "http" | "https" | "socks5") || address.host().is_none() {
            return Err(invalid());
        }
        let credentials = self.proxy_credentials(&address)?;
        address.set_username("").and_then(|()| address.set_password(None)).map_err(|()| invalid())?;
        Ok(Proxy { address, credentials })
    }

    /// Keys of the Secret win over what the address holds. A proxy may have a user without a password.
    fn proxy_credentials(&self, address: &url::Url) -> Result<Option<Basic>, SecretError> {
        let decode = |text: &str| {
            url::form_urlencoded::parse(format!("v={}", text.replace('+', "%2B")).as_bytes())
                .next()
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let username = self.text("username")?.map(str::to_owned);
        let username = username.or_else(|| Some(decode(address.username())).filter(|u| !u.is_empty()));
        let password = self.text("password")?.map(str::to_owned);
        let password = password.or_else(|| address.password().map(decode)).unwrap_or_default();
        Ok(username.map(|username| Basic { username, password }))
    }
}
