use super::*;

fn check(text: &str, expected: &str) {
    let error = parse(text).unwrap_err().render(text);
    assert_eq!(error, expected, "{text}");
}

#[test]
fn errors_show_where() {
    check(
        "status.phase ==",
        "ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | status.phase ==\n | ...............^",
    );
    check("a &&\n  if", "ERROR: <input>:2:3: reserved identifier: if\n |   if\n | ..^");
    check("ä == 1 ~", "ERROR: <input>:1:1: Syntax error: token recognition error at: 'ä'\n | ä == 1 ~\n | ^");
}

#[test]
fn trees_have_a_bound() {
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("a[", "]"), ("{1:", "}"), ("a.map(a,", ")")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(parse(&nested(100)).is_ok(), "{open}");
        let error = parse(&nested(1000)).unwrap_err().render("");
        assert!(error.contains("expression recursion limit exceeded: 250"), "{open}: {error}");
    }
    assert!(parse(&"1+".repeat(2000)).is_err());
    assert!(parse(&format!("{}true", "!".repeat(4000))).is_ok());
    assert!(parse(&vec!["a"; 4000].join("&&")).is_ok());
}

#[test]
fn texts_have_a_bound() {
    assert!(parse(&" ".repeat(MAX_LENGTH + 1)).is_err());
}
