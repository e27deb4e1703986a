use crate::cache::Key;
use crate::kubernetes::ServiceAccount;

/// Who a token is for, with what the provider needs to know of it.
pub(crate) enum Subject {
    Controller,
    Account(Account),
}

/// A ServiceAccount that stands for itself.
pub(crate) struct Account {
    pub account: ServiceAccount,
    /// Whom the API server's token is for.
    pub audiences: Vec<String>,
    /// The identity in the cloud, as the annotations name it.
    pub identity: String,
}

/// The provider of a token; its name begins the key of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Aws,
    Azure,
    Gcp,
    Generic,
}

impl Provider {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Generic => "generic",
        }
    }
}

impl Subject {
    /// The key of what is cached for this subject; `parts` are whatever else it depends on.
    pub(crate) fn key(&self, provider: Provider, parts: &[&str]) -> Key {
        let mut all = vec![provider.as_str()];
        let audiences;
        if let Self::Account(Account { account, audiences: wanted, identity }) = self {
            audiences = wanted.join("\n");
            all.extend(
                [&account.namespace, &account.name, &account.uid, identity, &audiences].map(|s| s.as_str()),
            );
        } else {
            all.push("controller");
        }
        all.extend(parts);
        Key::of(&all)
    }
}

impl Account {
    /// What is being done when a token of it is asked for.
    pub(crate) fn doing(&self) -> String {
        let ServiceAccount { namespace, name, .. } = &self.account;
        format!("failed to create provider access token for service account '{namespace}/{name}'")
    }
}
