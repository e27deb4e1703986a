//! Compares our builds with those of kustomize itself.
//!
//! | variable | meaning |
//! |---|---|
//! | `FERRITE_KUSTOMIZE` | the program; without it the test bed's is taken, and without that the tests are skipped |
//! | `FERRITE_KUSTOMIZE_CASES` | how many generated cases, else 300 |
//! | `FERRITE_KUSTOMIZE_SEED` | the first seed, else 1; each case has the next one |
//! | `FERRITE_KUSTOMIZE_FOUND` | a folder to put shrunk differences in, as they are in `recorded/` |
//! | `FERRITE_KUSTOMIZE_ERRORS` | if set, what both say where both fail is printed |
//! | `FERRITE_KUSTOMIZE_TREES` | directories with files of others, separated by `:`, whose kustomizations are all built |

mod cases;
mod compare;
mod dice;
mod objects;
mod original;
mod patches;
mod recorded;
mod scalars;
mod trees;
mod value;

use cases::Case;
use compare::{Comparison, Difference};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[derive(Default)]
struct Tally {
    next: AtomicUsize,
    equal: AtomicUsize,
    both_fail: AtomicUsize,
    their_fault: AtomicUsize,
    different: Mutex<Vec<(u64, Difference)>>,
}

#[test]
fn generated_cases_build_as_kustomize_builds_them() {
    let Some(program) = original::program() else {
        eprintln!(
            "skipped: kustomize isn't there to compare with; build the test bed or set FERRITE_KUSTOMIZE"
        );
        return;
    };
    let count = number("FERRITE_KUSTOMIZE_CASES", 300);
    let first = number("FERRITE_KUSTOMIZE_SEED", 1);
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| work(&tally, first, count, &program));
        }
    });
    let mut different = tally.different.into_inner().expect("no thread broke off");
    different.sort_by_key(|(seed, _)| *seed);
    eprintln!(
        "{count} cases from seed {first}: {} equal, {} fail in both, {} fail by kustomize's own fault, {} differ",
        tally.equal.into_inner(),
        tally.both_fail.into_inner(),
        tally.their_fault.into_inner(),
        different.len()
    );
    assert!(different.is_empty(), "different (seed, how): {different:?}");
}

fn work(tally: &Tally, first: usize, count: usize, program: &Path) {
    loop {
        let next = tally.next.fetch_add(1, Ordering::Relaxed);
        if next >= count {
            return;
        }
        let seed = (first + next) as u64;
        let case = cases::case(seed);
        let (ours, theirs) = (compare::ours(&case), compare::theirs(&case, program));
        let counter = match compare::compare(&ours, &theirs) {
            Comparison::Equal => &tally.equal,
            Comparison::BothFail => &tally.both_fail,
            Comparison::TheirFault => &tally.their_fault,
            Comparison::Different(kind) => {
                keep(seed, &case, &kind, program);
                tally.different.lock().expect("no thread broke off").push((seed, kind));
                continue;
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if std::env::var_os("FERRITE_KUSTOMIZE_ERRORS").is_some()
            && let (Err(ours), Err(theirs)) = (&ours, &theirs)
        {
            eprintln!("{seed} fails in both:\n  {ours}\n  {}", theirs.trim());
        }
    }
}

/// Puts a shrunk difference where someone looks at it.
fn keep(seed: u64, case: &Case, kind: &Difference, program: &Path) {
    let Some(dir) = std::env::var_os("FERRITE_KUSTOMIZE_FOUND") else { return };
    let small = compare::shrink(case, kind, program);
    let text = recorded::write(&small, &compare::theirs(&small, program), &format!("seed {seed}"));
    std::fs::write(Path::new(&dir).join(format!("{seed}.txt")), text).expect("the folder can be written to");
    let ours = match compare::ours(&small) {
        Ok(text) => text,
        Err(error) => format!("error: {error}\n"),
    };
    std::fs::write(Path::new(&dir).join(format!("{seed}.ours")), ours).expect("the folder can be written to");
}
