//! Waits until objects are ready.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{BoxStream, SelectAll};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::follow::{News, follow};
use super::observe::{Observed, is_silent};
use super::{FIRST_POLL, LAST_POLL, Target, WaitCause, WaitError, WaitOptions, longer};
use crate::Manager;
use crate::health::{State, Status};
use crate::request::{Calls, collection_path, encode};
use crate::sighting::{Sighting, Version};

/// A watch that began tells of all that is there within this time; what it leaves out is read.
const CONFIRM: Duration = Duration::from_secs(2);
/// Most watches of one wait; further objects are read.
const WATCHES: usize = 64;
/// However sure the watches of metadata are, an object is read again after this time.
const REREAD: Duration = Duration::from_secs(60);

impl Manager {
    /// Waits until all targets are ready.
    ///
    /// Reads each target once, unless it is known to be ready; follows the others by a watch for each kind and
    /// namespace. Where none is allowed they are read at growing intervals, with a [`Live`](crate::Live) only when
    /// they have moved.
    ///
    /// Returns how long it took.
    ///
    /// # Errors
    /// When the time is up, when objects have failed, when the wait is canceled.
    pub async fn wait(&self, targets: &[Target], options: &WaitOptions) -> Result<Duration, WaitError> {
        let mut wait = Wait {
            manager: self,
            calls: self.calls(options.timeout, &options.cancel),
            options,
            started: Instant::now(),
            waiting: Vec::new(),
            watches: SelectAll::new(),
        };
        wait.waiting = targets.iter().filter(|target| !wait.is_proven(target)).map(Waiting::new).collect();
        match wait.run().await {
            None => Ok(wait.started.elapsed()),
            Some(cause) => Err(wait.error(cause)),
        }
    }
}

/// One wait under way.
struct Wait<'a> {
    manager: &'a Manager,
    calls: Calls,
    options: &'a WaitOptions,
    started: Instant,
    /// The targets that aren't ready.
    waiting: Vec<Waiting<'a>>,
    /// With the path that each one follows.
    watches: SelectAll<BoxStream<'static, (usize, News)>>,
}

struct Waiting<'a> {
    target: &'a Target,
    status: Option<Status>,
    /// The version that was judged, and when it was read.
    judged: Option<(Version, Instant)>,
    /// When it is read next; never while a watch tells.
    due: Option<Instant>,
    interval: Duration,
    watch: Option<usize>,
    watched: bool,
}

impl<'a> Waiting<'a> {
    fn new(target: &'a Target) -> Self {
        Self {
            target,
            status: None,
            judged: None,
            due: Some(Instant::now()),
            interval: FIRST_POLL,
            watch: None,
            watched: false,
        }
    }

    fn state(&self) -> Option<State> {
        self.status.as_ref().map(|status| status.state)
    }

    fn is(&self, object: &Value) -> bool {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        self.target.object.name == text("name")
            && (self.target.object.namespace == text("namespace") || self.target.object.namespace.is_empty())
    }

    /// Plans the next read after a look at the object.
    fn reschedule(&mut self) {
        let settled = self.status.is_some() && self.state() != Some(State::Unknown);
        let told = self.watched && settled && !is_silent(&self.target.object);
        self.due = (!told).then(|| Instant::now() + self.interval);
        self.interval = longer(self.interval);
    }
}

impl Wait<'_> {
    /// Nothing once all are ready, or why that is given up.
    async fn run(&mut self) -> Option<WaitCause> {
        let mut first = true;
        loop {
            self.read_due().await;
            self.waiting.retain(|one| one.state() != Some(State::Current));
            if self.waiting.is_empty() {
                return None;
            }
            if self.is_stalled() {
                return Some(WaitCause::Stalled);
            }
            if std::mem::take(&mut first) {
                self.open_watches();
            }
            let due = self.waiting.iter().filter_map(|one| one.due).min();
            let next_read = due.unwrap_or(self.calls.deadline).min(self.calls.deadline);
            tokio::select! {
                biased;
                () = self.calls.cancel.cancelled() => return Some(WaitCause::Canceled),
                Some((watch, news)) = self.watches.next(), if !self.watches.is_empty() => self.hear(watch, &news),
                () = tokio::time::sleep_until(next_read) => {}
            }
            if Instant::now() >= self.calls.deadline {
                return Some(WaitCause::Timeout);
            }
        }
    }

    fn is_stalled(&self) -> bool {
        let failed = |one: &Waiting<'_>| one.state() == Some(State::Failed);
        self.waiting.iter().all(failed) || (self.options.fail_fast && self.waiting.iter().any(failed))
    }

    async fn read_due(&mut self) {
        let now = Instant::now();
        let due: Vec<usize> = self
            .waiting
            .iter()
            .enumerate()
            .filter(|(_, one)| one.due.is_some_and(|due| due <= now) && !self.has_not_moved(one))
            .map(|(index, _)| index)
            .collect();
        let reads = due
            .iter()
            .map(|index| self.manager.observe(&self.calls, self.waiting[*index].target, self.options))
            .collect();
        let results = self.manager.in_parallel(reads).await;
        for (index, observed) in due.into_iter().zip(results) {
            // A pass that the deadline cut short says nothing about the objects.
            if let Some(observed) = observed {
                self.judge(index, observed);
            }
        }
        for one in self.waiting.iter_mut().filter(|one| one.due.is_some_and(|due| due <= now)) {
            one.reschedule();
        }
    }

    fn judge(&mut self, index: usize, observed: Observed) {
        let one = &mut self.waiting[index];
        let sighting = observed.live.as_ref().and_then(Sighting::of);
        one.judged = sighting.map(|sighting| (sighting.version().clone(), Instant::now()));
        if observed.status.state == State::Current
            && let (Some(live), Some((version, _))) = (&self.options.live, &one.judged)
            && observed.live.is_some_and(|object| !self.options.health.has_expressions_for(&object))
        {
            live.note_ready(&one.target.object, version);
        }
        one.status = Some(observed.status);
    }

    /// Tells whether an object was found ready and the watches of metadata prove that it is as it was.
    fn is_proven(&self, target: &Target) -> bool {
        let Some(live) = &self.options.live else { return false };
        let api_version = match target.object.group.as_str() {
            "" => target.version.clone(),
            group => format!("{group}/{}", target.version),
        };
        let kind = json!({"apiVersion": api_version, "kind": target.object.kind});
        if self.options.health.has_expressions_for(&kind) {
            return false;
        }
        let known = self.options.known.as_deref();
        let targets = std::slice::from_ref(target);
        known.map_or_else(|| live.is_ready(&target.object), |known| known.all_ready(live, targets))
    }

    /// Tells whether another read would show what the last one did.
    fn has_not_moved(&self, one: &Waiting<'_>) -> bool {
        let (Some(live), Some((version, at))) = (&self.options.live, &one.judged) else { return false };
        !is_silent(&one.target.object)
            && at.elapsed() < REREAD
            && live.version(&one.target.object).as_ref() == Some(version)
    }

    fn open_watches(&mut self) {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, one) in self.waiting.iter().enumerate() {
            let object = &one.target.object;
            let mapping = self.manager.mapper.recall(&object.group, &one.target.version, &object.kind);
            let path = mapping.and_then(|mapping| collection_path(&mapping, &object.namespace).ok());
            if let Some(path) = path {
                groups.entry(path).or_default().push(index);
            }
        }
        for (watch, (path, members)) in groups.into_iter().take(WATCHES).enumerate() {
            let path = match members.as_slice() {
                [only] => {
                    let name = encode(&self.waiting[*only].target.object.name);
                    format!("{path}?fieldSelector=metadata.name%3D{name}")
                }
                _ => path,
            };
            let news = follow(self.calls.clone(), path).map(move |news| (watch, news));
            self.watches.push(news.boxed());
            for index in members {
                self.waiting[index].watch = Some(watch);
            }
        }
    }

    fn hear(&mut self, watch: usize, news: &News) {
        match news {
            News::Opened => self.each_of(watch, |one| {
                one.watched = true;
                one.due = Some(Instant::now() + CONFIRM);
            }),
            News::Lost | News::Refused => self.each_of(watch, |one| {
                one.watched = false;
                one.due = Some(one.due.unwrap_or_else(|| Instant::now() + one.interval));
            }),
            News::Seen(object) => {
                let status = self.options.health.status(object);
                self.told(watch, object, |_| Observed { status: status.clone(), live: Some(object.clone()) });
            }
            News::Gone(object) => self.told(watch, object, Observed::absent),
        }
    }

    fn each_of(&mut self, watch: usize, change: impl Fn(&mut Waiting<'_>)) {
        self.waiting.iter_mut().filter(|one| one.watch == Some(watch)).for_each(change);
    }

    fn told(&mut self, watch: usize, object: &Value, observed: impl Fn(&Target) -> Observed) {
        let found = self.waiting.iter().position(|one| one.watch == Some(watch) && one.is(object));
        let Some(index) = found else { return };
        let observed = observed(self.waiting[index].target);
        self.judge(index, observed);
        let one = &mut self.waiting[index];
        one.due = is_silent(&one.target.object).then(|| Instant::now() + LAST_POLL.min(one.interval));
    }

    fn error(mut self, cause: WaitCause) -> WaitError {
        if cause == WaitCause::Stalled {
            self.waiting.retain(|one| one.state() == Some(State::Failed));
        }
        let mut unready: Vec<_> =
            self.waiting.iter().map(|one| (one.target.object.clone(), one.status.clone())).collect();
        unready.sort_by_key(|(object, _)| object.subject());
        WaitError { cause, elapsed: self.started.elapsed(), unready }
    }
}
