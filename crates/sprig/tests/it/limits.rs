//! What would take all memory, or all stack, is an error.

use gotemplate::Value;

use crate::support::{functions, render};

fn check(template: &str, expected: &str) {
    let error = render(&functions(), template, &Value::Nil).expect_err(template);
    assert!(error.ends_with(expected), "{error}");
}

const TOO_LARGE: &str = "result is larger than 67108864 bytes";

#[test]
fn results_are_bounded() {
    check(r#"{{ repeat 1000000000 "x" }}"#, TOO_LARGE);
    check(r#"{{ indent 1000000000 "x" }}"#, TOO_LARGE);
    check("{{ until 1000000000 }}", TOO_LARGE);
    check("{{ untilStep 0 9223372036854775807 1 }}", TOO_LARGE);
    check("{{ seq 1000000000 }}", TOO_LARGE);
    check(r#"{{ replace "" (repeat 1000000 "x") (repeat 1000 "y") }}"#, TOO_LARGE);
    check(r#"{{ join (repeat 1000000 "x") (until 1000) }}"#, TOO_LARGE);
    check(r#"{{ wrapWith 1 (repeat 1000000 "x") (repeat 1000 "y") }}"#, TOO_LARGE);
}

#[test]
fn long_lists_of_scalars_are_made_unique_at_once() {
    let template = "{{ len (uniq (concat (until 100000) (until 100000))) }}";
    assert_eq!(render(&functions(), template, &Value::Nil).as_deref(), Ok("100000"));
    check("{{ uniq (chunk 1 (until 100000)) }}", "list takes more than 10000000 comparisons");
}

#[test]
fn results_count_though_they_are_not_printed() {
    let template = r#"{{ range until 100 }}{{ $_ := repeat 20000000 "x" }}{{ end }}"#;
    check(template, "exceeded maximum output of 1073741824 bytes");
}

/// Each of the nested lists holds the one below twice.
#[test]
fn copies_of_what_is_shared_are_bounded() {
    let nested = r#"{{ $l := list "x" }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}"#;
    check(&format!("{nested}{{{{ deepCopy $l }}}}"), TOO_LARGE);
    check(&format!("{nested}{{{{ mustToJson $l }}}}"), TOO_LARGE);
}

#[test]
fn values_that_contain_themselves_end() {
    let knot =
        r#"{{ $d := dict "a" 1 }}{{ $_ := set $d "self" $d }}{{ $e := deepCopy (dict "self" (dict)) }}"#;
    let too_deep = "value is nested more than 1000 levels deep";
    check(&format!("{knot}{{{{ deepCopy $d }}}}"), too_deep);
    let other = r#"{{ $_ := set $e "self" $e }}{{ merge $e $d }}"#;
    check(&format!("{knot}{other}"), too_deep);
}
