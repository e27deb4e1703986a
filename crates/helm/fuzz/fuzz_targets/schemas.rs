//! Whatever schema a chart brings, values meet it or not, within bounds.
//!
//! The text is the schema; behind a line `%%` come the values in YAML.
#![no_main]

use gotemplate::Value;
use helm::chart::{Chart, File};
use helm::{schema, values};
use libfuzzer_sys::fuzz_target;

/// Longest report on a text as short as the fuzzer's.
const MAX_REPORT: usize = 8 << 20;

fuzz_target!(|text: &[u8]| {
    const MARK: &[u8] = b"\n%%\n";
    let at = text.windows(MARK.len()).position(|window| window == MARK);
    let (schema, values) =
        at.map_or((text, &b"a: {b: [1, x]}"[..]), |at| (&text[..at], &text[at + MARK.len()..]));
    let Ok(table) = values::read(values) else { return };
    let Value::Map(values) = values::from_plain(&table.into()) else { return };
    let mut chart = Chart { schema: Some(File::new("values.schema.json", schema)), ..Chart::default() };
    chart.metadata.name = "app".to_owned();
    let mut warnings = Vec::new();
    let outcome = schema::validate(&chart, &values, &mut warnings);
    if let Err(report) = &outcome {
        assert!(report.0.starts_with("app:\n"));
        assert!(report.0.len() <= MAX_REPORT, "{} bytes of report", report.0.len());
    }
    assert_eq!(schema::validate(&chart, &values, &mut warnings), outcome);
});
