//! Whatever stands in a text and in a variable, a substitution ends with a text within its bounds or an error.
#![no_main]

use kustomization::envsubst::{Limits, substitute};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|given: (&str, &str, bool)| {
    let (text, value, strict) = given;
    let limits = Limits { output: 1 << 20, ..Limits::default() };
    let lookup = |name: &str| (name == "a").then_some(value);
    if let Ok(output) = substitute(text, lookup, strict, &limits) {
        assert!(output.len() <= limits.output);
    }
});
