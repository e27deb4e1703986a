//! Builds this project's own manifests as a user's Kustomization would.

use std::path::Path;

use kustomization::Inputs;
use serde_json::{Value, json};

#[test]
fn the_install_builds_and_keeps_its_interface() {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
    let spec = json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}, "path": "install"});
    let spec = serde_json::from_value(spec).unwrap();
    let built = kustomization::build(&manifests, &spec, &Inputs::default()).unwrap();
    let objects: Vec<Value> = built.objects.iter().map(krm::Object::to_json).collect();
    let find = |kind: &str, name: &str| {
        objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name).unwrap()
    };

    for kind in ["gitrepositories.source", "kustomizations.kustomize"] {
        find("CustomResourceDefinition", &format!("{kind}.toolkit.fluxcd.io"));
    }
    for binding in objects.iter().filter(|object| object["kind"].as_str().unwrap().ends_with("Binding")) {
        for subject in binding["subjects"].as_array().unwrap() {
            assert_eq!(subject["namespace"], "flux-system");
            find("ServiceAccount", subject["name"].as_str().unwrap());
        }
    }
    // Users patch arguments and volumes by index.
    let source = find("Deployment", "source-controller");
    let pod = &source["spec"]["template"]["spec"];
    assert_eq!(
        pod["containers"][0]["args"],
        json!([
            "--events-addr=http://notification-controller.flux-system.svc.cluster.local./",
            "--watch-all-namespaces",
            "--log-level=info",
            "--log-encoding=json",
            "--enable-leader-election",
            "--storage-path=/data",
            "--storage-adv-addr=source-controller.$(RUNTIME_NAMESPACE).svc.cluster.local.",
        ])
    );
    assert_eq!(pod["volumes"], json!([{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]));
    assert_eq!(source["spec"]["selector"], json!({"matchLabels": {"app": "source-controller"}}));
    assert_eq!(find("Service", "source-controller")["spec"]["ports"][0]["targetPort"], "http");
}
