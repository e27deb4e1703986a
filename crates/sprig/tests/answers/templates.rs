//! Templates against answers recorded from Go's `text/template` with Sprig 3.3.0, in the time zone
//! `Europe/Berlin`.

use std::cell::Cell;
use std::rc::Rc;

use gotemplate::{Environment, Options, Value};
use sprig::Sources;

use crate::recorded::{finish, lines};

/// A clock that stands still, and numbers that look random.
pub(crate) struct Fixed {
    pub(crate) state: Cell<u64>,
}

impl Sources for Fixed {
    fn now(&self) -> jiff::Zoned {
        let now: jiff::Timestamp = "2026-11-24T11:30:00.5Z".parse().expect("a time");
        now.in_tz("Europe/Berlin").expect("the zone is bundled")
    }

    fn random(&self, buffer: &mut [u8]) {
        for byte in buffer {
            // Knuth's multiplier: https://en.wikipedia.org/wiki/Linear_congruential_generator
            let next = self.state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            self.state.set(next);
            *byte = (next >> 56) as u8;
        }
    }

    fn addresses(&self, host: &str) -> Vec<String> {
        if host == "known.example" { vec!["192.0.2.1".to_owned()] } else { Vec::new() }
    }
}

/// The output of a template without data, or the text of its error.
pub(crate) fn execute(template: &str, seed: u64) -> Result<String, String> {
    let sources: Rc<dyn Sources> = Rc::new(Fixed { state: Cell::new(seed) });
    let mut environment = Environment::new("t", &sprig::functions(&sources));
    environment.parse("t", template).map_err(|error| error.to_string())?;
    let mut output = Vec::new();
    environment
        .execute(b"t", &Value::Nil, &mut output, &Options::default())
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

#[test]
fn templates_give_what_was_recorded() {
    check("functions.jsonl");
}

/// Keys and serial numbers are ours; Go built certificates of them.
#[test]
fn certificates_are_those_that_go_builds() {
    check("certificates.jsonl");
}

fn check(file: &str) {
    let rows = lines(file);
    let mut failures = Vec::new();
    for row in &rows {
        let template = row["template"].as_str().expect("a template");
        let recorded = match row.get("error") {
            Some(error) => Err(error.as_str().expect("an error").to_owned()),
            None => Ok(row["output"].as_str().expect("an output").to_owned()),
        };
        let got = execute(template, 7);
        if got != recorded {
            failures.push(format!("{template}\n  got      {got:?}\n  recorded {recorded:?}"));
        }
    }
    finish(&failures, rows.len());
}

#[test]
fn the_clock_is_the_callers() {
    let cases = [
        ("{{ now | date \"2006-01-02 15:04:05.0 MST\" }}", "2026-11-24 12:30:00.5 CET"),
        ("{{ now }}", "2026-11-24 12:30:00.5 +0100 CET"),
        ("{{ htmlDate now }}|{{ htmlDate 1.5 }}|{{ htmlDate \"x\" }}", "2026-11-24|2026-11-24|2026-11-24"),
        ("{{ dateInZone \"15:04\" now \"Asia/Tokyo\" }}", "20:30"),
        ("{{ ago (now | dateModify \"-90m\") }}|{{ ago now }}|{{ ago 1.5 }}", "1h30m0s|0s|0s"),
        ("{{ durationRound (now | dateModify \"-90m\") }}", "1h"),
        ("{{ unixEpoch now }}", "1795519800"),
    ];
    for (template, expected) in cases {
        assert_eq!(execute(template, 1).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn hosts_are_those_that_the_caller_knows() {
    let template = "{{ getHostByName \"known.example\" }}|{{ getHostByName \"unknown.example\" }}";
    assert_eq!(execute(template, 1).as_deref(), Ok("192.0.2.1|"));
}

#[test]
fn giant_numbers_end_soon() {
    let huge = [i64::MAX, i64::MIN, i64::MAX / 1_000_000_000];
    for number in huge {
        for template in [
            "{{ ((toDate \"2006\" \"2024\").AddDate COUNT 0 0).Format \"2006 002 Mon\" }}",
            "{{ ((toDate \"2006\" \"2024\").AddDate 0 COUNT 0).AddDate COUNT COUNT COUNT }}",
            "{{ ((toDate \"2006\" \"2024\").AddDate 0 0 COUNT).Round COUNT }}",
            "{{ ((toDate \"2006\" \"2024\").Add COUNT).Truncate COUNT }}",
            "{{ dateInZone \"2006 MST\" COUNT \"Europe/Dublin\" }}{{ ago COUNT }}",
            "{{ duration (int64 COUNT) }}{{ durationRound (int64 COUNT) }}",
        ] {
            let template = template.replace("COUNT", &number.to_string());
            assert!(execute(&template, 1).is_ok(), "{template}");
        }
    }
    for template in ["{{ randAlphaNum COUNT }}", "{{ randBytes COUNT }}"] {
        let template = template.replace("COUNT", &i64::MAX.to_string());
        let error = execute(&template, 1).expect_err("there isn't that much memory");
        assert!(error.contains("result is larger than"), "{error}");
    }
}

#[test]
fn randomness_is_the_callers() {
    for template in
        ["{{ randAlphaNum 20 }}", "{{ uuidv4 }}", "{{ shuffle \"abcdefghijkl\" }}", "{{ randInt 0 1000000 }}"]
    {
        assert_eq!(execute(template, 1), execute(template, 1), "{template}");
        assert_ne!(execute(template, 1), execute(template, 2), "{template}");
    }
}
