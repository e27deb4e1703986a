use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Cache, CacheEvent, CacheMetrics, Key};
use crate::fake::{now, object};
use crate::{Bearer, Clock, Error, InvolvedObject};

/// Notes what it is told, in words.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl CacheMetrics for Notes {
    fn event(&self, event: CacheEvent, object: &InvolvedObject) {
        let operation = object.operation.as_str();
        self.0.lock().push(format!("{} {} {operation}", event.as_str(), object.name));
    }

    fn request(&self, success: bool) {
        self.0.lock().push(format!("request {success}"));
    }

    fn items(&self, count: usize) {
        self.0.lock().push(format!("items {count}"));
    }

    fn evicted(&self) {
        self.0.lock().push("evicted".into());
    }
}

/// Clocks that are set by hand, and a count of how many times a token was asked for.
#[derive(Clone, Default)]
struct World {
    seconds: Arc<AtomicI64>,
    steady: Arc<AtomicU64>,
    asked: Arc<AtomicUsize>,
}

impl World {
    fn clock(&self) -> Clock {
        let (seconds, steady) = (self.seconds.clone(), self.steady.clone());
        Clock::new(
            move || now() + SignedDuration::from_secs(seconds.load(Ordering::SeqCst)),
            move || Duration::from_secs(steady.load(Ordering::SeqCst)),
        )
    }

    fn at(&self, seconds: i64) -> &Self {
        self.seconds.store(seconds, Ordering::SeqCst);
        self
    }

    /// Asks for a token that lives for some seconds; returns how many were asked for until then.
    async fn get(&self, cache: &Cache, key: &str, life: i64) -> usize {
        let ask = async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            Ok(bearer(self.clock().now() + SignedDuration::from_secs(life)))
        };
        cache.get(Key::of(&[key]), &object(), &self.clock(), ask).await.unwrap();
        self.asked.load(Ordering::SeqCst)
    }
}

fn bearer(expires: Timestamp) -> Bearer {
    Bearer { token: "t".into(), expires }
}

fn cache(max_size: usize, max_duration: u64) -> Cache {
    Cache::new(max_size, Duration::from_secs(max_duration), Arc::new(()))
}

#[tokio::test]
async fn a_token_is_used_for_four_fifths_of_its_life() {
    let (world, cache) = (World::default(), cache(10, 3600));
    assert_eq!(world.at(0).get(&cache, "a", 1000).await, 1);
    assert_eq!(world.at(799).get(&cache, "a", 1000).await, 1);
    assert_eq!(world.at(800).get(&cache, "a", 1000).await, 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_make_a_token_younger() {
    let (world, cache) = (World::default(), cache(10, 3600));
    assert_eq!(world.at(0).get(&cache, "a", 1000).await, 1);
    world.steady.store(800, Ordering::SeqCst);
    assert_eq!(world.at(-500).get(&cache, "a", 1000).await, 2);
}

#[tokio::test]
async fn the_flag_and_an_hour_bound_how_long_a_token_is_kept() {
    for (flag, kept) in [(60, 60), (100_000, 3600)] {
        let (world, cache) = (World::default(), cache(10, flag));
        world.at(0).get(&cache, "a", 1_000_000).await;
        assert_eq!(world.at(kept - 1).get(&cache, "a", 1_000_000).await, 1);
        assert_eq!(world.at(kept).get(&cache, "a", 1_000_000).await, 2);
    }
}

#[tokio::test]
async fn a_token_that_has_expired_already_is_not_kept() {
    let (world, cache) = (World::default(), cache(10, 3600));
    world.get(&cache, "a", -5).await;
    assert_eq!(world.get(&cache, "a", 5).await, 2);
}

#[tokio::test]
async fn the_one_that_was_used_least_recently_makes_room() {
    let notes = Arc::new(Notes::default());
    let (world, cache) = (World::default(), Cache::new(2, Duration::from_secs(60), notes.clone()));
    for key in ["a", "b", "a", "c", "a"] {
        world.get(&cache, key, 1000).await;
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 3, "a, b and c, and a is still there");
    assert_eq!(world.get(&cache, "b", 1000).await, 4);
    let notes = notes.0.lock().clone();
    assert_eq!(notes[..3], ["items 1", "request true", "cache_miss app decrypt_with_aws"]);
    assert_eq!(notes[6..9], ["items 2", "request true", "cache_hit app decrypt_with_aws"]);
    assert_eq!(notes.iter().filter(|note| *note == "evicted").count(), 2);
}

#[test]
fn parts_of_a_key_do_not_run_together() {
    assert!(Key::of(&["ab", "c"]) != Key::of(&["a", "bc"]));
    assert!(Key::of(&["a", ""]) != Key::of(&["a"]));
    assert!(Key::of(&["a", "b"]) == Key::of(&["a", "b"]));
}

/// Lets many ask for a token at once, the first of which waits until all are there.
async fn together(
    cache: &Arc<Cache>,
    outcome: fn() -> Result<Bearer, Error>,
) -> (usize, Vec<Result<(), String>>) {
    let (asked, entered, go) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut tasks = Vec::new();
    for first in [true, false, false, false] {
        let (cache, asked, entered, go) = (cache.clone(), asked.clone(), entered.clone(), go.clone());
        if !first && tasks.len() == 1 {
            // The others come while the first is under way.
            entered.notified().await;
        }
        tasks.push(tokio::spawn(async move {
            let ask = async {
                asked.fetch_add(1, Ordering::SeqCst);
                entered.notify_one();
                go.notified().await;
                go.notify_one();
                outcome()
            };
            let got = cache.get(Key::of(&["k"]), &object(), &Clock::default(), ask).await;
            got.map(drop).map_err(|e| e.to_string())
        }));
    }
    // On a runtime of one thread, the others are waiting once this task has yielded to each of them.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    (asked.load(Ordering::SeqCst), outcomes)
}

#[tokio::test]
async fn who_comes_while_a_token_is_asked_for_waits_for_it() {
    let cache = Arc::new(cache(10, 60));
    let (asked, outcomes) = together(&cache, || Ok(bearer(Timestamp::MAX))).await;
    assert_eq!((asked, outcomes), (1, vec![Ok(()); 4]));
}

#[tokio::test]
async fn who_waited_for_a_failure_shares_it_and_the_next_asks_anew() {
    let cache = Arc::new(cache(10, 60));
    let fail = || Err(Error::invalid("no"));
    let (asked, outcomes) = together(&cache, fail).await;
    assert_eq!((asked, outcomes), (1, vec![Err("no".to_owned()); 4]));
    let (world, notes) = (World::default(), cache.slots.lock().len());
    assert_eq!(notes, 0, "a failure takes no room");
    assert_eq!(world.get(&cache, "k", 60).await, 1);
}

#[tokio::test]
async fn who_gives_up_lets_the_next_ask() {
    let cache = cache(10, 60);
    let never = std::future::pending::<Result<Bearer, Error>>();
    let (key, object, clock) = (Key::of(&["k"]), object(), Clock::default());
    let given_up =
        tokio::time::timeout(Duration::from_millis(1), cache.get(key, &object, &clock, never)).await;
    assert!(given_up.is_err());
    assert_eq!(World::default().get(&cache, "k", 60).await, 1);
}
