//! YAML as values.

use crate::helpers::{check_all, comparable, dump_table, failure, text};
use helm::Compat;
use helm::values::{read, read_documents};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn texts_become_the_values_that_helm_reads() {
    check_all(
        "values",
        |case| format!("{:?}", text(case, "text")),
        |case| {
            let yaml = text(case, "text").as_bytes();
            let result =
                if text(case, "mode") == "read" { read(yaml) } else { read_documents(yaml, Compat::V4_2) };
            match result {
                Ok(table) => json!({ "values": dump_table(&table) }),
                Err(error) => comparable(failure(&error), &case["want"]),
            }
        },
    );
}

#[test]
fn mistakes_are_named_as_in_helm() {
    check_all(
        "mistakes",
        |case| format!("{:?}", text(case, "text")),
        |case| match read(text(case, "text").as_bytes()) {
            Ok(table) => json!({ "values": dump_table(&table) }),
            Err(error) => failure(&error),
        },
    );
}

#[test]
fn helm_3_reads_the_first_document_only() {
    let table = read_documents(b"a: 1\n---\nb: 2\n", Compat::V3).unwrap();
    assert_eq!(dump_table(&table), r#"{"a":1.0}"#);
}

#[test]
fn a_tab_before_the_first_key_is_read() {
    // Helm: found character that cannot start any token. Our YAML parser takes the tab for a blank.
    let table = read_documents(b"\ta: 1\n", Compat::V4_2).unwrap();
    assert_eq!(dump_table(&table), r#"{"a":1.0}"#);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[a-c:\\- \n#&*{}\\[\\]'\"|>!%.0-9]{0,60}") {
        let _ = read_documents(text.as_bytes(), Compat::V4_2);
    }
}
