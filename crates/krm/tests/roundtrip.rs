//! What is written reads back as it was.

use krm::Node;
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

/// Texts with all that has a meaning in YAML; U+0085 is left out, which go-yaml folds on its way through JSON.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[a-z0-9:#,.\\-\\[\\]{}&*!|>'\"%@`?~ \n\t\r=<\\\\]{0,120}",
        any::<String>().prop_map(|s| s.replace('\u{85}', "")),
        "(true|yes|on|null|~|0x1f|1_0|1e3|12:30|2020-01-01|---|\\.\\.\\.|<<|=)",
    ]
}

/// Any text but the merge key, which go-yaml writes without quotes and so can't read back.
fn key() -> impl Strategy<Value = String> {
    text().prop_filter("not a merge key", |key| key != "<<")
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|i| Value::Number(i.into())),
        any::<u64>().prop_map(|u| Value::Number(u.into())),
        any::<f64>().prop_filter_map("finite", |f| Number::from_f64(f).map(Value::Number)),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parse_undoes_emit(value in value()) {
        let node = Node::from(value);
        let text = krm::emit(&node);
        let read = krm::parse(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(read.len(), 1, "{}", text);
        prop_assert_eq!(read[0].to_json(), node.to_json(), "{}", text);
        // Writing is stable.
        prop_assert_eq!(krm::emit(&read[0]), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9:#,.\\-\\[\\]{}&*!|>'\"%@`?~ \n\t<]{0,200}") {
        if let Ok(documents) = krm::parse(&text) {
            let written = krm::emit_all(&documents);
            prop_assert_eq!(written.is_empty(), documents.is_empty());
        }
    }
}
