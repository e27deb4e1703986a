//! A commit that can't be built changes nothing.

use e2e::{Push, fixtures};
use serde_json::json;

use crate::stage::{plain, story};

#[test]
fn a_failing_build_keeps_the_last_state() {
    story("failing-build", async |mut scene| {
        let good = scene
            .install(
                &Push { files: fixtures::config_maps(&["settings"], "blue"), ..Push::default() },
                &plain(),
            )
            .await?;
        let mut files = fixtures::config_maps(&["settings"], "green");
        files.set("kustomization.yaml", "resources: [settings.yaml, missing.yaml]\n");
        scene.push(&Push { files, ..Push::default() }).await?;

        let app = scene.condition(&scene.app(), "False", "BuildFailed").await?;
        assert!(app["status"]["lastAppliedRevision"].as_str().unwrap().ends_with(&good));
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "blue" })));

        let mended = scene
            .push(&Push { files: fixtures::config_maps(&["settings"], "green"), ..Push::default() })
            .await?;
        scene.applied(&mended).await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "green" })));
        Ok(())
    });
}
