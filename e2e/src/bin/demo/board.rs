//! The table of objects on their way to Ready.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, stdout},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use e2e::{Bed, Objects, objects::find_condition};
use futures::{Stream, StreamExt, stream};
use kube::runtime::{
    WatchStreamExt,
    watcher::{Config, Event, watcher},
};
use serde_json::Value;

/// What the fleet consists of in the end.
const KUSTOMIZATIONS: [&str; 4] = ["cache", "cluster", "infrastructure", "webapp"];
/// Of a message.
const WIDTH: usize = 72;

pub(crate) struct Board {
    objects: Objects,
}

/// One line of the table.
struct Row {
    ready: String,
    message: String,
    since: Duration,
}

impl Board {
    pub(crate) fn new(bed: &Bed) -> Self {
        Self { objects: bed.objects.clone() }
    }

    /// Shows every change until all Kustomizations are ready at a commit.
    pub(crate) async fn follow(&self, commit: &str, limit: Duration) -> Result<()> {
        tokio::time::timeout(limit, self.until_ready(commit))
            .await
            .context("not everything became ready in time")?
    }

    async fn until_ready(&self, commit: &str) -> Result<()> {
        let begin = Instant::now();
        let mut rows = BTreeMap::new();
        let mut ready = BTreeMap::new();
        let mut drawn = 0;
        let mut changes = std::pin::pin!(self.changes().await?);
        while let Some(object) = changes.next().await {
            let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
            if kind == "Kustomization" {
                ready.insert(name.clone(), at(&object, commit));
            }
            let row = row(&object, begin.elapsed());
            drawn = draw(&mut rows, format!("{kind}/{name}"), row, drawn);
            if KUSTOMIZATIONS.iter().all(|name| ready.get(*name) == Some(&true)) {
                return Ok(());
            }
        }
        anyhow::bail!("the watch ended")
    }

    async fn changes(&self) -> Result<impl Stream<Item = Value> + use<>> {
        let mut watches = Vec::new();
        for reference in ["GitRepository/flux-system/any", "Kustomization/flux-system/any"] {
            let api = self.objects.api(&reference.parse()?).await?;
            watches.push(watcher(api, Config::default()).default_backoff().boxed());
        }
        Ok(stream::select_all(watches).filter_map(async |event| match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => serde_json::to_value(object).ok(),
            // A watch that breaks comes back by itself.
            _ => None,
        }))
    }
}

/// Whether a Kustomization is ready at a commit.
pub(crate) fn at(object: &Value, commit: &str) -> bool {
    let ready = find_condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
    ready && text(&object["status"]["lastAppliedRevision"]).ends_with(commit)
}

fn row(object: &Value, since: Duration) -> Row {
    let ready = find_condition(object, "Ready");
    // While working, Reconciling says more than Ready.
    let working = find_condition(object, "Reconciling")
        .filter(|_| ready.is_none_or(|ready| ready["status"] == "Unknown"));
    let message = working.or(ready).map(|condition| text(&condition["message"])).unwrap_or_default();
    Row { ready: ready.map_or_else(|| "-".to_owned(), |ready| text(&ready["status"])), message, since }
}

/// Puts a row into the table and shows it; on a terminal in place of the table before.
fn draw(rows: &mut BTreeMap<String, Row>, name: String, row: Row, drawn: usize) -> usize {
    if !stdout().is_terminal() {
        println!("{}", line(&name, &row));
        return 0;
    }
    rows.insert(name, row);
    if drawn > 0 {
        print!("\x1b[{drawn}A");
    }
    for (name, row) in rows.iter() {
        // A terminal that is narrow cuts the line off; one that wrapped would take two of our lines for it.
        println!("\x1b[2K\x1b[?7l{}\x1b[?7h", line(name, row));
    }
    rows.len()
}

fn line(name: &str, Row { ready, message, since }: &Row) -> String {
    let message: String = message.lines().next().unwrap_or_default().chars().take(WIDTH).collect();
    format!("{:6.2} s  {name:29} {ready:8} {message}", since.as_secs_f64())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
