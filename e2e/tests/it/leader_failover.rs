//! Two kustomize-controllers, of which one leads.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{
    Bed, Controller, Push, Ref,
    controller::{Kind, Setup},
    fixtures,
    proxy::Moment,
    wait,
};
use serde_json::json;

use crate::stage::{SOON, Scene, alone, plain};

const FLAGS: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=5s",
    "--leader-election-renew-deadline=4s",
    "--leader-election-retry-period=1s",
];

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

#[test]
fn a_leader_that_hung_in_the_middle_of_an_apply_writes_nothing_more() {
    alone(async || {
        let (bed, proxy) = Bed::behind_proxy(&FLAGS).await?;
        let mut scene = Scene::new(&bed, "failover").await?;
        scene.install(&Push::new(fixtures::config_maps(&NAMES, "blue")), &plain()).await?;
        let leader = holder(&bed).await?;
        let standby = standby(&bed).await?;

        // Its third write waits on the wire, more are to come.
        let caught = proxy.trap(3, Moment::Before);
        let commit = scene.push(&Push::new(fixtures::config_maps(&NAMES, "green"))).await?;
        tokio::time::timeout(SOON, caught).await??;
        let old = bed.kustomize.process()?;
        old.pause()?;
        scene.applied(&commit).await?;
        assert_ne!(holder(&bed).await?, leader);
        // Those that were under way are lost.
        proxy.release();
        proxy.forget();

        // It wakes up, sees that it leads no more, and ends. Whatever it sends would come through the proxy.
        old.resume()?;
        wait::until("the old leader to end", SOON, async || Ok(old.exited())).await?;
        let writes: Vec<String> = proxy.writes().iter().map(|write| write.call.to_string()).collect();
        assert!(writes.is_empty(), "{writes:?}");
        standby.process()?.check()?;
        for name in NAMES {
            assert_eq!(scene.data(name).await?, Some(json!({ "color": "green" })), "{name}");
        }
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
