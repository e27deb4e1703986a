//! The smallest case that still differs in the same way.

use gotemplate::Functions;
use serde_json::Value as Json;

use crate::case::Case;
use crate::compare::{self, Difference};
use crate::original::{Original, Outcome};

/// How many attempts are made.
const ATTEMPTS: usize = 1500;

struct Shrinker<'a> {
    original: &'a mut Original,
    functions: &'a Functions,
    kind: Difference,
    gist: Option<[String; 2]>,
    left: usize,
}

/// Takes templates, data and text away as long as the executions still differ in the same way.
pub(crate) fn shrink(case: &Case, kind: Difference, original: &mut Original, functions: &Functions) -> Case {
    let gist = gist(kind, &compare::ours(case, functions), &original.answer(case));
    let mut shrinker = Shrinker { original, functions, kind, gist, left: ATTEMPTS };
    let mut best = case.clone();
    loop {
        let before = best.clone();
        shrinker.drop_templates(&mut best);
        shrinker.drop_data(&mut best);
        shrinker.drop_text(&mut best);
        if best == before || shrinker.left == 0 {
            return best;
        }
    }
}

impl Shrinker<'_> {
    fn still_differs(&mut self, case: &Case) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let ours = compare::ours(case, self.functions);
        let theirs = self.original.answer(case);
        compare::difference(&ours, &theirs) == Some(self.kind) && gist(self.kind, &ours, &theirs) == self.gist
    }

    fn keep_if_different(&mut self, best: &mut Case, attempt: Case) -> bool {
        let differs = self.still_differs(&attempt);
        if differs {
            *best = attempt;
        }
        differs
    }

    fn drop_templates(&mut self, best: &mut Case) {
        let mut index = 0;
        while index < best.templates.len() {
            let mut attempt = best.clone();
            attempt.templates.remove(index);
            if !self.keep_if_different(best, attempt) {
                index += 1;
            }
        }
    }

    fn drop_data(&mut self, best: &mut Case) {
        for key in keys(&best.data) {
            let mut attempt = best.clone();
            if let Json::Object(entries) = &mut attempt.data {
                entries.remove(&key);
            }
            if self.keep_if_different(best, attempt) {
                continue;
            }
            let Json::Object(entries) = &best.data else { return };
            let smaller = match &entries[&key] {
                Json::Object(inner) => inner
                    .keys()
                    .map(|gone| inner.iter().filter(move |(name, _)| *name != gone))
                    .map(|rest| Json::Object(rest.map(|(name, item)| (name.clone(), item.clone())).collect()))
                    .collect(),
                Json::Array(items) => (0..items.len())
                    .map(|gone| items.iter().enumerate().filter(move |(index, _)| *index != gone))
                    .map(|rest| Json::Array(rest.map(|(_, item)| item.clone()).collect()))
                    .collect(),
                _ => Vec::new(),
            };
            for value in smaller {
                let mut attempt = best.clone();
                attempt.data[&key] = value;
                self.keep_if_different(best, attempt);
            }
        }
    }

    fn drop_text(&mut self, best: &mut Case) {
        for index in 0..best.templates.len() {
            let mut size = best.templates[index].1.chars().count();
            while size > 0 {
                let mut start = 0;
                while start < best.templates[index].1.chars().count() {
                    let mut attempt = best.clone();
                    let text = best.templates[index].1.chars().enumerate();
                    let kept = text.filter(|(place, _)| *place < start || *place >= start + size);
                    attempt.templates[index].1 = kept.map(|(_, char)| char).collect();
                    if !self.keep_if_different(best, attempt) {
                        start += size.div_ceil(2);
                    }
                }
                size /= 2;
            }
        }
    }
}

fn keys(data: &Json) -> Vec<String> {
    data.as_object().map(|entries| entries.keys().cloned().collect()).unwrap_or_default()
}

/// What keeps a shrunk case from turning into another one: the words of what both say at the end.
fn gist(kind: Difference, ours: &Outcome, theirs: &Outcome) -> Option<[String; 2]> {
    if kind == Difference::Output {
        return None;
    }
    let words = |outcome: &Outcome| match outcome {
        Outcome::Error(text) => {
            let last = text.trim().rsplit(": ").next().unwrap_or_default();
            last.chars().filter(|char| char.is_alphabetic()).take(16).collect()
        }
        _ => String::new(),
    };
    Some([words(ours), words(theirs)])
}
