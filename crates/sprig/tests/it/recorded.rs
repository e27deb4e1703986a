//! Answers recorded from Sprig 3.3.0 on Go 1.26: outputs and error texts, byte for byte.
//!
//! A line has either a whole `template`, or a `call` that [`describe`] makes a template of.

use gotemplate::Value;

use crate::support::{Case, cases, functions, render};

/// A template that prints the result of a call by its type, its text, and as JSON.
fn describe(call: &str) -> String {
    format!(
        r#"{{{{ $r := {call} }}}}{{{{ typeOf $r }}}} {{{{ printf "%q" (toString $r) }}}} {{{{ toJson $r }}}}"#
    )
}

fn check(name: &str) {
    let functions = functions();
    let cases = cases(name);
    assert!(cases.len() > 10, "{name} has only {} cases", cases.len());
    let mut wrong = Vec::new();
    for Case { call, template, output, error } in &cases {
        let call = call.as_deref().map(describe);
        let template = template.as_ref().or(call.as_ref()).expect("a template");
        let expected = output.clone().ok_or_else(|| error.clone().unwrap_or_default());
        let actual = render(&functions, template, &Value::Nil);
        if actual != expected {
            wrong.push(format!("{template}\n  Go   {expected:?}\n  here {actual:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

macro_rules! recordings {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*
    };
}

recordings! {
    decimals defaults dicts encoding environment lists merge numbers reflection sequences
    string_lists strings texts words wrap
}
