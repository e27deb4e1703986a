//! From artifact to objects, or to the proof that they are as they were.

use std::sync::Arc;

use api::kustomize::v1::Kustomization;
use api::meta::Artifact;
use artifact::client::Tree;
use kustomization::Built;
use tokio::time::Instant;
use toolkit::reconcile::Run;
use tracing::{Instrument, info_span, warn};

use super::announce::enter;
use super::error::Cause;
use super::inputs::Inputs;
use super::rendered::Rendering;
use super::source::Revision;
use super::status::Stage;
use super::{KustomizationReconciler, plan, steering};
use crate::clusters::Cluster;

/// What is to be brought to the cluster.
pub(super) struct Prepared {
    pub(super) cluster: Cluster,
    /// What to remember of the build.
    pub(super) rendering: Rendering,
    /// Whether everything has to be compared, whatever is known.
    pub(super) full: bool,
    pub(super) content: Content,
}

/// The objects, or that there is nothing to do for them.
pub(super) enum Content {
    /// To be applied.
    Built(Built),
    /// The same as before, and nobody touched them.
    Untouched,
}

impl Prepared {
    pub(super) fn digest(&self) -> &str {
        &self.rendering.digest
    }
}

/// Where to build for, and what with.
struct Ground {
    cluster: Cluster,
    inputs: Inputs,
    fingerprint: [u8; 32],
}

/// The last build, which stands in the cluster untouched.
struct Standing {
    cluster: Cluster,
    last: Arc<Rendering>,
}

impl KustomizationReconciler {
    /// Fetches the artifact and builds it, unless the last build of it is known to stand in the cluster untouched.
    pub(super) async fn prepare(
        &self,
        run: &mut Run<Kustomization>,
        artifact: &Artifact,
        revision: &Revision,
    ) -> Result<Prepared, Cause> {
        let ground = self.ground(run).await;
        let standing = ground.as_ref().ok().and_then(|ground| self.standing(run, ground));
        if let Some(standing) = &standing
            && standing.last.artifact == artifact.digest
        {
            return Ok(untouched(run, standing, artifact, revision));
        }
        let tree = self.fetch(artifact).await?;
        if let Some(standing) = &standing
            && reads_the_same(&standing.last, &tree).await
        {
            return Ok(untouched(run, standing, artifact, revision));
        }
        self.build(run, artifact, &tree, ground, revision).await
    }

    /// What has to be read from the cluster before a build.
    async fn ground(&self, run: &Run<Kustomization>) -> Result<Ground, Cause> {
        let object = &run.object;
        let cluster = self.context.clusters.of(object).await?;
        let inputs = Inputs::read(object, &self.context).await?;
        let fingerprint = inputs.fingerprint(object);
        Ok(Ground { cluster, inputs, fingerprint })
    }

    /// The last build, if nothing but its tree can have changed.
    fn standing(&self, run: &Run<Kustomization>, ground: &Ground) -> Option<Standing> {
        let key = run.key();
        let last = self.context.freshness.renderings.get(&key)?;
        let stands = plan::is_ready(&run.object)
            && !steering::observes(&run.object)
            && last.fingerprint == ground.fingerprint
            && !self.is_full_check_due(&last)
            && self.context.watched.is_untouched(&key, &ground.cluster);
        stands.then(|| Standing { cluster: ground.cluster.clone(), last })
    }

    fn is_full_check_due(&self, last: &Rendering) -> bool {
        last.full_check.elapsed() >= self.context.options.full_check_interval
    }

    async fn fetch(&self, artifact: &Artifact) -> Result<Arc<Tree>, Cause> {
        let fetch = self.context.freshness.artifacts.fetch(artifact).instrument(info_span!("fetch"));
        fetch.await.map_err(|e| {
            if e.is_not_found() {
                Cause::ArtifactGone(self.context.options.requeue_dependency)
            } else {
                Cause::Fetch(e)
            }
        })
    }

    /// Builds what has to be applied.
    async fn build(
        &self,
        run: &mut Run<Kustomization>,
        artifact: &Artifact,
        tree: &Arc<Tree>,
        ground: Result<Ground, Cause>,
        revision: &Revision,
    ) -> Result<Prepared, Cause> {
        let before = (run.status.conditions.clone(), run.status.last_attempted_revision.clone());
        begin_building(run, revision);
        let Ground { cluster, inputs, fingerprint } = ground?;
        let built = match self.render(&run.object, tree, inputs).await {
            Err(e) if e.is_path_missing() => {
                // There was nothing to attempt.
                (run.status.conditions, run.status.last_attempted_revision) = before;
                return Err(Cause::Path(e));
            }
            built => built.map_err(Cause::Build)?,
        };
        let last = self.context.freshness.renderings.get(&run.key());
        let due = last.as_ref().filter(|last| !self.is_full_check_due(last)).map(|last| last.full_check);
        let rendering = Rendering {
            fingerprint,
            artifact: artifact.digest.clone(),
            reads: built.reads.clone(),
            digest: built.digest.clone(),
            targets: None,
            full_check: due.unwrap_or_else(Instant::now),
        };
        Ok(Prepared { cluster, rendering, full: due.is_none(), content: Content::Built(built) })
    }
}

impl KustomizationReconciler {
    /// Builds on the blocking pool.
    async fn render(
        &self,
        object: &Arc<Kustomization>,
        tree: &Arc<Tree>,
        inputs: Inputs,
    ) -> Result<Built, kustomization::Error> {
        let (object, tree) = (Arc::clone(object), Arc::clone(tree));
        let inputs = inputs.for_build(&self.context, &std::env::temp_dir(), object.timeout());
        let work = move || kustomization::build(tree.path(), &object.spec, &inputs);
        let built = tokio::task::spawn_blocking(work).instrument(info_span!("build")).await;
        let built = built.unwrap_or_else(|e| Err(e.into_panic().into()))?;
        for warning in &built.warnings {
            warn!("{warning}");
        }
        Ok(built)
    }
}

fn begin_building(run: &mut Run<Kustomization>, revision: &Revision) {
    enter(run, Stage::Building, revision);
    run.status.last_attempted_revision = Some(revision.name.clone());
}

/// Another revision, maybe, but nothing to do for it.
fn untouched(
    run: &mut Run<Kustomization>,
    standing: &Standing,
    artifact: &Artifact,
    revision: &Revision,
) -> Prepared {
    begin_building(run, revision);
    let rendering = Rendering { artifact: artifact.digest.clone(), ..(*standing.last).clone() };
    Prepared { cluster: standing.cluster.clone(), rendering, full: false, content: Content::Untouched }
}

async fn reads_the_same(last: &Arc<Rendering>, tree: &Arc<Tree>) -> bool {
    let (last, tree) = (Arc::clone(last), Arc::clone(tree));
    let look = move || last.reads.still_true(tree.path());
    tokio::task::spawn_blocking(look).await.unwrap_or(false)
}
