//! Kubeconfigs of tenants, reduced to what can't harm the controller.
//!
//! Only what is listed here is read, and only inline data: no paths of files, no `tokenFile`, no provider of
//! credentials, no impersonation of its own. What is left out is named, not refused, as in Flux
//! (`fluxcd/pkg/runtime/client/kubeconfig.go`). Texts of errors are those of client-go where it has one; they quote
//! names, never values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use kube::Config;
use kube::config::{AuthInfo, ExecConfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Largest kubeconfig that is read, in bytes; that of a Secret.
const MAX_SIZE: usize = 1024 * 1024;
/// Deepest nesting. A kubeconfig has six levels; extensions may have more.
const MAX_DEPTH: usize = 32;
/// Most values, aliases resolved.
const MAX_NODES: usize = 50_000;
/// Most uses of anchors.
const MAX_ALIASES: usize = 100;

/// What may be used beside inline data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    /// `--insecure-kubeconfig-exec`
    pub(super) exec: bool,
    /// `--insecure-kubeconfig-tls`
    pub(super) insecure_tls: bool,
}

/// A kubeconfig that is safe to use.
pub(super) struct Sanitized {
    pub(super) config: Config,
    /// What it says that isn't used.
    pub(super) dropped: Vec<&'static str>,
}

/// A kubeconfig can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KubeConfigError {
    /// It is beyond what is read.
    #[error("kubeconfig is larger than {MAX_SIZE} bytes")]
    TooLarge,
    /// It is no YAML, too deep or too large when aliases are resolved, or a value has the wrong type.
    #[error("failed to parse kubeconfig at line {line}, column {column}")]
    Parse {
        /// Counted from 1; 0 when not known.
        line: u64,
        /// Counted from 1; 0 when not known.
        column: u64,
    },
    /// A name stands twice in a list.
    #[error("duplicate name {name:?} in list of {list}")]
    Duplicate {
        /// `clusters`, `contexts` or `users`.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// There is no context of the name that `current-context` gives.
    #[error("invalid configuration: context was not found for specified context: {0}")]
    NoContext(String),
    /// There is no cluster to connect to.
    #[error(
        "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
    )]
    Empty,
    /// The cluster has no address.
    #[error("invalid configuration: no server found for cluster {0:?}")]
    NoServer(String),
    /// There is no user of the name that the context gives.
    #[error("auth info {0:?} does not exist")]
    NoUser(String),
    /// The user has both a token and a password.
    #[error(
        "invalid configuration: more than one authentication method found for {0}; found [token basicAuth], only one is allowed"
    )]
    ManyMethods(String),
    /// A field's value can't be used.
    #[error("invalid value of {field} in kubeconfig: {reason}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Reads a kubeconfig and keeps what is allowed of its current context.
///
/// # Errors
/// When it is too large, can't be parsed, or lacks what a connection needs.
pub(super) fn sanitize(text: &[u8], allowed: Allowed) -> Result<Sanitized, KubeConfigError> {
    let file = parse(text)?;
    let context = file.context()?;
    let user = file.user(&context)?;
    let cluster = file.cluster(&context)?;
    let mut dropped = cluster.dropped(allowed);
    dropped.extend(user.dropped(allowed));
    let mut config = Config::new(cluster.address(&user)?);
    config.root_cert = cluster.authorities()?;
    config.accept_invalid_certs = allowed.insecure_tls && cluster.insecure_skip_tls_verify == Some(true);
    config.disable_compression = cluster.disable_compression.unwrap_or_default();
    config.tls_server_name = given(cluster.tls_server_name.clone());
    config.proxy_url = cluster.proxy()?;
    config.auth_info = user.auth(&given(context.user).unwrap_or_default(), allowed)?;
    Ok(Sanitized { config, dropped })
}

fn parse(text: &[u8]) -> Result<File, KubeConfigError> {
    if text.len() > MAX_SIZE {
        return Err(KubeConfigError::TooLarge);
    }
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_aliases: MAX_ALIASES,
        max_documents: 1,
    };
    // A snippet of the file could show a secret.
    let options = serde_saphyr::options! { budget: budget, with_snippet: false };
    serde_saphyr::from_slice_with_options::<Option<File>>(text, options)
        .map(Option::unwrap_or_default)
        .map_err(|e| {
            // Nothing else of the error: it may quote what it stumbled over.
            let (line, column) = e.location().map(|at| (at.line(), at.column())).unwrap_or_default();
            KubeConfigError::Parse { line, column }
        })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct File {
    clusters: Option<Vec<NamedCluster>>,
    contexts: Option<Vec<NamedContext>>,
    users: Option<Vec<NamedUser>>,
    current_context: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedCluster {
    name: Option<String>,
    cluster: Option<Cluster>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedContext {
    name: Option<String>,
    context: Option<Context>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedUser {
    name: Option<String>,
    user: Option<User>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Context {
    cluster: Option<String>,
    user: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Cluster {
    server: Option<String>,
    certificate_authority_data: Option<String>,
    tls_server_name: Option<String>,
    insecure_skip_tls_verify: Option<bool>,
    disable_compression: Option<bool>,
    proxy_url: Option<String>,
    certificate_authority: Option<IgnoredAny>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct User {
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    token: Option<String>,
    username: Option<String>,
    password: Option<String>,
    exec: Option<Value>,
    client_certificate: Option<IgnoredAny>,
    client_key: Option<IgnoredAny>,
    #[serde(rename = "tokenFile")]
    token_file: Option<IgnoredAny>,
    auth_provider: Option<IgnoredAny>,
    r#as: Option<IgnoredAny>,
    as_uid: Option<IgnoredAny>,
    as_groups: Option<IgnoredAny>,
    as_user_extra: Option<IgnoredAny>,
}

impl File {
    /// The current context; an empty one when none is named, as in client-go.
    fn context(&self) -> Result<Context, KubeConfigError> {
        let contexts = named("contexts", &self.contexts, |c| (c.name.as_deref(), c.context.as_ref()))?;
        let Some(wanted) = given(self.current_context.clone()) else { return Ok(Context::default()) };
        find(&contexts, &wanted).ok_or(KubeConfigError::NoContext(wanted))
    }

    fn user(&self, context: &Context) -> Result<User, KubeConfigError> {
        let users = named("users", &self.users, |u| (u.name.as_deref(), u.user.as_ref()))?;
        let Some(wanted) = given(context.user.clone()) else { return Ok(User::default()) };
        find(&users, &wanted).ok_or(KubeConfigError::NoUser(wanted))
    }

    fn cluster(&self, context: &Context) -> Result<Cluster, KubeConfigError> {
        let clusters = named("clusters", &self.clusters, |c| (c.name.as_deref(), c.cluster.as_ref()))?;
        let wanted = given(context.cluster.clone()).unwrap_or_default();
        let cluster = find(&clusters, &wanted).ok_or(KubeConfigError::Empty)?;
        if given(cluster.server.clone()).is_none() {
            return Err(KubeConfigError::NoServer(wanted));
        }
        Ok(cluster)
    }
}

type Entries<'a, T> = Vec<(&'a str, Option<&'a T>)>;

/// The entries of a list by name.
fn named<'a, N, T>(
    list: &'static str,
    entries: &'a Option<Vec<N>>,
    parts: impl Fn(&'a N) -> (Option<&'a str>, Option<&'a T>),
) -> Result<Entries<'a, T>, KubeConfigError> {
    let mut seen = std::collections::HashSet::new();
    let entries = entries.iter().flatten().map(parts);
    entries
        .map(|(name, value)| (name.unwrap_or_default(), value))
        .map(|(name, value)| match seen.insert(name) {
            true => Ok((name, value)),
            false => Err(KubeConfigError::Duplicate { list, name: name.to_owned() }),
        })
        .collect()
}

fn find<T: Clone + Default>(entries: &Entries<'_, T>, wanted: &str) -> Option<T> {
    let (_, value) = entries.iter().find(|(name, _)| *name == wanted)?;
    Some(value.cloned().unwrap_or_default())
}

impl Cluster {
    fn dropped(&self, allowed: Allowed) -> Vec<&'static str> {
        let insecure = self.insecure_skip_tls_verify == Some(true) && !allowed.insecure_tls;
        names([
            ("certificate-authority", self.certificate_authority.is_some()),
            ("insecure-skip-tls-verify", insecure),
        ])
    }

    /// The server's address; one without a scheme gets that which client-go would choose.
    fn address(&self, user: &User) -> Result<Uri, KubeConfigError> {
        let server = self.server.as_deref().unwrap_or_default();
        let uses_tls = self.certificate_authority_data.is_some()
            || self.insecure_skip_tls_verify == Some(true)
            || user.client_certificate_data.is_some();
        let server = match (server.contains("://"), uses_tls) {
            (true, _) => server.to_owned(),
            (false, true) => format!("https://{server}"),
            (false, false) => format!("http://{server}"),
        };
        url("server", &server, &["https", "http"])
    }

    fn authorities(&self) -> Result<Option<Vec<Vec<u8>>>, KubeConfigError> {
        let Some(text) = given(self.certificate_authority_data.clone()) else { return Ok(None) };
        let pem = decode("certificate-authority-data", &text)?;
        certificates("certificate-authority-data", &pem).map(Some)
    }

    fn proxy(&self) -> Result<Option<Uri>, KubeConfigError> {
        let Some(text) = given(self.proxy_url.clone()) else { return Ok(None) };
        url("proxy-url", &text, &["http", "https", "socks5"]).map(Some)
    }
}

impl User {
    fn dropped(&self, allowed: Allowed) -> Vec<&'static str> {
        let impersonation = [&self.r#as, &self.as_uid, &self.as_groups, &self.as_user_extra]
            .iter()
            .any(|field| field.is_some());
        names([
            ("client-certificate", self.client_certificate.is_some()),
            ("client-key", self.client_key.is_some()),
            ("tokenFile", self.token_file.is_some()),
            ("auth-provider", self.auth_provider.is_some()),
            ("as", impersonation),
            ("exec", self.exec.is_some() && !allowed.exec),
        ])
    }

    fn auth(self, name: &str, allowed: Allowed) -> Result<AuthInfo, KubeConfigError> {
        let (token, username) = (given(self.token), given(self.username));
        if token.is_some() && username.is_some() {
            return Err(KubeConfigError::ManyMethods(name.to_owned()));
        }
        if token.as_ref().is_some_and(|token| HeaderValue::try_from(token).is_err()) {
            return Err(KubeConfigError::Field { field: "token", reason: "not a value of a header" });
        }
        let mut auth = AuthInfo { token: token.map(Into::into), ..AuthInfo::default() };
        auth.password = username.is_some().then(|| self.password.unwrap_or_default().into());
        auth.username = username;
        let certificate = given(self.client_certificate_data);
        let key = given(self.client_key_data);
        if certificate.is_some() != key.is_some() {
            let reason = "client-certificate-data and client-key-data belong together";
            return Err(KubeConfigError::Field { field: "client-certificate-data", reason });
        }
        auth.client_certificate_data =
            certificate.map(|text| encoded("client-certificate-data", &text)).transpose()?;
        auth.client_key_data = key.map(|text| encoded("client-key-data", &text)).transpose()?.map(Into::into);
        auth.exec = self.exec.filter(|_| allowed.exec).map(exec).transpose()?;
        Ok(auth)
    }
}

fn exec(value: Value) -> Result<ExecConfig, KubeConfigError> {
    let invalid = |_| KubeConfigError::Field { field: "exec", reason: "not the description of a program" };
    serde_json::from_value(value).map_err(invalid)
}

/// The names of what is there.
fn names<const N: usize>(fields: [(&'static str, bool); N]) -> Vec<&'static str> {
    fields.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

/// Go takes an empty text for one that isn't given.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A URL with a host and without credentials, query or fragment.
pub(super) fn url(field: &'static str, text: &str, schemes: &[&str]) -> Result<Uri, KubeConfigError> {
    let refuse = |reason| Err(KubeConfigError::Field { field, reason });
    if text.contains('#') {
        return refuse("a fragment is not allowed");
    }
    let Ok(uri) = text.parse::<Uri>() else { return refuse("not a URL") };
    if !uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)) {
        return refuse("the scheme is not supported");
    }
    match uri.authority() {
        Some(authority) if authority.host().is_empty() => return refuse("there is no host"),
        // A proxy may want to know who asks; an API server is told by the fields for that.
        Some(authority) if field != "proxy-url" && authority.as_str().contains('@') => {
            return refuse("credentials are not allowed");
        }
        Some(_) => {}
        None => return refuse("there is no host"),
    }
    if uri.query().is_some() {
        return refuse("a query is not allowed");
    }
    Ok(uri)
}

/// The certificates of a bundle, of which there must be one at least.
pub(super) fn certificates(field: &'static str, pem: &[u8]) -> Result<Vec<Vec<u8>>, KubeConfigError> {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem).map(|found| found.map(|der| der.to_vec())).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(KubeConfigError::Field { field, reason: "no valid certificate data seen" }),
    }
}

/// Base64 whose line breaks don't count, as in Go.
fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, KubeConfigError> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    STANDARD.decode(text).map_err(|_| KubeConfigError::Field { field, reason: "not base64" })
}

fn encoded(field: &'static str, text: &str) -> Result<String, KubeConfigError> {
    decode(field, text).map(|bytes| STANDARD.encode(bytes))
}
