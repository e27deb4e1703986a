//! Bytes that nobody would write.

use gotemplate::{Environment, Limits, Options, Value};
use serde_json::Value as Json;

use crate::functions::{functions, value};

const LIMITS: Limits = Limits { depth: 20, output: 1 << 16, steps: 1000 };

/// Pieces that are put where they don't belong.
const PIECES: [&[u8]; 24] = [
    b"{{",
    b"}}",
    b"{{-",
    b"-}}",
    b" ",
    b"\n",
    b"(",
    b")",
    b"|",
    b".",
    b"$x",
    b":=",
    b"\"",
    b"`",
    b"'",
    b"1",
    b"{{ end }}",
    b"{{ else }}",
    b"{{ if . }}",
    b"{{ range .l }}",
    b"\xff",
    b"\xc3\xa9",
    b"/*",
    b"\\",
];

/// The numbers of a xorshift generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Parses and executes; anything but a panic or an endless run is right.
fn run(template: &[u8], data: &Value) {
    let mut environment = Environment::new("root", &functions());
    let mut output = Vec::new();
    if environment.parse("t", template).is_ok() {
        let options = Options { limits: LIMITS, cancelled: None };
        let result = environment.execute(b"t", data, &mut output, &options);
        if let Err(error) = result {
            assert!(error.to_string().starts_with("template: "), "{error}");
        }
    }
}

#[test]
fn mutated_templates_do_no_harm() {
    let recorded: Json = serde_json::from_str(include_str!("../recorded.json")).expect("valid JSON");
    let data = value(&recorded["data"]);
    let cases = recorded["cases"].as_array().expect("cases");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..4 {
        for case in cases {
            let mut template = case["template"].as_str().expect("text").as_bytes().to_vec();
            for _ in 0..=numbers.below(4) {
                let start = numbers.below(template.len() + 1);
                let end = (start + numbers.below(3)).min(template.len());
                let piece = PIECES[numbers.below(PIECES.len())];
                template.splice(start..end, piece.iter().copied());
            }
            run(&template, &data);
        }
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let mut numbers = Numbers(42);
    for _ in 0..2000 {
        let mut template = b"{{".to_vec();
        for _ in 0..numbers.below(40) {
            match numbers.below(3) {
                0 => template.push(numbers.below(256) as u8),
                _ => template.extend_from_slice(PIECES[numbers.below(PIECES.len())]),
            }
        }
        run(&template, &Value::Nil);
    }
}
