//! The fleet benchmark: `make bench N=100`.
//!
//! N Kustomizations of one repository, each with a ServiceAccount, a Service, a Deployment without replicas and
//! an Ingress. Cluster and controllers share the machine. The table on standard output is Markdown.

mod fleet;
mod gauge;
mod peers;
mod table;
mod targets;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use e2e::{
    Cluster, Controller, GitServer, Programs, bed,
    controller::{Kind, Setup},
    serve::free_port,
};

use fleet::Fleet;
use gauge::{Gauge, Watched};
use table::Table;

/// Measures what a fleet of Kustomizations costs.
#[derive(Parser)]
struct Args {
    /// Number of Kustomizations
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// Reconciles at the same time in kustomize-controller
    #[arg(long, default_value_t = 20)]
    concurrent: usize,
    /// Pushes of one changed file, to measure the time until it is applied
    #[arg(long, default_value_t = 20)]
    pushes: usize,
    /// Another source-controller: a command line
    #[arg(long, value_name = "COMMAND")]
    source_controller: Option<String>,
    /// Another kustomize-controller: a command line
    #[arg(long, value_name = "COMMAND")]
    kustomize_controller: Option<String>,
}

fn main() -> ExitCode {
    match e2e::run(bench(&Args::parse())) {
        Ok(table) => {
            print(&table);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn print(table: &Table) {
    print!("{table}");
}

async fn bench(args: &Args) -> Result<Table> {
    let cluster = Arc::new(Cluster::start(&Programs::locate()?).await?);
    bed::install_crds(&cluster.objects()).await?;
    let git = GitServer::start().await?;
    let (source, kustomize) = controllers(args, &cluster).await?;
    let gauge = Gauge::new(Watched { cluster: Arc::clone(&cluster), source, kustomize });
    let mut fleet = Fleet::new(&cluster, &git, args.count).await?;

    let mut table = Table::new(args.count, sizes(args)?);
    table.idle = Some(gauge.idle().await?);
    fleet.source_ready().await?;
    eprintln!("bench: install");
    table.phases.push(gauge.measure("install", fleet.install()).await?);
    eprintln!("bench: upgrade");
    table.phases.push(gauge.measure("upgrade", fleet.upgrade()).await?);
    eprintln!("bench: unchanged");
    table.phases.push(gauge.measure("unchanged", fleet.unchanged()).await?);
    eprintln!("bench: one changed file");
    table.latency = fleet.latencies(args.pushes).await?;
    Ok(table)
}

async fn controllers(args: &Args, cluster: &Cluster) -> Result<(Controller, Controller)> {
    let ours = args.source_controller.is_none() && args.kustomize_controller.is_none();
    let port = if ours { free_port()? } else { 0 };
    let source =
        Controller::start(setup(Kind::Source, args.source_controller.as_deref(), cluster, port)?).await?;
    let mut kustomize = setup(Kind::Kustomize, args.kustomize_controller.as_deref(), cluster, port)?;
    kustomize.flags.push(format!("--concurrent={}", args.concurrent));
    Ok((source, Controller::start(kustomize).await?))
}

fn setup(kind: Kind, other: Option<&str>, cluster: &Cluster, port: u16) -> Result<Setup> {
    let kubeconfig = cluster.kubeconfig(kind.user());
    let Some(command) = other else { return Setup::ours(kind, kubeconfig, port) };
    Ok(Setup {
        kind,
        command: command.split_whitespace().map(str::to_owned).collect(),
        kubeconfig,
        events: String::new(),
        artifact_port: 0,
        flags: Vec::new(),
    })
}

/// Sizes of the two programs in bytes.
fn sizes(args: &Args) -> Result<[u64; 2]> {
    let size = |kind: Kind, other: Option<&str>| -> Result<u64> {
        let path = match other.and_then(|command| command.split_whitespace().next()) {
            Some(program) => Path::new(program).to_owned(),
            None => e2e::programs::controller(kind.name())?,
        };
        Ok(path.metadata().with_context(|| format!("failed to look at {path:?}"))?.len())
    };
    Ok([
        size(Kind::Source, args.source_controller.as_deref())?,
        size(Kind::Kustomize, args.kustomize_controller.as_deref())?,
    ])
}
