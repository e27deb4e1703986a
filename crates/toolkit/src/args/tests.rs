use std::time::Duration;

use clap::Parser;

use super::{Args, Gate, LogEncoding, LogLevel};

#[derive(Parser, Debug)]
struct Program {
    #[command(flatten)]
    shared: Args,
}

fn parse(flags: &[&str]) -> Result<Args, clap::Error> {
    Program::try_parse_from(["controller"].iter().chain(flags)).map(|p| p.shared)
}

#[test]
fn defaults_are_those_of_flux() {
    let args = parse(&[]).unwrap();
    assert_eq!((args.metrics_addr.as_str(), args.health_addr.as_str()), (":8080", ":9440"));
    assert_eq!((args.log_level, args.log_encoding), (LogLevel::Info, LogEncoding::Json));
    assert!(
        !args.enable_leader_election && args.leader_election_release_on_cancel && args.watch_all_namespaces
    );
    assert_eq!(args.leader_election_lease_duration, Duration::from_secs(35));
    assert_eq!(args.min_retry_delay, Duration::from_millis(750));
    assert_eq!(args.watch_configs_label_selector, "reconcile.fluxcd.io/watch=Enabled");
    args.check().unwrap();
}

#[test]
fn a_boolean_may_omit_its_value_and_take_gos_spellings() {
    assert!(parse(&["--enable-leader-election"]).unwrap().enable_leader_election);
    assert!(!parse(&["--watch-all-namespaces=F"]).unwrap().watch_all_namespaces);
    assert!(parse(&["--watch-all-namespaces=maybe"]).is_err());
    // The value needs its equals sign, otherwise it would be an argument; there are none.
    assert!(parse(&["--watch-all-namespaces", "false"]).is_err());
}

#[test]
fn the_last_of_a_repeated_flag_counts() {
    let args = parse(&["--log-level=info", "--log-level", "debug"]).unwrap();
    assert_eq!(args.log_level, LogLevel::Debug);
}

#[test]
fn feature_gates_come_as_list_or_repeated() {
    let args =
        parse(&["--feature-gates=A=true,B=false", "--feature-gates", "C=1", "--feature-gates="]).unwrap();
    let gates: Vec<(&str, bool)> = args.feature_gates.iter().map(|g| (g.name.as_str(), g.enabled)).collect();
    assert_eq!(gates, [("A", true), ("B", false), ("C", true), ("", false)]);
    assert_eq!(args.feature_gates[0], Gate { name: "A".to_owned(), enabled: true });
    assert!(
        parse(&["--feature-gates=A"]).unwrap_err().to_string().contains("malformed pair, expect string=bool")
    );
}

#[test]
fn an_unknown_flag_ends_with_usage_and_code_two() {
    let error = parse(&["--nope"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("Usage:"), "{error}");
}

#[test]
fn contradictions_are_refused_with_fluxs_texts() {
    let check = |flags: &[&str], expected: &str| {
        assert_eq!(parse(flags).unwrap().check().unwrap_err().to_string(), expected);
    };
    check(&["--interval-jitter-percentage=100"], "unable to set global jitter");
    check(&["--watch-label-selector=a=b=c"], "unable to configure watch label selector for manager");
    check(
        &["--enable-leader-election", "--leader-election-lease-duration=30s"],
        "unable to configure leader election",
    );
}
