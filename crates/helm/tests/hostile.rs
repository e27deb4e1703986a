//! Charts that mean harm: each ends soon, in little memory, with an error or an ordinary output.
//!
//! Helm itself takes all time and memory that a chart asks for; a controller that renders other people's charts can't.

mod support;

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gotemplate::Map;
use helm::assemble::{self, Options};
use helm::chart::{Chart, File};
use helm::values;

/// No chart takes longer than this, on a machine that does much else besides.
const LONGEST: Duration = Duration::from_mins(1);
/// All tests together never hold more than this, in KiB.
const MOST_MEMORY: u64 = 3 << 20;
/// What `include` says of templates that include each other again and again.
const NESTED: &str = "rendering template has a nested reference name";
/// What everything else that executes templates says.
const TOO_DEEP: &str = "exceeded maximum template depth (10000)";
/// No error is longer than this, in bytes.
const LONGEST_ERROR: usize = 1 << 20;
/// Ends a chart that only stops when it's told to.
const PATIENCE: Duration = Duration::from_millis(300);

thread_local! {
    /// Charts rendered since the last test ended.
    static INPUTS: Cell<usize> = const { Cell::new(0) };
}

/// How a chart ended.
type Outcome = Result<String, String>;

fn chart(templates: &[(&str, &str)], values: &str) -> Result<Chart, String> {
    let mut chart = Chart::default();
    chart.metadata.name = "app".to_owned();
    chart.metadata.version = "1.0.0".to_owned();
    chart.metadata.api_version = "v2".to_owned();
    chart.values = Some(values::read(values.as_bytes()).map_err(|error| error.to_string())?);
    chart.templates =
        templates.iter().map(|(name, text)| File::new(format!("templates/{name}"), *text)).collect();
    Ok(chart)
}

/// Less than what is allowed by default, so that a thousand charts are through in a minute.
fn bounds() -> Options {
    let mut options = Options::default();
    options.render.max_output = 128 << 20;
    options.render.max_steps = 10_000_000;
    options
}

fn assembled(templates: &[(&str, &str)], values: &str, options: &Options) -> Outcome {
    INPUTS.set(INPUTS.get() + 1);
    let mut chart = chart(templates, values)?;
    let context = support::context("demo", "apps");
    let none: Rc<Map> = values::empty();
    let assembled =
        assemble::assemble(&mut chart, &none, &context, options).map_err(|error| error.to_string())?;
    Ok(assembled.manifest)
}

/// Renders one template with values and checks what every case must hold to.
#[track_caller]
fn bounded(template: &str, values: &str) -> Outcome {
    let start = Instant::now();
    let outcome = assembled(&[("x.yaml", template)], values, &bounds());
    let took = start.elapsed();
    let shown: String = template.chars().take(200).collect();
    assert!(took < LONGEST, "{took:?}: {shown}");
    if let Err(text) = &outcome {
        assert!(!text.is_empty() && text.len() <= LONGEST_ERROR, "{} bytes of error: {shown}", text.len());
    }
    outcome
}

#[track_caller]
fn refused(template: &str, values: &str, words: &str) {
    let shown: String = template.chars().take(200).collect();
    let error = bounded(template, values).map(|output| output.len()).expect_err(&shown);
    let start: String = error.chars().take(2000).collect();
    assert!(error.contains(words), "expected {words:?}, found {start:?}: {shown}");
}

/// Ends a test: tells how many charts it rendered, and checks the memory that they took.
fn conclude() {
    let inputs = INPUTS.take();
    eprintln!("{inputs} inputs");
    assert!(inputs > 0);
    check_memory();
}

/// The most that this process ever held. Where the system doesn't say, there is nothing to check.
fn check_memory() {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak: u64 = peak.and_then(|number| number.trim().parse().ok()).expect("the system says it in kB");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

#[test]
fn templates_that_call_themselves() {
    for length in 1..=8 {
        // `include` refuses a name's thousand-and-first time; with `tpl` in between each time is two levels deep.
        let through_tpl = if length < 5 { NESTED } else { TOO_DEEP };
        for (call, words) in [
            ("{{ include \"NAME\" . }}", NESTED),
            ("{{ template \"NAME\" . }}", TOO_DEEP),
            ("{{ tpl \"{{ include \\\"NAME\\\" . }}\" . }}", through_tpl),
        ] {
            let mut text = String::new();
            for link in 0..length {
                let next = call.replace("NAME", &format!("t{}", (link + 1) % length));
                let _ = write!(text, "{{{{ define \"t{link}\" }}}}{next}{{{{ end }}}}");
            }
            text.push_str("{{ include \"t0\" . }}");
            refused(&text, "{}", words);
        }
    }
    refused("{{ tpl .Values.t . }}", "t: '{{ tpl .Values.t . }}'", TOO_DEEP);
    refused("{{ tpl .Values.t . }}", "t: '{{ tpl (cat .Values.t .Values.t) . }}'", TOO_DEEP);
    refused("{{ include .Template.Name . }}", "{}", NESTED);
    conclude();
}

#[test]
fn texts_and_lists_that_grow_to_any_size() {
    for zeros in 8..=18 {
        let number = format!("1{}", "0".repeat(zeros));
        for call in [
            "repeat (int64 N) \"x\"",
            "indent (int64 N) \"x\"",
            "nindent (int64 N) \"x\"",
            "randAlphaNum (int64 N)",
            "randNumeric (int64 N)",
            "randAscii (int64 N)",
            "randBytes (int64 N)",
            "until (int64 N)",
            "untilStep 0 (int64 N) 1",
            "untilStep (int64 N) 0 -1",
            "seq N",
            "printf \"%*d\" (int64 N) 1",
            "printf \"%.*f\" (int64 N) 1.0",
            "repeat 1000 (repeat 1000 (repeat (int64 N) \"x\"))",
        ] {
            let call = call.replace("int64 N", &format!("int {number}")).replace('N', &number);
            let outcome = bounded(&format!("a: {{{{ len ({call}) }}}}"), "{}");
            assert!(outcome.as_ref().is_err() || outcome.is_ok_and(|output| output.len() < 100), "{call}");
        }
        let outcome = bounded(&format!("a: {{{{ printf \"%{number}d\" 1 | len }}}}"), "{}");
        assert!(outcome.is_err() || outcome.is_ok_and(|output| output.len() < 200));
    }
    conclude();
}

#[test]
fn texts_that_double() {
    for step in [
        "printf \"%s%s\" $x $x",
        "print $x $x",
        "cat $x $x",
        "replace \"x\" \"xx\" $x",
        "quote $x $x",
        "squote $x $x",
        "join $x (list $x $x)",
        "b64enc (print $x $x)",
        "b32enc (print $x $x)",
        "toJson (list $x $x)",
        "toYaml (list $x $x)",
        "toPrettyJson (dict \"a\" $x \"b\" $x)",
        "toToml (dict \"a\" $x \"b\" $x)",
        "html (print $x \"&\" $x)",
        "js (print $x \"<\" $x)",
        "urlquery (print $x \"<\" $x)",
        "regexReplaceAll \"x\" $x \"xx\"",
        "regexReplaceAllLiteral \"x\" $x \"xx\"",
        "indent 1000 (print $x \"\\n\" $x)",
        "nindent 1000 (print $x \"\\n\" $x)",
        "wrapWith 1 \"xxxxxxxx\" (print $x $x)",
        "snakecase (print $x \"X\" $x)",
        "tpl (print $x $x) $",
        "include \"twice\" $x",
    ] {
        let text = format!(
            "{{{{ define \"twice\" }}}}{{{{ . }}}}{{{{ . }}}}{{{{ end }}}}{{{{ $x := \"x\" }}}}\
             {{{{ range until 64 }}}}{{{{ $x = {step} }}}}{{{{ end }}}}a: {{{{ len $x }}}}"
        );
        refused(&text, "{}", "");
    }
    conclude();
}

#[test]
fn values_that_share_their_parts() {
    // Forty rounds make a value that stands for 2^40 others.
    for consume in THOROUGH {
        for (first, make) in [("list 1 2", "list $d $d"), ("dict \"a\" 1", "dict \"a\" $d \"b\" $d")] {
            let text = format!(
                "{{{{ $d := {first} }}}}{{{{ range until 40 }}}}{{{{ $d = {make} }}}}{{{{ end }}}}\
                 {{{{ $y := {consume} }}}}a: {{{{ kindOf $y }}}}"
            );
            let _ = bounded(&text, "{}");
        }
        let text = format!(
            "{{{{ $d := dict \"n\" 1 }}}}{{{{ $_ := set $d \"a\" (list 1 (list $d $d)) }}}}{{{{ $y := {consume} }}}}a: {{{{ kindOf $y }}}}"
        );
        let _ = bounded(&text, "{}");
    }
    conclude();
}

/// What walks a value to its ends, one way each.
const THOROUGH: [&str; 8] = [
    "toYaml $d",
    "toJson $d",
    "toToml $d",
    "print $d",
    "deepCopy $d",
    "merge (dict) (dict \"a\" $d)",
    "deepEqual $d (list $d)",
    "uniq (list $d $d)",
];

/// What a template can do with a whole value.
const CONSUMERS: [&str; 45] = [
    "toYaml $d",
    "toJson $d",
    "toPrettyJson $d",
    "toRawJson $d",
    "toYamlPretty $d",
    "toToml $d",
    "mustToYaml $d",
    "mustToJson $d",
    "print $d",
    "printf \"%v\" $d",
    "printf \"%#v\" $d",
    "printf \"%s\" $d",
    "printf \"%d\" $d",
    "printf \"%q\" $d",
    "printf \"%x\" $d",
    "printf \"%T\" $d",
    "println $d",
    "html $d",
    "js $d",
    "urlquery $d",
    "deepCopy $d",
    "mustDeepCopy $d",
    "merge (dict) $d",
    "merge $d $d",
    "mergeOverwrite (dict) $d",
    "mustMerge (dict \"a\" (dict \"a\" 1)) $d",
    "mustMergeOverwrite (dict \"a\" (dict)) $d",
    "toString $d",
    "toStrings (list $d)",
    "quote $d",
    "squote $d",
    "cat $d $d",
    "join \",\" (list $d)",
    "sha256sum (toString $d)",
    "deepEqual $d $d",
    "deepEqual $d (deepCopy $d)",
    "has $d (list $d)",
    "uniq (list $d $d)",
    "without (list $d) $d",
    "compact (list $d)",
    "sortAlpha (list $d $d)",
    "values $d",
    "keys $d",
    "tpl \"{{ . }}\" $d",
    "include \"shown\" $d",
];

#[test]
fn maps_that_contain_themselves() {
    let links = [
        "set $d \"a\" $d",
        "set $d \"a\" (dict \"b\" (dict \"c\" $d))",
        "set $d \"a\" (list 1 (list $d))",
        "set $d \"a\" (dict \"b\" (list (dict \"c\" $d)))",
    ];
    for link in links {
        for consume in CONSUMERS {
            let text = format!(
                "{{{{ define \"shown\" }}}}{{{{ toYaml . }}}}{{{{ . }}}}{{{{ end }}}}{{{{ $d := dict \"n\" 1 }}}}{{{{ $_ := {link} }}}}\
                 {{{{ $y := {consume} }}}}a: {{{{ kindOf $y }}}}"
            );
            let _ = bounded(&text, "{}");
        }
    }
    for text in [
        "{{ $_ := set .Values \"self\" .Values }}{{ toYaml .Values }}",
        "{{ $_ := set .Values \"self\" . }}{{ .Values }}",
        "{{ $_ := set . \"self\" . }}{{ toJson . }}",
        "{{ $_ := set .Values \"self\" .Values }}{{ .Values.YAML }}",
        "{{ $_ := set .Values \"self\" .Values }}{{ .Values.AsMap | deepCopy | toYaml }}",
        "{{ $_ := set .Values \"self\" .Values }}{{ .Values.self.self.self.self.self.x }}",
    ] {
        let _ = bounded(text, "x: 1");
    }
    refused("{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ mustToYaml $d }}", "{}", "cycle");
    conclude();
}

#[test]
fn patterns_that_backtrack() {
    let patterns = [
        "(a+)+$",
        "(a*)*$",
        "(a|a)*$",
        "(a|aa)+$",
        "(.*a){20}$",
        "(a?){50}a{50}",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(x+x+)+y",
        "(.*)*(.*)*(.*)*b",
        "a{0,1000}b",
    ];
    let calls = [
        "regexMatch P T",
        "mustRegexMatch P T",
        "regexFind P T",
        "regexFindAll P T -1",
        "regexReplaceAll P T \"$1$1\"",
        "regexReplaceAllLiteral P T \"\"",
        "regexSplit P T -1",
    ];
    for pattern in patterns {
        for call in calls {
            let call = call.replace('P', &format!("\"{pattern}\"")).replace('T', "$t");
            let text = format!(
                "{{{{ $t := print (repeat 3000 \"a\") \"!\" }}}}{{{{ $y := {call} }}}}a: {{{{ kindOf $y }}}}"
            );
            let _ = bounded(&text, "{}");
        }
    }
    for pattern in ["((a{1000}){1000}){1000}", "(((a{100}){100}){100}){100}", "(a{1001})"] {
        refused(&format!("{{{{ mustRegexMatch \"{pattern}\" \"a\" }}}}"), "{}", "error");
    }
    refused(&format!("{{{{ mustRegexMatch \"{}\" \"a\" }}}}", "(".repeat(100_000)), "{}", "error");
    let _ = bounded(&format!("a: {{{{ regexMatch \"{}\" \"a\" }}}}", "a|".repeat(50_000)), "{}");
    conclude();
}

/// YAML that stands for a great many values.
fn bomb(levels: usize, width: usize) -> String {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..=levels {
        let references = vec![format!("*a{}", level - 1); width].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{references}]");
    }
    text
}

fn nested(depth: usize) -> Vec<String> {
    let blocks: String = (0..depth.min(3000)).fold(String::new(), |mut text, level| {
        let _ = writeln!(text, "{}a:", " ".repeat(level));
        text
    });
    vec![
        format!("a: {}{}", "[".repeat(depth), "]".repeat(depth)),
        format!("a: {}", "[".repeat(depth)),
        format!("a: {}x{}", "{a: ".repeat(depth), "}".repeat(depth)),
        format!("a: {}", "{".repeat(depth)),
        format!("a:\n  {}x", "- ".repeat(depth)),
        format!("{}x", "? ".repeat(depth)),
        blocks,
        format!("a: {}x", "!!str ".repeat(depth)),
        format!("a: {}x", "&a ".repeat(depth)),
    ]
}

#[test]
fn yaml_that_stands_for_more_than_it_says() {
    for levels in [10, 20, 40, 100] {
        for width in [2, 10, 50] {
            let text = bomb(levels, width);
            // Ten levels of two are only a thousand values.
            if levels > 10 || width > 2 {
                refused("a: {{ .Values | toJson | len }}", &text, "");
                refused(&text, "{}", "");
            }
            let _ = bounded(
                "a: {{ fromYaml .Values.text | toJson | len }}",
                &format!("text: |\n  {}", text.replace('\n', "\n  ")),
            );
        }
    }
    conclude();
}

#[test]
fn documents_that_nest() {
    for depth in [90, 1000, 20_000] {
        for text in nested(depth) {
            let _ = bounded("a: {{ .Values | toJson | len }}", &text);
            let _ = bounded(&text, "{}");
            let indented = format!("text: |\n  {}", text.replace('\n', "\n  "));
            for call in ["fromYaml", "fromYamlArray", "fromToml", "fromJson"] {
                let _ = bounded(&format!("a: {{{{ {call} .Values.text | toJson | len }}}}"), &indented);
            }
        }
    }
    for depth in [1000, 100_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let json = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for call in ["fromJson", "fromJsonArray", "mustFromJson", "fromYaml", "fromToml"] {
                let text = format!("{{{{ $y := {call} .Values.text }}}}a: {{{{ kindOf $y }}}}");
                let _ = bounded(&text, &format!("text: '{json}'"));
            }
        }
        let deep = format!(
            "{{{{ $x := dict }}}}{{{{ range until {depth} }}}}{{{{ $x = dict \"a\" $x }}}}{{{{ end }}}}"
        );
        for consume in CONSUMERS {
            if depth <= 100_000 {
                let _ = bounded(
                    &format!("{deep}{{{{ $y := {} }}}}a: {{{{ kindOf $y }}}}", consume.replace("$d", "$x")),
                    "{}",
                );
            }
        }
    }
    conclude();
}

#[test]
fn templates_that_nest() {
    for depth in [100, 5000, 200_000] {
        for text in [
            "{{ if true }}".repeat(depth),
            "{{ if true }}".repeat(depth) + &"{{ end }}".repeat(depth),
            "{{ if false }}".to_owned() + &"{{ else if false }}".repeat(depth) + "{{ end }}",
            format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth)),
            format!("{{{{ {} }}}}", "(".repeat(depth)),
            format!("{{{{ 1{} }}}}", " | int".repeat(depth)),
            format!("{{{{ .Values{} }}}}", ".a".repeat(depth)),
            format!("{{{{ $x{} }}}}", ".a".repeat(depth)),
            "{{ $x := 1 }}".repeat(depth),
            "{{ with . }}".repeat(depth) + &"{{ end }}".repeat(depth),
            "{{ range until 1 }}".repeat(depth) + &"{{ end }}".repeat(depth),
            "{{ define \"a\" }}".repeat(depth),
            "{{ block \"a\" . }}".repeat(depth) + &"{{ end }}".repeat(depth),
            "{{/*".repeat(depth),
            "{{- /* x */ -}}".repeat(depth),
            "{{".repeat(depth),
            format!("{{{{ print {} }}}}", "\"a\" ".repeat(depth)),
            format!("{{{{ not {} }}}}", "not ".repeat(depth)),
        ] {
            let _ = bounded(&text, "{}");
        }
    }
    conclude();
}

#[test]
fn loops_that_never_end_are_ended_from_outside() {
    for text in [
        "{{ range until 2000000 }}{{ range until 2000000 }}{{ end }}{{ end }}",
        "{{ range until 2000000 }}{{ $x := until 1000000 }}{{ end }}",
        "{{ range until 1000000 }}{{ $_ := genPrivateKey \"ecdsa\" }}{{ end }}",
        "{{ range until 1000000 }}{{ $_ := sha256sum (repeat 1000000 \"x\") }}{{ end }}",
        "{{ range until 1000000 }}{{ $_ := bcrypt \"x\" }}{{ end }}",
        "{{ range until 1000000 }}{{ $_ := tpl \"{{ range until 1000 }}{{ end }}\" $ }}{{ end }}",
    ] {
        let cancelled = Arc::new(AtomicBool::new(false));
        let mut options = Options::default();
        options.render.cancelled = Arc::clone(&cancelled);
        let start = Instant::now();
        let clock = thread::spawn(move || {
            while start.elapsed() < PATIENCE {
                thread::park_timeout(PATIENCE);
            }
            cancelled.store(true, Ordering::Relaxed);
        });
        let outcome = assembled(&[("x.yaml", text)], "{}", &options);
        assert!(outcome.is_err() && start.elapsed() < LONGEST, "{:?}: {text}", start.elapsed());
        clock.join().expect("the clock doesn't fail");
    }
    conclude();
}

#[test]
fn many_templates_share_one_bound() {
    let text = "a: {{ repeat 60000000 \"x\" | len }}";
    let names: Vec<String> = (0..200).map(|number| format!("x{number}.yaml")).collect();
    let templates: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), text)).collect();
    let start = Instant::now();
    let outcome = assembled(&templates, "{}", &Options::default());
    assert!(outcome.is_err() && start.elapsed() < LONGEST, "{:?}", start.elapsed());
    conclude();
}

#[test]
fn numbers_at_their_ends() {
    let numbers = ["9223372036854775807", "-9223372036854775808", "0", "-1", "1e308", "0x7fffffffffffffff"];
    let calls = [
        "add N N",
        "sub N N",
        "mul N N",
        "div N 1",
        "div 1 (int N)",
        "mod N 1",
        "mod 1 (int N)",
        "max N N",
        "round N 3",
        "round 1.5 (int N)",
        "ceil N",
        "floor N",
        "trunc (int N) \"text\"",
        "substr 0 (int N) \"text\"",
        "substr (int N) 2 \"text\"",
        "abbrev (int N) \"a long text\"",
        "abbrevboth 2 (int N) \"a long text\"",
        "slice (list 1 2) (int N)",
        "index (list 1 2) (int N)",
        "until (int N)",
        "untilStep 0 10 (int N)",
        "repeat (int N) \"x\"",
        "splitn \",\" (int N) \"a,b\"",
        "initials \"a b\" | trunc (int N)",
        "date \"2006\" (int64 N)",
        "duration N",
        "durationRound N",
        "ago N",
        "htmlDate N",
        "toDecimal N",
        "atoi \"N\"",
        "int64 \"N\"",
        "add1 N",
        "biggest N 1",
        "randInt 0 (int N)",
        "wrap (int N) \"a b\"",
        "plural \"a\" \"b\" (int N)",
        "chunk (int N) (list 1 2)",
        "toString N",
        "toJson N",
        "toYaml N",
        "seq N N",
        "printf \"%c\" (int N)",
        "genCA \"x\" (int N) | kindOf",
    ];
    for number in numbers {
        for call in calls {
            let call = call.replace('N', number);
            let _ = bounded(&format!("{{{{ $y := {call} }}}}a: {{{{ kindOf $y }}}}"), "{}");
        }
    }
    conclude();
}
