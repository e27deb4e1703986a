//! Variables: where their values come from, and what they do to the text.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{AT_ONCE, SOON, secret, story, story_with, watched};

#[test]
fn inline_values_win_over_references_and_later_references_over_earlier_ones() {
    story("vars-order", async |mut story| {
        let first = json!({ "a": "first", "b": "first", "c": "first" });
        let second = json!({ "b": "second\n", "c": "second" });
        story.bed.objects.apply(&values("vars-order", "first", &first)).await?;
        story.bed.objects.apply(&secret("vars-order", "second", &second)).await?;
        let spec = json!({ "postBuild": {
            "substitute": { "c": "inline" },
            "substituteFrom": [
                { "kind": "ConfigMap", "name": "first" },
                { "kind": "Secret", "name": "second" },
                { "kind": "ConfigMap", "name": "absent", "optional": true },
                { "kind": "Secret", "name": "absent", "optional": true },
            ],
        }});
        let manifest = settings("  a: ${a}\n  b: ${b}.\n  c: ${c}\n  d: ${d:=default}\n  e: $${a}\n");
        story.install([("settings.yaml", manifest.as_str())], &spec).await?;
        let expected = json!({ "a": "first", "b": "second.", "c": "inline", "d": "default", "e": "${a}" });
        story.has(&story.config_map("settings"), "/data", &expected, SOON).await
    });
}

#[test]
fn a_missing_reference_that_is_not_optional_fails_the_build() {
    story("vars-missing", async |mut story| {
        let spec = json!({ "postBuild": { "substituteFrom": [{ "kind": "Secret", "name": "absent" }] } });
        story.begin([("settings.yaml", settings("  a: ${a}\n").as_str())], &spec).await?;
        let message = story.fails("BuildFailed").await?;
        ensure!(message.contains("substitute from 'Secret/absent' error"), "{message}");
        Ok(())
    });
}

#[test]
fn a_variable_without_value_is_an_error_that_names_it() {
    story("vars-strict", async |mut story| {
        let manifest = settings("  a: ${present}\n  b: ${absent}\n");
        story.begin([("settings.yaml", manifest.as_str())], &inline(&json!({ "present": "there" }))).await?;
        let message = story.fails("BuildFailed").await?;
        ensure!(message.contains(r#"variable not set (strict mode): "absent""#), "{message}");
        ensure!(message.contains("settings"), "{message}");
        ensure!(story.data("settings").await?.is_none(), "something was applied");

        story.update([("settings.yaml", settings("  a: ${present}\n  b: ${absent:-}\n").as_str())]).await?;
        let data = story.data("settings").await?.unwrap_or_default();
        ensure!(data["a"] == "there", "{data}");
        Ok(())
    });
}

#[test]
fn without_the_strict_gate_a_variable_without_value_is_empty() {
    story_with(&["--feature-gates=StrictPostBuildSubstitutions=false"], "vars-lenient", async |mut story| {
        let manifest = settings("  a: <${absent}>\n  b: ${present}\n");
        story
            .install([("settings.yaml", manifest.as_str())], &inline(&json!({ "present": "there" })))
            .await?;
        ensure!(story.data("settings").await? == Some(json!({ "a": "<>", "b": "there" })));
        Ok(())
    });
}

#[test]
fn numbers_and_booleans_stay_text_with_a_variable_that_holds_a_quote() {
    story("vars-quote", async |mut story| {
        let variables = json!({ "quote": "\"", "port": "8080", "debug": "true", "replicas": "0" });
        let quoted = settings("  port: ${quote}${port}${quote}\n  debug: ${quote}${debug}${quote}\n");
        let deployment = super::deployment("web", "").replace("replicas: 1", "replicas: ${replicas}");
        story
            .install([("settings.yaml", quoted.as_str()), ("web.yaml", &deployment)], &inline(&variables))
            .await?;
        ensure!(story.data("settings").await? == Some(json!({ "port": "8080", "debug": "true" })));
        story
            .has(&story.reference("apps/v1", "Deployment", "web"), "/spec/replicas", &json!(0), SOON)
            .await?;

        // It is text that is substituted: quotes of the manifest are gone by then.
        let number = settings("  port: \"${port}\"\n");
        story.push_failing([("settings.yaml", number.as_str())], "ReconciliationFailed").await.map(drop)
    });
}

#[test]
fn the_strategy_always_substitutes_without_variables() {
    story("vars-always", async |mut story| {
        let manifest = settings("  a: ${a:=default}\n");
        let without = json!({ "postBuild": {} });
        story.install([("settings.yaml", manifest.as_str())], &without).await?;
        ensure!(story.data("settings").await? == Some(json!({ "a": "${a:=default}" })));

        story.respecify(&json!({ "postBuild": { "substituteStrategy": "Always" } })).await?;
        story.has(&story.config_map("settings"), "/data/a", &json!("default"), SOON).await
    });
}

#[test]
fn an_object_can_be_kept_from_substitution() {
    story("vars-disabled", async |mut story| {
        let kept = "metadata:\n  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}";
        let kept = settings("  a: ${a}\n").replace("metadata:", kept);
        let other = settings("  a: ${a}\n").replace("settings", "other");
        let files = [("settings.yaml", kept.as_str()), ("other.yaml", &other)];
        story.install(files, &inline(&json!({ "a": "b" }))).await?;
        ensure!(story.data("settings").await? == Some(json!({ "a": "${a}" })));
        ensure!(story.data("other").await? == Some(json!({ "a": "b" })));
        Ok(())
    });
}

#[test]
fn a_change_of_a_watched_reference_is_applied_at_once() {
    story("vars-watched", async |mut story| {
        let namespace = story.namespace.clone();
        let color = |color: &str| watched(values(&namespace, "vars", &json!({ "color": color })));
        let size = |size: &str| watched(secret(&namespace, "vars", &json!({ "size": size })));
        story.bed.objects.apply(&color("red")).await?;
        story.bed.objects.apply(&size("small")).await?;
        let references =
            [json!({ "kind": "ConfigMap", "name": "vars" }), json!({ "kind": "Secret", "name": "vars" })];
        let spec = json!({ "postBuild": { "substituteFrom": references } });
        let manifest = settings("  color: ${color}\n  size: ${size}\n");
        story.install([("settings.yaml", manifest.as_str())], &spec).await?;

        story.bed.objects.apply(&color("green")).await?;
        story.has(&story.config_map("settings"), "/data/color", &json!("green"), AT_ONCE).await?;
        story.bed.objects.apply(&size("large")).await?;
        story.has(&story.config_map("settings"), "/data/size", &json!("large"), AT_ONCE).await
    });
}

#[test]
fn without_watchers_a_changed_reference_waits_for_the_next_run() {
    story_with(&["--feature-gates=DisableConfigWatchers=true"], "vars-unwatched", async |mut story| {
        let namespace = story.namespace.clone();
        let color = |color: &str| watched(values(&namespace, "vars", &json!({ "color": color })));
        story.bed.objects.apply(&color("red")).await?;
        let spec = json!({ "postBuild": { "substituteFrom": [{ "kind": "ConfigMap", "name": "vars" }] } });
        story.install([("settings.yaml", settings("  color: ${color}\n").as_str())], &spec).await?;

        story.bed.objects.apply(&color("green")).await?;
        story.keeps(&story.config_map("settings"), "/data/color", &json!("red"), AT_ONCE).await?;
        story.reconcile("look again").await?;
        ensure!(story.data("settings").await? == Some(json!({ "color": "green" })));
        Ok(())
    });
}

fn inline(variables: &Value) -> Value {
    json!({ "postBuild": { "substitute": variables } })
}

fn values(namespace: &str, name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": namespace }, "data": data,
    })
}

/// A ConfigMap with these lines of data.
fn settings(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n{data}")
}
