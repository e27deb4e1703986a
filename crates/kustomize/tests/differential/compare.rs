//! Both builds of a case, and the smallest case that still differs.

use crate::cases::Case;
use crate::original::{self, Outcome};
use kustomize::{MemoryFs, Options, Release, Reorder};
use std::path::Path;

/// How two builds differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    Output,
    OnlyOursFails,
    OnlyTheirsFails,
}

/// The options that `kustomize build` has.
pub(crate) fn options() -> Options {
    Options { reorder: Reorder::Unspecified, release: Release::V5_8, ..Options::default() }
}

pub(crate) fn ours(case: &Case) -> Outcome {
    let mut fs = MemoryFs::new();
    for (path, text) in &case.files {
        fs.add(path, text.as_str());
    }
    let built = kustomize::build(&fs, Path::new(&case.root), &options());
    built.map(|b| b.to_yaml()).map_err(|e| e.chain())
}

pub(crate) fn theirs(case: &Case, program: &Path) -> Outcome {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    original::unpack(case, dir.path());
    original::build(program, &dir.path().join(&case.root), &[])
}

/// What comparing two builds gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    BothFail,
    /// kustomize broke off, or garbled what it had to read again.
    TheirFault,
    Different(Difference),
}

pub(crate) fn compare(ours: &Outcome, theirs: &Outcome) -> Comparison {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if ours == theirs => Comparison::Equal,
        (Ok(_), Ok(_)) => Comparison::Different(Difference::Output),
        (_, Err(theirs)) if is_their_fault(theirs) => Comparison::TheirFault,
        (Err(_), Err(_)) => Comparison::BothFail,
        (Err(_), Ok(_)) => Comparison::Different(Difference::OnlyOursFails),
        (Ok(_), Err(_)) => Comparison::Different(Difference::OnlyTheirsFails),
    }
}

pub(crate) fn difference(ours: &Outcome, theirs: &Outcome) -> Option<Difference> {
    match compare(ours, theirs) {
        Comparison::Different(kind) => Some(kind),
        Comparison::Equal | Comparison::BothFail | Comparison::TheirFault => None,
    }
}

/// Whether kustomize broke off, or could not read what it had written itself (it misplaces comments).
fn is_their_fault(message: &str) -> bool {
    let unreadable = ["did not find expected", "could not find expected", "yaml: invalid map key: "];
    message.contains("goroutine 1 [running]")
        || (unreadable.iter().any(|text| message.contains(text)) && !message.contains("MalformedYAMLError"))
}

/// Takes lines away as long as the builds still differ in the same way.
pub(crate) fn shrink(case: &Case, kind: &Difference, program: &Path) -> Case {
    let wanted = gist(&ours(case), &theirs(case, program));
    let still = |case: &Case| {
        let ours = ours(case);
        // Most attempts end here without a process.
        if ours.is_err() != (*kind == Difference::OnlyOursFails) {
            return false;
        }
        let theirs = theirs(case, program);
        difference(&ours, &theirs).as_ref() == Some(kind) && gist(&ours, &theirs) == wanted
    };
    let mut best = case.clone();
    let mut left = 400;
    loop {
        let before = best.clone();
        for path in best.files.keys().cloned().collect::<Vec<_>>() {
            let mut size = best.files[&path].lines().count();
            while size > 0 {
                let mut start = 0;
                while start < best.files[&path].lines().count() && left > 0 {
                    let attempt = without_lines(&best, &path, start, size);
                    left -= 1;
                    if still(&attempt) { best = attempt } else { start += size }
                }
                size /= 2;
            }
        }
        for path in best.files.keys().cloned().collect::<Vec<_>>() {
            let mut attempt = best.clone();
            attempt.files.remove(&path);
            if still(&attempt) {
                best = attempt;
            }
        }
        if best == before || left == 0 {
            return best;
        }
    }
}

/// What keeps a shrunk case from turning into another one: the start of the message of the one that fails.
fn gist(ours: &Outcome, theirs: &Outcome) -> Option<String> {
    let message = match (ours, theirs) {
        (Err(ours), Ok(_)) => ours,
        (Ok(_), Err(theirs)) => theirs,
        _ => return None,
    };
    let last = message.trim().rsplit(": ").next().unwrap_or_default();
    Some(last.chars().filter(|c| c.is_alphabetic()).take(12).collect())
}

fn without_lines(case: &Case, path: &str, start: usize, count: usize) -> Case {
    let mut smaller = case.clone();
    let lines = case.files[path].split_inclusive('\n').enumerate();
    let kept = lines.filter(|(i, _)| *i < start || *i >= start + count).map(|(_, line)| line);
    smaller.files.insert(path.to_owned(), kept.collect());
    smaller
}
