//! Applying in the name of a ServiceAccount, and no further than it may.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{SOON, Story, audit::requests, story, story_with};

#[test]
fn an_account_applies_what_its_role_allows_and_nothing_else() {
    story("account-role", async |mut story| {
        account(&story, "deployer", &["configmaps"]).await?;
        let spec = json!({ "serviceAccountName": "deployer", "wait": true });
        story.install([("settings.yaml", SETTINGS)], &spec).await?;
        ensure!(story.data("settings").await?.is_some());

        let files = [("settings.yaml", SETTINGS), ("secret.yaml", SECRET)];
        let message = story.push_failing(files, "ReconciliationFailed").await?;
        ensure!(message.contains("Secret/account-role/token dry-run failed (Forbidden)"), "{message}");
        ensure!(message.contains("system:serviceaccount:account-role:deployer"), "{message}");
        ensure!(!story.exists(&story.reference("v1", "Secret", "token")).await?);

        // What it may delete, it deletes.
        story.update([("other.yaml", SETTINGS.replace("settings", "other").as_str())]).await?;
        ensure!(story.data("settings").await?.is_none());
        Ok(())
    });
}

#[test]
fn a_change_of_what_an_account_applied_is_corrected_in_its_name() {
    story("account-drift", async |mut story| {
        account(&story, "deployer", &["configmaps"]).await?;
        story.install([("settings.yaml", SETTINGS)], &json!({ "serviceAccountName": "deployer" })).await?;
        let settings = story.config_map("settings");
        story.bed.objects.patch(&settings, &json!({ "data": { "color": "red" } })).await?;
        story.has(&settings, "/data/color", &json!("blue"), SOON).await
    });
}

#[test]
fn the_default_account_applies_for_who_names_none() {
    story_with(&["--default-service-account=tenant"], "account-default", async |mut story| {
        story.begin([("settings.yaml", SETTINGS)], &json!({ "retryInterval": "1s" })).await?;
        let message = story.fails("ReconciliationFailed").await?;
        ensure!(message.contains("system:serviceaccount:account-default:tenant"), "{message}");

        account(&story, "tenant", &["configmaps"]).await?;
        story.has(&story.config_map("settings"), "/data/color", &json!("blue"), SOON).await?;
        // An empty name is no way to the controller's own rights.
        story.respecify(&json!({ "serviceAccountName": "" })).await?;
        let files = [("settings.yaml", SETTINGS), ("secret.yaml", SECRET)];
        let message = story.push_failing(files, "ReconciliationFailed").await?;
        ensure!(message.contains("system:serviceaccount:account-default:tenant"), "{message}");
        Ok(())
    });
}

#[test]
fn a_tenant_reaches_neither_other_namespaces_nor_other_accounts() {
    story_with(&["--default-service-account=tenant"], "account-tenant", async |mut story| {
        story.bed.objects.namespace("account-victim").await?;
        account(&story, "tenant", &["configmaps", "serviceaccounts", "roles", "rolebindings"]).await?;
        let elsewhere = SETTINGS.replace("metadata:", "metadata:\n  namespace: account-victim");
        let spec = json!({ "targetNamespace": null });
        story.begin([("settings.yaml", elsewhere.as_str())], &spec).await?;
        let message = story.fails("ReconciliationFailed").await?;
        ensure!(
            message.contains("ConfigMap/account-victim/settings dry-run failed (Forbidden)"),
            "{message}"
        );

        // The rights of an account that has the name but another namespace, here the administrator of the cluster.
        let mighty = json!({ "kind": "ServiceAccount", "name": "mighty", "namespace": "account-victim" });
        cluster_administrator(&story, &mighty).await?;
        for name in ["mighty", "account-victim:mighty", "../account-victim/mighty"] {
            story.respecify(&json!({ "serviceAccountName": name })).await?;
            story.reconcile(name).await?;
            let message = story.fails("ReconciliationFailed").await?;
            ensure!(!message.contains("serviceaccount:account-victim"), "{message}");
        }
        // Rights that it doesn't have, it can't give itself.
        story.respecify(&json!({ "serviceAccountName": null })).await?;
        let role = ESCALATION.replace("NAMESPACE", "account-tenant");
        let message = story.push_failing([("role.yaml", role.as_str())], "ReconciliationFailed").await?;
        ensure!(message.contains("account-tenant:tenant"), "{message}");
        let victims = requests(&story.bed.cluster, "account-victim")?;
        ensure!(!story.exists(&e2e::Ref::config_map("account-victim", "settings")).await?, "{victims:?}");
        Ok(())
    });
}

#[test]
fn a_role_arrives_with_all_its_rules() {
    story("account-rules", async |mut story| {
        let rules = json!([
            { "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a", "b"], "verbs": ["get"] },
            { "apiGroups": ["apps", "batch"], "resources": ["*"], "verbs": ["get", "list", "watch"] },
            { "apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"] },
        ]);
        let role = |rules: &Value| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                "metadata": { "name": "reader" }, "rules": rules,
            })
            .to_string()
        };
        let reference = story.reference("rbac.authorization.k8s.io/v1", "Role", "reader");
        story.install([("role.yaml", role(&rules).as_str())], &json!({})).await?;
        story.has(&reference, "/rules", &rules, SOON).await?;

        story.bed.objects.patch(&reference, &json!({ "rules": [] })).await?;
        story.has(&reference, "/rules", &rules, SOON).await?;
        let fewer = json!([rules[1]]);
        story.update([("role.yaml", role(&fewer).as_str())]).await?;
        story.has(&reference, "/rules", &fewer, SOON).await
    });
}

const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  color: blue\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: t\n";
const ESCALATION: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: everything
  namespace: NAMESPACE
rules:
- apiGroups: ['*']
  resources: ['*']
  verbs: ['*']
";

/// An account of the namespace that may do everything with these resources.
pub(super) async fn account(story: &Story<'_>, name: &str, resources: &[&str]) -> Result<()> {
    let metadata = json!({ "name": name, "namespace": story.namespace });
    let group = "rbac.authorization.k8s.io";
    let groups = json!(["", group]);
    for object in [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata,
            "rules": [{ "apiGroups": groups, "resources": resources, "verbs":
                ["get", "list", "watch", "create", "update", "patch", "delete"] }],
        }),
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": story.namespace }],
        }),
    ] {
        story.bed.objects.apply(&object).await?;
    }
    Ok(())
}

async fn cluster_administrator(story: &Story<'_>, subject: &Value) -> Result<()> {
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": subject["name"], "namespace": subject["namespace"] },
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "mighty" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [subject],
    });
    story.bed.objects.apply(&account).await?;
    story.bed.objects.apply(&binding).await.map(drop)
}
