//! Waiting for health: what counts as healthy, what it says meanwhile, and that it holds up nobody else.

use anyhow::{Result, ensure};
use e2e::{Ref, git::Files};
use serde_json::{Value, json};

use super::{
    SOON, Story, deployment, hopeless_deployment, story, story_with,
    widgets::{definition, manifest, set_phase},
};

#[test]
fn healthy_goes_from_unknown_to_true_to_false_and_back() {
    story("healthy-states", async |mut story| {
        let files = widget_files(&story);
        story.begin(files.clone(), &widget_spec(&story, "Widget")).await?;
        let message = story.shows("Healthy", "Unknown", "Progressing").await?;
        ensure!(message.starts_with("Running health checks for revision main@sha1:"), "{message}");
        set_phase(&story, "w", "Done").await?;
        let message = story.shows("Healthy", "True", "Succeeded").await?;
        ensure!(message.starts_with("Health check passed in "), "{message}");
        story.told("Health check passed in ").await?;
        story.bed.objects.ready(&story.app(), SOON).await?;

        set_phase(&story, "w", "Broken").await?;
        let mut broken = files.clone();
        broken.set("settings.yaml", e2e::fixtures::config_map("settings", "green"));
        let message = story.push_failing(broken, "HealthCheckFailed").await?;
        ensure!(message.starts_with("health check failed after "), "{message}");
        ensure!(message.contains("Widget/healthy-states/w status: 'Failed'"), "{message}");
        let healthy = story.shows("Healthy", "False", "HealthCheckFailed").await?;
        ensure!(message.ends_with(&healthy), "{healthy}");

        set_phase(&story, "w", "Done").await?;
        story.update(files).await?;
        story.shows("Healthy", "True", "Succeeded").await?;
        // Who asks for no health has no condition of it.
        story.respecify(&json!({ "wait": false })).await?;
        let gone =
            |object: Option<&Value>| e2e::objects::find_condition(object?, "Healthy").is_none().then_some(());
        story.bed.objects.wait(&story.app(), "no condition Healthy", SOON, gone).await
    });
}

#[test]
fn an_expression_without_kind_is_for_the_whole_group() {
    story("health-group", async |mut story| {
        story.begin(widget_files(&story), &widget_spec(&story, "")).await?;
        story.shows("Healthy", "Unknown", "Progressing").await?;
        set_phase(&story, "w", "Busy").await?;
        set_phase(&story, "w", "Done").await?;
        story.bed.objects.ready(&story.app(), SOON).await.map(drop)
    });
}

#[test]
fn an_expression_replaces_what_is_known_of_jobs() {
    story("health-job", async |mut story| {
        let job = "\
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: work, image: registry.example/work:v1}]
";
        // With an account, expressions come before what is built in.
        super::impersonation::account(&story, "deployer", &["configmaps"]).await?;
        grant_all(&story, "deployer").await?;
        let current = "'done' in metadata.labels";
        let spec = json!({
            "serviceAccountName": "deployer", "wait": true, "timeout": "30s",
            "healthCheckExprs": [{ "apiVersion": "batch/v1", "kind": "Job", "current": current }],
        });
        story.begin([("job.yaml", job)], &spec).await?;
        story.shows("Healthy", "Unknown", "Progressing").await?;
        let job = story.reference("batch/v1", "Job", "work");
        story.has(&job, "/spec/suspend", &json!(true), SOON).await?;
        story.bed.objects.patch(&job, &json!({ "metadata": { "labels": { "done": "yes" } } })).await?;
        story.shows("Healthy", "True", "Succeeded").await.map(drop)
    });
}

#[test]
fn what_was_skipped_is_not_waited_for() {
    story("health-skipped", async |mut story| {
        let ignored = hopeless_deployment("web").replace(
            "metadata:\n  name: web\n",
            "metadata:\n  name: web\n  annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}\n",
        );
        let own = e2e::yaml::document(&hopeless_deployment("web"))?;
        let mut own = own.clone();
        own["metadata"]["namespace"] = json!("health-skipped");
        story.bed.objects.apply(&own).await?;
        let files = [
            ("web.yaml", ignored.as_str()),
            ("settings.yaml", &e2e::fixtures::config_map("settings", "blue")),
        ];
        story.install(files, &json!({ "wait": true, "timeout": "5m" })).await.map(drop)
    });
}

#[test]
fn checks_without_version_mean_deployments_and_name_what_is_missing() {
    story("health-checks", async |mut story| {
        let check = |name: &str| json!({ "kind": "Deployment", "name": name, "namespace": "health-checks" });
        let spec = json!({ "healthChecks": [check("web")] });
        story.install([("web.yaml", deployment("web", "").as_str())], &spec).await?;
        story.shows("Healthy", "True", "Succeeded").await?;

        story
            .respecify(&json!({ "healthChecks": [check("web"), check("absent")], "timeout": "30s" }))
            .await?;
        let message = story.fails("HealthCheckFailed").await?;
        ensure!(message.contains("Deployment/health-checks/absent status: 'NotFound'"), "{message}");
        ensure!(!message.contains("health-checks/web"), "{message}");
        Ok(())
    });
}

#[test]
fn a_wait_holds_up_nobody_else() {
    story_with(&["--concurrent=1"], "health-parked", async |mut story| {
        let mut files = Files::default();
        files.set("app/web.yaml", hopeless_deployment("web"));
        files.set("other/settings.yaml", e2e::fixtures::config_map("settings", "blue"));
        let spec = json!({ "path": "./app", "wait": true, "timeout": "5m" });
        story.begin(files, &spec).await?;
        story.shows("Healthy", "Unknown", "Progressing").await?;

        let other = story.kustomization("other", &json!({ "path": "./other", "wait": true }));
        story.bed.objects.apply(&other).await?;
        story.bed.objects.ready(&Ref::kustomization("health-parked", "other"), SOON).await?;
        story.shows("Healthy", "Unknown", "Progressing").await.map(drop)
    });
}

#[test]
fn a_new_revision_ends_the_wait_where_the_gate_allows_it() {
    story_with(
        &["--feature-gates=CancelHealthCheckOnNewRevision=true"],
        "health-canceled",
        async |mut story| {
            let spec = json!({ "wait": true, "timeout": "5m" });
            story.begin([("web.yaml", hopeless_deployment("web").as_str())], &spec).await?;
            story.shows("Healthy", "Unknown", "Progressing").await?;

            story.update([("web.yaml", deployment("web", "").as_str())]).await?;
            story
            .told("Health checks canceled due to new reconciliation triggered by GitRepository/health-canceled/app")
            .await
        },
    );
}

#[test]
fn a_new_spec_ends_the_wait_where_the_gate_allows_it() {
    story_with(
        &["--feature-gates=CancelHealthCheckOnNewRevision=true"],
        "health-respecified",
        async |mut story| {
            let spec = json!({ "wait": true, "timeout": "5m" });
            story.begin([("web.yaml", hopeless_deployment("web").as_str())], &spec).await?;
            story.shows("Healthy", "Unknown", "Progressing").await?;
            story.respecify(&json!({ "wait": false })).await?;
            story.bed.objects.ready(&story.app(), SOON).await.map(drop)
        },
    );
}

#[test]
fn a_failure_ends_the_wait_before_its_time() {
    story("health-failing", async |mut story| {
        let mut spec = widget_spec(&story, "Widget");
        spec["timeout"] = json!("10m");
        story.begin(widget_files(&story), &spec).await?;
        story.shows("Healthy", "Unknown", "Progressing").await?;
        set_phase(&story, "w", "Broken").await?;
        let message = story.fails("HealthCheckFailed").await?;
        ensure!(
            message.contains("failed early due to stalled resources: [Widget/health-failing/w"),
            "{message}"
        );
        story.told(&message).await
    });
}

#[test]
fn without_fail_fast_the_others_are_waited_for_as_well() {
    story_with(&["--feature-gates=DisableFailFastBehavior=true"], "health-patient", async |mut story| {
        let mut files = widget_files(&story);
        files.set("other.yaml", manifest("health-patient", "other"));
        story.begin(files, &widget_spec(&story, "Widget")).await?;
        story.shows("Healthy", "Unknown", "Progressing").await?;
        set_phase(&story, "w", "Broken").await?;
        story.keeps(&story.app(), "/status/conditions/1/status", &json!("Unknown"), super::AT_ONCE).await?;
        set_phase(&story, "other", "Done").await?;
        let message = story.fails("HealthCheckFailed").await?;
        ensure!(message.contains("Widget/health-patient/w status: 'Failed'"), "{message}");
        Ok(())
    });
}

/// A definition and one widget.
fn widget_files(story: &Story<'_>) -> Files {
    let mut files = Files::default();
    files.set("definition.yaml", definition(&story.namespace));
    files.set("widget.yaml", manifest(&story.namespace, "w"));
    files
}

fn widget_spec(story: &Story<'_>, kind: &str) -> Value {
    let mut expressions = json!({
        "apiVersion": format!("{}.example.com/v1", story.namespace),
        "inProgress": "!has(status.phase) || status.phase == 'Busy'",
        "failed": "has(status.phase) && status.phase == 'Broken'",
        "current": "status.phase == 'Done'",
    });
    if !kind.is_empty() {
        expressions["kind"] = json!(kind);
    }
    json!({ "wait": true, "timeout": "2m", "healthCheckExprs": [expressions] })
}

/// Everything in the namespace.
async fn grant_all(story: &Story<'_>, account: &str) -> Result<()> {
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": { "name": "everything", "namespace": story.namespace },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": story.namespace }],
    });
    story.bed.objects.apply(&binding).await.map(drop)
}
