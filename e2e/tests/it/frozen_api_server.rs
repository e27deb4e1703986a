//! An API server that takes connections and answers nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::{Bed, Part, Push, fixtures, wait};
use serde_json::json;

use crate::stage::{Scene, alone, plain};

/// Longer than a client's patience for one request.
const FROZEN: Duration = Duration::from_secs(20);

#[test]
fn a_frozen_api_server_is_survived_without_exit() {
    alone(async || {
        let bed = Bed::start(&[]).await?;
        let mut scene = Scene::new(&bed, "frozen").await?;
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        let before = (bed.source.process()?.pid(), bed.kustomize.process()?.pid());

        bed.cluster.pause(Part::ApiServer)?;
        stay_alive(&bed).await?;
        bed.cluster.resume(Part::ApiServer)?;

        let commit = scene
            .push(&Push { files: fixtures::config_maps(&["settings"], "green"), ..Push::default() })
            .await?;
        scene.applied(&commit).await?;
        assert_eq!(scene.data("settings").await?, Some(json!({ "color": "green" })));
        assert_eq!(before, (bed.source.process()?.pid(), bed.kustomize.process()?.pid()));
        Ok(())
    });
}

/// Both processes are there all the time.
async fn stay_alive(bed: &Bed) -> Result<()> {
    let begin = Instant::now();
    wait::until("the time to pass", FROZEN + Duration::from_secs(5), async || {
        bed.source.process()?.check()?;
        bed.kustomize.process()?.check()?;
        Ok((begin.elapsed() > FROZEN).then_some(()))
    })
    .await
}
