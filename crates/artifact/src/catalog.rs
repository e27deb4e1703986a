//! What is current: the artifacts that a controller has announced, and the last changes among them.
//!
//! The controller feeds it, the gRPC service reads it. It lives in memory: after a start it is empty until the
//! controller has gone through its objects.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    ops::Bound,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use api::meta::Artifact;
use tokio::sync::watch;

use crate::storage::Key;

/// Number of changes that a watcher may lie behind.
const REPLAY: usize = 4096;

/// The current artifacts.
#[derive(Debug)]
pub struct Catalog {
    /// Tells the tokens of one run from those of another.
    run: u64,
    replay: usize,
    state: Mutex<State>,
    end: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    current: BTreeMap<Key, Arc<Artifact>>,
    /// The last changes; the first of them has the number `first`.
    log: VecDeque<Change>,
    first: u64,
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.log.len() as u64
    }
}

/// Something that happened to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has a new artifact.
    Published(Key, Arc<Artifact>),
    /// It has no artifact any longer.
    Removed(Key),
}

impl Change {
    fn key(&self) -> &Key {
        match self {
            Self::Published(key, _) | Self::Removed(key) => key,
        }
    }
}

/// Which sources are meant; what is empty means all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: String,
    /// Only this namespace.
    pub namespace: String,
    /// Only this name.
    pub name: String,
}

impl Filter {
    fn admits(&self, key: &Key) -> bool {
        let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        fits(&self.kind, key.kind()) && fits(&self.namespace, key.namespace()) && fits(&self.name, key.name())
    }
}

/// A part of the current artifacts, in the order of their keys.
#[derive(Clone, Debug)]
pub struct Page {
    /// The sources and their artifacts.
    pub items: Vec<(Key, Arc<Artifact>)>,
    /// Says whether there are more after the last item.
    pub more: bool,
    /// Where a watch has to start to miss nothing after this page.
    pub token: Token,
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new(REPLAY)
    }
}

impl Catalog {
    /// Makes an empty catalog that remembers the last `replay` changes.
    #[must_use]
    pub fn new(replay: usize) -> Self {
        // The hasher of the standard library is seeded at random.
        let run = RandomState::new().build_hasher().finish();
        Self { run, replay, state: Mutex::default(), end: watch::Sender::new(0) }
    }

    /// Announces the current artifact of a source; the same one again is no change.
    pub fn publish(&self, key: Key, artifact: Artifact) {
        let mut state = self.state();
        if state.current.get(&key).is_some_and(|current| **current == artifact) {
            return;
        }
        let artifact = Arc::new(artifact);
        state.current.insert(key.clone(), artifact.clone());
        self.record(&mut state, Change::Published(key, artifact));
    }

    /// Takes back the artifact of a source, if it has one.
    pub fn remove(&self, key: &Key) {
        let mut state = self.state();
        if state.current.remove(key).is_some() {
            self.record(&mut state, Change::Removed(key.clone()));
        }
    }

    /// Returns the current artifact of a source.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<Artifact>> {
        self.state().current.get(key).cloned()
    }

    /// Returns at most `limit` artifacts whose keys come after `after`.
    #[must_use]
    pub fn list(&self, filter: &Filter, after: Option<&Key>, limit: usize) -> Page {
        let state = self.state();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found =
            state.current.range::<Key, _>((start, Bound::Unbounded)).filter(|(key, _)| filter.admits(key));
        let items: Vec<_> =
            found.by_ref().take(limit).map(|(key, artifact)| (key.clone(), artifact.clone())).collect();
        let more = found.next().is_some();
        Page { items, more, token: self.token(state.end()) }
    }

    /// Returns the path of a current artifact with this digest.
    #[must_use]
    pub fn path_of(&self, digest: &str) -> Option<String> {
        let state = self.state();
        state
            .current
            .values()
            .find(|artifact| artifact.digest == digest)
            .map(|artifact| artifact.path.clone())
    }

    /// Starts to watch, from now on or after the change that a token stands for.
    ///
    /// # Errors
    ///
    /// Fails if the token is of another run, or the changes after it are forgotten.
    pub fn watch(self: &Arc<Self>, filter: Filter, from: Option<Token>) -> Result<Watcher, TooOld> {
        let (first, end) = {
            let state = self.state();
            (state.first, state.end())
        };
        let next = match from {
            None => end,
            Some(token) if token.run == self.run && (first..=end).contains(&token.next) => token.next,
            Some(_) => return Err(TooOld),
        };
        Ok(Watcher { catalog: self.clone(), filter, next, end: self.end.subscribe() })
    }

    fn record(&self, state: &mut State, change: Change) {
        state.log.push_back(change);
        if state.log.len() > self.replay {
            state.log.pop_front();
            state.first += 1;
        }
        self.end.send_replace(state.end());
    }

    fn token(&self, next: u64) -> Token {
        Token { run: self.run, next }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the changes. It holds none of them: one that is too slow loses its place instead.
#[derive(Debug)]
pub struct Watcher {
    catalog: Arc<Catalog>,
    filter: Filter,
    next: u64,
    end: watch::Receiver<u64>,
}

impl Watcher {
    /// Returns where a new watch would go on after what this one has given out.
    #[must_use]
    pub fn token(&self) -> Token {
        self.catalog.token(self.next)
    }

    /// Waits for the next change. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Fails if the next change is forgotten already.
    pub async fn next(&mut self) -> Result<Change, TooOld> {
        loop {
            self.end.mark_unchanged();
            if let Some(change) = self.take()? {
                return Ok(change);
            }
            // The sender lives in the catalog, which this holds.
            let _ = self.end.changed().await;
        }
    }

    fn take(&mut self) -> Result<Option<Change>, TooOld> {
        let state = self.catalog.state();
        let skip = self.next.checked_sub(state.first).ok_or(TooOld)?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let found =
            state.log.iter().enumerate().skip(skip).find(|(_, change)| self.filter.admits(change.key()));
        match found {
            Some((at, change)) => {
                self.next = state.first + at as u64 + 1;
                Ok(Some(change.clone()))
            }
            None => {
                self.next = state.end();
                Ok(None)
            }
        }
    }
}

/// A place in the sequence of changes, as text `<run>-<number>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    run: u64,
    next: u64,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.run, self.next)
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (run, next) = text.split_once('-').ok_or(InvalidToken)?;
        let run = u64::from_str_radix(run, 16).map_err(|_| InvalidToken)?;
        Ok(Self { run, next: next.parse().map_err(|_| InvalidToken)? })
    }
}

/// A text that isn't a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("resume token can't be read")]
pub struct InvalidToken;

/// The changes after the token aren't known any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("resume token is too old: list again and watch from there")]
pub struct TooOld;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::meta::Artifact;
    use futures::FutureExt;

    use super::{Catalog, Change, Filter, Token, TooOld};
    use crate::storage::Key;

    fn key(namespace: &str, name: &str) -> Key {
        Key::new("GitRepository", namespace, name).unwrap()
    }

    fn artifact(revision: &str) -> Artifact {
        Artifact { revision: revision.into(), ..Artifact::default() }
    }

    fn names(page: &super::Page) -> Vec<&str> {
        page.items.iter().map(|(key, _)| key.name()).collect()
    }

    #[test]
    fn pages_follow_each_other_without_gap() {
        let catalog = Catalog::default();
        for name in ["c", "a", "b"] {
            catalog.publish(key("x", name), artifact("1"));
        }
        catalog.publish(key("y", "a"), artifact("1"));
        let filter = Filter { namespace: "x".into(), ..Filter::default() };

        let first = catalog.list(&filter, None, 2);
        assert_eq!((names(&first), first.more), (vec!["a", "b"], true));
        let second = catalog.list(&filter, Some(&first.items[1].0), 2);
        assert_eq!((names(&second), second.more), (vec!["c"], false));
    }

    #[test]
    fn a_watcher_sees_only_changes_it_asked_for() {
        let catalog = Arc::new(Catalog::default());
        let filter = Filter { namespace: "x".into(), ..Filter::default() };
        let mut watcher = catalog.watch(filter, None).unwrap();
        assert_eq!(watcher.next().now_or_never(), None);

        catalog.publish(key("y", "a"), artifact("1"));
        assert_eq!(watcher.next().now_or_never(), None);
        catalog.publish(key("x", "a"), artifact("1"));
        catalog.publish(key("x", "a"), artifact("1"));
        catalog.remove(&key("x", "a"));
        catalog.remove(&key("x", "a"));

        let published = Change::Published(key("x", "a"), Arc::new(artifact("1")));
        assert_eq!(watcher.next().now_or_never(), Some(Ok(published)));
        assert_eq!(watcher.next().now_or_never(), Some(Ok(Change::Removed(key("x", "a")))));
        assert_eq!(watcher.next().now_or_never(), None);
    }

    #[test]
    fn a_watch_goes_on_at_its_token() {
        let catalog = Arc::new(Catalog::default());
        let mut first = catalog.watch(Filter::default(), None).unwrap();
        catalog.publish(key("x", "a"), artifact("1"));
        catalog.publish(key("x", "b"), artifact("1"));
        first.next().now_or_never().unwrap().unwrap();

        let token: Token = first.token().to_string().parse().unwrap();
        let mut second = catalog.watch(Filter::default(), Some(token)).unwrap();
        let expected = Change::Published(key("x", "b"), Arc::new(artifact("1")));
        assert_eq!(second.next().now_or_never(), Some(Ok(expected)));
    }

    #[test]
    fn who_lies_behind_too_far_is_told() {
        let catalog = Arc::new(Catalog::new(2));
        let mut slow = catalog.watch(Filter::default(), None).unwrap();
        let token = slow.token();
        for revision in ["1", "2", "3"] {
            catalog.publish(key("x", "a"), artifact(revision));
        }
        assert_eq!(slow.next().now_or_never(), Some(Err(TooOld)));
        assert_eq!(catalog.watch(Filter::default(), Some(token)).unwrap_err(), TooOld);

        let other_run = Catalog::default().list(&Filter::default(), None, 1).token;
        assert_eq!(catalog.watch(Filter::default(), Some(other_run)).unwrap_err(), TooOld);
    }
}
