//! A chart's templates: a helpers file and a deployment that uses it.

use criterion::{Criterion, criterion_group, criterion_main};
use gotemplate::{Environment, Function, Functions, Options, Type, Value};
use std::hint::black_box;

const HELPERS: &str = include_str!("helpers.tpl");
const DEPLOYMENT: &str = include_str!("deployment.yaml");

fn text(value: &Value) -> String {
    value.as_str().map(ToString::to_string).unwrap_or_default()
}

fn functions() -> Functions {
    let mut functions = Functions::default();
    functions.insert(
        "include",
        Function::new([Type::String, Type::Any], |context, arguments| {
            let name = arguments[0].as_str().cloned().unwrap_or_default();
            context.execute(&name, &arguments[1]).map(Value::String)
        }),
    );
    functions.insert(
        "tpl",
        Function::new([Type::String, Type::Any], |context, arguments| {
            let mut environment = context.environment().clone();
            let source = arguments[0].as_str().cloned().unwrap_or_default();
            let parsed = environment.parsed("tpl", source).map_err(|error| error.to_string())?;
            environment.add(&parsed);
            context.execute_parsed(&environment, &parsed, &arguments[1]).map(Value::String)
        }),
    );
    functions.insert(
        "quote",
        Function::new([Type::Any], |_, arguments| {
            Ok(Value::string(gotemplate::fmt::sprintf(b"%q", &arguments[..1])))
        }),
    );
    functions.insert(
        "default",
        Function::new([Type::Any, Type::Any], |_, arguments| {
            let value = if arguments[1].is_true() { &arguments[1] } else { &arguments[0] };
            Ok(value.clone())
        }),
    );
    functions.insert(
        "nindent",
        Function::new([Type::Int(gotemplate::IntType::Int), Type::String], |_, arguments| {
            let Value::Int(count, _) = arguments[0] else { return Ok(Value::Nil) };
            let pad = " ".repeat(count as usize);
            let lines: Vec<_> = text(&arguments[1]).split('\n').map(|line| format!("{pad}{line}")).collect();
            Ok(format!("\n{}", lines.join("\n")).into())
        }),
    );
    functions.insert(
        "trunc",
        Function::new([Type::Int(gotemplate::IntType::Int), Type::String], |_, arguments| {
            let Value::Int(count, _) = arguments[0] else { return Ok(Value::Nil) };
            Ok(text(&arguments[1]).chars().take(count as usize).collect::<String>().into())
        }),
    );
    functions
}

fn data() -> Value {
    let strings = |entries: &[(&str, &str)]| Value::map(entries.iter().map(|(k, v)| (*k, Value::string(*v))));
    let port =
        |name: &str, number: f64| Value::map([("name", Value::string(name)), ("port", Value::Float(number))]);
    let env =
        (0..10).map(|n| strings(&[("name", &format!("VAR_{n}")), ("value", "{{ .Release.Name }}-value")]));
    let values = Value::map([
        ("replicaCount", Value::Float(2.0)),
        (
            "image",
            strings(&[
                ("repository", "ghcr.io/stefanprodan/podinfo"),
                ("tag", "6.7.1"),
                ("pullPolicy", "IfNotPresent"),
            ]),
        ),
        ("ports", Value::list(vec![port("http", 9898.0), port("grpc", 9999.0), port("metrics", 9797.0)])),
        ("env", Value::list(env.collect())),
        ("annotations", strings(&[("a", "1"), ("b", "2"), ("c", "3")])),
        ("nameOverride", Value::Nil),
        ("probes", Value::Bool(true)),
    ]);
    Value::map([
        ("Values", values),
        ("Release", strings(&[("Name", "demo"), ("Namespace", "apps"), ("Service", "Helm")])),
        ("Chart", strings(&[("Name", "podinfo"), ("Version", "6.7.1"), ("AppVersion", "6.7.1")])),
    ])
}

fn benchmark(criterion: &mut Criterion) {
    let functions = functions();
    let empty = Environment::new("root", &functions);
    criterion.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let mut environment = empty.clone();
            environment
                .parse("helpers", black_box(HELPERS))
                .and_then(|()| environment.parse("deployment", black_box(DEPLOYMENT)))
        });
    });
    let mut environment = empty;
    let parsed =
        environment.parse("helpers", HELPERS).and_then(|()| environment.parse("deployment", DEPLOYMENT));
    assert!(parsed.is_ok());
    let data = data();
    let mut output = Vec::new();
    let rendered = environment.execute(b"deployment", &data, &mut output, &Options::default());
    assert!(rendered.is_ok() && !output.is_empty(), "{rendered:?}");
    criterion.bench_function("execute", |bencher| {
        bencher.iter(|| {
            output.clear();
            environment.execute(b"deployment", black_box(&data), &mut output, &Options::default())
        });
    });
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
