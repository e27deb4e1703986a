//! Reads the accepted objects of `admission.yaml` as Rust. The table itself is checked on the test bed.

use api::kustomize::v1::Kustomization;
use api::source::v1::{Bucket, ExternalArtifact, GitRepository, OciRepository};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[test]
fn accepted_objects_survive_a_round_trip() {
    let cases: Vec<Value> = serde_saphyr::from_str(include_str!("admission.yaml")).unwrap();
    for case in cases.iter().filter(|case| case.get("refused").is_none()) {
        let mut object = case["object"].clone();
        object["metadata"] = json!({"name": "app", "namespace": "default"});
        // The API server's default, which the schema asks for.
        object["spec"] = object.get("spec").cloned().unwrap_or_else(|| json!({}));
        let again = match object["apiVersion"].as_str().zip(object["kind"].as_str()).unwrap() {
            ("source.toolkit.fluxcd.io/v1", "GitRepository") => round_trip::<GitRepository>(&object),
            ("source.toolkit.fluxcd.io/v1", "OCIRepository") => round_trip::<OciRepository>(&object),
            ("source.toolkit.fluxcd.io/v1", "Bucket") => round_trip::<Bucket>(&object),
            ("source.toolkit.fluxcd.io/v1", "ExternalArtifact") => round_trip::<ExternalArtifact>(&object),
            ("kustomize.toolkit.fluxcd.io/v1", "Kustomization") => round_trip::<Kustomization>(&object),
            _ => continue,
        };
        // What is off is left out on the wire.
        object["spec"].as_object_mut().unwrap().retain(|_, value| *value != Value::Bool(false));
        assert_eq!(again.unwrap(), object, "{}", case["case"]);
    }
}

fn round_trip<K: DeserializeOwned + Serialize>(object: &Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<K>(object.clone())?)
}
