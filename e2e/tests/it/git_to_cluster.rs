//! A push becomes objects in the cluster.

use e2e::{Push, fixtures};
use serde_json::json;

use crate::stage::{digest, plain, story};

#[test]
fn a_push_is_applied_and_waited_for() {
    story("git-to-cluster", async |mut scene| {
        let mut files = fixtures::config_maps(&["settings"], "blue");
        files.set("web.yaml", fixtures::application("web", "v1"));
        let commit = scene.install(&Push { files, ..Push::default() }, &json!({ "wait": true })).await?;

        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "blue" })));
        let app = scene.applied(&commit).await?;
        let mut ids: Vec<&str> = app["status"]["inventory"]["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["id"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        assert_eq!(
            ids,
            [
                "git-to-cluster_settings__ConfigMap",
                "git-to-cluster_web__Service",
                "git-to-cluster_web__ServiceAccount",
                "git-to-cluster_web_apps_Deployment",
                "git-to-cluster_web_networking.k8s.io_Ingress",
            ]
        );
        Ok(())
    });
}

#[test]
fn a_second_push_arrives_when_the_source_is_told() {
    story("second-push", async |mut scene| {
        scene
            .install(
                &Push { files: fixtures::config_maps(&["settings"], "blue"), ..Push::default() },
                &plain(),
            )
            .await?;
        let commit = scene
            .push(&Push { files: fixtures::config_maps(&["settings"], "green"), ..Push::default() })
            .await?;
        scene.applied(&commit).await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "green" })));
        Ok(())
    });
}

#[test]
fn the_artifact_is_served_over_http_with_the_digest_of_its_status() {
    story("http-artifact", async |mut scene| {
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let artifact = scene.artifact().await?;
        let bytes =
            reqwest::get(artifact["url"].as_str().unwrap()).await?.error_for_status()?.bytes().await?;
        assert_eq!(artifact["digest"], digest(&bytes));
        assert_eq!(artifact["size"], bytes.len());
        Ok(())
    });
}
