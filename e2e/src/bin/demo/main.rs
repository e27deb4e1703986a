//! `make demo`: a commit in Git reaches a cluster, to look at.
#![expect(clippy::print_stdout, reason = "showing something is what the program is for")]

mod board;

use std::{
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Parser;
use e2e::{Bed, Push, Ref, User, git::read_tree, programs};
use serde_json::{Value, json};

use board::Board;

const LIMIT: Duration = Duration::from_secs(180);
/// The file that the demo changes, and the change.
const FILE: &str = "environments/production/webapp/kustomization.yaml";
const CHANGE: (&str, &str) = ("newTag: 1.4.2", "newTag: 1.5.0");

/// Shows how a commit reaches a cluster.
#[derive(Parser)]
struct Args {
    /// Ends by itself when everything was shown
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    match e2e::run(demo(&Args::parse())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(args: &Args) -> Result<()> {
    check_tools()?;
    println!(
        "Starting etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok and both controllers …"
    );
    let begin = Instant::now();
    let bed = Bed::start(&[]).await?;
    println!("… up after {:.1} s.\n", begin.elapsed().as_secs_f64());

    tokio::select! {
        shown = show(&bed) => shown?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
    }
    if args.once {
        return Ok(());
    }
    print_hints(&bed);
    println!("\nThis goes on until you press Ctrl-C.");
    tokio::signal::ctrl_c().await.context("failed to wait for Ctrl-C")
}

/// Says what is missing on this machine, all at once.
fn check_tools() -> Result<()> {
    let there = |tool: &str| {
        let asked = Command::new(tool).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok()
    };
    let missing: Vec<&str> = ["git", "go"].into_iter().filter(|tool| !there(tool)).collect();
    if !missing.is_empty() {
        bail!(
            "not found on this machine: {}; the demo needs Rust, Go, git and a C compiler",
            missing.join(", ")
        );
    }
    Ok(())
}

async fn show(bed: &Bed) -> Result<()> {
    let mut files = read_tree(&programs::workspace().join("e2e/fleet"))?;
    let mut repository = bed.git.repository("fleet").await?;
    let first = repository.push(&Push::new(files.clone())).await?;
    println!(
        "Serving the sample fleet (e2e/fleet) at {}/fleet.git, commit {}.",
        bed.git.url(),
        short(&first)
    );
    apply_root(bed).await?;
    println!("Applied GitRepository/fleet and Kustomization/cluster (path ./clusters/production).\n");
    let board = Board::new(bed);
    board.follow(&first, LIMIT).await?;
    println!("\nAll ready.");

    let old = files.get(FILE).context("the sample fleet has this file")?.to_vec();
    let new = String::from_utf8(old)?.replace(CHANGE.0, CHANGE.1);
    files.set(FILE, new);
    push_change(bed, repository.push(&Push::new(files)).await?).await
}

/// The two objects that a cluster begins with.
async fn apply_root(bed: &Bed) -> Result<()> {
    bed.objects
        .apply(&json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": { "name": "fleet", "namespace": "flux-system" },
            "spec": { "interval": "1m", "url": format!("{}/fleet.git", bed.git.url()), "ref": { "branch": "main" } },
        }))
        .await?;
    bed.objects
        .apply(&json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": { "name": "cluster", "namespace": "flux-system" },
            "spec": {
                "interval": "10m",
                "path": "./clusters/production",
                "prune": true,
                "sourceRef": { "kind": "GitRepository", "name": "fleet" },
            },
        }))
        .await?;
    Ok(())
}

async fn push_change(bed: &Bed, commit: String) -> Result<()> {
    println!("\nPushed {}: {FILE}: {} → {}", short(&commit), CHANGE.0, CHANGE.1);
    let begin = Instant::now();
    bed.objects.request(&Ref::git_repository("flux-system", "fleet"), &commit).await?;
    let deployment = Ref::new("apps/v1", "Deployment", "production", "webapp");
    let image = |object: Option<&Value>| {
        let image = object?["spec"]["template"]["spec"]["containers"][0]["image"].as_str()?;
        image.ends_with(":1.5.0").then(|| image.to_owned())
    };
    let image = bed.objects.wait(&deployment, "the new image", LIMIT, image).await?;
    println!(
        "  {:.2} s later the Deployment production/webapp has the image {image}",
        begin.elapsed().as_secs_f64()
    );
    let ready = |object: Option<&Value>| board::at(object?, &commit).then_some(());
    bed.objects.wait(&Ref::kustomization("flux-system", "webapp"), "the new commit", LIMIT, ready).await?;
    println!(
        "  {:.2} s later its Pods run and Kustomization/webapp is ready again",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

fn print_hints(bed: &Bed) {
    let kubectl = bed.cluster.program("kubectl");
    let kubeconfig = bed.cluster.kubeconfig(User::Admin);
    println!("\nLook further:");
    for command in [
        "get gitrepositories,kustomizations -A",
        "-n flux-system describe kustomization webapp",
        "-n production get deployments,services,configmaps,pods --show-labels",
        "-n flux-system get events --sort-by=.lastTimestamp",
    ] {
        println!("  KUBECONFIG={} {} {command}", kubeconfig.display(), kubectl.display());
    }
    println!("Logs: {} and {}", bed.source.log().display(), bed.kustomize.log().display());
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
