use super::*;

const TOKEN: &str = "/api/v1/namespaces/apps/serviceaccounts/deployer/token";

/// Stores a ConfigMap `kc`.
fn put(scene: &Scene, data: &Value) {
    scene.own.put(CONFIG_MAP, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": data}));
}

fn issue(scene: &Scene, path: &str, token: &str) {
    let status = json!({"token": token, "expirationTimestamp": "2099-01-01T00:00:00Z"});
    scene.own.put(path, json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": {"audiences": []}, "status": status}));
}

fn allowed() -> Options {
    Options { object_level_identity: true, ..Options::default() }
}

async fn refused(scene: &Scene, options: Options) -> String {
    let reference = config_map();
    text(scene.clients(options).get(&target(Some(&reference), None)).await)
}

/// The audiences of the tokens that were asked for.
fn audiences(scene: &Scene) -> Vec<Value> {
    let calls = scene.own.take_calls();
    calls
        .into_iter()
        .filter(|c| c.what.ends_with("/token"))
        .map(|c| c.body["spec"]["audiences"].clone())
        .collect()
}

#[tokio::test]
async fn a_token_is_issued_for_the_clusters_address_or_the_given_audiences() {
    let scene = Scene::new().await;
    issue(&scene, TOKEN, "issued");
    for (given, expected) in
        [(Value::Null, json!(["https://api.example.com:443"])), (json!(" a \n\nb"), json!(["a", "b"]))]
    {
        let mut data =
            json!({"provider": "generic", "address": "API.example.com", "serviceAccountName": "deployer"});
        if given.is_string() {
            data["audiences"] = given;
        }
        put(&scene, &data);
        let (clients, reference) = (scene.clients(allowed()), config_map());
        clients.get(&target(Some(&reference), None)).await.unwrap();
        assert_eq!(audiences(&scene), [expected]);
        clients.get(&target(Some(&reference), Some("other"))).await.unwrap();
        assert!(audiences(&scene).is_empty(), "the token is kept");
    }
}

#[tokio::test]
async fn without_a_service_account_the_controllers_own_is_used() {
    let scene = Scene::new().await;
    issue(&scene, "/api/v1/namespaces/flux-system/serviceaccounts/kustomize-controller/token", "issued");
    let user = json!({"username": "system:serviceaccount:flux-system:kustomize-controller"});
    let review = json!({"metadata": {}, "status": {"userInfo": user}});
    scene.own.put("/apis/authentication.k8s.io/v1/selfsubjectreviews", review);
    put(&scene, &json!({"provider": "generic", "address": "https://api.example.com"}));
    let reference = config_map();
    scene.clients(Options::default()).get(&target(Some(&reference), None)).await.unwrap();
    assert_eq!(audiences(&scene).len(), 1);
    let user = json!({"username": "system:admin"});
    scene.own.put(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        json!({"metadata": {}, "status": {"userInfo": user}}),
    );
    assert_eq!(
        refused(&scene, Options::default()).await,
        "the controller is not a service account but \"system:admin\""
    );
}

#[tokio::test]
async fn what_cannot_be_reached_is_told() {
    let scene = Scene::new().await;
    assert_eq!(
        refused(&scene, allowed()).await,
        "failed to get configmap apps/kc: configmaps \"kc\" not found"
    );
    issue(&scene, TOKEN, "issued");
    for (field, value, expected) in [
        ("provider", "", "provider '' not supported"),
        ("provider", "Generic", "provider 'Generic' not supported"),
        ("provider", "aws", "provider 'aws' not supported"),
        ("address", "", "cluster address is required to create a REST config"),
        (
            "address",
            "http://api.example.com",
            "the Kubernetes API server address 'http://api.example.com' must use https scheme",
        ),
        (
            "address",
            "https://u:p@api.example.com",
            "failed to parse Kubernetes API server address 'api.example.com'",
        ),
        ("address", "api example com", "failed to parse Kubernetes API server address 'api example com'"),
        ("serviceAccountName", "a:b", "invalid name of a service account: \"apps/a:b\""),
        ("ca.crt", "none", "invalid value of ca.crt in kubeconfig: no valid certificate data seen"),
    ] {
        let mut data =
            json!({"provider": "generic", "address": "api.example.com", "serviceAccountName": "deployer"});
        data[field] = json!(value);
        put(&scene, &data);
        assert_eq!(refused(&scene, allowed()).await, expected);
    }
}

#[tokio::test]
async fn a_service_account_needs_the_feature() {
    let scene = Scene::new().await;
    let text = "ObjectLevelWorkloadIdentity feature gate is not enabled";
    put(&scene, &json!({"provider": "generic", "address": "a", "serviceAccountName": "deployer"}));
    assert_eq!(refused(&scene, Options::default()).await, text);
    put(&scene, &json!({"provider": "generic", "address": "a"}));
    let options = Options { default_kubeconfig_service_account: "deployer".to_owned(), ..Options::default() };
    assert_eq!(refused(&scene, options).await, text);
}

/// An identity whose tokens are numbered.
struct Numbered {
    address: String,
    given: Mutex<u32>,
    lifetime: std::time::Duration,
    works: Mutex<bool>,
}

impl ClusterIdentity for Numbered {
    fn cluster<'a>(
        &'a self,
        config: &'a ClusterConfig,
        namespace: &'a str,
    ) -> futures::future::BoxFuture<'a, Result<RemoteCluster, Box<dyn Error + Send + Sync>>> {
        assert_eq!(
            (config.provider, config.cluster.as_deref(), namespace),
            (Provider::Aws, Some("arn"), "apps")
        );
        Box::pin(async {
            if !*self.works.lock() {
                return Err("no token today".into());
            }
            let mut given = self.given.lock();
            *given += 1;
            let expires = Timestamp::now() + self.lifetime;
            let token = zeroize::Zeroizing::new(format!("token-{given}"));
            Ok(RemoteCluster { address: self.address.clone(), authority: None, token, expires })
        })
    }
}

/// What the entrance sends as header.
async fn header(entrance: &Entrance) -> Result<String, String> {
    let header = entrance.header().await.map_err(|e| e.to_string())?;
    assert!(header.is_sensitive());
    Ok(header.to_str().unwrap().to_owned())
}

async fn entrance(scene: &Scene, identity: &Arc<Numbered>) -> (Clients, Arc<Entrance>) {
    put(scene, &json!({"provider": "aws", "cluster": "arn"}));
    let clients =
        Clients::with_identity(&scene.runtime, Options::default(), Arc::<Numbered>::clone(identity) as _);
    let reference = config_map();
    clients.get(&target(Some(&reference), None)).await.unwrap();
    let remote = clients.0.remotes.lock().values().next().unwrap();
    (clients, remote.entrance.unwrap())
}

fn numbered(lifetime: u64) -> Arc<Numbered> {
    Arc::new(Numbered {
        address: "https://api.example.com".to_owned(),
        given: Mutex::new(0),
        lifetime: std::time::Duration::from_secs(lifetime),
        works: Mutex::new(true),
    })
}

#[tokio::test]
async fn a_token_is_used_while_it_is_fresh_and_renewed_for_requests_of_a_long_run() {
    let scene = Scene::new().await;
    let (_, lasting) = entrance(&scene, &numbered(3600)).await;
    assert_eq!(
        (header(&lasting).await, header(&lasting).await),
        (Ok("Bearer token-1".into()), Ok("Bearer token-1".into()))
    );
    let ending = numbered(0);
    let (_, entrance) = entrance(&scene, &ending).await;
    assert_eq!(header(&entrance).await, Ok("Bearer token-2".into()));
    *ending.works.lock() = false;
    assert_eq!(header(&entrance).await, Err("no token today".into()), "an ended token isn't sent");
}

#[tokio::test]
async fn an_identity_that_fails_is_told_and_nothing_is_kept() {
    let scene = Scene::new().await;
    let identity = numbered(0);
    let (clients, _) = entrance(&scene, &identity).await;
    *identity.works.lock() = false;
    let reference = config_map();
    assert_eq!(text(clients.get(&target(Some(&reference), None)).await), "no token today");
}

#[tokio::test]
async fn each_request_carries_the_token() {
    let scene = Scene::new().await;
    let (_, entrance) = entrance(&scene, &numbered(3600)).await;
    let plain = scene.runtime.connector.connect(Config::new(scene.other.url.parse().unwrap())).unwrap();
    let client = with_token(plain, entrance);
    ask(&client).await;
    ask(&impersonate(&client, "system:serviceaccount:apps:deployer").unwrap()).await;
    let calls = scene.other.take_calls();
    assert!(calls.iter().all(|call| call.header("authorization") == Some("Bearer token-1")));
    assert_eq!(calls[1].header("impersonate-user"), Some("system:serviceaccount:apps:deployer"));
}
