//! Two kustomize-controllers, of which one leads.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{
    Bed, Controller, Push, Ref,
    controller::{Kind, Setup},
    fixtures, wait,
};

use crate::stage::{SOON, Scene, alone, plain};

const FLAGS: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=5s",
    "--leader-election-renew-deadline=4s",
    "--leader-election-retry-period=1s",
];

#[test]
fn another_takes_over_from_a_leader_that_hangs() {
    alone(async || {
        let bed = Bed::start(&FLAGS).await?;
        let mut scene = Scene::new(&bed, "failover").await?;
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;

        let leader = holder(&bed).await?;
        let standby = standby(&bed).await?;
        bed.kustomize.process()?.pause()?;
        let commit = scene
            .push(&Push { files: fixtures::config_maps(&["settings"], "green"), ..Push::default() })
            .await?;
        scene.applied(&commit).await?;
        assert_ne!(holder(&bed).await?, leader);

        // The old leader wakes up, sees that it leads no more, and ends without having written.
        let old = bed.kustomize.process()?;
        old.resume()?;
        wait::until("the old leader to end", SOON, async || Ok(old.exited())).await?;
        standby.process()?.check()?;
        scene.applied(&commit).await?;
        Ok(())
    });
}

async fn holder(bed: &Bed) -> Result<String> {
    let lease =
        Ref::new("coordination.k8s.io/v1", "Lease", "flux-system", "kustomize-controller-leader-election");
    let lease = bed.objects.get(&lease).await?.context("there is a lease")?;
    Ok(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned())
}

async fn standby(bed: &Bed) -> Result<Controller> {
    let mut setup =
        Setup::ours(Kind::Kustomize, bed.cluster.kubeconfig(Kind::Kustomize.user()), bed.artifact_port)?;
    setup.flags = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    let standby = Controller::start(setup).await?;
    // Ready means serving probes; a moment more and it waits for the lease.
    wait::until("the standby to wait", Duration::from_secs(20), async || {
        standby.process()?.check()?;
        Ok((!standby.metrics().await?.contains("leader_election_master_status{name=\"\"} 1")).then_some(()))
    })
    .await?;
    Ok(standby)
}
