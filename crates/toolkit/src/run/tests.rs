use std::error::Error;

use clap::Parser;

use super::{Scope, SetupError, StartError};
use crate::args::Args;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    shared: Args,
}

fn scope(flags: &[&str]) -> (Option<String>, Option<String>) {
    let args = Program::try_parse_from(["controller"].iter().chain(flags)).unwrap().shared;
    let Scope { namespace, label_selector } = Scope::new(&args, "flux-system");
    (namespace, label_selector)
}

#[test]
fn the_scope_is_everything_unless_flags_narrow_it() {
    assert_eq!(scope(&[]), (None, None));
    let flags = ["--watch-all-namespaces=false", "--watch-label-selector=sharding.fluxcd.io/key=shard1"];
    assert_eq!(scope(&flags), (Some("flux-system".into()), Some("sharding.fluxcd.io/key=shard1".into())));
}

#[test]
fn setup_errors_keep_fluxs_text_and_cause_apart() {
    let gates = [crate::args::Gate { name: "X".to_owned(), enabled: true }];
    let error = SetupError::from(crate::features::FeatureGates::new(&[], &gates).unwrap_err());
    assert_eq!(error.to_string(), "unable to load feature gates");
    assert_eq!(error.source().unwrap().to_string(), "feature-gate 'X' not supported");
    let error = StartError::with_source("failed to open storage", std::io::Error::other("read-only"));
    assert_eq!(crate::logging::chain(&error), "failed to open storage: read-only");
}
