//! Whatever stands in a template, it ends with a bounded output or an error.
//!
//! To be run with `ASAN_OPTIONS=detect_leaks=0`: what a template puts into itself, as with `set . "self" .`, is never freed.
#![no_main]

use gotemplate::Map;
use helm::Compat;
use helm::assemble::{Options, assemble};
use helm::chart::{Chart, File};
use helm::render::{Capabilities, Context, ReleaseInfo};
use helm::values;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::Cell;
use std::rc::Rc;

/// Bytes that the templates may write, intermediate results included.
const MAX_OUTPUT: u64 = 1 << 20;
const MAX_STEPS: u64 = 2_000;

/// Functions that take long on purpose: with an instrumented build a dozen calls take minutes.
const SLOW: [&[u8]; 5] = [b"gen", b"derivePassword", b"bcrypt", b"htpasswd", b"encryptAES"];

thread_local! {
    static CHART: Chart = chart();
    static VALUES: Rc<Map> = values::empty();
    static CONTEXT: Context = context();
}

fuzz_target!(|template: &[u8]| -> Corpus {
    if SLOW.iter().any(|slow| template.windows(slow.len()).any(|window| window == *slow)) {
        return Corpus::Reject;
    }
    let compat = if template.len().is_multiple_of(2) { Compat::V4_2 } else { Compat::V3 };
    render(template, compat);
    Corpus::Keep
});

fn render(template: &[u8], compat: Compat) {
    let mut chart = CHART.with(Clone::clone);
    chart.templates.push(File::new("templates/x.yaml", template));
    let mut options = Options::default();
    options.render.compat = compat;
    options.render.max_output = MAX_OUTPUT;
    options.render.max_steps = MAX_STEPS;
    let values = VALUES.with(Rc::clone);
    let outcome = CONTEXT.with(|context| assemble(&mut chart, &values, context, &options));
    match outcome {
        Ok(assembled) => {
            let hooks: usize = assembled.hooks.iter().map(|hook| hook.manifest.len()).sum();
            let written =
                assembled.manifests.iter().map(|manifest| manifest.content.len()).sum::<usize>() + hooks;
            // A byte that isn't UTF-8 becomes three.
            assert!(written as u64 <= 3 * MAX_OUTPUT, "{written} bytes were written");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

const VALUES_FILE: &str = "name: web
replicas: 2
ratio: 1.5
enabled: true
nothing: null
text: |
  a: 1
  b: [x, y]
template: '{{ .Release.Name }}-{{ .Values.name }}'
json: '{\"a\": [1, 2.5, null, {\"b\": \"c\"}]}'
image: {repository: example.com/web, tag: v1.2.3}
ports: [{name: http, port: 80}, {name: metrics, port: 9090}]
labels: {app: web, tier: front}
global: {domain: example.com}
db: {size: 10Gi}
";

const HELPERS: &str = "{{- define \"name\" -}}{{ .Values.name | trunc 63 }}{{- end }}
{{- define \"labels\" }}{{ range $k, $v := .Values.labels }}{{ $k }}: {{ $v | quote }}
{{ end }}{{ end }}
{{- define \"self\" }}{{ . }}{{ end }}";

fn chart() -> Chart {
    let mut chart = Chart::default();
    chart.metadata.name = "app".to_owned();
    chart.metadata.version = "1.2.3".to_owned();
    chart.metadata.api_version = "v2".to_owned();
    chart.values = Some(values::read(VALUES_FILE.as_bytes()).expect("the values are YAML"));
    chart.templates = vec![File::new("templates/_helpers.tpl", HELPERS)];
    chart.files = vec![File::new("files/a.txt", "a\nb\n"), File::new("files/b.yaml", "a: 1\n")];
    let mut db = Chart::default();
    db.metadata.name = "db".to_owned();
    db.metadata.version = "0.1.0".to_owned();
    db.templates =
        vec![File::new("templates/c.yaml", "kind: ConfigMap\nmetadata: {name: {{ .Values.size }}}\n")];
    chart.dependencies = vec![db];
    chart
}

fn context() -> Context {
    Context {
        release: ReleaseInfo {
            name: "demo".to_owned(),
            namespace: "apps".to_owned(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
        },
        capabilities: Capabilities::default(),
        sources: Rc::new(Fixed::default()),
        lookup: None,
    }
}

/// A fixed time, and numbers that only look random.
#[derive(Default)]
struct Fixed {
    state: Cell<u64>,
}

impl sprig::Sources for Fixed {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let state = self.state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            self.state.set(state);
            *byte = (state >> 56) as u8;
        }
    }
}
