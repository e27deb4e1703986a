use crate::cases::{Case, ours, theirs, written};
use crate::{generated, original};

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn answers_as_flux_does() {
    let Some(program) = original::program() else {
        println!("skipped: the oracle isn't there to compare with; build the test bed or set FERRITE_CEL");
        return;
    };
    let first = number("FERRITE_CEL_SEED", 1);
    let seeds = first..first + number("FERRITE_CEL_CASES", 2000);
    let mut cases = written();
    let written = cases.len();
    cases.extend(seeds.map(generated::case));
    let answers = original::ask(&program, &cases);
    if std::env::var_os("FERRITE_CEL_RECORD").is_some() {
        record(&cases[..written], &answers);
    }
    let differences: Vec<String> =
        cases.iter().zip(&answers).filter_map(|(case, answer)| difference(case, &theirs(answer))).collect();
    assert!(differences.is_empty(), "{} of {}:\n{}", differences.len(), cases.len(), differences.join("\n"));
}

/// What differs, for people.
pub(crate) fn difference(case: &Case, theirs: &(crate::cases::Answer, String)) -> Option<String> {
    // The original doesn't survive maps whose keys are bytes.
    if theirs.1.contains("hash of unhashable type") {
        return None;
    }
    let ours = ours(case);
    (ours.0 != theirs.0)
        .then(|| format!("{:?} compile={}: {theirs:?}, ours {ours:?}", case.expression, case.compile))
}

fn record(cases: &[Case], answers: &[serde_json::Value]) {
    let lines: String = cases
        .iter()
        .zip(answers)
        .map(|(case, answer)| {
            let line =
                serde_json::json!({"expression": case.expression, "compile": case.compile, "answer": answer});
            format!("{line}\n")
        })
        .collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/answers.jsonl");
    std::fs::write(path, lines).unwrap();
}
