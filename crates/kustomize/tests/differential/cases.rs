//! Random bases, components and overlays.

use crate::dice::Dice;
use crate::objects;
use crate::patches;
use crate::scalars;
use crate::value::{self, Value, map};
use std::collections::BTreeMap;

/// The files of a build and the directory to build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) root: String,
}

/// The case that belongs to a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut maker =
        Maker { dice: Dice::new(seed), files: BTreeMap::new(), known: Vec::new(), generated: Vec::new() };
    let layers = maker.dice.between(1, 3);
    let root = match layers {
        1 => maker.layer("base", &[], false),
        2 => {
            let base = maker.layer("base", &[], false);
            maker.layer("overlay", &[base], false)
        }
        _ => {
            let first = maker.layer("base", &[], false);
            let second = maker.layer("other", &[], false);
            maker.layer("overlay", &[first, second], false)
        }
    };
    Case { files: maker.files, root }
}

struct Maker {
    dice: Dice,
    files: BTreeMap<String, String>,
    /// The objects that a patch may find.
    known: Vec<Value>,
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
            let (key, value) = self.field(dir);
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
            if self.known.iter().any(|o| same_id(o, &object)) && !self.dice.one_in(20) {
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
            self.known.push(object);
        }
        if self.dice.one_in(30) {
            text = text.replace('\n', "\r\n");
        }
        if self.dice.one_in(30) {
            text.push_str("...\n");
        }
        if text.is_empty() {
            text.push_str("# nothing\n");
        }
        self.files.insert(path.to_owned(), text);
        path.to_owned()
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
        if exists != self.dice.one_in(12) {
            entries.push(("behavior".into(), Value::text(self.dice.pick(&["merge", "merge", "replace"]))));
        } else if self.dice.one_in(6) {
            entries.push(("behavior".into(), Value::text("create")));
        }
        self.generated.push(name.to_owned());
        if self.dice.one_in(25) {
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

    fn field(&mut self, dir: &str) -> (String, Value) {
        let dice = &mut self.dice;
        let (key, value) = match dice.below(24) {
            0 | 1 => ("namespace", Value::text(dice.pick(&["prod", "new-ns", "default"]))),
            2 | 3 => ("namePrefix", Value::text(dice.pick(&["p-", "dev-", "x"]))),
            4 => ("nameSuffix", Value::text(dice.pick(&["-s", "-v2"]))),
            5 => ("commonLabels", map! {"app": dice.pick(&["mine", "\"1\"", "a.b"]), "team": "blue"}),
            6 | 7 => ("labels", labels(dice)),
            8 => ("commonAnnotations", map! {"note": scalars::string(dice), "owner": "\"true\""}),
            9 | 10 => ("images", images(dice)),
            11 => (
                "replicas",
                vec![map! {"name": self.replicated(), "count": self.dice.pick(&["5", "0", "10"])}].into(),
            ),
            12..=16 => ("patches", self.patches(dir)),
            17 => ("patchesStrategicMerge", self.old_patches(dir)),
            18 => ("patchesJson6902", self.json_patches()),
            19 | 20 => ("replacements", self.replacements()),
            21 => ("vars", self.vars()),
            22 => self.sorting(),
            _ => self.configuration(dir),
        };
        (key.to_owned(), value)
    }

    /// The name of something that has replicas, mostly.
    fn replicated(&mut self) -> String {
        let has_replicas = |o: &&Value| matches!(o.str("kind"), "Deployment" | "StatefulSet");
        let name = self
            .known
            .iter()
            .rfind(has_replicas)
            .and_then(|o| o.get("metadata"))
            .map(|m| m.str("name").to_owned());
        name.unwrap_or_else(|| self.dice.pick(&["web", "api"]).to_owned())
    }

    fn any_object(&mut self) -> Option<Value> {
        let whole = |o: &&Value| o.str("kind") != "List";
        let known: Vec<&Value> = self.known.iter().filter(whole).collect();
        if known.is_empty() { None } else { Some((*self.dice.choose(&known)).clone()) }
    }

    fn patches(&mut self, dir: &str) -> Value {
        let mut out = Vec::new();
        for i in 0..self.dice.between(1, 2) {
            let Some(object) = self.any_object() else { continue };
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
                entries.push(("target".into(), self.target(&object)));
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
        let name = object.get("metadata").map(|m| m.str("name")).unwrap_or_default().to_owned();
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

    fn old_patches(&mut self, dir: &str) -> Value {
        let Some(object) = self.any_object() else { return Vec::new().into() };
        let patch = patches::strategic(&object, &mut self.dice);
        if self.dice.one_in(2) {
            let text = value::write(&patch, &mut self.dice);
            return vec![Value::Block("|-", text.lines().map(str::to_owned).collect())].into();
        }
        let path = format!("{dir}/old.yaml");
        self.add(path, &patch);
        vec![Value::text("old.yaml")].into()
    }

    fn json_patches(&mut self) -> Value {
        let Some(object) = self.any_object() else { return Vec::new().into() };
        let text = value::write(&patches::json(&object, &mut self.dice), &mut self.dice);
        let (group, version) =
            object.str("apiVersion").rsplit_once('/').unwrap_or(("", object.str("apiVersion")));
        let mut target = map! {"version": version, "kind": object.str("kind"), "name": object.get("metadata").map(|m| m.str("name")).unwrap_or_default()};
        if let (Value::Map(entries), false) = (&mut target, group.is_empty()) {
            entries.push(("group".into(), Value::text(group)));
        }
        vec![map! {"target": target, "patch": Value::Block("|", text.lines().map(str::to_owned).collect())}]
            .into()
    }

    fn replacements(&mut self) -> Value {
        let (Some(source), Some(target)) = (self.any_object(), self.any_object()) else {
            return Vec::new().into();
        };
        let from = self.field_path(&source).replace('*', "0");
        let to = self.field_path(&target);
        let name = |o: &Value| o.get("metadata").map(|m| m.str("name")).unwrap_or_default().to_owned();
        let mut select = vec![("kind".to_owned(), Value::text(target.str("kind")))];
        if self.dice.one_in(2) {
            select.push(("name".to_owned(), Value::Text(name(&target))));
        }
        let mut entry = vec![
            ("select".to_owned(), Value::Map(select)),
            ("fieldPaths".to_owned(), vec![Value::Text(to)].into()),
        ];
        if self.dice.one_in(5) {
            entry.push(("reject".to_owned(), vec![map! {"name": self.dice.pick(&["web", "api"])}].into()));
        }
        if let Some(options) = self.replacement_options() {
            entry.push(("options".to_owned(), options));
        }
        let mut from_entry = map! {"kind": source.str("kind"), "name": name(&source), "fieldPath": from};
        if let (Value::Map(entries), Some(options)) = (&mut from_entry, self.replacement_options()) {
            entries.push(("options".to_owned(), options));
        }
        if self.dice.one_in(6) {
            return vec![
                map! {"sourceValue": scalars::string(&mut self.dice), "targets": vec![Value::Map(entry)]},
            ]
            .into();
        }
        vec![map! {"source": from_entry, "targets": vec![Value::Map(entry)]}].into()
    }

    fn replacement_options(&mut self) -> Option<Value> {
        match self.dice.below(10) {
            0 => Some(map! {"create": "true"}),
            1 => Some(
                map! {"delimiter": self.dice.pick(&["'-'", "':'", "/"]), "index": self.dice.pick(&["0", "1", "-1", "5"])},
            ),
            2 => Some(map! {"delimiter": "'.'"}),
            _ => None,
        }
    }

    /// A dotted path to a field; elements of lists by their place, their name, or all of them.
    fn field_path(&mut self, object: &Value) -> String {
        let pointers = patches::pointers(object);
        let pointer = self.dice.choose(&pointers).clone();
        let parts: Vec<String> = pointer[1..].split('/').map(|part| self.path_part(part)).collect();
        let path = parts.join(".");
        if path.contains(['*', '[', '\'', '"', '#']) || path.contains(": ") {
            format!("'{}'", path.replace('\'', "''"))
        } else {
            path
        }
    }

    fn path_part(&mut self, part: &str) -> String {
        if part.parse::<usize>().is_ok() {
            return match self.dice.below(5) {
                0 => part.to_owned(),
                1 => self.dice.pick(&["[name=main]", "[name=vol]", "[name=A]"]).to_owned(),
                _ => "*".to_owned(),
            };
        }
        let part = part.replace("~1", "/").replace("~0", "~");
        match self.dice.below(30) {
            0 => "other".to_owned(),
            _ if part.contains('.') && self.dice.one_in(2) => format!("[{part}]"),
            _ => part.replace('.', "\\."),
        }
    }

    fn vars(&mut self) -> Value {
        let Some(object) = self.any_object() else { return Vec::new().into() };
        let name = object.get("metadata").map(|m| m.str("name")).unwrap_or_default().to_owned();
        let reference =
            map! {"apiVersion": object.str("apiVersion"), "kind": object.str("kind"), "name": name};
        let path = self.dice.pick(&["metadata.name", "metadata.namespace", "spec.replicas", "data.a"]);
        vec![map! {"name": self.dice.pick(&["VAR", "HOST"]), "objref": reference, "fieldref": map! {"fieldpath": path}}].into()
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

fn same_id(a: &Value, b: &Value) -> bool {
    let id = |o: &Value| {
        let metadata = o.get("metadata");
        let of = |key| metadata.map(|m| m.str(key).to_owned()).unwrap_or_default();
        (o.str("kind").to_owned(), of("name"), of("namespace"))
    };
    id(a) == id(b)
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
