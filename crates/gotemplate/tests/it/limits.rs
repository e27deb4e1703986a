//! Executions end, whatever the template.

use std::sync::atomic::AtomicBool;

use gotemplate::{Environment, Error, LimitError, Limits, Options, Value};

use crate::functions::functions;

fn execute(template: &str, options: &Options<'_>) -> Result<usize, Error> {
    let mut environment = Environment::new("root", &functions());
    environment.parse("t", template)?;
    let mut output = Vec::new();
    environment.execute(b"t", &Value::Nil, &mut output, options)?;
    Ok(output.len())
}

fn check(template: &str, limits: Limits, expected: LimitError) {
    let options = Options { limits, cancelled: None };
    let limit = execute(template, &options).map_err(|error| error.limit());
    assert_eq!(limit, Err(Some(expected)), "{template}");
}

#[test]
fn templates_that_execute_themselves_end() {
    let limits = Limits { depth: 50, ..Limits::default() };
    let template = r#"{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}"#;
    check(template, limits, LimitError::Depth(50));
    check(template, Limits::default(), LimitError::Depth(100_000));
    let include = r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#;
    check(include, limits, LimitError::Depth(50));
    check(include, Limits::default(), LimitError::Depth(100_000));
    let tpl = r#"{{ define "a" }}{{ tpl "{{ include `a` . }}" . }}{{ end }}{{ include "a" . }}"#;
    check(tpl, limits, LimitError::Depth(50));
}

#[test]
fn recursion_needs_no_large_stack() {
    let template = r#"
        {{- define "a" }}{{ if true }}{{ range 1 }}{{ with true }}{{ include "a" . }}{{ end }}{{ end }}{{ end }}{{ end }}
        {{- include "a" . }}"#;
    let limits = Limits { depth: 2000, ..Limits::default() };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    let run = move || check(template, limits, LimitError::Depth(2000));
    thread.spawn(run).expect("a thread").join().expect("no overflow");
}

#[test]
fn output_ends() {
    let limits = Limits { output: 10_000, ..Limits::default() };
    check("{{ range 1000000000 }}abc{{ end }}", limits, LimitError::Output(10_000));
    check("{{ range 1000000000 }}{{ . }}{{ end }}", limits, LimitError::Output(10_000));
    let doubling = r#"{{ $x := "ab" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}"#;
    let limits = Limits { output: 1 << 20, ..Limits::default() };
    check(doubling, limits, LimitError::Output(1 << 20));
}

#[test]
fn loops_end() {
    let limits = Limits { steps: 10_000, ..Limits::default() };
    check("{{ range 1000000000 }}{{ end }}", limits, LimitError::Steps(10_000));
    check("{{ range 1000000000 }}{{ continue }}{{ end }}", limits, LimitError::Steps(10_000));
}

#[test]
fn cancelled_executions_end() {
    let cancelled = AtomicBool::new(true);
    let options = Options { limits: Limits::default(), cancelled: Some(&cancelled) };
    let error = execute("{{ range 1000000000 }}{{ end }}", &options).expect_err("cancelled");
    assert_eq!(error.limit(), Some(LimitError::Cancelled));
}

#[test]
fn deep_syntax_is_an_error() {
    let parens = "(".repeat(100_000);
    let error = execute(&format!("{{{{ {parens}"), &Options::default()).expect_err("too deep");
    assert_eq!(error.to_string(), "template: t:1: max expression depth exceeded");
    let ifs = "{{ if true }}".repeat(100_000);
    let error = execute(&ifs, &Options::default()).expect_err("too deep");
    assert_eq!(error.to_string(), "template: t:1: max expression depth exceeded");
}

#[test]
fn deep_values_can_be_dropped() {
    let template = "{{ $x := list }}{{ range 200000 }}{{ $x = list $x }}{{ end }}";
    assert_eq!(execute(template, &Options::default()).ok(), Some(0));
    let template = r#"{{ $x := dict }}{{ range 200000 }}{{ $x = dict "a" $x }}{{ end }}"#;
    assert_eq!(execute(template, &Options::default()).ok(), Some(0));
}
