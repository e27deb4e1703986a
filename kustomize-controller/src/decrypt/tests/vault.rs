use auth::Environment;
use auth::http::{Method, Url};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sops::MasterKey;

use super::fake::{Case, Fake, Reply, Seen, decrypt, line, ok, token_of};

const VAULT: &str = "https://vault.example.com:8200";
const HOST: &str = "vault.example.com:8200";
const MAP: &str = "/api/v1/namespaces/flux-system/configmaps/vaults";
const ACCOUNT: &str = "/api/v1/namespaces/apps/serviceaccounts/deployer";

fn key(address: &str) -> MasterKey {
    MasterKey::HcVault {
        address: address.into(),
        engine_path: "team/transit".into(),
        key_name: "sops".into(),
        encrypted: "vault:v1:x".into(),
    }
}

fn vault(seen: &Seen) -> Reply {
    if seen.line.ends_with("/login") {
        return ok(&json!({"auth": {"client_token": "hvs.login", "lease_duration": 3600}}));
    }
    ok(&json!({"data": {"plaintext": STANDARD.encode("data key")}}))
}

/// A case whose ServiceAccount may log in where a ConfigMap says.
fn login_case(config: &str, route: Url) -> Case<'static> {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vaults"}, "data": {"config.yaml": config},
    });
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer", "uid": "1"}});
    Case {
        service_account: Some("deployer"),
        vault_config_map: Some("vaults"),
        environment: Environment::from([("VAULT_TOKEN", "hvs.env")]),
        routes: vec![(HOST, route)],
        ..Case::bare(&[(MAP, map), (ACCOUNT, account)])
    }
}

#[tokio::test]
async fn the_secrets_token_comes_first() {
    let fake = Fake::new(vault).await;
    let case = Case {
        environment: Environment::from([("VAULT_TOKEN", "hvs.env"), ("VAULT_NAMESPACE", "team")]),
        vault_config_map: Some("gone"),
        routes: vec![(HOST, fake.url.clone())],
        ..Case::with(&[("sops.vault-token", b" hvs.secret\n")])
    };
    assert_eq!(case.decrypt(key(VAULT)).await.unwrap(), "data key");
    let seen = &fake.seen()[0];
    assert_eq!(seen.line, line(&Method::PUT, "vault.example.com:8200/v1/team/transit/decrypt/sops"));
    assert_eq!(seen.headers["x-vault-token"], "hvs.secret");
    assert_eq!(seen.headers["x-vault-request"], "true");
    assert_eq!(seen.headers["x-vault-namespace"], "team");
    assert_eq!(seen.json(), json!({"ciphertext": "vault:v1:x"}));
}

#[tokio::test]
async fn a_login_as_the_service_account_comes_next_and_is_made_once() {
    let fake = Fake::new(vault).await;
    let config = format!("instances:\n- address: {VAULT}\n  loginPath: ns/auth/kubernetes/login\n");
    let keys = login_case(&config, fake.url.clone()).load().await.unwrap();
    for _ in 0..2 {
        assert_eq!(decrypt(&keys, key(VAULT)).await.unwrap(), "data key");
    }
    let seen = fake.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].line, line(&Method::PUT, "vault.example.com:8200/v1/ns/auth/kubernetes/login"));
    assert_eq!(seen[0].json(), json!({"role": "apps_deployer", "jwt": token_of("apps", "deployer")}));
    assert_eq!(seen[1].headers["x-vault-token"], "hvs.login");
}

#[tokio::test]
async fn addresses_that_the_operator_does_not_list_get_no_token() {
    let fake = Fake::new(vault).await;
    for config in ["instances: []", "instances:\n- address: https://other\n  loginPath: x\n", "{}"] {
        let error = login_case(config, fake.url.clone()).decrypt(key(VAULT)).await.unwrap_err();
        let expected = "no Vault login path configured for address 'https://vault.example.com:8200' in ConfigMap \
            'flux-system/vaults'";
        assert_eq!(error, expected);
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_config_map_that_can_not_be_used_is_named() {
    let fake = Fake::new(vault).await;
    let error = login_case("a: b: c", fake.url.clone()).decrypt(key(VAULT)).await.unwrap_err();
    let expected = "failed to parse 'config.yaml' in Vault ConfigMap 'flux-system/vaults': ";
    assert!(error.starts_with(expected), "{error}");
    let gone = Case { vault_config_map: Some("vaults"), ..Case::bare(&[]) };
    let error = gone.decrypt(key(VAULT)).await.unwrap_err();
    assert!(error.starts_with("failed to get Vault ConfigMap 'flux-system/vaults': "), "{error}");
    let empty = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vaults"}});
    let empty = Case { vault_config_map: Some("vaults"), ..Case::bare(&[(MAP, empty)]) };
    let error = empty.decrypt(key(VAULT)).await.unwrap_err();
    assert_eq!(error, "Vault ConfigMap 'flux-system/vaults' is missing the 'config.yaml' key");
}

#[tokio::test]
async fn a_refused_login_names_the_role_but_not_the_token() {
    let fake = Fake::new(|seen: &Seen| {
        let said = format!("bad jwt {}", seen.json()["jwt"].as_str().unwrap());
        (403, vec![], json!({"errors": [said]}).to_string())
    });
    let config = format!("instances: [{{address: \"{VAULT}\", loginPath: auth/k/login}}]");
    let error = login_case(&config, fake.await.url.clone()).decrypt(key(VAULT)).await.unwrap_err();
    assert_eq!(
        error,
        "failed to authenticate with Vault 'https://vault.example.com:8200' at login path 'auth/k/login' as role \
         'apps_deployer': vault: vault.example.com:8200 answered 403 (bad jwt ***)"
    );
}

fn environment_case<const N: usize>(variables: [(&str, &str); N], route: &Url) -> Case<'static> {
    Case { environment: Environment::from(variables), routes: vec![(HOST, route.clone())], ..Case::bare(&[]) }
}

#[tokio::test]
async fn the_environments_token_comes_last_and_goes_where_it_belongs() {
    let fake = Fake::new(vault).await;
    let token = ("VAULT_TOKEN", "hvs.env");
    let home = |address| ("VAULT_ADDR", address);
    let list = |list| ("SOPS_HC_VAULT_ALLOWLIST", list);
    for (variables, refusal) in [
        ([token, home(""), list("")], None),
        ([token, home("https://vault.example.com:8200/"), list("")], None),
        ([token, home("https://other"), list("https://vault.example.com:8200")], None),
        ([token, home(""), list("all")], None),
        (
            [token, home("https://other"), list("")],
            Some("the controller's Vault token is not for https://vault.example.com:8200"),
        ),
        ([token, home(""), list("none")], Some("Allowlist does not allow https://vault.example.com:8200")),
        (
            [token, home(""), list("https://vault.example.co")],
            Some("Allowlist does not allow https://vault.example.com:8200"),
        ),
        ([token, home(""), list("a,,b")], Some("SOPS_HC_VAULT_ALLOWLIST's entry 2 is empty")),
    ] {
        let outcome = environment_case(variables, &fake.url).decrypt(key(VAULT)).await;
        assert_eq!(outcome.err().as_deref(), refusal, "{variables:?}");
    }
    assert!(fake.seen().iter().all(|seen| seen.headers["x-vault-token"] == "hvs.env"));
    assert_eq!(fake.seen().len(), 4);
}

#[tokio::test]
async fn refusals_are_told_in_the_words_of_sops() {
    let fake = Fake::new(|_| (403, vec![], json!({"errors": ["permission denied"]}).to_string())).await;
    let case = environment_case([("VAULT_TOKEN", "hvs.env")], &fake.url);
    assert_eq!(
        case.decrypt(key(VAULT)).await.unwrap_err(),
        "failed to decrypt sops data key from Vault transit backend 'team/transit/decrypt/sops': vault: \
         vault.example.com:8200 answered 403 (permission denied)"
    );
}

#[tokio::test]
async fn a_standby_may_send_us_to_the_active_node_once_by_https() {
    for (location, expected) in [
        ("https://active.example.com/v1/team/transit/decrypt/sops", Ok("data key")),
        ("http://active.example.com/v1/x", Err("redirects to where no token may go")),
    ] {
        let fake = Fake::new(move |seen: &Seen| {
            if seen.line.contains("active") {
                return vault(seen);
            }
            (307, vec![("location", location.to_owned())], String::new())
        });
        let fake = fake.await;
        let case = Case {
            environment: Environment::from([("VAULT_TOKEN", "hvs.env")]),
            routes: [HOST, "active.example.com"].map(|host| (host, fake.url.clone())).to_vec(),
            ..Case::bare(&[])
        };
        let outcome = case.decrypt(key(VAULT)).await;
        match expected {
            Ok(expected) => assert_eq!(outcome.as_deref(), Ok(expected)),
            Err(expected) => assert!(outcome.unwrap_err().ends_with(expected)),
        }
    }
}

#[tokio::test]
async fn addresses_that_are_no_urls_are_refused_without_their_password() {
    let keys = Case::with(&[("sops.vault-token", b"t")]).load().await.unwrap();
    for (address, shown) in [("vault", "vault"), ("file:///etc", "file:///etc"), ("https://u:s3cr3t@v", "…")]
    {
        let error = decrypt(&keys, key(address)).await.unwrap_err();
        assert!(error.ends_with(&format!("the Vault address '{shown}' is not a URL")), "{error}");
    }
}

#[tokio::test]
async fn a_vault_without_an_answer_is_told() {
    for (answer, expected) in [
        ("{}", "has no decrypted data"),
        (r#"{"data": {"plaintext": "s3cr3t!"}}"#, "has a plaintext that is not base64"),
        (r#"{"data": {}}"#, "has no decrypted data"),
    ] {
        let fake = Fake::new(move |_| ok(answer)).await;
        let error =
            environment_case([("VAULT_TOKEN", "t")], &fake.url).decrypt(key(VAULT)).await.unwrap_err();
        let expected = if answer == "{}" { "is empty: transit backend is empty" } else { expected };
        assert!(error.ends_with(expected), "{error}");
    }
}
