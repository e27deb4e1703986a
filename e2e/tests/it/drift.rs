//! What somebody changes by hand is put back.

use e2e::{Push, Ref, fixtures};
use serde_json::json;

use crate::stage::{plain, story};

#[test]
fn a_change_by_hand_is_corrected_at_the_next_reconcile() {
    story("drift", async |mut scene| {
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let settings = Ref::config_map("drift", "settings");
        scene.bed.objects.patch(&settings, &json!({ "data": { "color": "red" } })).await?;

        scene.reconcile("put it back").await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "blue" })));
        Ok(())
    });
}

#[test]
fn a_deleted_object_comes_back() {
    story("drift-deleted", async |mut scene| {
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        scene.bed.objects.delete(&Ref::config_map("drift-deleted", "settings")).await?;

        scene.reconcile("bring it back").await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "blue" })));
        Ok(())
    });
}

#[test]
fn fields_of_others_stay() {
    story("drift-others", async |mut scene| {
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let settings = Ref::config_map("drift-others", "settings");
        scene.bed.objects.patch(&settings, &json!({ "data": { "mine": "yes" } })).await?;

        scene.reconcile("leave mine").await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "blue", "mine": "yes" })));
        Ok(())
    });
}
