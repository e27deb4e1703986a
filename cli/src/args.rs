//! What can be typed: global flags, commands and their flags, with Flux's spellings.

use std::{ffi::OsString, path::PathBuf};

use api::meta::GoDuration;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::commands::helm::HelmCommand;

/// Command line utility for GitOps with Ferrite, and with every controller that serves the Flux APIs.
#[derive(Parser)]
#[command(
    name = "ferrite",
    version = concat!("version ", env!("CARGO_PKG_VERSION")),
    disable_version_flag = true,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// Print the version
    #[arg(short = 'v', long = "version", action = ArgAction::Version)]
    _version: Option<bool>,
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
///
/// No `Debug`: there is a token in it.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The namespace scope of the operation; flux-system, or FLUX_SYSTEM_NAMESPACE, when not given
    #[arg(short, long, global = true)]
    pub(crate) namespace: Option<String>,
    /// How long the operation may take
    #[arg(long, global = true, default_value = "5m")]
    pub(crate) timeout: GoDuration,
    /// Use the namespace of the kubeconfig's context when --namespace is not given
    #[arg(long, global = true)]
    pub(crate) ns_follows_kube_context: bool,
    /// Path to the kubeconfig file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,
    /// The cluster of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) cluster: Option<String>,
    /// The user of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) user: Option<String>,
    /// The address of the Kubernetes API server
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Bearer token for the Kubernetes API server
    #[arg(long, global = true)]
    pub(crate) token: Option<String>,
    /// The user to impersonate
    #[arg(long = "as", global = true, value_name = "USER")]
    pub(crate) impersonate: Option<String>,
    /// A group to impersonate; may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub(crate) impersonate_groups: Vec<String>,
    /// File with the certificates that the API server is checked against
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// The name that the API server's certificate is checked for
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long, global = true)]
    pub(crate) insecure_skip_tls_verify: bool,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the statuses of sources and Kustomizations
    #[command(arg_required_else_help = true)]
    Get(Get),
    /// Reconcile a source or a Kustomization now
    #[command(arg_required_else_help = true)]
    Reconcile {
        #[command(subcommand)]
        kind: ReconcileKind,
    },
    /// Suspend the reconciliation of sources and Kustomizations
    #[command(arg_required_else_help = true)]
    Suspend {
        #[command(subcommand)]
        kind: SuspendKind,
    },
    /// Resume the reconciliation of sources and Kustomizations
    #[command(arg_required_else_help = true)]
    Resume {
        #[command(subcommand)]
        kind: ResumeKind,
    },
    /// Build what a controller would apply
    #[command(arg_required_else_help = true)]
    Build {
        #[command(subcommand)]
        kind: BuildKind,
    },
    /// Build kustomizations, as the tool of that name does
    #[command(arg_required_else_help = true)]
    Kustomize {
        #[command(subcommand)]
        command: KustomizeCommand,
    },
    /// Render, package and show charts, as the tool of that name does
    #[command(arg_required_else_help = true)]
    Helm {
        #[command(subcommand)]
        command: HelmCommand,
    },
    /// Talk to the artifact service of a source-controller
    #[command(arg_required_else_help = true)]
    Artifact(Artifact),
    /// Print the version
    Version(Version),
    /// Print a completion script
    Completion {
        /// The shell that the script is for
        shell: clap_complete::Shell,
    },
}

/// `get` and the flags that all its sub-commands take.
#[derive(Args)]
pub(crate) struct Get {
    /// List the objects of all namespaces
    #[arg(short = 'A', long, global = true)]
    pub(crate) all_namespaces: bool,
    /// Skip the header
    #[arg(long, global = true)]
    pub(crate) no_header: bool,
    /// After listing, watch for changes
    #[arg(short, long, global = true)]
    pub(crate) watch: bool,
    /// Only objects with this status condition, for example ready=false or ready!=true
    #[arg(long, global = true, value_name = "SELECTOR")]
    pub(crate) status_selector: Option<String>,
    /// Only objects with these labels
    #[arg(short, long, global = true, value_name = "SELECTOR")]
    pub(crate) label_selector: Option<String>,
    #[command(subcommand)]
    pub(crate) kind: GetKind,
}

/// What `get` lists.
#[derive(Subcommand)]
pub(crate) enum GetKind {
    /// Print the statuses of sources
    #[command(alias = "source", arg_required_else_help = true)]
    Sources {
        #[command(subcommand)]
        kind: GetSource,
    },
    /// Print the statuses of Kustomizations
    #[command(visible_alias = "ks", alias = "kustomization")]
    Kustomizations {
        #[command(flatten)]
        names: Names,
        /// Show the source of each Kustomization
        #[arg(long)]
        show_source: bool,
    },
}

/// The sources that `get` lists.
#[derive(Subcommand)]
pub(crate) enum GetSource {
    /// Print the statuses of all sources
    All,
    /// Print the statuses of GitRepositories
    Git(Names),
    /// Print the statuses of ExternalArtifacts
    External(Names),
}

/// Names of objects, all of which may be left out.
#[derive(Args)]
pub(crate) struct Names {
    /// Names of objects
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

impl Names {
    /// The first name; commands for one object pass over the others, as Flux's do.
    pub(crate) fn first(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }
}

/// What can be reconciled.
#[derive(Subcommand)]
pub(crate) enum ReconcileKind {
    /// Reconcile a source
    #[command(arg_required_else_help = true)]
    Source {
        #[command(subcommand)]
        kind: ReconcileSource,
    },
    /// Reconcile a Kustomization
    #[command(visible_alias = "ks")]
    Kustomization {
        #[command(flatten)]
        names: Names,
        /// Reconcile the Kustomization's source first
        #[arg(long)]
        with_source: bool,
    },
}

/// The sources that can be reconciled.
#[derive(Subcommand)]
pub(crate) enum ReconcileSource {
    /// Reconcile a GitRepository
    Git(Names),
}

/// What can be suspended.
#[derive(Subcommand)]
pub(crate) enum SuspendKind {
    /// Suspend sources
    #[command(arg_required_else_help = true)]
    Source {
        #[command(subcommand)]
        kind: SuspendSource,
    },
    /// Suspend Kustomizations
    #[command(visible_alias = "ks")]
    Kustomization(Suspend),
}

/// The sources that can be suspended.
#[derive(Subcommand)]
pub(crate) enum SuspendSource {
    /// Suspend GitRepositories
    Git(Suspend),
}

/// Which objects to suspend.
#[derive(Args)]
pub(crate) struct Suspend {
    #[command(flatten)]
    pub(crate) names: Names,
    /// All objects of the namespace
    #[arg(long)]
    pub(crate) all: bool,
}

/// What can be resumed.
#[derive(Subcommand)]
pub(crate) enum ResumeKind {
    /// Resume sources
    #[command(arg_required_else_help = true)]
    Source {
        #[command(subcommand)]
        kind: ResumeSource,
    },
    /// Resume Kustomizations
    #[command(visible_alias = "ks")]
    Kustomization(Resume),
}

/// The sources that can be resumed.
#[derive(Subcommand)]
pub(crate) enum ResumeSource {
    /// Resume GitRepositories
    Git(Resume),
}

/// Which objects to resume.
#[derive(Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) names: Names,
    /// All objects of the namespace
    #[arg(long)]
    pub(crate) all: bool,
    /// Wait until the objects are ready; a single one is always waited for
    #[arg(long)]
    pub(crate) wait: bool,
}

/// What can be built.
#[derive(Subcommand)]
pub(crate) enum BuildKind {
    /// Build a Kustomization from a local directory
    #[command(visible_alias = "ks")]
    Kustomization(BuildKustomization),
}

/// Flags of `build kustomization`.
#[derive(Args)]
pub(crate) struct BuildKustomization {
    #[command(flatten)]
    pub(crate) names: Names,
    /// The directory that the Kustomization's spec.path stands for
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// File with the Kustomization, in place of the one in the cluster
    #[arg(long, value_name = "FILE")]
    pub(crate) kustomization_file: Option<PathBuf>,
    /// Do not connect to a cluster, leave out variables of ConfigMaps and Secrets; needs --kustomization-file
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Fail on variables that are not set and have no default
    #[arg(long)]
    pub(crate) strict_substitute: bool,
}

/// What can be done with kustomizations.
#[derive(Subcommand)]
pub(crate) enum KustomizeCommand {
    /// Build a kustomization target from a directory or URL
    ///
    /// The directory must hold a kustomization.yaml. A URL is one of a Git repository, with the path of the directory
    /// behind it: github.com/org/repo//path?ref=v1.
    Build(KustomizeBuild),
}

/// Flags of `kustomize build`.
#[derive(Args)]
pub(crate) struct KustomizeBuild {
    /// The directory or URL; the current directory when not given
    // More than one is told apart in the command, in kustomize's words.
    #[arg(value_name = "DIR")]
    pub(crate) targets: Vec<OsString>,
    /// File to write to, or an existing directory for a file of each object
    #[arg(short, long, value_name = "FILE|DIR", default_value = "")]
    pub(crate) output: OsString,
    /// Which files a kustomization may load: LoadRestrictionsRootOnly or LoadRestrictionsNone
    #[arg(long, value_name = "RESTRICTIONS", default_value = "LoadRestrictionsRootOnly")]
    pub(crate) load_restrictor: String,
    /// Order of the output, legacy or none; deprecated for sortOptions in kustomization.yaml
    #[arg(long, value_name = "ORDER")]
    pub(crate) reorder: Option<String>,
    /// Add the label app.kubernetes.io/managed-by; deprecated for buildMetadata in kustomization.yaml
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool)]
    pub(crate) enable_managedby_label: bool,
    #[command(flatten)]
    pub(crate) refused: KustomizeRefused,
}

/// Flags of `kustomize build` that ask for what is not done here; each is refused by its name.
#[derive(Args)]
#[command(next_help_heading = "Flags of kustomize that are refused")]
pub(crate) struct KustomizeRefused {
    /// Render the charts of helmCharts
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true, hide_possible_values = true)]
    pub(crate) enable_helm: bool,
    /// The program that renders charts
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) helm_command: Option<OsString>,
    /// API versions that charts find
    #[arg(long, value_name = "VERSION")]
    pub(crate) helm_api_versions: Vec<String>,
    /// The version of Kubernetes that charts find
    #[arg(long, value_name = "VERSION")]
    pub(crate) helm_kube_version: Option<String>,
    /// Tell what is done with charts
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true)]
    pub(crate) helm_debug: bool,
    /// Run plugins
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true)]
    pub(crate) enable_alpha_plugins: bool,
    /// Run functions that are programs
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true)]
    pub(crate) enable_exec: bool,
    /// Let functions in containers use the network
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true)]
    pub(crate) network: bool,
    /// The network of functions in containers
    #[arg(long, value_name = "NAME")]
    pub(crate) network_name: Option<String>,
    /// What functions in containers may read
    #[arg(long)]
    pub(crate) mount: Vec<OsString>,
    /// Variables of functions in containers
    #[arg(short, long)]
    pub(crate) env: Vec<OsString>,
    /// Run functions in containers as the current user
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true)]
    pub(crate) as_current_user: bool,
    /// Tell where in the program an error arose
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = go_bool, hide_default_value = true)]
    pub(crate) stack_trace: bool,
}

/// Reads a boolean as Go's flags do.
fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

/// `artifact` and the flags that all its sub-commands take.
#[derive(Args)]
pub(crate) struct Artifact {
    /// Address of the artifact service, as host:port or URL
    #[arg(long, global = true, default_value = "localhost:9091")]
    pub(crate) address: String,
    #[command(subcommand)]
    pub(crate) command: ArtifactCommand,
}

/// What can be asked of the artifact service.
#[derive(Subcommand)]
pub(crate) enum ArtifactCommand {
    /// List current artifacts
    List {
        #[command(flatten)]
        filter: ArtifactFilter,
        /// Skip the header
        #[arg(long)]
        no_header: bool,
    },
    /// Print the current artifact of a source as YAML
    Get {
        /// The source
        #[arg(value_name = "KIND/NAME")]
        source: String,
    },
    /// Watch artifacts being published and removed
    Watch {
        #[command(flatten)]
        filter: ArtifactFilter,
        /// Only the artifact of the source of this name
        #[arg(long)]
        name: Option<String>,
        /// Start after the event with this token
        #[arg(long, value_name = "TOKEN")]
        resume_token: Option<String>,
    },
    /// Download an artifact and check its digest
    Fetch {
        /// The digest of the artifact, or the source whose current artifact is meant
        #[arg(value_name = "DIGEST|KIND/NAME")]
        artifact: String,
        /// The file to write; what an earlier call has left of it is completed
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Which artifacts to list or watch.
#[derive(Args)]
pub(crate) struct ArtifactFilter {
    /// Artifacts of all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Only artifacts of sources of this kind
    #[arg(long)]
    pub(crate) kind: Option<String>,
}

/// Flags of `version`.
#[derive(Args)]
pub(crate) struct Version {
    /// Print the version of this program only; the controllers' are not asked for yet
    #[arg(long, required = true)]
    pub(crate) client: bool,
    /// Format of the output
    #[arg(short, long, default_value = "yaml")]
    pub(crate) output: VersionFormat,
}

/// Formats of `version`.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum VersionFormat {
    /// One line a program
    Yaml,
    /// A flat map
    Json,
}
