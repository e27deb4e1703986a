//! Sets of templates, and their copies.

use gotemplate::{
    CallError, Environment, ErrorKind, Function, Functions, Limits, Options, ParseError, Type, Value,
};

use crate::functions::functions;

fn render(environment: &Environment, name: &str) -> String {
    let mut output = Vec::new();
    match environment.execute(name.as_bytes(), &Value::Nil, &mut output, &Options::default()) {
        Ok(()) => String::from_utf8_lossy(&output).into_owned(),
        Err(error) => error.to_string(),
    }
}

fn environment(templates: &[(&str, &str)]) -> Environment {
    let mut environment = Environment::new("root", &functions());
    for (name, text) in templates {
        environment.parse(*name, *text).expect("templates parse");
    }
    environment
}

#[test]
fn later_definitions_win_unless_they_are_empty() {
    let mut set = environment(&[("a", "{{ define `x` }}1{{ end }}A"), ("b", "{{ define `x` }}2{{ end }}")]);
    assert_eq!(render(&set, "x"), "2");
    set.parse("c", "{{ define `x` }} {{/* nothing */}}\n\u{a0}{{ end }}").expect("parses");
    assert_eq!(render(&set, "x"), "2");
    assert_eq!(render(&set, "b"), "");
    set.parse("a", "again").expect("parses");
    assert_eq!(render(&set, "a"), "again");
}

#[test]
fn copies_are_apart() {
    let mut original = environment(&[("a", "{{ template `x` }}"), ("b", "{{ define `x` }}1{{ end }}")]);
    let mut copy = original.clone();
    copy.parse("c", "{{ define `x` }}2{{ end }}{{ define `y` }}y{{ end }}").expect("parses");
    original.parse("d", "{{ define `z` }}z{{ end }}").expect("parses");
    assert_eq!((render(&original, "a"), render(&copy, "a")), ("1".to_owned(), "2".to_owned()));
    assert!(!original.contains(b"y") && copy.contains(b"y"));
    assert!(original.contains(b"z") && !copy.contains(b"z"));
}

#[test]
fn parsed_templates_move_between_threads() {
    let parsed = std::thread::spawn(|| {
        let text = "{{ define `x` }}{{ upper `a` }}{{ end }}{{ template `x` }}";
        environment(&[]).parsed("a", text).expect("parses")
    });
    let parsed = parsed.join().expect("no panic");
    let mut set = environment(&[]);
    set.add(&parsed);
    assert_eq!(render(&set, "a"), "A");
}

#[test]
fn functions_are_found_by_name_when_slots_differ() {
    let parsed = environment(&[]).parsed("a", "{{ upper `a` }}").expect("parses");
    let mut few = Functions::default();
    few.insert("upper", Function::new([Type::String], |_, _| Ok(Value::string("other"))));
    let mut set = Environment::new("root", &few);
    set.add(&parsed);
    assert_eq!(render(&set, "a"), "other");
    let mut set = Environment::new("root", &Functions::default());
    set.add(&parsed);
    assert_eq!(
        render(&set, "a"),
        "template: a:1:3: executing \"a\" at <upper>: \"upper\" is not a defined function"
    );
}

#[test]
fn functions_hide_those_of_go() {
    let mut functions = Functions::default();
    functions.insert("and", Function::variadic([], Type::Any, |_, _| Ok(Value::string("mine"))));
    functions.insert("break", Function::new([], |_, _| Ok(Value::string("broken"))));
    let mut set = Environment::new("root", &functions);
    set.parse("a", "{{ and 0 1 }} {{ break }}").expect("parses");
    assert_eq!(render(&set, "a"), "mine broken");
}

#[test]
fn errors_say_where() {
    let set = environment(&[("file", "\n{{ define `x` }}\n  {{ upper .a.b }}{{ end }}")]);
    let mut output = Vec::new();
    let data = Value::map([("a", Value::map([("b", Value::int(1))]))]);
    let error = set.execute(b"x", &data, &mut output, &Options::default()).expect_err("fails");
    let ErrorKind::Execute(location) = &error.kind else { panic!("{error}") };
    assert_eq!((&*location.file, location.line, location.column), ("file", 3, 13));
    assert_eq!((&*location.template, &*location.context), ("x", ".a.b"));
    assert_eq!(location.message, "wrong type for value; expected string; got int");
    let error = set.execute(b"y", &data, &mut output, &Options::default()).expect_err("fails");
    assert!(matches!(error.kind, ErrorKind::NoTemplate { .. }));
    assert_eq!(error.to_string(), "template: no template \"y\" associated with template \"root\"");
    let error = environment(&[]).parsed("file", "\n\n{{ end }}").expect_err("fails");
    let ErrorKind::Parse(ParseError { file, line, message }) = &error.kind else { panic!("{error}") };
    assert_eq!((&**file, *line, &**message), ("file", 3, "unexpected {{end}}"));
}

#[test]
fn functions_know_who_calls_them() {
    let mut functions = functions();
    functions.insert(
        "me",
        Function::new([], |context, _| {
            context.charge(1).map_err(CallError::from)?;
            Ok(Value::string(format!("{} {}", context.template(), context.depth())))
        }),
    );
    let mut set = Environment::new("root", &functions);
    set.parse("a", "{{ define `x` }}{{ me }}{{ end }}{{ me }} {{ template `x` }} {{ include `x` . }}")
        .expect("parses");
    assert_eq!(render(&set, "a"), "a 1 x 2 x 2");
}

#[test]
fn a_blank_text_executes_itself_and_not_the_template_whose_name_it_has() {
    let mut environment = Environment::new("root", &functions());
    environment
        .parse("t", r#"[{{ tpl "a{{ tpl \"\" . }}{{ tpl \"{{/* c */}}\" . }}b" . }}]"#)
        .expect("it parses");
    let mut output = Vec::new();
    let options = Options { limits: Limits { depth: 50, ..Limits::default() }, cancelled: None };
    environment.execute(b"t", &Value::Nil, &mut output, &options).expect("it ends");
    assert_eq!(output, b"[ab]");
}
