//! The CustomResourceDefinitions as the API server enforces them.

use std::{path::Path, process::Stdio};

use anyhow::Result;
use e2e::{Bed, fixtures, programs};
use serde_json::{Value, json};

use crate::stage::story;

#[test]
fn manifests_of_the_seed_are_accepted_unchanged() {
    let Some(shared) = programs::shared() else {
        eprintln!("skipped: the seed is not there");
        return;
    };
    story("seed", async |scene| {
        for file in ["gitrepository.yaml", "kustomization.yaml", "kustomization-prod.yaml"] {
            let refused = kubectl_apply(scene.bed, &shared.join("seed/manifests").join(file)).await?;
            assert_eq!(refused, "", "{file}");
        }
        Ok(())
    });
}

/// What kubectl has to complain about, warnings included. A dry run: nobody shall fetch from these addresses.
async fn kubectl_apply(bed: &Bed, file: &Path) -> Result<String> {
    let output = bed
        .cluster
        .kubectl()
        .args(["apply", "--validate=strict", "--dry-run=server", "-f"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .await?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(if output.status.success() { complaint } else { format!("{}: {complaint}", output.status) })
}

#[test]
fn old_versions_are_served_with_a_warning() {
    story("old-versions", async |scene| {
        for (kind, version) in [
            ("GitRepository", "source.toolkit.fluxcd.io/v1beta1"),
            ("GitRepository", "source.toolkit.fluxcd.io/v1beta2"),
            ("Kustomization", "kustomize.toolkit.fluxcd.io/v1beta1"),
            ("Kustomization", "kustomize.toolkit.fluxcd.io/v1beta2"),
        ] {
            let mut object = match kind {
                "GitRepository" => fixtures::git_repository("old-versions", "https://git.invalid"),
                _ => fixtures::kustomization("old-versions", &json!({})),
            };
            object["apiVersion"] = json!(version);
            object["spec"]["suspend"] = json!(true);
            scene.bed.objects.apply(&object).await?;
        }
        Ok(())
    });
}

/// A field set to what the schema has to refuse, and a part of the refusal.
fn check(object: Value, pointer: &str, value: Value, refusal: &str) {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    story(&format!("refused-{number}"), async |scene| {
        let mut object = object;
        object["metadata"]["namespace"] = json!(scene.namespace);
        let (parent, field) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        object.pointer_mut(parent).expect("the parent is there")[field] = value;
        let error = scene.bed.objects.apply(&object).await.err();
        let said = error.map_or_else(|| "accepted".to_owned(), |error| format!("{error:#}"));
        assert!(said.contains(refusal), "{pointer}: {said}");
        Ok(())
    });
}

fn source() -> Value {
    fixtures::git_repository("", "https://git.invalid")
}

fn app() -> Value {
    fixtures::kustomization("", &json!({}))
}

#[test]
fn bad_git_repositories_are_refused() {
    for (pointer, value, refusal) in [
        ("/spec/url", json!("ftp://git.invalid/app"), "spec.url"),
        ("/spec/interval", json!("soon"), "spec.interval"),
        ("/spec/timeout", json!("1d"), "spec.timeout"),
        ("/spec/provider", json!("gitlab"), "spec.provider"),
        ("/spec/secretRef", json!({}), "spec.secretRef.name"),
        ("/spec/verify", json!({ "mode": "sometimes", "secretRef": { "name": "a" } }), "spec.verify.mode"),
        ("/spec/include", json!([{ "fromPath": "a" }]), "spec.include[0].repository"),
        ("/spec/serviceAccountName", json!("robot"), "serviceAccountName"),
    ] {
        check(source(), pointer, value, refusal);
    }
}

#[test]
fn bad_kustomizations_are_refused() {
    for (pointer, value, refusal) in [
        ("/spec/interval", json!("10 minutes"), "spec.interval"),
        ("/spec/prune", json!("yes"), "spec.prune"),
        ("/spec/sourceRef", json!({ "kind": "HelmChart", "name": "a" }), "spec.sourceRef.kind"),
        ("/spec/sourceRef", json!({ "kind": "GitRepository" }), "spec.sourceRef.name"),
        ("/spec/targetNamespace", json!("x".repeat(64)), "spec.targetNamespace"),
        ("/spec/dependsOn", json!([{ "namespace": "a" }]), "spec.dependsOn[0].name"),
        ("/spec/deletionPolicy", json!("Forget"), "spec.deletionPolicy"),
        ("/spec/images", json!([{ "newTag": "v1" }]), "spec.images[0].name"),
        ("/spec/patches", json!([{ "target": {} }]), "spec.patches[0].patch"),
        ("/spec/decryption", json!({ "provider": "vault" }), "spec.decryption.provider"),
    ] {
        check(app(), pointer, value, refusal);
    }
}
