//! What leaves the source leaves the cluster.

use e2e::{Push, Ref, fixtures};
use serde_json::json;

use crate::stage::{plain, story};

#[test]
fn an_object_that_left_the_source_is_pruned() {
    story("prune", async |mut scene| {
        let files = fixtures::config_maps(&["keep", "leave"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let stranger = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "stranger", "namespace": "prune" },
        });
        scene.bed.objects.apply(&stranger).await?;

        let files = fixtures::config_maps(&["keep"], "blue");
        let commit = scene.push(&Push { files, ..Push::default() }).await?;
        scene.applied(&commit).await?;
        assert_eq!(scene.data("leave").await?, None);
        assert!(scene.data("keep").await?.is_some());
        assert!(scene.data("stranger").await?.is_some());
        Ok(())
    });
}

#[test]
fn without_prune_it_stays() {
    story("prune-off", async |mut scene| {
        let files = fixtures::config_maps(&["keep", "leave"], "blue");
        scene.install(&Push { files, ..Push::default() }, &json!({ "prune": false })).await?;
        let files = fixtures::config_maps(&["keep"], "blue");
        let commit = scene.push(&Push { files, ..Push::default() }).await?;
        scene.applied(&commit).await?;
        assert!(scene.data("leave").await?.is_some());
        Ok(())
    });
}

#[test]
fn deleting_the_kustomization_prunes_everything_it_applied() {
    story("prune-delete", async |mut scene| {
        let files = fixtures::config_maps(&["a", "b"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        scene.delete_app().await?;
        assert_eq!((scene.data("a").await?, scene.data("b").await?), (None, None));
        Ok(())
    });
}

#[test]
fn an_object_that_another_owner_took_over_is_not_pruned() {
    story("prune-foreign", async |mut scene| {
        let files = fixtures::config_maps(&["a"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let labels = json!({ "kustomize.toolkit.fluxcd.io/name": "somebody-else" });
        let object = Ref::config_map("prune-foreign", "a");
        scene.bed.objects.patch(&object, &json!({ "metadata": { "labels": labels } })).await?;
        scene.delete_app().await?;
        assert!(scene.data("a").await?.is_some());
        Ok(())
    });
}
