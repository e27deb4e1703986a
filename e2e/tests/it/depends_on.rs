//! Several Kustomizations of one repository, one after the other.

use e2e::{Push, Ref, fixtures, git::Files};
use serde_json::json;

use crate::stage::{SOON, story};

#[test]
fn a_dependent_waits_for_what_it_depends_on() {
    story("depends-on", async |mut scene| {
        let mut files = Files::default();
        files.set("base/a.yaml", fixtures::config_map("a", "blue"));
        files.set("apps/b.yaml", fixtures::config_map("b", "blue"));
        scene.repository.push(&Push { files, ..Push::default() }).await?;
        let objects = &scene.bed.objects;
        objects.apply(&fixtures::git_repository("depends-on", &scene.bed.git.url())).await?;

        let spec = json!({ "path": "./apps", "dependsOn": [{ "name": "base" }] });
        objects.apply(&fixtures::kustomization("depends-on", &spec)).await?;
        scene.condition(&scene.app(), "False", "DependencyNotReady").await?;
        assert_eq!(scene.data("b").await?, None);

        let spec = json!({ "path": "./base" });
        objects.apply(&fixtures::named_kustomization("depends-on", "base", &spec)).await?;
        objects.ready(&Ref::kustomization("depends-on", "base"), SOON).await?;
        objects.ready(&scene.app(), SOON).await?;
        assert!(scene.data("b").await?.is_some());
        Ok(())
    });
}
