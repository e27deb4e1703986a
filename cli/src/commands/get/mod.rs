mod columns;
mod watch;

use anyhow::{Result, bail};
use kube::api::ListParams;

use self::columns::{
    EXTERNAL_ARTIFACTS, GIT_REPOSITORIES, KUSTOMIZATIONS, KUSTOMIZATIONS_AND_SOURCES, Listing,
};
use crate::args::{Get, GetKind, GetSource, Global};
use crate::cluster::{Cluster, NoSuchKind};
use crate::object::Object;
use crate::status_selector::StatusSelector;
use crate::{output, table, wait};

/// Prints the statuses of objects.
pub(super) async fn run(args: &Get, global: &Global) -> Result<()> {
    let selection = Selection::new(args)?;
    let (listing, name) = match &args.kind {
        GetKind::Sources { kind: GetSource::All } => return all(args, &selection, global).await,
        GetKind::Sources { kind: GetSource::Git(names) } => (&GIT_REPOSITORIES, names.first()),
        GetKind::Sources { kind: GetSource::External(names) } => (&EXTERNAL_ARTIFACTS, names.first()),
        GetKind::Kustomizations { names, show_source: true } => (&KUSTOMIZATIONS_AND_SOURCES, names.first()),
        GetKind::Kustomizations { names, show_source: false } => (&KUSTOMIZATIONS, names.first()),
    };
    let cluster = Cluster::connect(global).await?;
    let selection = selection.of_name(name);
    if args.watch {
        return watch::run(&cluster, listing, &selection).await;
    }
    wait::within(global.timeout.get(), one(&cluster, listing, &selection)).await
}

/// Which objects to print, and how.
struct Selection<'a> {
    everywhere: bool,
    header: bool,
    name: Option<&'a str>,
    labels: Option<&'a str>,
    status: Option<StatusSelector>,
}

impl<'a> Selection<'a> {
    fn new(args: &'a Get) -> Result<Self> {
        Ok(Self {
            everywhere: args.all_namespaces,
            header: !args.no_header,
            name: None,
            labels: args.label_selector.as_deref(),
            status: args.status_selector.as_deref().map(str::parse).transpose()?,
        })
    }

    fn of_name(self, name: Option<&'a str>) -> Self {
        Self { name, ..self }
    }

    fn fields(&self) -> Option<String> {
        self.name.map(|name| format!("metadata.name={name}"))
    }

    fn params(&self) -> ListParams {
        ListParams {
            field_selector: self.fields(),
            label_selector: self.labels.map(str::to_owned),
            ..ListParams::default()
        }
    }

    fn takes(&self, object: &Object) -> bool {
        self.status.as_ref().is_none_or(|status| status.matches(object))
    }

    fn header<'h>(&self, names: &'h [&'static str]) -> Option<&'h [&'static str]> {
        self.header.then_some(names)
    }
}

async fn one(cluster: &Cluster, listing: &Listing, selection: &Selection<'_>) -> Result<()> {
    let objects = cluster.list(listing.kind, selection.everywhere, &selection.params()).await?;
    if objects.is_empty() {
        bail!(nothing(listing, cluster, selection));
    }
    let rows: Vec<_> = objects
        .iter()
        .filter(|object| selection.takes(object))
        .map(|object| listing.row(object, selection.everywhere, false))
        .collect();
    let header = listing.header(selection.everywhere);
    output::print(&table::render(selection.header(&header), &rows))?;
    Ok(())
}

fn nothing(listing: &Listing, cluster: &Cluster, selection: &Selection<'_>) -> String {
    let namespace = if selection.everywhere { "any".to_owned() } else { format!("{:?}", cluster.namespace) };
    let kind = listing.kind.name;
    match selection.name {
        Some(name) => format!("{kind} object '{name}' not found in {namespace} namespace"),
        None => format!("no {kind} objects found in {namespace} namespace"),
    }
}

/// Prints one table a kind; kinds without objects, or without a CRD, print nothing.
async fn all(args: &Get, selection: &Selection<'_>, global: &Global) -> Result<()> {
    if args.watch {
        bail!("expected a single resource type, but found all");
    }
    let cluster = Cluster::connect(global).await?;
    for listing in [&GIT_REPOSITORIES, &EXTERNAL_ARTIFACTS] {
        wait::within(global.timeout.get(), one_of_all(&cluster, listing, selection)).await?;
    }
    Ok(())
}

async fn one_of_all(cluster: &Cluster, listing: &Listing, selection: &Selection<'_>) -> Result<()> {
    let objects = match cluster.list(listing.kind, selection.everywhere, &selection.params()).await {
        Err(error) if error.is::<NoSuchKind>() => return Ok(()),
        objects => objects?,
    };
    let taken = objects.iter().filter(|object| selection.takes(object));
    let rows: Vec<_> = taken.map(|object| listing.row(object, selection.everywhere, true)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let header = listing.header(selection.everywhere);
    output::print(&(table::render(selection.header(&header), &rows) + "\n"))?;
    Ok(())
}
