use super::*;
use crate::client::Connector;
use crate::leader::Fence;

#[tokio::test]
async fn the_other_cluster_is_reached_with_its_own_credentials_and_the_impersonated_user() {
    let scene = Scene::new().await;
    scene.put_secret("value", &scene.kubeconfig(&json!({"token": "s3cr3t"})));
    let reference = secret(None);
    let client =
        scene.clients(Options::default()).get(&target(Some(&reference), Some("deployer"))).await.unwrap();
    ask(&client).await;
    let own = scene.own.take_calls();
    assert_eq!(
        (own.len(), &own[0].what[..], own[0].header("impersonate-user")),
        (1, &format!("GET {SECRET}")[..], None)
    );
    let calls = scene.other.take_calls();
    assert_eq!(calls[0].header("authorization"), Some("Bearer s3cr3t"));
    assert_eq!(calls[0].header("impersonate-user"), Some("system:serviceaccount:apps:deployer"));
    let agent = format!("test-controller/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(calls[0].header("user-agent"), Some(agent.as_str()));
    let host = scene.other.url.trim_start_matches("http://");
    let counted = format!("rest_client_requests_total{{code=\"200\",host=\"{host}\",method=\"GET\"}} 1");
    assert!(scene.runtime.metrics.encode().contains(&counted));
}

#[tokio::test]
async fn basic_credentials_are_sent_as_such() {
    let scene = Scene::new().await;
    scene.put_secret("value", &scene.kubeconfig(&json!({"username": "u", "password": "p"})));
    let reference = secret(None);
    ask(&scene.clients(Options::default()).get(&target(Some(&reference), None)).await.unwrap()).await;
    let expected = format!("Basic {}", STANDARD.encode("u:p"));
    assert_eq!(scene.other.take_calls()[0].header("authorization"), Some(expected.as_str()));
}

#[tokio::test]
async fn nothing_of_the_controller_or_of_the_kubeconfigs_own_identity_reaches_the_other_cluster() {
    let scene = Scene::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "controller-token").unwrap();
    let marker = tempfile::NamedTempFile::new().unwrap();
    let user = json!({
        "tokenFile": file.path(),
        "client-certificate": file.path(), "client-key": file.path(),
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "rm", "args": [marker.path()]},
        "auth-provider": {"name": "gcp", "config": {"cmd-path": "rm", "cmd-args": marker.path()}},
        "as": "system:admin", "as-groups": ["system:masters"],
    });
    scene.put_secret("value", &scene.kubeconfig(&user));
    let reference = secret(None);
    ask(&scene.clients(Options::default()).get(&target(Some(&reference), None)).await.unwrap()).await;
    let calls = scene.other.take_calls();
    for header in ["authorization", "impersonate-user", "impersonate-group"] {
        assert_eq!(calls[0].header(header), None, "{header}");
    }
    assert!(marker.path().exists(), "no program ran");
}

#[tokio::test]
async fn an_exec_plugin_runs_only_when_a_flag_allows_it() {
    let scene = Scene::new().await;
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "from-plugin"},
    });
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "echo", "args": [credential.to_string()],
        "interactiveMode": "Never",
    }});
    scene.put_secret("value", &scene.kubeconfig(&user));
    let reference = secret(None);
    for (insecure_exec, sent) in [(false, None), (true, Some("Bearer from-plugin"))] {
        let clients = scene.clients(Options { insecure_exec, ..Options::default() });
        ask(&clients.get(&target(Some(&reference), None)).await.unwrap()).await;
        assert_eq!(scene.other.take_calls()[0].header("authorization"), sent);
    }
}

#[tokio::test]
async fn keys_are_looked_for_in_fluxs_order() {
    let scene = Scene::new().await;
    let clients = scene.clients(Options::default());
    for (stored, asked, expected) in [
        ("value", None, None),
        ("value.yaml", None, None),
        ("mine", Some("mine"), None),
        ("value", Some(""), None),
        ("mine", None, Some("'value'")),
        ("value", Some("mine"), Some("'mine'")),
    ] {
        scene.put_secret(stored, &scene.kubeconfig(&json!({})));
        let reference = secret(asked);
        let result = clients.get(&target(Some(&reference), None)).await;
        match expected {
            None => assert!(result.is_ok(), "{stored} {asked:?}"),
            Some(key) => {
                let expected =
                    format!("KubeConfig secret 'apps/kc' does not contain a {key} key with a kubeconfig");
                assert_eq!(text(result), expected);
            }
        }
    }
}

#[tokio::test]
async fn a_missing_secret_is_told_in_fluxs_words_and_its_client_is_dropped() {
    let scene = Scene::new().await;
    let (clients, reference) = (scene.clients(Options::default()), secret(None));
    scene.put_secret("value", &scene.kubeconfig(&json!({"token": "t"})));
    clients.get(&target(Some(&reference), None)).await.unwrap();
    scene.own.remove(SECRET);
    let error = text(clients.get(&target(Some(&reference), None)).await);
    assert_eq!(error, "unable to read KubeConfig secret 'apps/kc' error: secrets \"kc\" not found");
    assert_eq!(clients.0.remotes.lock().len(), 0);
}

#[tokio::test]
async fn a_client_is_kept_until_the_secret_says_something_else() {
    let scene = Scene::new().await;
    let (clients, reference) = (scene.clients(Options::default()), secret(None));
    for (token, account) in [("one", None), ("one", Some("deployer")), ("two", None)] {
        scene.put_secret("value", &scene.kubeconfig(&json!({"token": token})));
        ask(&clients.get(&target(Some(&reference), account)).await.unwrap()).await;
        let sent = scene.other.take_calls()[0].header("authorization").map(str::to_owned);
        assert_eq!(sent, Some(format!("Bearer {token}")));
        assert_eq!(clients.0.remotes.lock().len(), 1, "as whom is no other connection");
    }
    clients.forget(&Key { namespace: "other".to_owned(), name: "kc".to_owned() });
    assert_eq!(clients.0.remotes.lock().len(), 1);
    clients.forget(&Key { namespace: "apps".to_owned(), name: "kc".to_owned() });
    assert_eq!(clients.0.remotes.lock().len(), 0);
}

#[tokio::test]
async fn behind_a_closed_fence_nothing_is_written_in_the_other_cluster_either() {
    let mut scene = Scene::new().await;
    let far = std::time::Duration::from_secs(3600);
    let fence = Fence::renewed_at_start(Arc::new(move || far), far / 100, far / 90);
    scene.runtime.connector = Connector::new("test-controller", scene.runtime.metrics.clone()).fenced(fence);
    scene.put_secret("value", &scene.kubeconfig(&json!({"token": "t"})));
    let reference = secret(None);
    let client =
        scene.clients(Options::default()).get(&target(Some(&reference), Some("deployer"))).await.unwrap();
    ask(&client).await;
    let api: Api<ConfigMap> = Api::namespaced(client, "apps");
    let refused = api.create(&PostParams::default(), &ConfigMap::default()).await.unwrap_err();
    assert!(chain(&refused).contains("does not hold the leader lease"), "{}", chain(&refused));
    assert_eq!(scene.other.take_calls().len(), 1, "only the read");
}
