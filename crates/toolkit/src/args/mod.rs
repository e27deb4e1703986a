//! The flags that all controllers have, spelled as Flux spells them.

mod selector;
mod target;
mod values;

use std::time::Duration;

use clap::ArgAction;

pub use selector::{SelectorError, check_selector};
pub use target::{OBJECT_LEVEL_IDENTITY, TargetArgs, check_default_service_accounts};
pub use values::{Gate, LogEncoding, LogLevel, bool_value, duration};

use values::{env_or, gate};

/// Flags shared by all controllers; a controller flattens them into its own.
///
/// Not here, because default or meaning differ between controllers: `--concurrent`,
/// `--no-cross-namespace-refs`, `--default-service-account`.
///
/// Source: fluxcd/pkg/runtime and the controllers' `main.go`. Deviations: `--otlp-endpoint` is ours, and an
/// unknown log level or encoding is refused where Flux falls back to its default.
#[derive(clap::Args, Clone, Debug)]
#[command(args_override_self = true)]
pub struct Args {
    /// The address the metric endpoint binds to; 0 turns it off
    #[arg(long, value_name = "ADDRESS", default_value_t = env_or("METRICS_ADDR", ":8080"))]
    pub metrics_addr: String,

    /// The address the health endpoint binds to
    #[arg(long, value_name = "ADDRESS", default_value = ":9440")]
    pub health_addr: String,

    /// The address of the events receiver; empty posts none
    #[arg(long, value_name = "URL", default_value_t = env_or("EVENTS_ADDR", ""))]
    pub events_addr: String,

    /// The interval at which failing dependencies are reevaluated
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub requeue_dependency: Duration,

    /// The maximum queries per second to the Kubernetes API; ignored when the API server has priority and fairness
    #[arg(long, value_name = "NUMBER", default_value_t = 50.0)]
    pub kube_api_qps: f32,

    /// The maximum burst of queries to the Kubernetes API
    #[arg(long, value_name = "NUMBER", default_value_t = 300)]
    pub kube_api_burst: u32,

    /// Log verbosity level
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,

    /// Log encoding format
    #[arg(long, value_enum, default_value_t = LogEncoding::Json)]
    pub log_encoding: LogEncoding,

    /// Enable leader election, so that only one instance is active
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = bool_value)]
    pub enable_leader_election: bool,

    /// Release the lease at shutdown, so that the next leader need not wait for its expiry
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = ArgAction::Set, value_parser = bool_value)]
    pub leader_election_release_on_cancel: bool,

    /// How long others wait before they take over a lease that isn't renewed
    #[arg(long, value_name = "DURATION", default_value = "35s", value_parser = duration)]
    pub leader_election_lease_duration: Duration,

    /// How long the leader tries to renew before it stops to write
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub leader_election_renew_deadline: Duration,

    /// How long to wait between tries to acquire or renew
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub leader_election_retry_period: Duration,

    /// Watch for objects in all namespaces; otherwise only in the namespace of the controller
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = ArgAction::Set, value_parser = bool_value)]
    pub watch_all_namespaces: bool,

    /// Watch for objects with matching labels, e.g. 'sharding.fluxcd.io/key=shard1'
    #[arg(long, value_name = "SELECTOR", default_value = "")]
    pub watch_label_selector: String,

    /// Watch for ConfigMaps and Secrets with matching labels
    #[arg(long, value_name = "SELECTOR", default_value = "reconcile.fluxcd.io/watch=Enabled")]
    pub watch_configs_label_selector: String,

    /// The minimum amount of time between retries of a failed object
    #[arg(long, value_name = "DURATION", default_value = "750ms", value_parser = duration)]
    pub min_retry_delay: Duration,

    /// The maximum amount of time between retries of a failed object
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub max_retry_delay: Duration,

    /// Percentage of jitter to apply to interval durations, 0 to 99
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    pub interval_jitter_percentage: u8,

    /// The maximum number of cached cloud tokens; 0 turns the cache off
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub token_cache_max_size: u32,

    /// The maximum time a cloud token is cached
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub token_cache_max_duration: Duration,

    /// A comma separated list of key=value pairs that turn features on or off
    #[arg(long, value_name = "NAME=BOOL", value_delimiter = ',', value_parser = gate)]
    pub feature_gates: Vec<Gate>,

    /// The OTLP endpoint (gRPC) that traces are sent to; empty sends none
    #[arg(long, value_name = "URL", default_value_t = env_or("OTEL_EXPORTER_OTLP_ENDPOINT", ""))]
    pub otlp_endpoint: String,
}

/// Flags that parse one by one but can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// `--watch-label-selector` is no label selector.
    #[error("unable to configure watch label selector for manager")]
    WatchLabelSelector(#[source] SelectorError),
    /// `--watch-configs-label-selector` is no label selector.
    #[error("unable to configure watch configs label selector for manager")]
    WatchConfigsLabelSelector(#[source] SelectorError),
    /// `--interval-jitter-percentage` is 100 or more.
    #[error("unable to set global jitter")]
    Jitter(#[source] JitterError),
    /// The three times of leader election contradict each other.
    #[error("unable to configure leader election")]
    LeaderElection(#[source] LeaderElectionError),
}

/// The jitter would make an interval zero or negative.
#[derive(Debug, thiserror::Error)]
#[error("the percentage must be greater than or equal to 0 and less than 100, not {0}")]
pub struct JitterError(u8);

/// The times of leader election are out of order.
#[derive(Debug, thiserror::Error)]
pub enum LeaderElectionError {
    /// Another instance could take over while this one still renews.
    #[error("leaseDuration must be greater than renewDeadline")]
    LeaseDuration,
    /// There would be no second try.
    #[error("renewDeadline must be greater than retryPeriod*JitterFactor")]
    RenewDeadline,
    /// The lease stores whole seconds.
    #[error("leaseDuration must be at least one second, renewDeadline and retryPeriod greater than zero")]
    TooShort,
}

impl Args {
    /// Checks what can't be seen from one flag alone, with the texts Flux exits with.
    ///
    /// # Errors
    /// When a selector doesn't parse, the jitter is 100 or more, or the times of leader election are out of order.
    pub fn check(&self) -> Result<(), ArgsError> {
        check_selector(&self.watch_label_selector).map_err(ArgsError::WatchLabelSelector)?;
        check_selector(&self.watch_configs_label_selector).map_err(ArgsError::WatchConfigsLabelSelector)?;
        if self.interval_jitter_percentage >= 100 {
            return Err(ArgsError::Jitter(JitterError(self.interval_jitter_percentage)));
        }
        if self.enable_leader_election {
            self.check_leader_election().map_err(ArgsError::LeaderElection)?;
        }
        Ok(())
    }

    fn check_leader_election(&self) -> Result<(), LeaderElectionError> {
        let retry = self.leader_election_retry_period;
        if self.leader_election_lease_duration < Duration::from_secs(1) || retry.is_zero() {
            return Err(LeaderElectionError::TooShort);
        }
        if self.leader_election_lease_duration <= self.leader_election_renew_deadline {
            return Err(LeaderElectionError::LeaseDuration);
        }
        // client-go waits up to 1.2 periods between tries (leaderelection.go, JitterFactor).
        if self.leader_election_renew_deadline <= retry.mul_f64(1.2) {
            return Err(LeaderElectionError::RenewDeadline);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
