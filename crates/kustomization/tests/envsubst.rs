//! Substitutes what Flux's envsubst substitutes, and compares.
//!
//! The recorded answers are in `recorded/envsubst.json`. With the program of the test bed in `FERRITE_ENVSUBST`, they
//! are asked for anew, and so are those of generated texts.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use kustomization::envsubst::{self, ErrorKind, Limits};
use serde_json::{Value, json};

const RECORDED: &str = include_str!("recorded/envsubst.json");

type Variables = BTreeMap<String, String>;

/// Our answer, in the program's form.
fn ours(text: &str, variables: &Variables, strict: bool) -> Value {
    let lookup = |name: &str| variables.get(name).map(String::as_str);
    match envsubst::substitute(text, lookup, strict, &Limits::default()) {
        Ok(output) => json!({"output": output}),
        Err(error) => json!({"error": error.kind.to_string()}),
    }
}

/// What we have to answer: a panic is a bad substitution here, and half a character can't be put out.
fn expected(theirs: &Value) -> Value {
    if theirs.get("panic").is_some() {
        return json!({"error": ErrorKind::BadSubstitution.to_string()});
    }
    if theirs.get("output64").is_some() {
        return json!({"error": ErrorKind::NotUtf8.to_string()});
    }
    json!({"output": theirs.get("output"), "error": theirs.get("error")})
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[test]
fn recorded_texts_become_what_they_become_in_flux() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let variables: Variables = serde_json::from_value(recorded["variables"].clone()).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let strict = case["strict"] == true;
        assert_eq!(ours(text, &variables, strict), expected(case), "{text} strict {strict}");
    }
    assert!(cases.len() > 200);
}

#[test]
fn recorded_answers_are_those_of_the_program() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let variables: Variables = serde_json::from_value(recorded["variables"].clone()).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    let asked: Vec<_> = cases
        .iter()
        .map(|case| Case {
            text: case["text"].as_str().unwrap().to_owned(),
            variables: variables.clone(),
            strict: case["strict"] == true,
        })
        .collect();
    let Some(answers) = ask(&asked) else { return };
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(expected(case), expected(answer), "{}", case["text"]);
    }
}

#[test]
fn generated_texts_become_what_they_become_in_flux() {
    let mut random = Random(0x5eed);
    let cases: Vec<_> = (0..20_000).map(|_| generate(&mut random)).collect();
    let Some(answers) = ask(&cases) else { return };
    assert_eq!(answers.len(), cases.len());
    for (case, theirs) in cases.iter().zip(&answers) {
        let found = ours(&case.text, &case.variables, case.strict);
        assert_eq!(found, expected(theirs), "{:?} {:?} strict {}", case.text, case.variables, case.strict);
    }
}

struct Case {
    text: String,
    variables: Variables,
    strict: bool,
}

/// Asks the program; `None`, said aloud, without it.
fn ask(cases: &[Case]) -> Option<Vec<Value>> {
    let Some(program) = std::env::var_os("FERRITE_ENVSUBST") else {
        eprintln!("skipped: FERRITE_ENVSUBST doesn't name the program of the test bed");
        return None;
    };
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test's own data is right");
    let mut input = child.stdin.take().expect("the test's own data is right");
    let lines: Vec<_> = cases
        .iter()
        .map(|case| {
            json!({"text": case.text, "variables": case.variables, "strict": case.strict}).to_string() + "\n"
        })
        .collect();
    let writer =
        std::thread::spawn(move || lines.iter().try_for_each(|line| input.write_all(line.as_bytes())));
    let output = child.wait_with_output().expect("the test's own data is right");
    writer.join().expect("the test's own data is right").expect("the test's own data is right");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("the test's own data is right");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("the test's own data is right")).collect())
}

/// Pieces of texts: each sign of the grammar, names, and what stands around them.
const PIECES: [&str; 46] = [
    "$", "$$", "${", "${a}", "${b", "}", "{", ":", "::", "=", ":=", ":-", "-", ":?", ":+", "?", "+", "#",
    "##", "%", "%%", "/", "//", "/#", "/%", "^", "^^", ",", ",,", "*", "[a-c]", "[^", "]", "\\", "\\/", "a",
    "b", "ab", "c", "0", "1", "-1", "2", "x y", "\n", "_é",
];

/// Names in front of functions, so that many texts are right.
const STARTS: [&str; 5] = ["${a", "${b", "${long", "${none", "${#a"];

const VALUES: [&str; 9] = ["", "a", "abcab", "a/b/c.tar.gz", "1", "-2", "ab*", "x\ny", "[a-c]"];

fn generate(random: &mut Random) -> Case {
    let mut text = String::new();
    for _ in 0..random.below(4) {
        text += random.one_of(&PIECES);
    }
    for _ in 0..random.below(3) {
        text += random.one_of(&STARTS);
        for _ in 0..random.below(6) {
            text += random.one_of(&PIECES);
        }
        text += if random.below(4) > 0 { "}" } else { "" };
    }
    let mut variables = Variables::new();
    for name in ["a", "b", "ab", "long"] {
        if random.below(5) > 0 {
            variables.insert(name.to_owned(), random.one_of(&VALUES).to_owned());
        }
    }
    Case { text, variables, strict: random.below(2) == 0 }
}

/// The same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // A step of SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_of<'a>(&mut self, pieces: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(pieces.len() as u64)).expect("the test's own data is right");
        pieces[index]
    }
}

proptest::proptest! {
    #[test]
    fn any_text_ends_with_a_text_or_an_error(text: String, value: String, strict: bool) {
        let variables = Variables::from([("a".to_owned(), value)]);
        ours(&text, &variables, strict);
        ours(&format!("${{a{text}}}"), &variables, strict);
    }

    #[test]
    fn text_without_dollars_stays(text in "[^$\0]*") {
        proptest::prop_assert_eq!(ours(&text, &Variables::new(), true), json!({"output": text}));
    }

    #[test]
    fn defaults_hold_where_nothing_is_set(default in "[a-z ]+", value in "[a-z]*") {
        let text = format!("${{a:={default}}}");
        let variables = Variables::from([("a".to_owned(), value.clone())]);
        let expected = if value.is_empty() { &default } else { &value };
        proptest::prop_assert_eq!(ours(&text, &variables, true), json!({"output": expected}));
        proptest::prop_assert_eq!(ours(&text, &Variables::new(), true), json!({"output": default}));
    }
}
