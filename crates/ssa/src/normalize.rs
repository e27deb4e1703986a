//! Brings an object into the form that is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The Secret holds SOPS ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is SOPS encrypted, configuring decryption is required for this secret to be reconciled")]
pub struct Encrypted;

/// Refuses a Secret that is still encrypted.
///
/// Deviation: upstream looks after normalising, which loses the mark of Secrets with encrypted `stringData`, and
/// applies the ciphertext.
///
/// # Errors
/// When the object is a core Secret with a field `sops` that doesn't opt out with `<group>/decrypt: disabled`.
pub fn refuse_encrypted(object: &Value, group: &str) -> Result<(), Encrypted> {
    let opted_out = object
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(format!("{group}/decrypt")))
        .and_then(Value::as_str)
        .is_some_and(|value| value.eq_ignore_ascii_case("disabled"));
    if is_secret(object) && object.get("sops").is_some() && !opted_out {
        return Err(Encrypted);
    }
    Ok(())
}

/// Sets the defaults that server-side apply needs to merge lists, and drops what is not ours to set.
///
/// That is: `protocol: TCP` of container and Service ports, `stringData` of Secrets moved into `data`, nulls of
/// built-in kinds, `status` (but for custom resource definitions), `metadata.creationTimestamp`.
///
/// Source: `github.com/fluxcd/pkg/ssa` `NormalizeUnstructured`. Deviation: unknown fields stay and are reported by
/// the API server, where upstream drops them silently.
pub fn normalize(object: &mut Value) {
    let (group, kind) = group_kind(object);
    match (group.as_str(), kind.as_str()) {
        // Upstream passes these through untouched.
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => return,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => drop_invalid_ca_bundle(object),
        ("", "Secret") => move_string_data(object),
        ("", "Service") => default_protocols(object.pointer_mut("/spec/ports")),
        ("", "Pod") => default_container_ports(object.pointer_mut("/spec")),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            default_container_ports(object.pointer_mut("/spec/template/spec"));
        }
        ("batch", "CronJob") => {
            default_container_ports(object.pointer_mut("/spec/jobTemplate/spec/template/spec"))
        }
        _ => {}
    }
    // A schema may hold nulls that mean something (defaults, examples).
    let is_definition = kind == "CustomResourceDefinition";
    if is_built_in(&group) && !is_definition {
        drop_nulls(object);
    }
    let Value::Object(fields) = object else { return };
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("creationTimestamp");
    }
    if !is_definition {
        fields.shift_remove("status");
    }
}

fn group_kind(object: &Value) -> (String, String) {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    (group.to_owned(), text("kind").to_owned())
}

pub(crate) fn is_secret(object: &Value) -> bool {
    object["apiVersion"] == "v1" && object["kind"] == "Secret"
}

fn is_built_in(group: &str) -> bool {
    matches!(group, "" | "apps" | "autoscaling" | "batch" | "extensions" | "policy")
        || matches!(
            group.strip_suffix(".k8s.io"),
            Some(
                "admissionregistration"
                    | "apiextensions"
                    | "certificates"
                    | "coordination"
                    | "discovery"
                    | "events"
                    | "flowcontrol.apiserver"
                    | "networking"
                    | "node"
                    | "rbac.authorization"
                    | "resource"
                    | "scheduling"
                    | "storage"
                    | "storagemigration"
            )
        )
}

fn default_container_ports(pod: Option<&mut Value>) {
    let Some(containers) = pod.and_then(|pod| pod.get_mut("containers")).and_then(Value::as_array_mut) else {
        return;
    };
    for container in containers {
        default_protocols(container.get_mut("ports"));
    }
}

// The protocol is part of the merge key of ports: without it, server-side apply adds a second port.
fn default_protocols(ports: Option<&mut Value>) {
    let Some(ports) = ports.and_then(Value::as_array_mut) else { return };
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        let unset = port.get("protocol").is_none_or(|protocol| protocol.is_null() || protocol == "");
        if unset {
            port.insert("protocol".into(), "TCP".into());
        }
    }
}

fn move_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let decodes = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::Object(entries)) => entries.values().all(|value| value.is_string() || value.is_null()),
        Some(_) => false,
    };
    // What is not a Secret by its types is passed on for the API server to refuse.
    if !decodes("stringData") || !decodes("data") {
        return;
    }
    let Some(Value::Object(plain)) = fields.shift_remove("stringData") else { return };
    let data = fields.entry("data").or_insert(Value::Null);
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    let Value::Object(data) = data else { return };
    for (key, value) in plain {
        data.insert(key, Value::String(STANDARD.encode(value.as_str().unwrap_or_default())));
    }
}

// Placeholders that a CA injector replaces later are refused by the API server.
fn drop_invalid_ca_bundle(definition: &mut Value) {
    let Some(config) =
        definition.pointer_mut("/spec/conversion/webhook/clientConfig").and_then(Value::as_object_mut)
    else {
        return;
    };
    if config.get("caBundle").is_some_and(|bundle| !is_pem(bundle)) {
        config.shift_remove("caBundle");
    }
}

fn is_pem(bundle: &Value) -> bool {
    let Some(decoded) = bundle.as_str().and_then(|text| STANDARD.decode(text).ok()) else { return false };
    let text = String::from_utf8_lossy(&decoded);
    text.contains("-----BEGIN CERTIFICATE-----") && text.contains("-----END CERTIFICATE-----")
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GROUP: &str = "kustomize.toolkit.fluxcd.io";

    fn check(mut object: Value, expected: &Value) {
        normalize(&mut object);
        assert_eq!(object, *expected);
    }

    #[test]
    fn container_ports_are_tcp_unless_said_otherwise() {
        let pod = |ports: Value, more: Value| json!({"containers": [{"name": "a", "ports": ports}, {"name": "b"}], "initContainers": [{"ports": more}]});
        let before = || {
            pod(
                json!([{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]),
                json!([{"containerPort": 1}]),
            )
        };
        let after = || {
            pod(
                json!([{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]),
                json!([{"containerPort": 1}]),
            )
        };
        for (version, kind) in [
            ("apps/v1", "Deployment"),
            ("apps/v1", "StatefulSet"),
            ("apps/v1", "DaemonSet"),
            ("apps/v1", "ReplicaSet"),
            ("batch/v1", "Job"),
        ] {
            check(
                json!({"apiVersion": version, "kind": kind, "spec": {"template": {"spec": before()}}}),
                &json!({"apiVersion": version, "kind": kind, "spec": {"template": {"spec": after()}}}),
            );
        }
        check(
            json!({"apiVersion": "v1", "kind": "Pod", "spec": before()}),
            &json!({"apiVersion": "v1", "kind": "Pod", "spec": after()}),
        );
        check(
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": before()}}}}}),
            &json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": after()}}}}}),
        );
    }

    #[test]
    fn service_ports_are_tcp_of_the_core_group_only() {
        check(
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}),
            &json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80, "protocol": "TCP"}]}}),
        );
        let knative = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}});
        check(knative.clone(), &knative);
    }

    #[test]
    fn string_data_becomes_data_and_wins() {
        check(
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ==", "b": "Yg=="}, "stringData": {"b": "new", "c": ""}}),
            &json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ==", "b": "bmV3", "c": ""}}),
        );
        check(
            json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"k": "v"}, "data": null}),
            &json!({"apiVersion": "v1", "kind": "Secret", "data": {"k": "dg=="}}),
        );
    }

    #[test]
    fn a_secret_with_wrong_types_is_left_to_the_server() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"k": 5}});
        check(secret.clone(), &secret);
    }

    #[test]
    fn nulls_status_and_creation_time_go() {
        check(
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "status": {}, "metadata": {"name": "a", "creationTimestamp": null},
                "spec": {"replicas": null, "template": {"spec": {"volumes": [{"name": "x", "emptyDir": {}}], "affinity": null}}},
            }),
            &json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
                "spec": {"template": {"spec": {"volumes": [{"name": "x", "emptyDir": {}}]}}},
            }),
        );
    }

    #[test]
    fn nulls_of_custom_resources_stay() {
        check(
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"a": null}, "status": {"b": 1}}),
            &json!({"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"a": null}}),
        );
    }

    #[test]
    fn definitions_keep_status_and_schema() {
        check(
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"creationTimestamp": null}, "spec": {"default": null}, "status": {"a": 1}}),
            &json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {}, "spec": {"default": null}, "status": {"a": 1}}),
        );
    }

    #[test]
    fn a_ca_bundle_that_is_no_certificate_goes() {
        let definition = |config: Value| json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"conversion": {"webhook": {"clientConfig": config}}}});
        let pem = STANDARD.encode("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
        check(definition(json!({"caBundle": "Cg==", "url": "u"})), &definition(json!({"url": "u"})));
        check(definition(json!({"caBundle": pem})), &definition(json!({"caBundle": pem})));
    }

    #[test]
    fn roles_are_not_touched() {
        for kind in ["Role", "ClusterRole"] {
            let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"creationTimestamp": null}, "rules": null, "status": {}});
            check(role.clone(), &role);
        }
    }

    #[test]
    fn encrypted_secrets_are_refused_unless_they_opt_out() {
        let secret = |annotations: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": annotations}, "stringData": {"a": "ENC[…]"}, "sops": {}});
        assert_eq!(refuse_encrypted(&secret(json!({})), GROUP), Err(Encrypted));
        assert_eq!(
            refuse_encrypted(&secret(json!({"kustomize.toolkit.fluxcd.io/decrypt": "Disabled"})), GROUP),
            Ok(())
        );
        assert_eq!(
            refuse_encrypted(&json!({"apiVersion": "example.com/v1", "kind": "Secret", "sops": {}}), GROUP),
            Ok(())
        );
        assert_eq!(refuse_encrypted(&json!({"apiVersion": "v1", "kind": "Secret"}), GROUP), Ok(()));
    }
}
