//! What callers ask for: a boolean or a string.

use expr::Expression;
use serde_json::json;

#[test]
fn a_string_is_checked_and_evaluated() {
    let event = json!({"metadata": {"env": "prod"}, "involvedObject": {"kind": "Kustomization"}});
    let text = "event.involvedObject.kind.lowerAscii() + '/' + event.metadata.env";
    let expression = Expression::compile_string(text, &["event"]).unwrap();
    assert_eq!(expression.eval_string(&[("event", &event)]).unwrap(), "kustomization/prod");
    assert_eq!(expression.text(), text);
}

#[test]
fn another_type_is_refused_beforehand() {
    for (text, expected) in [
        ("1 + 1", "CEL expression output type mismatch: expected string, got int"),
        ("event.metadata", "CEL expression output type mismatch: expected string, got dyn"),
        ("true", "CEL expression output type mismatch: expected string, got bool"),
    ] {
        assert_eq!(Expression::compile_string(text, &["event"]).unwrap_err().to_string(), expected);
    }
    let error = Expression::compile_bool("[1]", &[]).unwrap_err().to_string();
    assert_eq!(error, "CEL expression output type mismatch: expected bool, got list(int)");
}

#[test]
fn another_type_is_refused_when_it_comes_up() {
    let expression = Expression::parse("self").unwrap();
    let number = json!(1);
    let (boolean, string) =
        (expression.eval_bool(&[("self", &number)]), expression.eval_string(&[("self", &number)]));
    assert_eq!(boolean.unwrap_err().to_string(), "failed to evaluate CEL expression as boolean: 'self'");
    assert_eq!(string.unwrap_err().to_string(), "failed to evaluate CEL expression as string: 'self'");
}

#[test]
fn expressions_are_shared_between_threads() {
    let expression = Expression::compile_bool("dep.metadata.name.matches('^b')", &["self", "dep"]).unwrap();
    let dep = json!({"metadata": {"name": "base"}});
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let expression = expression.clone();
            let dep = &dep;
            scope.spawn(move || assert!(expression.eval_bool(&[("self", dep), ("dep", dep)]).unwrap()));
        }
    });
}
