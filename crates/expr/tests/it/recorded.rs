use serde_json::Value;

use crate::cases::{Case, ours, theirs};
use crate::differential::difference;

#[test]
fn answers_as_recorded() {
    let recorded = include_str!("../recorded/answers.jsonl");
    let mut differences = Vec::new();
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let case = Case {
            expression: line["expression"].as_str().unwrap().to_owned(),
            compile: line["compile"].as_bool().unwrap(),
        };
        differences.extend(difference(&case, &theirs(&line["answer"])));
    }
    assert!(recorded.lines().count() > 900);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Most texts are the original's too. Those that aren't differ where cel-go's parser or Go's libraries speak.
#[test]
fn most_texts_are_as_recorded() {
    let recorded = include_str!("../recorded/answers.jsonl");
    let (mut same, mut errors) = (0, 0);
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let case = Case {
            expression: line["expression"].as_str().unwrap().to_owned(),
            compile: line["compile"].as_bool().unwrap(),
        };
        let text = theirs(&line["answer"]).1;
        errors += usize::from(!text.is_empty());
        same += usize::from(!text.is_empty() && text == ours(&case).1);
    }
    assert!(3 * same > 2 * errors, "{same} of {errors}");
}
