//! Clusters that a kubeconfig names. Here it is always the same one, seen by somebody else.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    SOON, Story, audit::requests, impersonation::account, kubeconfig, secret, story, story_with, watched,
};

#[test]
fn a_kubeconfig_applies_as_the_user_it_holds() {
    story("remote-user", async |mut story| {
        account(&story, "remote", &["configmaps"]).await?;
        let config = with_token(&story, &token(&story, "remote").await?)?;
        story.bed.objects.apply(&secret("remote-user", "cluster", &json!({ "value": config }))).await?;
        story.install([("settings.yaml", SETTINGS)], &spec(&json!({ "name": "cluster" }))).await?;
        ensure!(story.data("settings").await?.is_some());
        // The log has the controller's own requests only.
        let own = requests(&story.bed.cluster, "remote-user")?;
        ensure!(!own.iter().any(|request| request.resource == "configmaps"), "{own:?}");

        let files = [("settings.yaml", SETTINGS), ("secret.yaml", SECRET)];
        let message = story.push_failing(files, "ReconciliationFailed").await?;
        ensure!(message.contains("system:serviceaccount:remote-user:remote"), "{message}");
        ensure!(!story.exists(&story.reference("v1", "Secret", "token")).await?);
        // What left the source is deleted there, too.
        story.update([("other.yaml", SETTINGS.replace("settings", "other").as_str())]).await?;
        ensure!(story.data("settings").await?.is_none());
        Ok(())
    });
}

#[test]
fn an_account_of_the_other_cluster_can_be_impersonated() {
    story("remote-account", async |mut story| {
        account(&story, "deployer", &["configmaps"]).await?;
        let config = kubeconfig(&story.bed.cluster)?.to_string();
        story.bed.objects.apply(&secret("remote-account", "cluster", &json!({ "value": config }))).await?;
        let mut spec = spec(&json!({ "name": "cluster" }));
        spec["serviceAccountName"] = json!("deployer");
        story.begin([("settings.yaml", SETTINGS), ("secret.yaml", SECRET)], &spec).await?;
        let message = story.fails("ReconciliationFailed").await?;
        ensure!(message.contains("system:serviceaccount:remote-account:deployer"), "{message}");
        story.update([("settings.yaml", SETTINGS)]).await
    });
}

#[test]
fn a_missing_secret_or_key_is_said_and_mended_at_once_when_watched() {
    story("remote-missing", async |mut story| {
        let config = kubeconfig(&story.bed.cluster)?.to_string();
        let holding = |values: &Value| watched(secret("remote-missing", "cluster", values));
        let commit = story.begin([("settings.yaml", SETTINGS)], &spec(&json!({ "name": "cluster" }))).await?;
        let message = story.fails("ReconciliationFailed").await?;
        ensure!(
            message.contains("unable to read KubeConfig secret 'remote-missing/cluster' error"),
            "{message}"
        );

        story.bed.objects.apply(&holding(&json!({ "staging": config }))).await?;
        let expected =
            "KubeConfig secret 'remote-missing/cluster' does not contain a 'value' key with a kubeconfig";
        e2e::wait::until("the missing key to be said", SOON, async || {
            Ok(story.fails("ReconciliationFailed").await?.contains(expected).then_some(()))
        })
        .await?;
        let named = json!({ "kubeConfig": { "secretRef": { "key": "production" } } });
        story.respecify(&named).await?;
        e2e::wait::until("the key to be named", SOON, async || {
            Ok(story.fails("ReconciliationFailed").await?.contains("'production' key").then_some(()))
        })
        .await?;

        story.bed.objects.apply(&holding(&json!({ "production": config }))).await?;
        story.applied(&commit).await.map(drop)
    });
}

#[test]
fn a_program_of_a_kubeconfig_is_not_run() {
    story("remote-exec", async |mut story| {
        let marker = story.bed.kustomize.folder().join("tmp/executed");
        let config = with_program(&story, &["touch", &marker.to_string_lossy()])?;
        story.bed.objects.apply(&secret("remote-exec", "cluster", &json!({ "value": config }))).await?;
        story.begin([("settings.yaml", SETTINGS)], &spec(&json!({ "name": "cluster" }))).await?;
        story.fails("ReconciliationFailed").await?;
        ensure!(!marker.exists(), "the program was run");
        ensure!(story.data("settings").await?.is_none());
        Ok(())
    });
}

#[test]
fn a_program_of_a_kubeconfig_is_run_where_the_operator_allows_it() {
    story_with(&["--insecure-kubeconfig-exec=true"], "remote-exec-allowed", async |mut story| {
        account(&story, "remote", &["configmaps"]).await?;
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": { "token": token(&story, "remote").await? },
        });
        let program = story.bed.cluster.folder().join("credential.sh");
        fs::write(&program, format!("#!/bin/sh\necho '{credential}'\n"))
            .context("failed to write a program")?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        let config = with_program(&story, &[&*program.to_string_lossy()])?;
        story
            .bed
            .objects
            .apply(&secret("remote-exec-allowed", "cluster", &json!({ "value": config })))
            .await?;
        story.install([("settings.yaml", SETTINGS)], &spec(&json!({ "name": "cluster" }))).await?;
        ensure!(story.data("settings").await?.is_some());
        Ok(())
    });
}

#[test]
fn a_config_map_names_a_cluster_and_the_account_that_has_a_token_for_it() {
    let gate = "--feature-gates=ObjectLevelWorkloadIdentity=true";
    story_with(&[gate], "remote-generic", async |mut story| {
        account(&story, "remote", &["configmaps"]).await?;
        let config = kubeconfig(&story.bed.cluster)?;
        let cluster = &config["clusters"][0]["cluster"];
        let authority =
            cluster["certificate-authority-data"].as_str().context("the cluster has an authority")?;
        let data = json!({
            "provider": "generic",
            "address": cluster["server"],
            "ca.crt": String::from_utf8(STANDARD.decode(authority)?)?,
            "audiences": "https://kubernetes.default.svc",
            "serviceAccountName": "remote",
        });
        let described = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "cluster", "namespace": "remote-generic" }, "data": data,
        });
        story.bed.objects.apply(&described).await?;
        let spec = json!({ "kubeConfig": { "configMapRef": { "name": "cluster" } } });
        story.install([("settings.yaml", SETTINGS)], &spec).await?;
        ensure!(story.data("settings").await?.is_some());
        let files = [("settings.yaml", SETTINGS), ("secret.yaml", SECRET)];
        let message = story.push_failing(files, "ReconciliationFailed").await?;
        ensure!(message.contains("system:serviceaccount:remote-generic:remote"), "{message}");
        Ok(())
    });
}

#[test]
fn files_of_the_controller_are_no_credentials() {
    story("remote-files", async |mut story| {
        let mut config = kubeconfig(&story.bed.cluster)?;
        let token = config["users"][0]["user"]["token"].as_str().context("the user has a token")?.to_owned();
        let file = story.bed.cluster.folder().join("a-token");
        fs::write(&file, token).context("failed to write a token")?;
        config["users"][0]["user"] = json!({ "tokenFile": file });
        let values = json!({ "value": config.to_string() });
        story.bed.objects.apply(&secret("remote-files", "cluster", &values)).await?;
        story.begin([("settings.yaml", SETTINGS)], &spec(&json!({ "name": "cluster" }))).await?;
        story.fails("ReconciliationFailed").await?;
        ensure!(story.data("settings").await?.is_none());
        Ok(())
    });
}

const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  color: blue\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: t\n";

fn spec(reference: &Value) -> Value {
    json!({ "kubeConfig": { "secretRef": reference } })
}

/// A kubeconfig with another token.
fn with_token(story: &Story<'_>, token: &str) -> Result<String> {
    let mut config = kubeconfig(&story.bed.cluster)?;
    config["users"][0]["user"] = json!({ "token": token });
    Ok(config.to_string())
}

/// A kubeconfig whose credentials come from a program.
fn with_program(story: &Story<'_>, command: &[&str]) -> Result<String> {
    let mut config = kubeconfig(&story.bed.cluster)?;
    config["users"][0]["user"] = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command[0],
        "args": command[1..],
        "interactiveMode": "Never",
    }});
    Ok(config.to_string())
}

/// A token of a ServiceAccount of the namespace.
async fn token(story: &Story<'_>, account: &str) -> Result<String> {
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/{account}/token", story.namespace);
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(body.to_string().into_bytes())
        .context("the request is well-formed")?;
    let answer: Value = story.bed.cluster.client().request(request).await?;
    Ok(answer["status"]["token"].as_str().context("no token came")?.to_owned())
}
