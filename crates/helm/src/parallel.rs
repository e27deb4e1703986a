//! Work on many texts that don't depend on each other, on more than one processor where that pays.

use std::iter;
use std::num::NonZero;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many bytes of text are worth a thread: what takes it several times as long as it takes to start.
const WORTH_A_THREAD: usize = 128 << 10;

/// Most threads, the caller's included: the work that is left isn't done faster by more.
const MAX_THREADS: usize = 4;

/// What `work` makes of each item, in the order of the items; `size` is the length of an item's text.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    size: impl Fn(&T) -> usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let others = items.iter().map(size).sum::<usize>() / WORTH_A_THREAD;
    let most = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let others = others.min(most - 1);
    if others == 0 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        items.get(index).map(|item| (index, work(item)))
    };
    let take_all = || iter::from_fn(take).collect::<Vec<_>>();
    let mut results = thread::scope(|scope| {
        // Without a thread there is more left for the others.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, take_all).ok();
        let threads: Vec<_> = (0..others).filter_map(spawn).collect();
        let mut results = take_all();
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for (count, size) in [(0, 0), (1, 1 << 30), (1000, 1), (1000, WORTH_A_THREAD)] {
            let items: Vec<_> = (0..count).collect();
            let doubled = map(&items, |_| size, |item| item * 2);
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<i32>>(), "{size}");
        }
    }
}
