use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Config, canonical};
use crate::fake::{Accounts, Fake, Reply, Seen, chain, controller, deployer, jwt, ok, tokens};

const EKS: &str = "arn:aws:eks:eu-west-1:123456789012:cluster/prod";
const GKE: &str = "projects/p/locations/europe-west1/clusters/prod";
const AKS: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/\
    Microsoft.ContainerService/managedClusters/prod";

fn config(data: &[(&str, &str)]) -> Config {
    Config::from_data(
        &data.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
    )
}

#[test]
fn a_config_map_is_read_by_its_keys() {
    let read = config(&[
        ("provider", "generic"),
        ("address", "https://a"),
        ("ca.crt", "PEM"),
        ("audiences", "one\n\n  two \n"),
        ("serviceAccountName", "deployer"),
        ("cluster", ""),
    ]);
    let expected = Config {
        provider: "generic".into(),
        cluster: String::new(),
        address: Some("https://a".into()),
        authority: Some("PEM".into()),
        audiences: vec!["one".into(), "two".into()],
        service_account: Some("deployer".into()),
    };
    assert_eq!(read, expected);
}

#[test]
fn addresses_have_one_spelling_and_https() {
    for (address, expected) in [
        ("10.0.0.1", Ok("https://10.0.0.1:443")),
        ("https://API.example.com", Ok("https://api.example.com:443")),
        ("https://api:6443/", Ok("https://api:6443")),
        ("https://rancher/k8s/c-1", Ok("https://rancher:443/k8s/c-1")),
        ("http://api", Err("the Kubernetes API server address 'http://api' must use https scheme")),
        ("", Err("empty or overlong Kubernetes API server address")),
        ("https://", Err("failed to parse Kubernetes API server address 'https://'")),
        ("https://user@api", Err("failed to parse Kubernetes API server address 'https://user@api'")),
    ] {
        let got = canonical(address).map_err(|e| e.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expected, "{address}");
    }
}

fn aws_environment() -> [(&'static str, &'static str); 3] {
    [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "k"), ("AWS_SESSION_TOKEN", "session")]
}

#[tokio::test]
async fn eks_describes_the_cluster_and_takes_a_presigned_request_for_a_token() {
    let fake = Fake::new(|_| {
        let authority = json!({"data": STANDARD.encode("PEM")});
        ok(
            &json!({"cluster": {"endpoint": "https://ABC.eks.amazonaws.com", "certificateAuthority": authority}}),
        )
    });
    let fake = fake.await;
    let (tokens, _) = tokens(&fake, &["eks.eu-west-1.amazonaws.com"], aws_environment(), Accounts::default());
    let access =
        tokens.cluster(&controller(), &config(&[("provider", "aws"), ("cluster", EKS)])).await.unwrap();
    assert_eq!(access.address, "https://abc.eks.amazonaws.com:443");
    assert_eq!(access.authority.as_deref(), Some(b"PEM".as_slice()));
    assert_eq!(access.expires.to_string(), "2015-08-30T12:51:00Z");
    assert_eq!(fake.targets(), ["GET eks.eu-west-1.amazonaws.com/clusters/prod"]);
    assert!(fake.seen()[0].headers["authorization"].contains("/eu-west-1/eks/aws4_request"));
    let encoded = access.token.expose().strip_prefix("k8s-aws-v1.").unwrap();
    let url = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap();
    assert!(url.starts_with("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&"), "{url}");
    assert!(url.contains("X-Amz-Expires=900") && url.contains("SignedHeaders=host%3Bx-k8s-aws-id"), "{url}");
    assert!(!format!("{access:?}").contains(encoded));
}

#[tokio::test]
async fn a_cluster_that_the_config_map_describes_is_not_asked_for() {
    let fake = Fake::new(|_| ok("")).await;
    let (tokens, _) = tokens(&fake, &[], aws_environment(), Accounts::default());
    let data = [("provider", "aws"), ("cluster", EKS), ("address", "https://mine"), ("ca.crt", "PEM")];
    let access = tokens.cluster(&controller(), &config(&data)).await.unwrap();
    assert_eq!(access.address, "https://mine:443");
    assert!(fake.seen().is_empty());
}

fn gke(seen: &Seen) -> Reply {
    if seen.target.starts_with("container.googleapis.com") {
        let authority = STANDARD.encode("PEM");
        return ok(&json!({"endpoint": "34.1.2.3", "masterAuth": {"clusterCaCertificate": authority}}));
    }
    ok(&json!({"access_token": "ya29", "expires_in": 3599}))
}

#[tokio::test]
async fn gke_gives_the_clusters_endpoint_to_the_same_token() {
    let fake = Fake::new(gke).await;
    let hosts = ["container.googleapis.com", "metadata.test"];
    let (tokens, _) = tokens(&fake, &hosts, [("GCE_METADATA_HOST", "metadata.test")], Accounts::default());
    let access =
        tokens.cluster(&controller(), &config(&[("provider", "gcp"), ("cluster", GKE)])).await.unwrap();
    assert_eq!((access.address.as_str(), access.token.expose()), ("https://34.1.2.3:443", "ya29"));
    let seen = fake.seen();
    assert_eq!(seen[1].target, format!("container.googleapis.com/v1/{GKE}"));
    assert_eq!(seen[1].headers["authorization"], "Bearer ya29");
}

fn kubeconfig(server: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {}\nusers:\n- name: u\n  user: {{exec: {{command: kubelogin}}}}\n",
        STANDARD.encode("PEM")
    );
    STANDARD.encode(text)
}

fn aks(seen: &Seen) -> Reply {
    if seen.target.contains("listClusterUserCredential") {
        let configs = ["https://private:443", "https://public:443"].map(|s| json!({"value": kubeconfig(s)}));
        return ok(&json!({"kubeconfigs": configs}));
    }
    if seen.target.starts_with("management.azure.com") {
        return ok(&json!({"properties": {"aadProfile": {"managed": true}}}));
    }
    let resource = seen.target.rsplit_once("resource=").map(|(_, resource)| resource.to_owned());
    ok(&json!({"access_token": format!("token for {}", resource.unwrap()), "expires_in": 3599}))
}

const AZURE_HOSTS: [&str; 2] = ["169.254.169.254", "management.azure.com"];

#[tokio::test]
async fn aks_is_found_by_its_kubeconfig_of_the_address() {
    let data = [("provider", "azure"), ("cluster", AKS)];
    let with = |address| [&data[..], &[("address", address)]].concat();
    for (data, expected) in
        [(data.to_vec(), "https://private:443"), (with("https://PUBLIC"), "https://public:443")]
    {
        let fake = Fake::new(aks).await;
        let (tokens, _) = tokens(&fake, &AZURE_HOSTS, [], Accounts::default());
        let access = tokens.cluster(&controller(), &config(&data)).await.unwrap();
        assert_eq!(access.address, expected);
        assert_eq!(access.token.expose(), "token for 6dae42f8-4368-4678-94ff-3960e28e3630");
        let seen = fake.seen();
        let base = format!("management.azure.com{AKS}");
        assert_eq!(seen[2].target, format!("{base}?api-version=2025-05-01"));
        assert_eq!(
            (seen[3].method.as_str(), seen[3].target.clone()),
            ("POST", format!("{base}/listClusterUserCredential?api-version=2025-05-01"))
        );
        assert!(seen[3].headers["authorization"].contains("management.core.windows.net"));
    }
}

#[tokio::test]
async fn aks_says_which_addresses_there_are() {
    let fake = Fake::new(aks).await;
    let (tokens, _) = tokens(&fake, &AZURE_HOSTS, [], Accounts::default());
    let config = config(&[("provider", "azure"), ("cluster", AKS), ("address", "https://other")]);
    let text = chain(&tokens.cluster(&controller(), &config).await.unwrap_err());
    let expected = format!(
        "no kubeconfig found for AKS cluster {AKS} matching the specified address 'https://other'. \
         cluster addresses: ['https://private:443', 'https://public:443']"
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn aks_without_entra_is_refused() {
    let fake = Fake::new(|seen: &Seen| match seen.target.starts_with("management") {
        true => ok(&json!({"properties": {}})),
        false => ok(&json!({"access_token": "t", "expires_in": 60})),
    });
    let (tokens, _) = tokens(&fake.await, &AZURE_HOSTS, [], Accounts::default());
    let config = config(&[("provider", "azure"), ("cluster", AKS)]);
    let text = chain(&tokens.cluster(&controller(), &config).await.unwrap_err());
    assert!(text.contains("does not have Microsoft Entra ID integration enabled"), "{text}");
}

#[tokio::test]
async fn a_generic_cluster_gets_a_token_for_its_audiences_or_its_address() {
    for (audiences, issued) in [("", "apps/deployer https://a.example"), ("x\ny", "apps/deployer x,y")] {
        let fake = Fake::new(|_| ok("")).await;
        let (tokens, accounts) = tokens(&fake, &[], [], Accounts::with(&[]));
        let data = [("provider", "generic"), ("address", "https://a.example"), ("audiences", audiences)];
        let access = tokens.cluster(&deployer(), &config(&data)).await.unwrap();
        assert_eq!(access.token.expose(), jwt("system:serviceaccount:apps:deployer", 3600).expose());
        assert_eq!((access.address.as_str(), access.authority), ("https://a.example:443", None));
        assert_eq!(*accounts.issued.lock(), [issued]);
    }
}

#[tokio::test]
async fn the_controllers_own_account_stands_for_the_controller() {
    let fake = Fake::new(|_| ok("")).await;
    let (tokens, accounts) = tokens(&fake, &[], [], Accounts::default());
    let config = config(&[("provider", "generic"), ("address", "https://a")]);
    tokens.cluster(&controller(), &config).await.unwrap();
    assert_eq!(*accounts.issued.lock(), ["flux-system/kustomize-controller https://a"]);
}

#[tokio::test]
async fn what_can_not_be_a_cluster_is_refused() {
    let fake = Fake::new(gke).await;
    let environment =
        [("GCE_METADATA_HOST", "metadata.test"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let (tokens, _) = tokens(&fake, &["metadata.test"], environment, Accounts::default());
    for (data, expected) in [
        (vec![("provider", "oracle")], "provider 'oracle' not implemented"),
        (vec![], "provider '' not implemented"),
        (vec![("provider", "aws"), ("cluster", "prod")], "invalid EKS cluster ARN: 'prod'. must match "),
        (vec![("provider", "gcp"), ("cluster", "prod")], "invalid GKE cluster ID: 'prod'. must match "),
        (vec![("provider", "generic")], "cluster address is required to create a REST config"),
    ] {
        let text = chain(&tokens.cluster(&controller(), &config(&data)).await.unwrap_err());
        assert!(text.starts_with(expected), "{text}");
    }
}
