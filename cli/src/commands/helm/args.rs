//! The flags of `ferrite helm`, with Helm's spellings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum HelmCommand {
    /// Render a chart as an install would, without a cluster
    Template(Box<Template>),
    /// Package a chart directory into an archive
    Package(Package),
    /// Show information of a chart
    #[command(arg_required_else_help = true)]
    Show {
        #[command(subcommand)]
        what: Show,
    },
}

/// `helm template`
#[derive(Args)]
pub(crate) struct Template {
    /// The release's name, `release-name` when only a chart is given; and the chart: a directory or an
    /// archive
    #[arg(required = true, num_args = 1..=2, value_names = ["NAME", "CHART"])]
    pub(crate) name_and_chart: Vec<String>,
    #[command(flatten)]
    pub(crate) values: Values,
    /// Include CRDs in the templated output
    #[arg(long)]
    pub(crate) include_crds: bool,
    /// Kubernetes version used for Capabilities.KubeVersion
    #[arg(long, value_name = "VERSION")]
    pub(crate) kube_version: Option<String>,
    /// Kubernetes API versions used for Capabilities.APIVersions; may be repeated
    #[arg(short, long, value_delimiter = ',', value_name = "VERSIONS")]
    pub(crate) api_versions: Vec<String>,
    /// Only show manifests rendered from these templates; may be repeated
    #[arg(short, long, value_name = "TEMPLATE")]
    pub(crate) show_only: Vec<String>,
    /// Write the templates to files in this directory instead of stdout
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Use the release's name in the path of the output directory
    #[arg(long)]
    pub(crate) release_name: bool,
    /// Leave tests out
    #[arg(long)]
    pub(crate) skip_tests: bool,
    /// Leave hooks out
    #[arg(long)]
    pub(crate) no_hooks: bool,
    /// Set .Release.IsUpgrade instead of .Release.IsInstall
    #[arg(long)]
    pub(crate) is_upgrade: bool,
    /// Do not check values against the chart's schema
    #[arg(long)]
    pub(crate) skip_schema_validation: bool,
    /// Let templates look up hosts
    #[arg(long)]
    pub(crate) enable_dns: bool,
    /// Print what was rendered also when it isn't valid YAML
    #[arg(long)]
    pub(crate) debug: bool,
}

/// Where values come from, in the order in which they win: files, JSON, values, strings, files, literals.
#[derive(Args, Default)]
pub(crate) struct Values {
    /// A file of values, or - for stdin; may be repeated
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    pub(crate) files: Vec<String>,
    /// Values as key=value,key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Values that stay text
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set_string: Vec<String>,
    /// Values in JSON
    #[arg(long, value_name = "KEY=JSON")]
    pub(crate) set_json: Vec<String>,
    /// Values from files
    #[arg(long, value_name = "KEY=FILE")]
    pub(crate) set_file: Vec<String>,
    /// A value taken as it stands
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set_literal: Vec<String>,
}

/// `helm package`
#[derive(Args)]
pub(crate) struct Package {
    /// Directories of charts
    #[arg(required = true, value_name = "CHART_PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Where to write the archive
    #[arg(short, long, default_value = ".", value_name = "DIR")]
    pub(crate) destination: PathBuf,
    /// Set the version of the chart
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// Set the appVersion of the chart
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
}

/// `helm show`
#[derive(Subcommand)]
pub(crate) enum Show {
    /// Show all information of the chart
    All(ShowArgs),
    /// Show the chart's definition
    Chart(ShowArgs),
    /// Show the chart's values
    Values(ShowArgs),
    /// Show the chart's README
    Readme(ShowArgs),
    /// Show the chart's CRDs
    Crds(ShowArgs),
}

/// The chart to show.
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// A directory or an archive
    pub(crate) chart: String,
}
