//! Documents, merge keys, limits and errors.

use krm::{ErrorKind, Limits, Node, Rules};

fn read(text: &str) -> Vec<serde_json::Value> {
    krm::parse(text).expect("the text is YAML").iter().map(Node::to_json).collect()
}

#[test]
fn documents_come_one_by_one() {
    assert_eq!(read("a: 1\n---\nb: 2\n"), [serde_json::json!({"a": 1}), serde_json::json!({"b": 2})]);
    assert_eq!(read("---\n# nothing\n---\nb: 2\n"), [serde_json::Value::Null, serde_json::json!({"b": 2})]);
    assert_eq!(read(""), Vec::<serde_json::Value>::new());
    assert_eq!(read("{\"a\": [1, 2]}"), [serde_json::json!({"a": [1, 2]})]);
}

#[test]
fn words_of_yaml_1_1_are_booleans_only_by_the_older_rules() {
    let read = |rules| krm::parse_bytes(b"[yes, off, true]", rules).unwrap()[0].to_json();
    assert_eq!(read(Rules::V3), serde_json::json!(["yes", "off", true]));
    assert_eq!(read(Rules::V2), serde_json::json!([true, false, true]));
}

#[test]
fn merge_keys_fill_up_what_is_missing() {
    let text = "base: &b {x: 1, y: 1}\nmore: &m {y: 2, z: 2}\nall: {<<: [*b, *m], x: 3}\n";
    assert_eq!(read(text)[0]["all"], serde_json::json!({"x": 3, "y": 1, "z": 2}));
}

#[test]
fn errors_tell_where() {
    let check = |text: &str, kind, line| {
        let error = krm::parse(text).unwrap_err();
        assert_eq!((error.kind, error.line), (kind, line), "{error}");
    };
    check("a: 1\na: 2\n", ErrorKind::DuplicateKey, 2);
    check("a: 1\nb: [1, 2\nc: 3\n", ErrorKind::Malformed, 3);
    check("a: *nobody\n", ErrorKind::Malformed, 1);
    check("a: &x [*x]\n", ErrorKind::Malformed, 1);
    check("<<: 1\n", ErrorKind::Malformed, 1);
}

#[test]
fn bytes_must_be_utf8() {
    assert_eq!(krm::parse_bytes(b"a: 1\nb: \xff\n", Rules::V3).unwrap_err().line, 2);
}

fn within(text: &str, limits: &Limits) -> Result<(), ErrorKind> {
    krm::parse_with(text, Rules::V3, limits).map(drop).map_err(|e| e.kind)
}

#[test]
fn size_is_bounded() {
    let limits = Limits { stream_bytes: 4, ..Limits::default() };
    assert_eq!(within("a: 1", &limits), Ok(()));
    assert_eq!(within("a: 12", &limits), Err(ErrorKind::Limit));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let limits = Limits { depth: 10, ..Limits::default() };
    assert_eq!(within(&nested(10), &limits), Ok(()));
    assert!(within(&nested(11), &limits).is_err());
    assert!(within(&nested(100_000), &Limits::default()).is_err());
    assert!(within(&"- ".repeat(100_000), &Limits::default()).is_err());
    assert!(within(&"a:\n".repeat(3), &Limits::default()).is_err());
}

#[test]
fn the_number_of_values_is_bounded() {
    let limits = Limits { nodes: 4, ..Limits::default() };
    assert_eq!(within("[1, 2, 3]", &limits), Ok(()));
    assert_eq!(within("[1, 2, 3, 4]", &limits), Err(ErrorKind::Limit));
}

#[test]
fn what_aliases_add_is_bounded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let list = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{list}]\n"));
    }
    assert_eq!(within(&bomb, &Limits::default()), Err(ErrorKind::Limit));
}

#[test]
fn keys_are_bounded() {
    let limits = Limits { key_bytes: 3, ..Limits::default() };
    assert_eq!(within("abc: 1", &limits), Ok(()));
    assert_eq!(within("abcd: 1", &limits), Err(ErrorKind::Limit));
}

#[test]
fn objects_know_who_they_are() {
    let text =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: prod, labels: {a: b}}\n";
    let mut object = krm::Object::from_node(krm::parse(text).unwrap().remove(0)).unwrap();
    let id = object.id();
    assert_eq!((id.group.as_str(), id.version.as_str(), id.kind.as_str()), ("apps", "v1", "Deployment"));
    assert_eq!((id.namespace.as_str(), id.name.as_str()), ("prod", "web"));
    object.set_label("c", "d");
    object.set_annotation("e", "f");
    assert_eq!(object.labels().collect::<Vec<_>>(), [("a", "b"), ("c", "d")]);
    assert_eq!(object.annotation("e"), Some("f"));
    assert_eq!(krm::Object::from_json(object.to_json()).unwrap(), object);
    let error = krm::Object::from_json(serde_json::json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err();
    assert_eq!(error.to_string(), "not a Kubernetes object: metadata.name is missing");
}
