//! From an archive to a release, stage by stage.
//!
//! The chart has 60 templates of its own and three subcharts of 20, with what charts are full of: `include`, `tpl`,
//! `toYaml`, `range`, `printf`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gotemplate::Map;
use helm::Compat;
use helm::assemble::{self, assemble};
use helm::chart::{Chart, File, LoadOptions, dependencies, load_archive, load_dir, load_files};
use helm::manifest::{self, Order};
use helm::package::pack;
use helm::render::{self, Capabilities, Context, ReleaseInfo};
use helm::values;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;

criterion_group!(benches, loading, coalescing, templates, sorting, all);
criterion_main!(benches);

const COMPAT: Compat = Compat::V4_2;

fn loading(c: &mut Criterion) {
    let files = files();
    let packed = pack(&chart(), jiff::Timestamp::UNIX_EPOCH).expect("it can be packed");
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), &files);
    let options = LoadOptions::default();
    let mut group = c.benchmark_group("load");
    group.throughput(Throughput::Bytes(files.iter().map(|(_, text)| text.len() as u64).sum()));
    group.bench_function("archive", |b| {
        b.iter(|| load_archive(black_box(&packed[..]), &options, &mut Vec::new()))
    });
    group.bench_function("directory", |b| b.iter(|| load_dir(dir.path(), &options, &mut Vec::new())));
    group.finish();
}

fn coalescing(c: &mut Criterion) {
    let user = user_values();
    let chart = processed();
    c.bench_function("coalesce", |b| {
        b.iter(|| values::coalesce(&chart, black_box(&user), COMPAT, &mut Vec::new()))
    });
    c.bench_function("dependencies", |b| {
        let process = |chart: &mut Chart| dependencies::process(chart, &user, COMPAT, &mut Vec::new());
        b.iter_batched_ref(self::chart, process, BatchSize::SmallInput);
    });
}

fn templates(c: &mut Criterion) {
    let chart = processed();
    let values = coalesced(&chart);
    let (context, options) = (context(), render::Options::default());
    let mut group = c.benchmark_group("templates");
    group.throughput(Throughput::Elements(count(&chart) as u64));
    // Partials are parsed, but not executed.
    let partials = as_partials(&chart);
    let parsed = render::render(&partials, Rc::clone(&values), &context, &options).expect("it can be parsed");
    assert!(parsed.is_empty());
    group.bench_function("parse", |b| {
        b.iter(|| render::render(black_box(&partials), Rc::clone(&values), &context, &options))
    });
    group.bench_function("render", |b| {
        b.iter(|| render::render(black_box(&chart), Rc::clone(&values), &context, &options))
    });
    group.finish();
}

fn sorting(c: &mut Criterion) {
    let chart = processed();
    let mut rendered = render::render(&chart, coalesced(&chart), &context(), &render::Options::default())
        .expect("it renders");
    // Notes are no manifests.
    rendered.retain(|path, _| !path.ends_with("NOTES.txt"));
    let text: String = rendered.values().map(|text| format!("---\n{text}\n")).collect();
    let mut group = c.benchmark_group("manifests");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("split", |b| b.iter(|| manifest::split(black_box(&text), COMPAT).len()));
    group.bench_function("sort", |b| b.iter(|| sort(black_box(&rendered))));
    group.finish();
}

fn sort(rendered: &BTreeMap<String, String>) -> usize {
    let sorted = manifest::sort(rendered, Order::Install, COMPAT).expect("all are objects");
    sorted.manifests.len() + sorted.hooks.len()
}

fn all(c: &mut Criterion) {
    let (user, context, options) = (user_values(), context(), assemble::Options::default());
    c.bench_function("assemble", |b| {
        let run =
            |chart: &mut Chart| assemble(chart, &user, &context, &options).expect("it renders").manifest;
        b.iter_batched_ref(chart, run, BatchSize::SmallInput);
    });
}

fn chart() -> Chart {
    let files = files().into_iter().map(|(name, text)| File::new(name, text)).collect();
    load_files(files, &LoadOptions::default(), &mut Vec::new()).expect("it is a chart")
}

/// The chart as it is when its templates are executed.
fn processed() -> Chart {
    let mut chart = chart();
    dependencies::process(&mut chart, &user_values(), COMPAT, &mut Vec::new()).expect("it has what it needs");
    chart
}

fn coalesced(chart: &Chart) -> Rc<Map> {
    values::coalesce(chart, &user_values(), COMPAT, &mut Vec::new()).expect("values fit the chart")
}

fn user_values() -> Rc<Map> {
    let input = values::Input {
        files: vec![("values.yaml".to_owned(), USER_VALUES.as_bytes().to_vec())],
        set: vec!["image.tag=v2,db0.size=20Gi".to_owned()],
        ..values::Input::default()
    };
    values::collect(&input, COMPAT, &mut |path| Err(format!("no file {path}"))).expect("values can be read")
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
        sources: Rc::new(Fixed),
        lookup: None,
    }
}

/// A fixed time and no randomness.
struct Fixed;

impl sprig::Sources for Fixed {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn count(chart: &Chart) -> usize {
    chart.templates.len() + chart.dependencies.iter().map(count).sum::<usize>()
}

fn as_partials(chart: &Chart) -> Chart {
    let mut partials = chart.clone();
    for file in &mut partials.templates {
        file.name = file.name.replace("templates/", "templates/_");
    }
    partials.dependencies = partials.dependencies.iter().map(as_partials).collect();
    partials
}

fn write(dir: &Path, files: &[(String, String)]) {
    for (name, text) in files {
        let path = dir.join(name);
        let parent = path.parent().expect("a file is in a directory");
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).expect("files can be written");
    }
}

fn files() -> Vec<(String, String)> {
    let subcharts = ["db0", "db1", "db2"];
    let mut files = chart_files("app", "", 60);
    let listed =
        subcharts.map(|name| format!("- {{name: {name}, version: 1.0.0, condition: {name}.enabled}}\n"));
    files[0].1.push_str(&format!("dependencies:\n{}", listed.concat()));
    for name in subcharts {
        files.extend(chart_files(name, &format!("charts/{name}/"), 20));
    }
    files
}

/// A chart: its metadata first, then values, helpers and templates.
fn chart_files(name: &str, folder: &str, templates: usize) -> Vec<(String, String)> {
    let own = |text: &str| text.replace("CHART", name);
    let mut files = vec![
        (format!("{folder}Chart.yaml"), own("apiVersion: v2\nname: CHART\nversion: 1.0.0\nappVersion: v1\n")),
        (format!("{folder}values.yaml"), values_file()),
        (format!("{folder}templates/_helpers.tpl"), own(HELPERS)),
        (format!("{folder}templates/NOTES.txt"), "{{ .Release.Name }} is there.\n".to_owned()),
    ];
    for number in 0..templates {
        let (kind, text) = [("deployment", DEPLOYMENT), ("service", SERVICE), ("config", CONFIG)][number % 3];
        let text = own(text).replace("NUMBER", &number.to_string());
        files.push((format!("{folder}templates/{kind}-{number}.yaml"), text));
    }
    files
}

fn values_file() -> String {
    let mut text = VALUES.to_owned();
    for number in 0..100 {
        let _ = write!(text, "settings{number}:\n  level: info\n  hosts: [a.example.com, b.example.com]\n");
    }
    text
}

const USER_VALUES: &str = "replicas: 3
global: {domain: example.org}
labels: {team: web}
db1: {size: 5Gi, labels: {team: data}}
";

const VALUES: &str = "# How many there are.
replicas: 2
size: 1Gi
enabled: true
global: {domain: example.com}
image: {repository: ghcr.io/example/app, tag: \"\", pullPolicy: IfNotPresent}
labels: {tier: front}
annotations:
  checksum: '{{ .Values.size | sha256sum }}'
  owner: '{{ .Release.Name }}@{{ .Values.global.domain }}'
ports:
- {name: http, port: 8080}
- {name: metrics, port: 9090}
env: {LEVEL: info, REGION: eu, CACHE: \"true\", TIMEOUT: 30s}
resources:
  limits: {cpu: 500m, memory: 256Mi}
  requests: {cpu: 100m, memory: 128Mi}
tolerations: []
";

const HELPERS: &str = r#"{{- define "CHART.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "CHART.fullname" -}}
{{- $name := include "CHART.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- define "CHART.selector" -}}
app.kubernetes.io/name: {{ include "CHART.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "CHART.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "CHART.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
"#;

const DEPLOYMENT: &str = r#"{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "CHART.fullname" . }}-NUMBER
  labels:
    {{- include "CHART.labels" . | nindent 4 }}
  annotations:
    {{- range $key, $value := .Values.annotations }}
    {{ $key }}: {{ tpl $value $ | quote }}
    {{- end }}
spec:
  replicas: {{ .Values.replicas | int }}
  selector:
    matchLabels:
      {{- include "CHART.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "CHART.labels" . | nindent 8 }}
    spec:
      containers:
      - name: {{ .Chart.Name }}
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        ports:
        {{- range .Values.ports }}
        - name: {{ .name }}
          containerPort: {{ .port }}
          protocol: TCP
        {{- end }}
        env:
        {{- range $key, $value := .Values.env }}
        - name: {{ $key | upper }}
          value: {{ $value | quote }}
        {{- end }}
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
      {{- with .Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
"#;

const SERVICE: &str = r#"apiVersion: v1
kind: Service
metadata:
  name: {{ printf "%s-%d" (include "CHART.fullname" .) NUMBER }}
  labels: {{- include "CHART.labels" . | nindent 4 }}
spec:
  selector: {{- include "CHART.selector" . | nindent 4 }}
  ports:
  {{- range $index, $port := .Values.ports }}
  - {name: {{ $port.name }}, port: {{ add $port.port $index }}, targetPort: {{ $port.name }}}
  {{- end }}
"#;

const CONFIG: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "CHART.fullname" . }}-NUMBER
  labels: {{- include "CHART.labels" . | nindent 4 }}
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "NUMBER"}
data:
  values.json: {{ .Values.resources | toJson | quote }}
  settings.yaml: |
    {{- toYaml .Values.settings1 | nindent 4 }}
  domain: {{ required "a domain is needed" .Values.global.domain }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "CHART.fullname" . }}-NUMBER
  labels: {{- include "CHART.labels" . | nindent 4 }}
"#;
