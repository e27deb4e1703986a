//! Kubeconfigs of somebody who means harm, or who made a mistake.

use super::*;
use crate::clients::kubeconfig::{Allowed, KubeConfigError, Sanitized, sanitize};

/// A kubeconfig in which cluster and user have these further fields.
fn config(cluster: &Value, user: &Value) -> String {
    let mut file = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": "https://api.example.com"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
    });
    crate::reconcile::fake::merge(&mut file["clusters"][0]["cluster"], cluster);
    crate::reconcile::fake::merge(&mut file["users"][0]["user"], user);
    file.to_string()
}

fn strictly(text: &str) -> Result<Sanitized, KubeConfigError> {
    sanitize(text.as_bytes(), Allowed::default())
}

fn authority() -> String {
    let key = rcgen::generate_simple_self_signed(["api.example.com".to_owned()]).unwrap();
    STANDARD.encode(key.cert.pem())
}

#[test]
fn what_could_harm_is_dropped_by_name_and_leaves_no_trace() {
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh"});
    let token = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    for (cluster, user, dropped) in [
        (json!({}), json!({"exec": exec}), "exec"),
        (json!({}), json!({"exec": {"command": ["sh", "-c", "id"]}}), "exec"),
        (json!({}), json!({"exec": "sh"}), "exec"),
        (json!({}), json!({"exec": {}}), "exec"),
        (
            json!({}),
            json!({"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sh"}}}),
            "auth-provider",
        ),
        (
            json!({}),
            json!({"auth-provider": {"name": "oidc", "config": {"idp-issuer-url": "https://evil"}}}),
            "auth-provider",
        ),
        (json!({}), json!({"auth-provider": 1}), "auth-provider"),
        (json!({}), json!({"tokenFile": token}), "tokenFile"),
        (json!({}), json!({"tokenFile": "../token"}), "tokenFile"),
        (json!({}), json!({"tokenFile": ["a"]}), "tokenFile"),
        (json!({}), json!({"client-certificate": "/etc/passwd"}), "client-certificate"),
        (json!({}), json!({"client-key": "/proc/self/environ"}), "client-key"),
        (json!({}), json!({"as": "system:admin"}), "as"),
        (json!({}), json!({"as-uid": "0"}), "as"),
        (json!({}), json!({"as-groups": ["system:masters"]}), "as"),
        (json!({}), json!({"as-user-extra": {"scopes": ["all"]}}), "as"),
        (json!({"certificate-authority": "/etc/shadow"}), json!({}), "certificate-authority"),
        (json!({"certificate-authority": {"a": 1}}), json!({}), "certificate-authority"),
        (json!({"insecure-skip-tls-verify": true}), json!({}), "insecure-skip-tls-verify"),
    ] {
        let text = config(&cluster, &user);
        let Sanitized { config, dropped: names } = strictly(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(names, [dropped], "{text}");
        let auth = &config.auth_info;
        assert!(auth.exec.is_none() && auth.auth_provider.is_none() && auth.token_file.is_none());
        assert!(auth.client_certificate.is_none() && auth.client_key.is_none() && auth.token.is_none());
        assert!(auth.impersonate.is_none() && auth.impersonate_groups.is_none());
        assert!(auth.impersonate_uid.is_none() && auth.impersonate_user_extra.is_none());
        assert!(
            !config.accept_invalid_certs && config.root_cert_file.is_none() && config.root_cert.is_none()
        );
    }
}

#[test]
fn what_is_not_used_does_not_matter() {
    for (cluster, user) in [
        (json!({"extensions": [{"name": "x", "extension": {"deep": {"er": 1}}}]}), json!({})),
        (json!({"unknown": [1, 2]}), json!({"unknown": {"exec": "sh"}})),
        (
            json!({"certificate-authority-data": ""}),
            json!({"token": "", "username": "", "client-key-data": ""}),
        ),
        (json!({"insecure-skip-tls-verify": false}), json!({"password": "alone"})),
        (json!({"proxy-url": "", "tls-server-name": ""}), json!({})),
    ] {
        let text = config(&cluster, &user);
        let Sanitized { config, dropped } = strictly(&text).unwrap();
        assert!(
            dropped.is_empty() && config.proxy_url.is_none() && config.tls_server_name.is_none(),
            "{text}"
        );
        assert!(config.auth_info.token.is_none() && config.auth_info.username.is_none(), "{text}");
    }
}

#[test]
fn what_is_allowed_is_used() {
    let cluster = json!({
        "certificate-authority-data": authority(), "tls-server-name": "api", "proxy-url": "socks5://proxy:1080",
        "disable-compression": true,
    });
    let config = strictly(&config(&cluster, &json!({"token": "t"}))).unwrap().config;
    assert_eq!(config.cluster_url.to_string(), "https://api.example.com/");
    assert_eq!(config.tls_server_name.as_deref(), Some("api"));
    assert_eq!(config.proxy_url.map(|url| url.to_string()).as_deref(), Some("socks5://proxy:1080/"));
    assert!(
        config.disable_compression && config.root_cert.is_some_and(|certificates| certificates.len() == 1)
    );
}

#[test]
fn flags_allow_what_is_insecure() {
    let allowed = Allowed { exec: true, insecure_tls: true };
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "plugin"});
    let text = config(&json!({"insecure-skip-tls-verify": true}), &json!({"exec": exec}));
    let Sanitized { config, dropped } = sanitize(text.as_bytes(), allowed).unwrap();
    assert!(dropped.is_empty() && config.accept_invalid_certs);
    assert_eq!(config.auth_info.exec.unwrap().command.as_deref(), Some("plugin"));
    let text = self::config(&json!({}), &json!({"exec": {"command": ["sh"]}}));
    let error = sanitize(text.as_bytes(), allowed).err().unwrap();
    assert!(matches!(error, KubeConfigError::Field { field: "exec", .. }), "{error}");
}

#[test]
fn values_that_cannot_be_used_are_refused_without_being_quoted() {
    for (cluster, user, field) in [
        (json!({"server": "file:///etc/passwd"}), json!({}), "server"),
        (json!({"server": "unix:///var/run/docker.sock"}), json!({}), "server"),
        (json!({"server": "https://user:s3cr3t@api.example.com"}), json!({}), "server"),
        (json!({"server": "https://"}), json!({}), "server"),
        (json!({"server": "https://api.example.com?token=s3cr3t"}), json!({}), "server"),
        (json!({"server": "https://api.example.com#s3cr3t"}), json!({}), "server"),
        (json!({"server": "https://api example com"}), json!({}), "server"),
        (json!({"server": "https://api.example.com\r\nHost: s3cr3t"}), json!({}), "server"),
        (json!({"server": "javascript://s3cr3t"}), json!({}), "server"),
        (json!({"proxy-url": "ftp://proxy"}), json!({}), "proxy-url"),
        (json!({"proxy-url": "file:///s3cr3t"}), json!({}), "proxy-url"),
        (json!({"proxy-url": "proxy:3128"}), json!({}), "proxy-url"),
        (json!({"certificate-authority-data": "s3cr3t!"}), json!({}), "certificate-authority-data"),
        (
            json!({"certificate-authority-data": STANDARD.encode("s3cr3t")}),
            json!({}),
            "certificate-authority-data",
        ),
        (
            json!({"certificate-authority-data": STANDARD.encode("-----BEGIN CERTIFICATE-----\ns3cr3t\n")}),
            json!({}),
            "certificate-authority-data",
        ),
        (json!({}), json!({"token": "s3cr3t\r\nImpersonate-User: system:admin"}), "token"),
        (json!({}), json!({"token": "s3cr3t\u{0}"}), "token"),
        (json!({}), json!({"client-certificate-data": STANDARD.encode("s3cr3t")}), "client-certificate-data"),
        (json!({}), json!({"client-key-data": STANDARD.encode("s3cr3t")}), "client-certificate-data"),
        (
            json!({}),
            json!({"client-certificate-data": "s3cr3t!", "client-key-data": "s3cr3t!"}),
            "client-certificate-data",
        ),
    ] {
        let text = config(&cluster, &user);
        let error = strictly(&text).err().unwrap_or_else(|| panic!("{text}"));
        assert!(
            matches!(error, KubeConfigError::Field { field: found, .. } if found == field),
            "{text}: {error}"
        );
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
    }
}

#[test]
fn a_file_that_leads_nowhere_is_refused_in_client_gos_words() {
    let empty = "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable";
    for (text, expected) in [
        ("", empty),
        ("{}", empty),
        ("null", empty),
        ("clusters: null\nusers: null\ncontexts: null\n", empty),
        ("clusters: [{name: k, cluster: {server: https://a}}]", empty),
        ("current-context: c", "invalid configuration: context was not found for specified context: c"),
        ("current-context: c\ncontexts: [{name: c, context: {cluster: k}}]", empty),
        ("current-context: c\ncontexts: [{name: c}]", empty),
        (
            "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\nclusters: [{name: k}]",
            "invalid configuration: no server found for cluster \"k\"",
        ),
        (
            "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: https://a}}]",
            "auth info \"u\" does not exist",
        ),
        ("clusters: [{name: k}, {name: k}]\n", "duplicate name \"k\" in list of clusters"),
    ] {
        // Lists are checked when they are looked into, so a duplicate needs a context that leads there.
        let text = text.replace("clusters: [{name: k}, {name: k}]", "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\nclusters: [{name: k}, {name: k}]");
        assert_eq!(strictly(&text).err().unwrap().to_string(), expected, "{text}");
    }
    let both = config(&json!({}), &json!({"token": "t", "username": "u", "password": "p"}));
    let error = strictly(&both).err().unwrap();
    assert_eq!(error, KubeConfigError::ManyMethods("u".to_owned()));
}

#[test]
fn bombs_and_rubbish_end_soon_and_are_not_quoted() {
    let deep = format!("extensions: {}{}", "[".repeat(5000), "]".repeat(5000));
    let maps = format!("x: {}1{}", "{a: ".repeat(2000), "}".repeat(2000));
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for i in 1..12 {
        laughs.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", ")));
    }
    let wide = format!("x: [{}]", "1,".repeat(200_000));
    let aliases = format!("x: &x 1\ny: [{}]", "*x,".repeat(1000));
    for text in [
        deep.as_str(),
        &maps,
        &laughs,
        &wide,
        &aliases,
        "s3cr3t",
        "- s3cr3t",
        "\tusers: s3cr3t",
        "users: s3cr3t",
        "users: [s3cr3t]",
        "users: [{name: u, user: s3cr3t}]",
        "users: [{name: u, user: {token: [s3cr3t]}}]",
        "users: [{name: u, user: {token: {s3cr3t: 1}}}]",
        "clusters: [{name: k, cluster: {insecure-skip-tls-verify: s3cr3t}}]",
        "users: {u: {token: s3cr3t",
        "a: *s3cr3t",
        "users: []\nusers: [{name: s3cr3t}]",
        "x: 1\n---\ny: s3cr3t",
    ] {
        let error = strictly(text).err().unwrap_or_else(|| panic!("{}", &text[..text.len().min(80)]));
        assert!(matches!(error, KubeConfigError::Parse { .. }), "{}: {error}", &text[..text.len().min(80)]);
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
    }
    assert_eq!(
        sanitize(b"users: \xff", Allowed::default())
            .err()
            .map(|e| matches!(e, KubeConfigError::Parse { .. })),
        Some(true)
    );
    let huge = format!("x: {}", "a".repeat(1024 * 1024));
    assert_eq!(strictly(&huge).err(), Some(KubeConfigError::TooLarge));
}
