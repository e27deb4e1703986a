//! Expressions that are made to cost: they end in time, with an answer or an error, and on a small stack.

use std::time::{Duration, Instant};

use expr::Expression;
use serde_json::{Value, json};

use crate::cases::{OBJECTS, written};
use crate::generated::Random;

/// What a worker of the runtime has, and less than that.
const STACK: usize = 1 << 20;

/// Ten million steps without optimization, and other tests beside.
const DEADLINE: Duration = Duration::from_secs(30);

fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

/// Parses, checks and evaluates; what comes out doesn't matter.
fn survives(text: &str, data: &Value) {
    let started = Instant::now();
    let data = data.as_object().unwrap();
    let names: Vec<&str> = data.keys().map(String::as_str).collect();
    for parsed in [Expression::parse(text), Expression::compile_bool(text, &names)].into_iter().flatten() {
        let shown = match parsed.eval_bool(data) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(shown.len() < 64 << 10, "{text}");
    }
    assert!(started.elapsed() < DEADLINE, "{text}: {:?}", started.elapsed());
}

fn too_much(text: &str, data: &Value) {
    let started = Instant::now();
    let evaluated = Expression::parse(text).unwrap().eval_bool(data.as_object().unwrap());
    let Err(error) = evaluated else { panic!("{text}: {evaluated:?}") };
    assert!(error.to_string().ends_with("operation interrupted: it takes too many steps"), "{text}: {error}");
    assert!(started.elapsed() < DEADLINE, "{text}: {:?}", started.elapsed());
}

#[test]
fn nesting_is_bounded() {
    on_small_stack(|| {
        let pairs = [
            ("(", ")"),
            ("[", "]"),
            ("{1:", "}"),
            ("{", ":1}"),
            ("f(", ")"),
            ("size(", ")"),
            ("a[", "]"),
            ("a.f(", ")"),
            ("has(a.", ")"),
            ("a.map(a,", ")"),
            ("[1].all(a,", ")"),
            ("[1].exists(a,", ")"),
            ("[[1]].filter(a,", ")"),
            ("a.optMap(a,", ")"),
            ("true?", ":1"),
            ("true?1:", ""),
            ("!", ""),
            ("-", ""),
            ("!(", ")"),
            ("-(", ")"),
            ("1+", ""),
            ("1+(", ")"),
            ("true&&(", ")"),
            ("true||", ""),
            ("1==", ""),
            ("[?", "]"),
            ("a[?", "]"),
            ("optional.of(", ")"),
            ("string(", ")"),
            ("a.", ""),
            ("a.?", ""),
            ("a in ", ""),
            ("'%s'.format([", "])"),
            ("!!(!!!!!!(!!!!(((((!!(!!(!!!!((", "))))))))))))"),
        ];
        for (open, close) in pairs {
            for depth in [4, 16, 64, 200, 249, 250, 251, 1000, 5000] {
                for leaf in ["1", "a", ""] {
                    survives(
                        &format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth)),
                        &json!({"a": [1]}),
                    );
                }
            }
        }
    });
}

#[test]
fn chains_are_bounded() {
    on_small_stack(|| {
        let parts = [
            ".a",
            ".a()",
            "[0]",
            "[?0]",
            ".?a",
            "+1",
            "*2",
            " in a",
            "&&true",
            "||false",
            "==1",
            ".map(x,x)",
            ".size()",
            "?1:1",
            ",",
            ";",
            "..",
            "{}",
            "()",
            "[]",
            "'",
            "\"",
            "\\",
            "\u{0}",
            "ß",
            "//",
            "/*",
            "e",
            "0",
            "0x",
            "u",
            "@",
            "`",
            "\n",
            "r'",
            "b'",
            "'''",
        ];
        for part in parts {
            for count in [1, 10, 249, 300, 3000] {
                survives(&format!("a{}", part.repeat(count)), &json!({"a": [1]}));
                survives(&part.repeat(count), &json!({"a": [1]}));
            }
        }
    });
}

#[test]
fn loops_over_long_lists_are_given_up() {
    let data = json!({"l": (0..10_000).collect::<Vec<_>>(), "s": vec!["x".repeat(100); 10_000]});
    for text in [
        "l.all(a, l.all(b, l.all(c, l.all(d, l.all(e, l.all(f, true))))))",
        "l.exists(a, l.exists(b, a + b < 0))",
        "l.exists(a, l.exists(b, nope))",
        "l.all(a, l.exists(b, nope) || true) || l.all(a, l.all(b, l.all(c, nope || true)))",
        "l.map(a, l.map(b, l)).size() == 0",
        "l.filter(a, l.filter(b, true).size() > 0).size() == 0",
        "l.exists_one(a, l.exists_one(b, l.exists_one(c, true)))",
        "l.all(a, l.all(b, a == b || true))",
        "l.all(a, -1 in l || true)",
        "l.all(a, l == l)",
        "l.all(a, s == s)",
        "l.all(a, sets.equivalent(l, l) || true)",
        "sets.intersects(l, s)",
        "l.all(a, (l + l).size() > 0)",
        "l.all(a, s.join(',').size() > 0)",
        "l.all(a, '%s'.format([s]).size() > 0)",
        "l.all(a, s.all(b, b.matches('(x+x+)+y') || true))",
        "l.all(a, s.join().matches('^(x|xx|xxx)*y$') || true)",
        "l.all(a, s.join().split('').size() > 0)",
        "l.all(a, s.join().replace('x', 'yy').size() > 0)",
        "l.all(a, l.all(b, ('a' + string(a)).matches(string(b) + '.*') || true))",
        "s.all(a, s.all(b, a.contains(b + 'y') || true))",
        "l.all(a, optional.of(l).optMap(b, b.map(c, c)).hasValue())",
    ] {
        too_much(text, &data);
    }
}

#[test]
fn values_that_double_are_given_up() {
    let doubled = |first: &str, step: &str, count: usize| format!("{first}{} == []", step.repeat(count));
    for text in [
        doubled("['xxxxxxxx']", ".map(a, a + a)", 60),
        doubled("[[1, 2, 3]]", ".map(a, a + a)", 60),
        doubled("[b'xxxxxxxx']", ".map(a, a + a)", 60),
        doubled("['xxxxxxxx']", ".map(a, a.replace('x', 'xxxx'))", 60),
        doubled("['xxxxxxxx']", ".map(a, [a, a, a].join(a))", 60),
        doubled("['xxxxxxxx']", ".map(a, '%s%s'.format([a, a]))", 60),
        doubled("['xxxxxxxx']", ".map(a, strings.quote(a + a))", 60),
        doubled("['xxxxxxxx']", ".map(a, base64.encode(bytes(a + a)))", 60),
    ] {
        too_much(&text, &json!({}));
    }
    // Shared, so it costs little, but comparing and printing it would cost all.
    for end in ["== [[]]", "== [['b']]"] {
        survives(&format!("[['a']]{} {end}", ".map(a, [a, a])".repeat(60)), &json!({}));
    }
    let tree = "[['a']]".to_owned() + &".map(a, [a, a])".repeat(60);
    too_much(&format!("[{tree}].all(a, a == {tree})"), &json!({}));
    too_much(&format!("'%s'.format({tree}) == ''"), &json!({}));
}

#[test]
fn patterns_are_bounded() {
    let patterns = [
        "(a{1000}){1000}",
        "((a{100}){100}){100}",
        "(\\pL{1000}){10}",
        "\\pL{1000}",
        "(?i)[a-z]{1000}",
        "((((((a*)*)*)*)*)*)*",
        "(a+)+$",
        "(a|a)*$",
        "(.*)(.*)(.*)(.*)(.*)x",
        "x{0,1000}y{0,1000}z{0,1000}",
        "(?:(?:a{0,99}){0,99}){0,99}",
        "[",
        "(",
        "(?",
        "(?P<",
        "(?P<a",
        "\\",
        "\\Q",
        "\\E",
        "\\p",
        "\\p{",
        "\\x{",
        "\\x{110000}",
        "[a",
        "[a-",
        "[z-a]",
        "[[:",
        "[[:a",
        "{",
        "{1",
        "{1,",
        "a{1,2",
        "a{2,1}",
        "a{99999999999}",
        "*",
        "+",
        "?",
        "a|*",
        "|",
        "||",
        "()",
        "(|)",
        "(?i",
        "(?i:",
        "(?-",
        "(?:",
        "(?#a)",
        "(?>a)",
        "\\1",
        "\\8",
        "\\u0061",
        "\\c",
        "\u{0}",
        "é*",
        "[^\\D]",
        "[\\w-\\d]",
        "[&&]",
        "[--]",
        "[~~]",
        "[]",
        "[^]",
        "[]a]",
        "[^]a]",
        "^*",
        "$+",
        "\\b*",
        "(?m)^$",
        "\\Z",
        "\\G",
        "\\R",
        "\\X",
        "\\h",
        "\\K",
        "\\N{a}",
        "(?(1)a)",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?R)",
        "a++",
        "a*+",
        "a?+",
        "a{2}{3}",
        "a{2}*",
    ];
    let text = "a".repeat(100_000);
    for pattern in patterns {
        survives("s.matches(p)", &json!({"s": text, "p": pattern}));
        survives(&format!("s.matches(r'{pattern}')"), &json!({"s": text}));
        survives("s.matches(p)", &json!({"s": text, "p": pattern.repeat(500)}));
        survives(
            "s.matches(p)",
            &json!({"s": text, "p": format!("{}a{}", "(".repeat(1000), ")".repeat(1000))}),
        );
    }
}

#[test]
fn edges_of_numbers_and_texts() {
    let numbers = [
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615u",
        "1e308",
        "-1e308",
        "0.1",
    ];
    let calls = [
        "int(N)",
        "uint(N)",
        "double(N)",
        "string(N)",
        "timestamp(N)",
        "duration(string(N) + 's')",
        "-N",
        "N + N",
        "N - N",
        "N * N",
        "N / N",
        "N % N",
        "'日本'.charAt(N)",
        "'日本'.substring(N)",
        "'日本'.substring(N, N)",
        "'日本'.indexOf('本', N)",
        "'日本'.lastIndexOf('本', N)",
        "'a,b'.split(',', N)",
        "'aa'.replace('a', 'b', N)",
        "[1][N]",
        "{1: 2}[N]",
        "'%d'.format([N])",
        "'%.100f'.format([N])",
        "'%.99999999999f'.format([N])",
        "'%e'.format([N])",
        "'%x'.format([N])",
        "timestamp('9999-12-31T23:59:59Z') + duration(string(N) + 'h')",
        "timestamp(N).getFullYear()",
        "timestamp(0).getHours(string(N) + ':' + string(N))",
        "optional.ofNonZeroValue(N)",
    ];
    for call in calls {
        for number in numbers {
            survives(&format!("{} == 0", call.replace('N', number)), &json!({}));
        }
    }
}

/// Pieces of the written expressions, cut and put together anew.
#[test]
fn cut_up_expressions_survive() {
    on_small_stack(|| {
        let texts: Vec<String> = written().into_iter().map(|case| case.expression).collect();
        let data = &OBJECTS["kustomization"];
        let mut random = Random::new(7);
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..1 + random.below(4) {
                let characters: Vec<char> = texts[random.below(texts.len())].chars().collect();
                let start = random.below(characters.len() + 1);
                let end = start + random.below(characters.len() - start + 1);
                text.extend(&characters[start..end]);
            }
            survives(&text, data);
        }
    });
}
