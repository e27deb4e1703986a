use std::{path::PathBuf, time::Duration};

use artifact::digest::Algorithm;
use clap::Parser;

/// The flags: those of all controllers, then what is about the store.
///
/// Source: source-controller `main.go`. Deviations: `--artifact-grpc-addr` is ours; flags of kinds that this
/// release doesn't have (`--helm-*`, `--ssh-*`) aren't accepted, since they would do nothing.
#[derive(Clone, Debug, Parser)]
#[group(skip)]
#[command(name = "source-controller", version, about = "Fetches sources and serves them as artifacts")]
pub struct Args {
    /// What all controllers have.
    #[command(flatten)]
    pub toolkit: toolkit::args::Args,

    /// The number of concurrent reconciles per controller
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = at_least_one)]
    pub concurrent: usize,

    /// The directory in which artifacts are stored
    #[arg(long, value_name = "DIRECTORY", default_value_os_t = PathBuf::from(env_or("STORAGE_PATH", "/data")))]
    pub storage_path: PathBuf,

    /// The address the artifact server binds to
    #[arg(long, value_name = "ADDRESS", default_value_t = env_or("STORAGE_ADDRESS", ":9090"))]
    pub storage_addr: String,

    /// The advertised address of the artifact server; follows from --storage-addr when empty
    #[arg(long, value_name = "ADDRESS", default_value_t = env_or("STORAGE_ADV_ADDR", ""))]
    pub storage_adv_addr: String,

    /// The address the artifact service (gRPC) binds to; empty turns it off
    #[arg(long, value_name = "ADDRESS", default_value = ":9091")]
    pub artifact_grpc_addr: String,

    /// The duration for which superseded artifacts are kept
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = toolkit::args::duration)]
    pub artifact_retention_ttl: Duration,

    /// The number of artifacts of an object that are kept, the current one included
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub artifact_retention_records: usize,

    /// The digest algorithm of artifacts: sha1, sha256, sha384, sha512 or blake3
    #[arg(long, value_name = "NAME", default_value_t = Algorithm::default())]
    pub artifact_digest_algo: Algorithm,
}

/// The variable's value; an empty one counts as unset, as in Flux.
fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["source-controller"], flags].concat())
    }

    #[test]
    fn fluxs_deployment_starts() {
        let args = parse(&[
            "--events-addr=http://notification-controller.flux-system.svc.cluster.local./",
            "--watch-all-namespaces",
            "--log-level=info",
            "--log-encoding=json",
            "--enable-leader-election",
            "--storage-path=/data",
            "--storage-adv-addr=source-controller.flux-system.svc.cluster.local.",
        ])
        .unwrap();
        assert!(args.toolkit.enable_leader_election && args.toolkit.watch_all_namespaces);
        assert_eq!(args.storage_path, PathBuf::from("/data"));
        assert_eq!(args.storage_adv_addr, "source-controller.flux-system.svc.cluster.local.");
    }

    #[test]
    fn defaults_are_those_of_flux() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.concurrent, 2);
        assert_eq!(args.artifact_retention_ttl, Duration::from_secs(60));
        assert_eq!(args.artifact_retention_records, 2);
        assert_eq!(args.artifact_digest_algo, Algorithm::Sha256);
        assert_eq!(args.artifact_grpc_addr, ":9091");
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for flag in [
            "--concurrent=0",
            "--artifact-digest-algo=md5",
            "--artifact-retention-ttl=1",
            "--ssh-kex-algos=x",
        ] {
            assert!(parse(&[flag]).is_err(), "{flag}");
        }
    }
}
