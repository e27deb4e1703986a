//! Whom a client stands for.

/// The user name of a ServiceAccount, which is never empty and names nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceAccountUser(String);

/// A text is no name of a ServiceAccount.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid name of a service account: {0:?}")]
pub struct ServiceAccountNameError(String);

impl ServiceAccountUser {
    /// # Errors
    /// When namespace or name aren't names of Kubernetes: `a:b` would be somebody else, and an empty user nobody,
    /// which is the controller itself.
    pub(super) fn new(namespace: &str, name: &str) -> Result<Self, ServiceAccountNameError> {
        if !is_label(namespace) || !is_subdomain(name) {
            return Err(ServiceAccountNameError(format!("{namespace}/{name}")));
        }
        Ok(Self(format!("system:serviceaccount:{namespace}:{name}")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|part| part.len() <= 253 && is_dns(part))
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_dns(text)
}

fn is_dns(text: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|c| alphanumeric(*c))
        && bytes.last().is_some_and(|c| alphanumeric(*c))
        && bytes.iter().all(|c| alphanumeric(*c) || *c == b'-')
}

#[cfg(test)]
mod tests {
    use super::ServiceAccountUser;

    #[test]
    fn only_names_of_service_accounts_are_users() {
        let user = |namespace, name| ServiceAccountUser::new(namespace, name).map(|user| user.0);
        assert_eq!(user("apps", "deployer").unwrap(), "system:serviceaccount:apps:deployer");
        assert_eq!(user("apps", "a.b-c.d").unwrap(), "system:serviceaccount:apps:a.b-c.d");
        let long = "a".repeat(254);
        for name in
            ["", " ", "\n", "a:b", "a b", "A", "-a", "a-", "a..b", ".a", "ä", "a/b", "a\r\nx: y", &long]
        {
            assert!(user("apps", name).is_err(), "{name:?}");
        }
        for namespace in ["", "a:b", "a.b", "kube-system:x"] {
            assert!(user(namespace, "deployer").is_err(), "{namespace:?}");
        }
    }
}
