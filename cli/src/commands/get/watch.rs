//! `--watch`: a row for every change.

use anyhow::Result;
use futures::{StreamExt as _, pin_mut};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};

use super::{Listing, Selection};
use crate::cluster::{Cluster, explain};
use crate::object::Object;
use crate::{output, table};

/// Prints a row for every object, and another whenever one changes, until it is interrupted.
///
/// Each row is a table of its own, as in Flux: what is still to come can't be aligned with.
pub(super) async fn run(cluster: &Cluster, listing: &Listing, selection: &Selection<'_>) -> Result<()> {
    let config = watcher::Config {
        field_selector: selection.fields(),
        label_selector: selection.labels.map(str::to_owned),
        ..watcher::Config::default()
    };
    let api = cluster.api(listing.kind, selection.everywhere);
    let events = watcher(api, config).default_backoff();
    pin_mut!(events);
    let mut header = true;
    while let Some(event) = events.next().await {
        let object = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => Object::from(object),
            Ok(Event::Init | Event::InitDone | Event::Delete(_)) => continue,
            // A watch that once stood is taken up again; one that never did would fail for ever.
            Err(error) if header => return Err(failure(error)),
            Err(error) => {
                output::warning(&output::chain(&failure(error)));
                continue;
            }
        };
        if selection.takes(&object) {
            print_row(&object, listing, selection, header)?;
            header = false;
        }
    }
    Ok(())
}

fn print_row(object: &Object, listing: &Listing, selection: &Selection<'_>, header: bool) -> Result<()> {
    let names = listing.header(selection.everywhere);
    let header = if header { selection.header(&names) } else { None };
    let row = listing.row(object, selection.everywhere, false);
    output::print(&table::render(header, &[row]))?;
    Ok(())
}

fn failure(error: watcher::Error) -> anyhow::Error {
    match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => explain(error),
        other => other.into(),
    }
}
