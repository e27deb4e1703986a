//! The counts, and every difference that nobody explained.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use crate::{
    compare::Difference,
    expected::{self, TARBALL},
};

#[derive(Default)]
pub(crate) struct Report {
    scenarios: BTreeMap<String, Outcome>,
}

/// What came of one scenario.
struct Outcome {
    /// Why it differs, as often as it does.
    reasons: Vec<&'static str>,
    open: Vec<Difference>,
}

impl Report {
    pub(crate) fn add(&mut self, name: String, differences: Vec<Difference>) {
        let mut outcome = Outcome { reasons: Vec::new(), open: Vec::new() };
        for difference in differences {
            match expected::explanation(&name, &difference) {
                Some(expected) => outcome.reasons.push(expected.reason),
                None => outcome.open.push(difference),
            }
        }
        let open = outcome.open.len();
        eprintln!(
            "{name}: {}",
            if open == 0 { "as expected".to_owned() } else { format!("{open} differences") }
        );
        self.scenarios.insert(name, outcome);
    }

    /// Writes everything to standard error; success means that each difference is explained, and that each
    /// explanation is still needed. `all` says whether every scenario was played.
    pub(crate) fn print(&self, all: bool) -> ExitCode {
        for (name, outcome) in self.scenarios.iter().filter(|(_, outcome)| !outcome.open.is_empty()) {
            show(name, &outcome.open);
        }
        self.print_reasons();
        let outdated = self.outdated(all);
        for line in &outdated {
            eprintln!("explained, but no longer different: {line}");
        }
        let failing = self.count(|outcome| !outcome.open.is_empty());
        self.print_counts(failing);
        if failing == 0 && outdated.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn print_reasons(&self) {
        let mut scenarios: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, outcome) in &self.scenarios {
            for reason in outcome.reasons.iter().collect::<BTreeSet<_>>() {
                scenarios.entry(reason).or_default().push(name);
            }
        }
        for (reason, names) in scenarios {
            let names = if reason == TARBALL { String::new() } else { format!(": {}", names.join(", ")) };
            eprintln!("explained: {reason}{names}");
        }
    }

    fn print_counts(&self, failing: usize) {
        let equal = self.count(|outcome| outcome.open.is_empty() && outcome.reasons.is_empty());
        let tarball = self.count(|outcome| {
            outcome.open.is_empty()
                && !outcome.reasons.is_empty()
                && outcome.reasons.iter().all(|reason| *reason == TARBALL)
        });
        let scope = self.scenarios.len();
        let explained = scope - equal - tarball - failing;
        eprintln!(
            "recordings: {scope} in scope, {equal} equal, {tarball} equal but for digest and size of the tarball, \
             {explained} equal but for explained differences, {failing} failing"
        );
    }

    fn outdated(&self, all: bool) -> Vec<String> {
        let reasons = |(name, outcome): (&String, &Outcome)| {
            outcome.reasons.iter().map(|reason| (name.clone(), *reason)).collect::<Vec<_>>()
        };
        let seen = self.scenarios.iter().flat_map(reasons).collect();
        expected::outdated(&seen, &self.scenarios.keys().collect::<Vec<_>>(), all)
    }

    fn count(&self, of: impl Fn(&Outcome) -> bool) -> usize {
        self.scenarios.values().filter(|outcome| of(outcome)).count()
    }
}

fn show(name: &str, open: &[Difference]) {
    eprintln!("\n== {name}");
    for Difference { place, recorded, ours } in open {
        eprintln!("{place}\n    recorded: {}\n    ours:     {}", indented(recorded), indented(ours));
    }
}

fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n              ")
}
