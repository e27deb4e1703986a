//! Which functions there are.

use crate::support::{functions, recording};

#[test]
fn all_functions_of_the_text_map_exist() {
    let recorded = std::fs::read_to_string(recording("names.txt")).expect("a recording");
    let expected: Vec<&str> = recorded.lines().collect();
    let functions = functions();
    let mut actual: Vec<&str> = functions.names().collect();
    actual.sort_unstable();
    assert_eq!(actual, expected);
}
