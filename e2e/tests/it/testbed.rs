//! The test bed itself, before any controller.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use e2e::{
    Cluster, GitServer, Objects, Part, Programs, Push, git::read_tree, objects::condition, programs, yaml,
};
use serde_json::{Value, json};

use crate::stage::alone;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_deployment_becomes_available_and_the_server_can_be_killed() {
    alone(async || {
        let cluster = Cluster::start(&Programs::locate()?).await?;
        let objects = cluster.objects();
        deploy(&objects).await?;

        cluster.restart(Part::ApiServer).await?;
        assert!(objects.get(&"Deployment/default/web".parse()?).await?.is_some());
        Ok(())
    });
}

async fn deploy(objects: &Objects) -> Result<()> {
    let labels = json!({ "app": "web" });
    let containers = json!([{ "name": "web", "image": "nginx" }]);
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": containers } },
        },
    });
    objects.apply(&deployment).await?;
    let available = |object: Option<&Value>| condition(object?, "Available", "True");
    objects.wait(&"Deployment/default/web".parse()?, "Available", SOON, available).await
}

#[test]
fn commits_have_the_hashes_of_the_recordings() {
    let Some(shared) = programs::shared() else {
        eprintln!("skipped: the recordings are not there");
        return;
    };
    alone(async || {
        let server = GitServer::start().await?;
        for name in ["git-semver", "git-name-tag", "git-branch-deleted", "git-sourceignore"] {
            let folder = shared.join("conformance/recordings/source").join(name);
            let ours = push_all(&server, &folder, name).await?;
            let recorded = fs::read_to_string(folder.join("revisions.txt"))?;
            for commit in &ours {
                assert!(recorded.contains(commit.as_str()), "{name}: {commit} is not in\n{recorded}");
            }
        }
        Ok(())
    });
}

async fn push_all(server: &GitServer, folder: &std::path::Path, name: &str) -> Result<Vec<String>> {
    let mut repository = server.repository(name).await?;
    let scenario = yaml::document(&fs::read_to_string(folder.join("scenario.yaml"))?)?;
    for step in scenario["steps"].as_array().context("steps")? {
        let Some(from) = step["push"]["from"].as_str() else { continue };
        let branch = step["push"]["branch"].as_str().unwrap_or_default().to_owned();
        let files = read_tree(&folder.join("repo").join(from))?;
        repository.push(&Push { files, branch, ..Push::default() }).await?;
    }
    Ok(repository.commits().to_vec())
}
