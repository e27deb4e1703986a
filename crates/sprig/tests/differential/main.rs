//! Compares our executions of templates with those of Go's `text/template` and Sprig.
//!
//! | variable | meaning |
//! |---|---|
//! | `FERRITE_GOTEMPLATE` | the oracle, built from `e2e/testbed/gotemplate`; without it the test bed's is taken, and without that the test is skipped |
//! | `FERRITE_TEMPLATE_CASES` | how many generated cases, else 2000 |
//! | `FERRITE_TEMPLATE_SEED` | the first seed, else 1; each case has the next one |
//! | `FERRITE_TEMPLATE_ERRORS` | if set, what both say where both fail is printed |
//! | `FERRITE_TEMPLATE_FOUND` | a folder to put shrunk differences in, as they are in `recorded/` |

mod case;
mod compare;
mod dice;
mod generate;
mod original;
mod recorded;
mod shrink;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use compare::Difference;
use gotemplate::Functions;
use original::{Original, Outcome};

/// Templates nest, and Go's stack grows as needed.
const STACK: usize = 64 << 20;

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[derive(Default)]
struct Tally {
    next: AtomicUsize,
    equal_outputs: AtomicUsize,
    equal_errors: AtomicUsize,
    not_compared: AtomicUsize,
    different: Mutex<Vec<(u64, Difference)>>,
}

#[test]
fn generated_templates_execute_as_in_go() {
    let Some(program) = original::program() else {
        eprintln!(
            "skipped: the oracle isn't there to compare with; build the test bed or set FERRITE_GOTEMPLATE"
        );
        return;
    };
    let count = number("FERRITE_TEMPLATE_CASES", 2000);
    let first = number("FERRITE_TEMPLATE_SEED", 1);
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let worker = std::thread::Builder::new().stack_size(STACK);
            worker.spawn_scoped(scope, || work(&tally, first, count, &program)).expect("a thread starts");
        }
    });
    let mut different = tally.different.into_inner().expect("no thread broke off");
    different.sort_by_key(|(seed, _)| *seed);
    let (outputs, errors) = (tally.equal_outputs.into_inner(), tally.equal_errors.into_inner());
    let not_compared = tally.not_compared.into_inner();
    eprintln!(
        "{count} cases from seed {first}: {outputs} equal outputs, {errors} equal errors, \
         {not_compared} not compared, {} differ",
        different.len()
    );
    assert!(different.is_empty(), "different (seed, how): {different:?}");
    assert!(errors * 10 <= count * 4, "too many cases fail to say much about outputs");
}

fn work(tally: &Tally, first: usize, count: usize, program: &Path) {
    let functions = compare::functions();
    let mut original = Original::new(program);
    let say_errors = std::env::var_os("FERRITE_TEMPLATE_ERRORS").is_some();
    loop {
        let next = tally.next.fetch_add(1, Ordering::Relaxed);
        if next >= count {
            return;
        }
        let seed = (first + next) as u64;
        let case = generate::case(seed);
        let (ours, theirs) = (compare::ours(&case, &functions), original.answer(&case));
        let Some(kind) = compare::difference(&ours, &theirs) else {
            let equal = match &theirs {
                Outcome::Output(_) => &tally.equal_outputs,
                Outcome::Error(_) => &tally.equal_errors,
                Outcome::Nothing(_) => &tally.not_compared,
            };
            equal.fetch_add(1, Ordering::Relaxed);
            match &theirs {
                Outcome::Error(text) if say_errors => eprintln!("{seed} fails in both: {text}"),
                Outcome::Nothing(why) if say_errors => eprintln!("{seed} has no answer: {why}: {case:?}"),
                _ => {}
            }
            continue;
        };
        keep(seed, &case, kind, &mut original, &functions);
        tally.different.lock().expect("no thread broke off").push((seed, kind));
    }
}

/// Puts a shrunk difference where someone looks at it.
fn keep(seed: u64, case: &case::Case, kind: Difference, original: &mut Original, functions: &Functions) {
    let Some(dir) = std::env::var_os("FERRITE_TEMPLATE_FOUND") else { return };
    let small = shrink::shrink(case, kind, original, functions);
    let found = format!("seed {seed}");
    let text = recorded::write(&small, &original.answer(&small), &found);
    let ours = recorded::write(&small, &compare::ours(&small, functions), &found);
    let dir = Path::new(&dir);
    std::fs::write(dir.join(format!("{seed}.txt")), text).expect("the folder can be written to");
    std::fs::write(dir.join(format!("{seed}.ours")), ours).expect("the folder can be written to");
}
