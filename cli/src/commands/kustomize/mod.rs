//! `kustomize build`, with the words and exit codes of the program of that name.

mod disk;
mod write;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use kustomize::{Build, Limits, LoadRestrictions, Options, Release, RemoteBases, Reorder, Repository};

use remote::Fetcher;

use self::disk::Disk;
use crate::args::{KustomizeBuild, KustomizeCommand, KustomizeRefused};
use crate::output;

/// Bounds for someone who builds their own files; what grows without end is still stopped.
fn limits() -> Limits {
    Limits { files: 200_000, objects: 500_000, read_bytes: disk::MAX_READ, ..Limits::default() }
}

/// How remote bases are fetched, within bounds for someone who has chosen them.
fn fetching() -> remote::Options {
    remote::Options {
        file_timeout: Duration::from_secs(60),
        repository_timeout: Duration::MAX,
        max_file: 64 << 20,
        max_tree: 4 << 30,
        max_entries: 1_000_000,
        max_repositories: usize::MAX,
        missing_submodule: |path| {
            output::note(&format!("# Warning: submodule '{}' is not fetched", path.display()));
        },
        ..remote::Options::new(env::temp_dir())
    }
}

/// Builds a kustomization and prints or writes what it gives.
pub(super) fn run(command: KustomizeCommand) -> Result<()> {
    let KustomizeCommand::Build(args) = command;
    tell_deprecated(&args);
    let options = options(&args)?;
    let dir = target(&args.targets)?;
    let built = kustomize::build(&Disk, &dir, &options);
    let warnings = built.as_ref().map_or_else(kustomize::Error::warnings, |built| &built.warnings);
    warnings.iter().for_each(|warning| output::note(warning));
    write(&built?, &args.output)
}

fn tell_deprecated(args: &KustomizeBuild) {
    if args.reorder.is_some() {
        output::note(
            "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.",
        );
    }
    if args.enable_managedby_label {
        output::note(
            "Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label` has been \
             deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.",
        );
    }
}

fn options(args: &KustomizeBuild) -> Result<Options> {
    check_supported(&args.refused)?;
    ensure!(args.targets.len() < 2, "specify one path to kustomization.yaml");
    Ok(Options {
        load_restrictions: load_restrictions(&args.load_restrictor)?,
        reorder: args.reorder.as_deref().map_or(Ok(Reorder::Unspecified), reorder)?,
        remote: RemoteBases::Fetch(Arc::new(Fetcher::new(fetching()))),
        managed_by_label: args.enable_managedby_label
            || env::var_os("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL").is_some_and(|value| value == "on"),
        release: Release::V5_8,
        limits: limits(),
        ..Options::default()
    })
}

fn check_supported(flags: &KustomizeRefused) -> Result<()> {
    const CHARTS: &str = "charts of helmCharts are not rendered";
    const PLUGINS: &str = "only built-in generators and transformers are run";
    const FUNCTIONS: &str = "functions in containers are not run";
    let given = [
        (flags.enable_helm, "--enable-helm", CHARTS),
        (flags.helm_command.is_some(), "--helm-command", CHARTS),
        (!flags.helm_api_versions.is_empty(), "--helm-api-versions", CHARTS),
        (flags.helm_kube_version.is_some(), "--helm-kube-version", CHARTS),
        (flags.helm_debug, "--helm-debug", CHARTS),
        (flags.enable_alpha_plugins, "--enable-alpha-plugins", PLUGINS),
        (flags.enable_exec, "--enable-exec", PLUGINS),
        (flags.network, "--network", FUNCTIONS),
        (flags.network_name.is_some(), "--network-name", FUNCTIONS),
        (!flags.mount.is_empty(), "--mount", FUNCTIONS),
        (!flags.env.is_empty(), "--env", FUNCTIONS),
        (flags.as_current_user, "--as-current-user", FUNCTIONS),
        (flags.stack_trace, "--stack-trace", "errors tell the file and the field instead"),
    ];
    match given.into_iter().find(|(is_given, ..)| *is_given) {
        Some((_, flag, why)) => bail!("{flag} is not supported: {why}\n  hint: leave the flag out"),
        None => Ok(()),
    }
}

fn load_restrictions(text: &str) -> Result<LoadRestrictions> {
    match text {
        "LoadRestrictionsRootOnly" | "" => Ok(LoadRestrictions::RootOnly),
        "LoadRestrictionsNone" => Ok(LoadRestrictions::None),
        other => bail!(
            "illegal flag value --load-restrictor {other}; legal values: [LoadRestrictionsRootOnly \
             LoadRestrictionsNone]"
        ),
    }
}

fn reorder(text: &str) -> Result<Reorder> {
    match text {
        "legacy" => Ok(Reorder::Legacy),
        "none" => Ok(Reorder::None),
        other => bail!("illegal flag value --reorder {other}; legal values: [legacy none]"),
    }
}

/// What to build: a URL as it is, a directory as a path without links.
fn target(targets: &[OsString]) -> Result<PathBuf> {
    let target = targets.first().map_or(OsStr::new("."), OsString::as_os_str);
    let is_url = target.to_str().is_some_and(|text| Repository::parse(text).is_ok());
    if is_url { Ok(target.into()) } else { disk::directory(Path::new(target)) }
}

fn write(built: &Build, to: &OsStr) -> Result<()> {
    if to.is_empty() {
        output::print(&built.to_yaml())?;
        return Ok(());
    }
    let to = Path::new(to);
    if to.is_dir() { write::files(built, to) } else { write::file(to, &built.to_yaml()) }
}
