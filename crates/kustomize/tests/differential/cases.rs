//! Random bases, components and overlays.

use crate::dice::Dice;
use crate::objects;
use crate::patches;
use crate::scalars;
use crate::value::{self, Value, map};
use std::collections::{BTreeMap, BTreeSet};

/// The files of a build and the directory to build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) root: String,
}

/// The case that belongs to a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut maker = Maker {
        dice: Dice::new(seed),
        files: BTreeMap::new(),
        known: Vec::new(),
        visible_from: 0,
        touched: BTreeSet::new(),
        generated: Vec::new(),
    };
    let layers = maker.dice.between(1, 3);
    let root = match layers {
        1 => maker.layer("base", &[], false),
        2 => {
            let base = maker.layer("base", &[], false);
            maker.layer("overlay", &[base], false)
        }
        _ => {
            let first = maker.layer("base", &[], false);
            maker.visible_from = maker.known.len();
            let second = maker.layer("other", &[], false);
            maker.visible_from = 0;
            maker.layer("overlay", &[first, second], false)
        }
    };
    Case { files: maker.files, root }
}

struct Maker {
    dice: Dice,
    files: BTreeMap<String, String>,
    /// The objects made so far.
    known: Vec<Value>,
    /// The first of those that the kustomization at hand can see.
    visible_from: usize,
    /// Those that something was done to that the next patch may not expect.
    touched: BTreeSet<usize>,
    /// The names that generators have used.
    generated: Vec<String>,
}

type Entries = Vec<(String, Value)>;

impl Maker {
    fn add(&mut self, path: String, value: &Value) {
        let text = value::write(value, &mut self.dice);
        self.files.insert(path, text);
    }

    /// Makes a directory with a kustomization and gives its name.
    fn layer(&mut self, dir: &str, bases: &[String], is_component: bool) -> String {
        let mut entries = Entries::new();
        if is_component {
            entries.push(("apiVersion".into(), "kustomize.config.k8s.io/v1alpha1".into()));
            entries.push(("kind".into(), "Component".into()));
        }
        let mut resources: Vec<Value> = bases.iter().map(|base| Value::text(format!("../{base}"))).collect();
        if bases.is_empty() || self.dice.one_in(3) {
            resources.extend(self.resources(dir, is_component));
        }
        if self.dice.one_in(10) {
            resources.reverse();
        }
        entries.push(("resources".into(), resources.into()));
        if self.dice.one_in(3) {
            entries.extend(self.generators(dir));
        }
        if !is_component && self.dice.one_in(5) {
            let name = format!("{dir}-part");
            self.layer(&name, &[], true);
            entries.push(("components".into(), vec![Value::text(format!("../{name}"))].into()));
        }
        let fields = if bases.is_empty() { 1 } else { 3 };
        for _ in 0..self.dice.below(fields + 2) {
            let Some((key, value)) = self.field(dir) else { continue };
            if entries.iter().all(|(k, _)| *k != key) {
                entries.push((key, value));
            }
        }
        let name = self.dice.pick(&[
            "kustomization.yaml",
            "kustomization.yaml",
            "kustomization.yml",
            "Kustomization",
        ]);
        self.add(format!("{dir}/{name}"), &Value::Map(entries));
        dir.to_owned()
    }

    fn resources(&mut self, dir: &str, few: bool) -> Vec<Value> {
        let files = self.dice.between(1, 2);
        (0..files)
            .map(|i| self.resource_file(&format!("{dir}/r{i}.yaml"), few))
            .map(|p| Value::Text(file_name(&p)))
            .collect()
    }

    fn resource_file(&mut self, path: &str, few: bool) -> String {
        let most = if few { 1 } else { 4 };
        let mut text = String::new();
        for i in 0..self.dice.between(1, most) {
            let object = objects::object(&mut self.dice);
            // Two of a kind with the same name fail the build; some of those are enough.
            if self.is_known(&object) && !self.dice.one_in(60) {
                continue;
            }
            if i > 0 || self.dice.one_in(4) {
                text.push_str(self.dice.pick(&[
                    "---\n",
                    "---\n",
                    "--- \n",
                    "--- # next\n",
                    "---\n# only a comment\n---\n",
                ]));
            }
            text.push_str(&value::write(&object, &mut self.dice));
            self.learn(object);
        }
        if self.dice.one_in(30) {
            text = text.replace('\n', "\r\n");
        }
        if text.is_empty() {
            text.push_str("# nothing\n");
        } else if self.dice.one_in(30) {
            text.push_str("...\n");
        }
        self.files.insert(path.to_owned(), text);
        path.to_owned()
    }

    fn is_known(&self, object: &Value) -> bool {
        match object.get("items") {
            Some(Value::List(items)) if object.str("kind") == "List" => {
                items.iter().any(|item| self.is_known(item))
                    || items.iter().enumerate().any(|(i, a)| items[..i].iter().any(|b| same_id(a, b)))
            }
            _ => self.known.iter().any(|o| same_id(o, object)),
        }
    }

    /// Remembers an object; of a list, what is in it.
    fn learn(&mut self, object: Value) {
        match object.get("items") {
            Some(Value::List(items)) if object.str("kind") == "List" => {
                items.clone().into_iter().for_each(|item| self.learn(item));
            }
            _ => self.known.push(object),
        }
    }

    fn generators(&mut self, dir: &str) -> Entries {
        let mut entries = Entries::new();
        let config_maps =
            vec![self.generator(if dir.starts_with("other") { "more" } else { "settings" }, dir)];
        entries.push(("configMapGenerator".into(), config_maps.into()));
        if self.dice.one_in(2) {
            let secrets =
                vec![self.generator(if dir.starts_with("other") { "more-keys" } else { "keys" }, dir)];
            entries.push(("secretGenerator".into(), secrets.into()));
        }
        if self.dice.one_in(4) {
            entries.push(("generatorOptions".into(), self.generator_options()));
        }
        entries
    }

    fn generator_options(&mut self) -> Value {
        match self.dice.below(4) {
            0 => map! {"disableNameSuffixHash": "true"},
            1 => {
                map! {"labels": map! {"gen": "yes-it-is"}, "annotations": map! {"note": scalars::string(&mut self.dice)}}
            }
            2 => map! {"immutable": "true"},
            _ => map! {"disableNameSuffixHash": "false"},
        }
    }

    fn generator(&mut self, name: &str, dir: &str) -> Value {
        let mut entries = vec![("name".to_owned(), Value::text(name))];
        let exists = self.generated.contains(&name.to_owned());
        if exists != self.dice.one_in(60) {
            entries.push(("behavior".into(), Value::text(self.dice.pick(&["merge", "merge", "replace"]))));
        } else if self.dice.one_in(6) {
            entries.push(("behavior".into(), Value::text("create")));
        }
        self.generated.push(name.to_owned());
        if self.dice.one_in(100) {
            entries.push(("namespace".into(), Value::text(self.dice.pick(&["prod", "default"]))));
        }
        if self.dice.one_in(5) {
            entries.push(("options".into(), self.generator_options()));
        }
        if self.dice.one_in(2) {
            let all = [
                "a=1",
                "b=x y",
                "'c=\"quoted\"'",
                "\"d='single'\"",
                "'e=a=b'",
                "f=",
                "g=$(VAR)",
                "'h={\"x\": 1}'",
                "\"i=1\\n2\\n\"",
                "'j= a'",
                "\"k=é\"",
                "\"l=\\u0007\"",
            ];
            let literals: Vec<Value> =
                all.into_iter().filter(|_| self.dice.one_in(4)).map(Value::text).collect();
            entries.push(("literals".into(), literals.into()));
        }
        if self.dice.one_in(3) {
            let text = self.text();
            self.files.insert(format!("{dir}/app.conf"), text);
            entries.push((
                "files".into(),
                vec![Value::text(self.dice.pick(&["app.conf", "conf=app.conf", "x.y=app.conf"]))].into(),
            ));
        }
        if self.dice.one_in(4) {
            let text = self.dice.pick(&[
                "A=1\nB=x y\n",
                "# note\n\nA='q'\n  B=2 \n",
                "A\nB=a=b\r\n",
                "A=\"x\"\nexport=1",
            ]);
            self.files.insert(format!("{dir}/vars.env"), text.to_owned());
            entries.push(("envs".into(), vec![Value::text("vars.env")].into()));
        }
        Value::Map(entries)
    }

    fn text(&mut self) -> String {
        let lines = [
            "key=value",
            "  indented",
            "",
            "trailing  ",
            "tab\there",
            "é",
            "# comment",
            "a: b",
            "{\"json\": true}",
        ];
        let mut text: Vec<&str> = (0..self.dice.between(1, 6)).map(|_| *self.dice.choose(&lines)).collect();
        if self.dice.one_in(2) {
            text.push("");
        }
        text.join(self.dice.pick(&["\n", "\n", "\n", "\r\n"]))
    }

    fn field(&mut self, dir: &str) -> Option<(String, Value)> {
        let dice = &mut self.dice;
        let (key, value) = match dice.below(26) {
            0 | 1 => ("namespace", Value::text(dice.pick(&["prod", "new-ns", "default"]))),
            2 | 3 => ("namePrefix", Value::text(dice.pick(&["p-", "dev-", "x"]))),
            4 => ("nameSuffix", Value::text(dice.pick(&["-s", "-v2"]))),
            5 => ("commonLabels", map! {"app": dice.pick(&["mine", "\"1\"", "a.b"]), "team": "blue"}),
            6 | 7 => ("labels", labels(dice)),
            8 => ("commonAnnotations", map! {"note": scalars::string(dice), "owner": "\"true\""}),
            9 | 10 => ("images", images(dice)),
            11 => (
                "replicas",
                vec![map! {"name": self.replicated()?, "count": self.dice.pick(&["5", "0", "10"])}].into(),
            ),
            12..=16 => ("patches", self.patches(dir)),
            17 => ("patchesStrategicMerge", self.old_patches(dir)?),
            18 => ("patchesJson6902", self.json_patches()?),
            19 | 20 => ("replacements", self.replacements()?),
            21 => ("vars", self.vars(dir)?),
            22 => self.sorting(),
            23 if dice.one_in(2) => ("openapi", self.schema(dir)),
            24 => ("transformers", transformers(dice)),
            _ => self.configuration(dir),
        };
        Some((key.to_owned(), value))
    }

    /// The name of something that has replicas, mostly.
    fn replicated(&mut self) -> Option<String> {
        if self.dice.one_in(30) {
            return Some("nobody".to_owned());
        }
        let has_replicas = |o: &&Value| matches!(o.str("kind"), "Deployment" | "StatefulSet");
        let found = self.known[self.visible_from..].iter().rfind(has_replicas)?;
        Some(name_of(found))
    }

    /// An object that the kustomization can see, seldom one that isn't as it was made any more.
    fn any_object(&mut self) -> Option<(usize, Value)> {
        let mut visible: Vec<usize> = (self.visible_from..self.known.len()).collect();
        if !self.dice.one_in(15) {
            visible.retain(|at| !self.touched.contains(at));
        }
        if visible.is_empty() {
            return None;
        }
        let at = *self.dice.choose(&visible);
        Some((at, self.known[at].clone()))
    }

    fn patches(&mut self, dir: &str) -> Value {
        let mut out = Vec::new();
        for i in 0..self.dice.between(1, 2) {
            let Some((at, object)) = self.any_object() else { continue };
            self.touched.insert(at);
            let patch = if self.dice.one_in(2) {
                patches::strategic(&object, &mut self.dice)
            } else {
                patches::json(&object, &mut self.dice)
            };
            let is_json = matches!(patch, Value::List(_));
            let mut entries = Entries::new();
            if self.dice.one_in(3) {
                let path = format!("{dir}/p{i}.yaml");
                self.add(path.clone(), &patch);
                entries.push(("path".into(), Value::text(file_name(&path))));
            } else {
                let text = value::write(&patch, &mut self.dice);
                entries.push(("patch".into(), Value::Block("|", text.lines().map(str::to_owned).collect())));
            }
            if is_json || self.dice.one_in(4) {
                let target = if is_json && !self.dice.one_in(6) {
                    map! {"kind": object.str("kind"), "name": name_of(&object)}
                } else {
                    self.target(&object)
                };
                entries.push(("target".into(), target));
            }
            if self.dice.one_in(15) {
                let option = self.dice.pick(&["allowNameChange", "allowKindChange"]).to_owned();
                entries.push(("options".into(), Value::Map(vec![(option, Value::text("true"))])));
            }
            out.push(Value::Map(entries));
        }
        out.into()
    }

    fn target(&mut self, object: &Value) -> Value {
        let kind = object.str("kind").to_owned();
        let name = name_of(object);
        match self.dice.below(8) {
            0 => map! {"kind": kind},
            1 => map! {"name": name},
            2 => map! {"kind": "Deployment|StatefulSet", "name": "w.*"},
            3 => {
                map! {"kind": kind, "labelSelector": self.dice.pick(&["app", "app=web", "'tier in (a, b)'", "'!env'", "app!=x"])}
            }
            4 => map! {"kind": kind, "namespace": self.dice.pick(&["prod", "default", ".*"])},
            5 => map! {"annotationSelector": self.dice.pick(&["note", "example.com/config"])},
            _ => map! {"kind": kind, "name": name},
        }
    }

    fn old_patches(&mut self, dir: &str) -> Option<Value> {
        let (at, object) = self.any_object()?;
        self.touched.insert(at);
        let patch = patches::strategic(&object, &mut self.dice);
        if self.dice.one_in(2) {
            let text = value::write(&patch, &mut self.dice);
            return Some(vec![Value::Block("|-", text.lines().map(str::to_owned).collect())].into());
        }
        let path = format!("{dir}/old.yaml");
        self.add(path, &patch);
        Some(vec![Value::text("old.yaml")].into())
    }

    fn json_patches(&mut self) -> Option<Value> {
        let (at, object) = self.any_object()?;
        self.touched.insert(at);
        let text = value::write(&patches::json(&object, &mut self.dice), &mut self.dice);
        let (group, version) =
            object.str("apiVersion").rsplit_once('/').unwrap_or(("", object.str("apiVersion")));
        let mut target = map! {"version": version, "kind": object.str("kind"), "name": name_of(&object)};
        if let (Value::Map(entries), false) = (&mut target, group.is_empty()) {
            entries.push(("group".into(), Value::text(group)));
        }
        let patch = Value::Block("|", text.lines().map(str::to_owned).collect());
        Some(vec![map! {"target": target, "patch": patch}].into())
    }

    fn replacements(&mut self) -> Option<Value> {
        let ((source_at, source), (at, target)) = (self.any_object()?, self.any_object()?);
        // One that isn't part of the output never has its types looked at in the original.
        let annotations = target.get("metadata").and_then(|m| m.get("annotations"));
        if annotations.is_some_and(|a| a.get("config.kubernetes.io/local-config").is_some()) {
            return None;
        }
        self.touched.insert(at);
        let from = self.source(&source)?;
        let wants_string = from.1.looks_like_a_string() && !self.dice.one_in(20);
        let to = self.target_place(&target, wants_string)?;
        let (to_path, is_scalar) = (self.field_path(&target, &to.0, true), to.1);
        let mut select = vec![("kind".to_owned(), Value::text(target.str("kind")))];
        if !self.dice.one_in(8) {
            select.push(("name".to_owned(), Value::Text(name_of(&target))));
        }
        let mut entry = vec![
            ("select".to_owned(), Value::Map(select)),
            ("fieldPaths".to_owned(), vec![Value::Text(to_path)].into()),
        ];
        if self.dice.one_in(5) {
            entry.push(("reject".to_owned(), vec![map! {"name": self.dice.pick(&["web", "api"])}].into()));
        }
        // In the original a value that is put into its own place changes on the way (see COMPATIBILITY.md).
        if let Some(options) = self.target_options(is_scalar && source_at != at) {
            entry.push(("options".to_owned(), options));
        }
        if self.dice.one_in(6) {
            let value = scalars::string(&mut self.dice);
            return Some(vec![map! {"sourceValue": value, "targets": vec![Value::Map(entry)]}].into());
        }
        let path = self.field_path(&source, &from.0, false);
        let mut from_entry = map! {"kind": source.str("kind"), "name": name_of(&source), "fieldPath": path};
        if let (Value::Map(entries), Some(options)) = (&mut from_entry, self.source_options(&from.1)) {
            entries.push(("options".to_owned(), options));
        }
        Some(vec![map! {"source": from_entry, "targets": vec![Value::Map(entry)]}].into())
    }

    /// A place to take a value from, mostly a scalar's, and the value.
    fn source(&mut self, object: &Value) -> Option<(String, Value)> {
        let mut places = patches::places(object);
        let any_kind = self.dice.one_in(8);
        let is_empty = |text: &str| matches!(text, "" | "~" | "null" | "Null");
        places.retain(|p| match p.value {
            Value::Text(text) => !is_empty(text),
            Value::Block(..) => true,
            Value::List(items) => any_kind && !items.is_empty(),
            Value::Map(entries) => any_kind && !entries.is_empty(),
        });
        let place = if places.is_empty() { return None } else { self.dice.choose(&places) };
        Some((place.pointer.clone(), place.value.clone()))
    }

    /// A place to put a value to, and whether it's a scalar's.
    fn target_place(&mut self, object: &Value, wants_string: bool) -> Option<(String, bool)> {
        let mut places = patches::places(object);
        let is_wild = self.dice.one_in(12);
        let is_scalar = |value: &Value| matches!(value, Value::Text(_) | Value::Block(..));
        places.retain(|p| {
            is_wild
                || (!p.is_identity()
                    && p.pointer != "/metadata/labels"
                    && p.pointer != "/metadata/annotations"
                    && is_scalar(p.value)
                    && (!wants_string || p.value.looks_like_a_string()))
        });
        let place = if places.is_empty() { return None } else { self.dice.choose(&places) };
        Some((place.pointer.clone(), is_scalar(place.value)))
    }

    fn source_options(&mut self, value: &Value) -> Option<Value> {
        let text = value.as_text().filter(|_| self.dice.one_in(4))?;
        let delimiter = ['-', ':', '/', '.', ' '].into_iter().find(|d| text.contains(*d))?;
        let index = if self.dice.one_in(20) { "5" } else { self.dice.pick(&["0", "1"]) };
        Some(map! {"delimiter": format!("'{delimiter}'"), "index": index})
    }

    fn target_options(&mut self, is_scalar: bool) -> Option<Value> {
        match self.dice.below(10) {
            0 => Some(map! {"create": "true"}),
            1 | 2 if is_scalar => Some(
                map! {"delimiter": self.dice.pick(&["'-'", "':'", "/"]), "index": self.dice.pick(&["0", "1", "-1", "5"])},
            ),
            3 if is_scalar => Some(map! {"delimiter": "'.'"}),
            _ => None,
        }
    }

    /// A dotted path to a place; elements of lists by their index, their name, or all of them.
    fn field_path(&mut self, object: &Value, pointer: &str, is_target: bool) -> String {
        let mut value = Some(object);
        let mut parts = Vec::new();
        for part in pointer[1..].split('/') {
            value = value.and_then(|v| step(v, part));
            parts.push(self.path_part(part, value, is_target));
        }
        let path = parts.join(".");
        if path.contains(['*', '[', '\'', '"', '#']) || path.contains(": ") {
            format!("'{}'", path.replace('\'', "''"))
        } else {
            path
        }
    }

    fn path_part(&mut self, part: &str, value: Option<&Value>, is_target: bool) -> String {
        if part.parse::<usize>().is_ok() {
            let name = value.map(|v| v.str("name")).filter(|name| !name.is_empty());
            return match (self.dice.below(5), name) {
                (0 | 1, Some(name)) => format!("[name={name}]"),
                (2, _) if is_target => "*".to_owned(),
                _ => part.to_owned(),
            };
        }
        let part = part.replace("~1", "/").replace("~0", "~");
        match self.dice.below(150) {
            0 => "other".to_owned(),
            _ if part.contains('.') && self.dice.one_in(2) => format!("[{part}]"),
            _ => part.replace('.', "\\."),
        }
    }

    fn vars(&mut self, dir: &str) -> Option<Value> {
        let (_, object) = self.any_object()?;
        let reference = map! {"apiVersion": object.str("apiVersion"), "kind": object.str("kind"), "name": name_of(&object)};
        let has = |path: &[&str]| path.iter().try_fold(&object, |value, key| value.get(key)).is_some();
        let all = [["metadata", "name"], ["metadata", "namespace"], ["spec", "replicas"], ["data", "a"]];
        let there: Vec<String> =
            all.iter().filter(|path| has(&path[..])).map(|path| path.join(".")).collect();
        let path =
            if self.dice.one_in(30) { "data.none".to_owned() } else { self.dice.choose(&there).clone() };
        // Each name once in a build, mostly.
        let name = match dir {
            "base" => "VAR",
            "other" => "HOST",
            _ if self.dice.one_in(30) => "VAR",
            _ => "X",
        };
        Some(vec![map! {"name": name, "objref": reference, "fieldref": map! {"fieldpath": path}}].into())
    }

    /// A schema for the custom kind: its lists are merged, and it may have no namespace.
    fn schema(&mut self, dir: &str) -> Value {
        let gvk = || map! {"group": "example.com", "version": "v1", "kind": "Widget"};
        let list = map! {
            "type": "array", "items": map! {"type": "object"},
            "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge",
        };
        let spec = map! {"type": "object", "properties": map! {"items": list.clone(), "a": list}};
        let definition = map! {
            "type": "object", "properties": map! {"spec": spec}, "x-kubernetes-group-version-kind": vec![gvk()],
        };
        let path = self
            .dice
            .pick(&["/apis/example.com/v1/widgets", "/apis/example.com/v1/namespaces/{namespace}/widgets"]);
        let paths = Value::Map(vec![(
            format!("\"{path}\""),
            map! {"get": map! {"x-kubernetes-group-version-kind": gvk()}},
        )]);
        let mut schema = vec![("definitions".to_owned(), map! {"com.example.v1.Widget": definition})];
        if self.dice.one_in(2) {
            schema.push(("paths".to_owned(), paths));
        }
        self.add(format!("{dir}/schema.yaml"), &Value::Map(schema));
        map! {"path": "schema.yaml"}
    }

    fn sorting(&mut self) -> (&'static str, Value) {
        match self.dice.below(6) {
            0 => ("sortOptions", map! {"order": "fifo"}),
            1 => ("sortOptions", map! {"order": "legacy"}),
            2 => (
                "sortOptions",
                map! {"order": "legacy", "legacySortOptions": map! {
                    "orderFirst": vec![Value::text("Deployment"), Value::text("Service")], "orderLast": vec![Value::text("ConfigMap")],
                }},
            ),
            3 => ("buildMetadata", vec![Value::text("originAnnotations")].into()),
            4 => (
                "buildMetadata",
                vec![Value::text("transformerAnnotations"), Value::text("originAnnotations")].into(),
            ),
            _ => ("buildMetadata", vec![Value::text("managedByLabel")].into()),
        }
    }

    fn configuration(&mut self, dir: &str) -> (&'static str, Value) {
        let file = match self.dice.below(5) {
            0 => map! {"nameReference": vec![map! {"kind": "ConfigMap", "version": "v1", "fieldSpecs": vec![
                map! {"kind": "Widget", "path": self.dice.pick(&["spec/ref", "spec/configMapRef/name", "spec/items"])},
            ]}]},
            1 => map! {"images": vec![map! {"kind": "Widget", "path": "image"}]},
            2 => {
                map! {"commonLabels": vec![map! {"kind": "Widget", "path": "spec/labels", "create": "true"}]}
            }
            3 => {
                map! {"namePrefix": vec![map! {"kind": "Widget", "path": "spec/ref"}], "replicas": vec![map! {"kind": "Widget", "path": "spec/count", "create": "true"}]}
            }
            _ => {
                map! {"varReference": vec![map! {"kind": "ConfigMap", "path": "data"}], "namespace": vec![map! {"kind": "Widget", "path": "spec/ns", "create": "true"}]}
            }
        };
        self.add(format!("{dir}/config.yaml"), &file);
        ("configurations", vec![Value::text("config.yaml")].into())
    }
}

/// A built-in transformer, configured in place.
fn transformers(dice: &mut Dice) -> Value {
    let (kind, fields) = match dice.below(5) {
        0 => {
            let mode = dice.pick(&["defaultOnly", "allServiceAccounts", "none"]);
            let unset_only = dice.pick(&["true", "false"]);
            ("NamespaceTransformer", vec![
                format!("setRoleBindingSubjects: {mode}"),
                format!("unsetOnly: {unset_only}"),
                "fieldSpecs: [{path: metadata/name, kind: Namespace, create: true}]".to_owned(),
            ])
        }
        1 => ("PrefixTransformer", vec![
            "prefix: t-".to_owned(),
            "fieldSpecs: [{path: metadata/name}, {path: spec/template/spec/containers/name, kind: Deployment}]".to_owned(),
        ]),
        2 => ("LabelTransformer", vec![
            "labels: {by: transformer}".to_owned(),
            "fieldSpecs: [{path: metadata/labels, create: true}, {path: spec/selector/matchLabels, create: true, kind: Deployment}]".to_owned(),
        ]),
        3 => ("AnnotationsTransformer", vec![
            "annotations: {by: transformer, n: '1'}".to_owned(),
            "fieldSpecs: [{path: metadata/annotations, create: true}]".to_owned(),
        ]),
        _ => ("ReplicaCountTransformer", vec![
            "replica: {name: web, count: 7}".to_owned(),
            "fieldSpecs: [{path: spec/replicas, create: true, kind: Deployment}]".to_owned(),
        ]),
    };
    let mut lines = vec![
        "apiVersion: builtin".to_owned(),
        format!("kind: {kind}"),
        "metadata: {name: transformer, namespace: by-transformer}".to_owned(),
    ];
    lines.extend(fields);
    vec![Value::Block("|-", lines)].into()
}

fn labels(dice: &mut Dice) -> Value {
    let pairs = map! {"team": dice.pick(&["red", "'1'", "\"true\""]), "env": "stage"};
    let mut entry = vec![("pairs".to_owned(), pairs)];
    match dice.below(5) {
        0 => entry.push(("includeSelectors".to_owned(), Value::text("true"))),
        1 => entry.push(("includeTemplates".to_owned(), Value::text("true"))),
        2 => entry.push((
            "fields".to_owned(),
            vec![map! {"kind": "Widget", "path": "spec/labels", "create": dice.pick(&["true", "false"])}]
                .into(),
        )),
        _ => {}
    }
    vec![Value::Map(entry)].into()
}

fn images(dice: &mut Dice) -> Value {
    let mut entry = vec![(
        "name".to_owned(),
        Value::text(dice.pick(&[
            "nginx",
            "registry.example:5000/team/app",
            "app",
            "team/app",
            "busybox",
            "ngin.",
            "n.*x",
        ])),
    )];
    if dice.one_in(2) {
        entry.push((
            "newName".to_owned(),
            Value::text(dice.pick(&["mirror/nginx", "other", "localhost:5000/x"])),
        ));
    }
    match dice.below(5) {
        0 => entry.push(("digest".to_owned(), Value::text("sha256:ffff"))),
        1 => entry.push(("tagSuffix".to_owned(), Value::text("-alpine"))),
        2 => {}
        _ => entry.push(("newTag".to_owned(), Value::text(dice.pick(&["v9", "'1.0'", "\"1e3\"", "latest"])))),
    }
    vec![Value::Map(entry)].into()
}

/// Whether two can't be in one build, once both have the same namespace.
fn same_id(a: &Value, b: &Value) -> bool {
    let id = |o: &Value| (o.str("kind").to_owned(), name_of(o));
    id(a) == id(b)
}

fn name_of(object: &Value) -> String {
    object.get("metadata").map(|m| m.str("name")).unwrap_or_default().to_owned()
}

/// What is below a value, by one part of a JSON pointer.
fn step<'a>(value: &'a Value, part: &str) -> Option<&'a Value> {
    let key = part.replace("~1", "/").replace("~0", "~");
    match value {
        Value::List(items) => items.get(part.parse::<usize>().ok()?),
        Value::Map(entries) => {
            entries.iter().find(|(k, _)| k.trim_matches(['"', '\'']) == key).map(|(_, value)| value)
        }
        _ => None,
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
