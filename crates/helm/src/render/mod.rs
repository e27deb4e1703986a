//! Charts and values to text: what Helm's engine does.
//!
//! All templates of a chart and its subcharts go into one set, deepest first, so that a parent's
//! `define` wins over its subchart's. Each is then executed with the values of its own chart. See
//! `scope` for what a template sees and `functions` for what Helm adds to Sprig.

mod api_versions;
mod capabilities;
mod durations;
mod error;
mod files;
mod functions;
mod glob;
mod metadata;
mod method;
mod scope;
mod toml;
mod values_map;
pub(crate) mod yaml;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use api_versions::BUILT_IN_API_VERSIONS;
pub use capabilities::{BadKubeVersion, BuildInfo, Capabilities, KubeVersion};
use gotemplate::{Budget, Environment, Limits, Map, MissingKey, Value};
use scope::Template;
use sprig::Sources;

use crate::chart::Chart;
use crate::{Compat, manifest, parallel};

/// The name that Go knows the set of templates by; it shows in errors.
const ROOT: &str = "gotpl";

/// How deep templates may execute templates. Go allows ten times that, and crashes where `tpl` does.
const MAX_DEPTH: usize = 10_000;

/// What a release is at the moment of rendering; templates see it as `.Release`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    pub name: String,
    pub namespace: String,
    /// Counted from 1.
    pub revision: i64,
    pub is_install: bool,
    pub is_upgrade: bool,
}

/// What rendering can't know by itself.
pub struct Context {
    pub release: ReleaseInfo,
    pub capabilities: Capabilities,
    /// Time and randomness.
    pub sources: Rc<dyn Sources>,
    /// The cluster, for `lookup`; without one it finds nothing.
    pub lookup: Option<Rc<dyn Lookup>>,
}

/// What `lookup` asks of a cluster.
pub trait Lookup {
    /// The object as a value, or the list when no name is given; nothing when it isn't there. No
    /// namespace means all of them.
    ///
    /// # Errors
    /// Anything but "not found"; the text is shown to the user.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, String>;
}

/// How to render.
#[derive(Clone)]
pub struct Options {
    pub compat: Compat,
    /// Whether a missing key is an error, as when linting strictly.
    pub strict: bool,
    /// Whether `getHostByName` may ask.
    pub enable_dns: bool,
    /// Set from outside to give up.
    pub cancelled: Arc<AtomicBool>,
    /// The most that all templates together may write, in bytes, intermediate results included.
    pub max_output: u64,
    /// The most actions and iterations that all templates together may execute.
    pub max_steps: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            compat: Compat::default(),
            strict: false,
            enable_dns: false,
            cancelled: Arc::default(),
            max_output: 512 << 20,
            max_steps: 200_000_000,
        }
    }
}

/// Why a chart couldn't be rendered; the text is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub message: String,
    /// The template that was parsed or executed.
    pub template: String,
}

/// Renders a chart with its coalesced values: the text of every template by its full name, such as
/// `app/charts/db/templates/x.yaml`, partials left out.
///
/// Templates may change the values. Nobody else should hold them: what a template makes contain itself is freed only
/// if it isn't held from outside.
///
/// # Errors
/// A template can't be parsed or fails, a bound is hit, or it was cancelled.
pub fn render(
    chart: &Chart,
    values: Rc<Map>,
    context: &Context,
    options: &Options,
) -> Result<BTreeMap<String, String>, Error> {
    let templates = scope::templates(chart, &values, context, options.compat);
    let mut environment = environment(context, options);
    let rendered =
        parse(&templates, &mut environment).and_then(|()| execute_all(&templates, &environment, options));
    drop((templates, values));
    environment.free_cycles();
    rendered
}

fn execute_all(
    templates: &[Template<'_>],
    environment: &Environment,
    options: &Options,
) -> Result<BTreeMap<String, String>, Error> {
    let limits = Limits { depth: MAX_DEPTH, output: options.max_output, steps: options.max_steps };
    let budget = Budget::new(gotemplate::Options { limits, cancelled: Some(&options.cancelled) });
    let mut rendered = BTreeMap::new();
    for template in templates.iter().filter(|template| !manifest::is_partial(&template.name)) {
        rendered.insert(template.name.clone(), execute(template, environment, &budget, options.compat)?);
    }
    Ok(rendered)
}

/// Parses all templates and adds them in their order.
fn parse(templates: &[Template<'_>], environment: &mut Environment) -> Result<(), Error> {
    let grammar = environment.grammar();
    let texts: Vec<_> = templates.iter().map(|template| (template.name.as_str(), template.text)).collect();
    let parsed = parallel::map(
        &texts,
        |(_, text)| text.len(),
        |(name, text)| {
            grammar.parse(*name, (*text).clone()).map_err(|error| Error {
                message: error::parse_error(name, &error),
                template: (*name).to_owned(),
            })
        },
    );
    for parsed in parsed {
        environment.add(&parsed?);
    }
    Ok(())
}

fn environment(context: &Context, options: &Options) -> Environment {
    let missing_key = if options.strict { MissingKey::Error } else { MissingKey::Zero };
    Environment::new(ROOT, &functions::all(context, options)).with_missing_key(missing_key)
}

fn execute(
    template: &Template<'_>,
    environment: &Environment,
    budget: &Budget<'_>,
    compat: Compat,
) -> Result<String, Error> {
    template.announce();
    let mut output = Vec::new();
    let name = template.name.as_bytes();
    environment.execute_within(name, &template.root, &mut output, budget).map_err(|error| Error {
        message: error::exec_error(&template.name, &error, compat),
        template: template.name.clone(),
    })?;
    Ok(without_no_value(output))
}

/// Helm takes every `<no value>` out again, since Go prints it whatever it is told.
fn without_no_value(output: Vec<u8>) -> String {
    let text = String::from_utf8(output)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if text.contains("<no value>") { text.replace("<no value>", "") } else { text }
}
