//! What templates make of their values is freed, also when it contains itself.

use std::rc::Rc;

use gotemplate::{Map, Value};
use helm::chart::{File, LoadOptions, load_files};
use helm::{render, values};

use crate::support::context;

/// Renders a template with values that hold a map, and says whether that map is still there afterwards.
fn is_left(template: &str) -> bool {
    let files = vec![
        File::new("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
        File::new("templates/x.yaml", template),
    ];
    let chart = load_files(files, &LoadOptions::default(), &mut Vec::new()).expect("it is a chart");
    let inner = values::empty();
    let left = Rc::downgrade(&inner);
    let given = values::empty();
    given.insert("inner", Value::Map(inner));
    // Whether it renders doesn't matter.
    let _ = render::render(&chart, given, &context("demo", "apps"), &render::Options::default());
    left.upgrade().is_some()
}

#[test]
fn maps_that_contain_themselves_are_freed() {
    for template in [
        "{{ .Values.inner }}",
        r#"{{ $_ := set . "self" . }}"#,
        r#"{{ $_ := set .Values "self" .Values }}"#,
        r#"{{ $_ := set .Values.inner "up" $ }}"#,
        r#"{{ $_ := set (.Values.AsMap) "self" .Values }}"#,
        r#"{{ $d := dict "inner" .Values.inner }}{{ $_ := set $d "self" $d }}"#,
        r#"{{ $d := dict "inner" .Values.inner }}{{ $_ := set $d "list" (list 1 (list $d)) }}"#,
        r#"{{ $a := dict "inner" .Values.inner }}{{ $b := dict "a" $a }}{{ $_ := set $a "b" $b }}"#,
        r#"{{ $d := dict "inner" .Values.inner }}{{ $_ := merge $d (dict "self" $d) }}"#,
        r#"{{ $d := dict "inner" .Values.inner "x" (dict) }}{{ $_ := mergeOverwrite $d (dict "x" (dict "y" $d)) }}"#,
        r#"{{ $_ := tpl "{{ $_ := set . \"self\" . }}" . }}"#,
        r#"{{ $_ := set . "self" . }}{{ fail "no" }}"#,
        r#"{{ range until 100 }}{{ $d := dict "inner" $.Values.inner }}{{ $_ := set $d "self" $d }}{{ end }}"#,
    ] {
        assert!(!is_left(template), "{template}");
    }
}

#[test]
fn values_that_somebody_holds_stay_as_they_are() {
    let files = vec![
        File::new("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
        File::new(
            "templates/x.yaml",
            r#"{{ $_ := set .Values "self" .Values }}{{ $_ := set .Values.inner "a" 1 }}"#,
        ),
    ];
    let chart = load_files(files, &LoadOptions::default(), &mut Vec::new()).expect("it is a chart");
    let (given, inner) = (values::empty(), values::empty());
    given.insert("inner", Value::Map(Rc::clone(&inner)));
    let held: Rc<Map> = Rc::clone(&given);
    let rendered = render::render(&chart, given, &context("demo", "apps"), &render::Options::default());
    assert!(rendered.is_ok(), "{rendered:?}");
    assert_eq!((held.len(), inner.len()), (2, 1));
    // It contains itself: nobody else will free it.
    held.remove(b"self");
}

#[test]
fn deep_chains_of_changed_maps_are_freed() {
    let chain = r#"{{ $d := dict "inner" .Values.inner }}{{ range until 200000 }}{{ $d = set (dict) "d" $d }}{{ end }}"#;
    assert!(!is_left(chain));
    assert!(!is_left(&format!(r#"{chain}{{{{ $_ := set $d "top" $d }}}}"#)));
}
