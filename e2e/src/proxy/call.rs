//! What a request to the API server is about.

use std::fmt;

use http::{Method, Uri};

/// One request, read from its method and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Such as `apps`; empty for the core group.
    pub group: String,
    /// Such as `configmaps`; empty for discovery and the like.
    pub resource: String,
    /// Empty for objects and lists of the whole cluster.
    pub namespace: String,
    /// Empty for a whole list.
    pub name: String,
    /// Such as `status`; mostly empty.
    pub subresource: String,
    /// Whether the server only pretends.
    pub dry_run: bool,
    /// Whether the answer goes on until someone ends it.
    pub watch: bool,
}

impl Call {
    /// Reads a request's method and address.
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let mut parts = uri.path().split('/').filter(|part| !part.is_empty());
        let group = match parts.next() {
            Some("apis") => parts.next().unwrap_or_default(),
            _ => "",
        };
        let _version = parts.next();
        let rest: Vec<&str> = parts.collect();
        let (namespace, rest) = match rest[..] {
            // The namespaces themselves, too, are below `namespaces`.
            ["namespaces", namespace, resource, ..] if !matches!(resource, "status" | "finalize") => {
                (namespace, &rest[2..])
            }
            _ => ("", &rest[..]),
        };
        let part = |index: usize| rest.get(index).copied().unwrap_or_default().to_owned();
        let asks = |what: &str| uri.query().is_some_and(|query| query.split('&').any(|pair| pair == what));
        Self {
            method: method.clone(),
            group: group.to_owned(),
            resource: part(0),
            namespace: namespace.to_owned(),
            name: part(1),
            subresource: part(2),
            dry_run: asks("dryRun=All"),
            watch: asks("watch=true") || asks("watch=1"),
        }
    }

    /// Whether the cluster's state is another afterwards. Events and leases tell nothing of the work.
    pub fn is_write(&self) -> bool {
        let changes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&self.method);
        changes && !self.dry_run && !self.is_upkeep() && !self.is_question()
    }

    /// Whether it is about an event or a lease.
    pub fn is_upkeep(&self) -> bool {
        matches!(self.resource.as_str(), "events" | "leases")
    }

    /// Whether it is a question in the form of an object: reviews and requests for tokens.
    fn is_question(&self) -> bool {
        matches!(self.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
            || self.subresource == "token"
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, resource, namespace, name, subresource, .. } = self;
        write!(f, "{method} {resource}")?;
        for part in [namespace, name, subresource] {
            if !part.is_empty() {
                write!(f, "/{part}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, uri: &str, shown: &str, write: bool) {
        let call = Call::of(method, &uri.parse().unwrap());
        assert_eq!((call.to_string().as_str(), call.is_write()), (shown, write), "{uri}");
    }

    #[test]
    fn addresses_are_taken_apart() {
        check(&Method::PATCH, "/api/v1/namespaces/a/configmaps/b?force=true", "PATCH configmaps/a/b", true);
        check(&Method::DELETE, "/api/v1/namespaces/a", "DELETE namespaces/a", true);
        check(&Method::PUT, "/api/v1/namespaces/a/finalize", "PUT namespaces/a/finalize", true);
        check(
            &Method::PATCH,
            "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/a/kustomizations/b/status",
            "PATCH kustomizations/a/b/status",
            true,
        );
        check(&Method::GET, "/apis/apps/v1/deployments?watch=true", "GET deployments", false);
        check(&Method::GET, "/version", "GET ", false);
    }

    #[test]
    fn what_changes_nothing_is_no_write() {
        check(
            &Method::PATCH,
            "/apis/apps/v1/namespaces/a/deployments/b?dryRun=All&force=true",
            "PATCH deployments/a/b",
            false,
        );
        check(&Method::POST, "/api/v1/namespaces/a/events", "POST events/a", false);
        check(
            &Method::POST,
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "POST selfsubjectaccessreviews",
            false,
        );
        check(
            &Method::POST,
            "/api/v1/namespaces/a/serviceaccounts/b/token",
            "POST serviceaccounts/a/b/token",
            false,
        );
    }
}
