//! Kubernetes objects that refer to each other now and then.

use crate::dice::Dice;
use crate::scalars;
use crate::value::{Value, map};

const NAMES: &[&str] = &["web", "api", "db", "cache", "job-1"];
const NAMESPACES: &[&str] = &["default", "prod", "team-a"];

fn name(dice: &mut Dice) -> &'static str {
    dice.pick(NAMES)
}

/// An object of a random kind.
pub(crate) fn object(dice: &mut Dice) -> Value {
    let (version, kind) = *dice.choose(KINDS);
    let mut entries = vec![
        ("apiVersion".to_owned(), Value::text(version)),
        ("kind".to_owned(), Value::text(kind)),
        ("metadata".to_owned(), metadata(dice)),
    ];
    if let Value::Map(more) = body(kind, dice) {
        entries.extend(more);
    }
    if dice.one_in(40) {
        entries.push((
            "status".to_owned(),
            map! {"conditions": vec![map! {"type": "Ready", "status": "\"True\""}]},
        ));
    }
    if dice.one_in(20) {
        let end = entries.len() - 1;
        entries.swap(0, end);
    }
    Value::Map(entries)
}

const KINDS: &[(&str, &str)] = &[
    ("v1", "ConfigMap"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("v1", "Namespace"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("example.com/v1", "Widget"),
    ("example.com/v1", "Widget"),
    ("v1", "List"),
];

fn metadata(dice: &mut Dice) -> Value {
    let mut entries = vec![("name".to_owned(), Value::text(name(dice)))];
    if dice.one_in(3) {
        entries.push(("namespace".to_owned(), Value::text(*dice.choose(NAMESPACES))));
    }
    if dice.one_in(3) {
        entries.push(("labels".to_owned(), labels(dice)));
    }
    if dice.one_in(4) {
        entries.push(("annotations".to_owned(), annotations(dice)));
    }
    if dice.one_in(25) {
        entries.push(("finalizers".to_owned(), vec![Value::text("a.b/c"), Value::text("d.e/f")].into()));
    }
    if dice.one_in(15) {
        entries.reverse();
    }
    if dice.one_in(40) {
        entries.push(("creationTimestamp".to_owned(), Value::text("null")));
    }
    Value::Map(entries)
}

fn labels(dice: &mut Dice) -> Value {
    let keys = ["app", "tier", "app.kubernetes.io/name", "env"];
    let mut entries = Vec::new();
    for key in keys {
        if dice.one_in(2) {
            let value = if dice.one_in(8) { "\"1\"" } else { scalars::word(dice) };
            entries.push((key.to_owned(), Value::text(value)));
        }
    }
    Value::Map(entries)
}

fn annotations(dice: &mut Dice) -> Value {
    let keys = [
        "note",
        "example.com/config",
        "nginx.ingress.kubernetes.io/auth-secret",
        "config.kubernetes.io/local-config",
    ];
    let mut entries = Vec::new();
    for (i, key) in keys.into_iter().enumerate() {
        if dice.one_in(2 + i * 4) {
            let value = match i {
                3 => Value::text(dice.pick(&["\"true\"", "\"false\"", "'yes'"])),
                2 => Value::text(name(dice)),
                _ => scalars::string(dice),
            };
            entries.push((key.to_owned(), value));
        }
    }
    Value::Map(entries)
}

fn body(kind: &str, dice: &mut Dice) -> Value {
    match kind {
        "ConfigMap" => config_map(dice),
        "Secret" => map! {"type": "Opaque", "stringData": data(dice)},
        "Deployment" | "DaemonSet" => map! {"spec": workload(dice)},
        "StatefulSet" => stateful_set(dice),
        "Job" => map! {"spec": map! {"template": template(dice), "backoffLimit": "3"}},
        "CronJob" => {
            map! {"spec": map! {"schedule": "'*/5 * * * *'", "jobTemplate": map! {"spec": map! {"template": template(dice)}}}}
        }
        "Pod" => map! {"spec": pod(dice)},
        "Service" => service(dice),
        "Ingress" => ingress(dice),
        "NetworkPolicy" => network_policy(dice),
        "ServiceAccount" => map! {
            "secrets": vec![map! {"name": name(dice)}],
            "imagePullSecrets": vec![map! {"name": name(dice)}, map! {"name": name(dice)}],
        },
        "Role" | "ClusterRole" => map! {"rules": vec![map! {
            "apiGroups": vec![Value::text("\"\"")], "resources": vec![Value::text("secrets")],
            "resourceNames": vec![Value::text(name(dice)), Value::text(name(dice))], "verbs": vec![Value::text("get"), Value::text("'*'")],
        }]},
        "RoleBinding" | "ClusterRoleBinding" => binding(kind, dice),
        "HorizontalPodAutoscaler" => map! {"spec": map! {
            "scaleTargetRef": map! {"apiVersion": "apps/v1", "kind": dice.pick(&["Deployment", "StatefulSet"]), "name": name(dice)},
            "minReplicas": "1", "maxReplicas": "10",
        }},
        "PodDisruptionBudget" => map! {"spec": map! {
            "minAvailable": dice.pick(&["1", "50%", "\"50%\""]), "selector": map! {"matchLabels": labels(dice)},
        }},
        _ => cluster_body(kind, dice),
    }
}

fn cluster_body(kind: &str, dice: &mut Dice) -> Value {
    let service = map! {"name": name(dice), "namespace": *dice.choose(NAMESPACES), "path": "/x"};
    match kind {
        "PersistentVolumeClaim" => map! {"spec": map! {
            "accessModes": vec![Value::text("ReadWriteOnce")], "storageClassName": name(dice), "volumeName": name(dice),
            "resources": map! {"requests": map! {"storage": dice.pick(&["1Gi", "10", "1e3"])}},
        }},
        "PersistentVolume" => {
            map! {"spec": map! {"storageClassName": name(dice), "capacity": map! {"storage": "5Gi"}}}
        }
        "StorageClass" => {
            map! {"provisioner": "x.y/z", "parameters": map! {"secretName": name(dice), "fsType": "ext4"}}
        }
        "CustomResourceDefinition" => crd(service),
        "APIService" => {
            map! {"spec": map! {"service": service, "group": "x.y", "version": "v1", "groupPriorityMinimum": "100"}}
        }
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => map! {"webhooks": vec![
            map! {"name": "a.b.c", "clientConfig": map! {"service": service}, "failurePolicy": "Fail"},
            map! {"name": "d.e.f", "clientConfig": map! {"url": "https://x"}},
        ]},
        "PriorityClass" => map! {"value": "1000000", "globalDefault": "false"},
        "Widget" => map! {"spec": widget(dice), "image": image(dice)},
        "List" => map! {"items": (0..dice.below(3)).map(|_| object(dice)).collect::<Vec<_>>()},
        _ => Value::Map(Vec::new()),
    }
}

/// Mostly a map, as all that looks into it wants one.
fn widget(dice: &mut Dice) -> Value {
    match tree(dice, 3) {
        map @ Value::Map(_) => map,
        other if dice.one_in(15) => other,
        other => map! {"items": other},
    }
}

fn crd(service: Value) -> Value {
    map! {"spec": map! {
        "group": "example.com",
        "names": map! {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "conversion": map! {"strategy": "Webhook", "webhook": map! {"clientConfig": map! {"service": service}}},
        "versions": vec![map! {"name": "v1", "served": "true", "storage": "true", "schema": map! {
            "openAPIV3Schema": map! {"type": "object", "properties": map! {"spec": map! {"type": "object"}}}
        }}],
    }}
}

fn config_map(dice: &mut Dice) -> Value {
    match dice.below(10) {
        0 => Value::Map(Vec::new()),
        1 => map! {"data": Value::Map(Vec::new())},
        2 => map! {"immutable": "true", "data": data(dice)},
        3 => map! {"data": data(dice), "binaryData": map! {"b": "aGVsbG8="}},
        _ => map! {"data": data(dice)},
    }
}

fn data(dice: &mut Dice) -> Value {
    let keys = [
        "a",
        "b",
        "c.yaml",
        "A",
        "a1",
        "a10",
        "a2",
        "x_y",
        "\"quoted\"",
        "'1'",
        "'true'",
        "\"1.5\"",
        "é",
        "a b",
        "<<x",
        "k-",
    ];
    let mut entries: Vec<(String, Value)> = Vec::new();
    for _ in 0..dice.below(5) {
        let key = if dice.one_in(500) {
            dice.pick(&["true", "1.5", "1", "null", "2020-01-01"])
        } else {
            dice.pick(&keys)
        };
        if entries.iter().all(|(k, _)| k != key) || dice.one_in(400) {
            let value = match dice.below(8) {
                0 => Value::text("'{\"a\": {\"b\": [1, \"x\"]}}'"),
                1 => Value::Block("|", vec!["a:".to_owned(), "  b: 1".to_owned(), "  c: [x, y]".to_owned()]),
                _ => scalars::any(dice),
            };
            entries.push((key.to_owned(), value));
        }
    }
    Value::Map(entries)
}

/// Any tree of values.
pub(crate) fn tree(dice: &mut Dice, depth: usize) -> Value {
    if depth == 0 || dice.one_in(4) {
        return scalars::any(dice);
    }
    let count = dice.below(4);
    if dice.one_in(2) {
        let keys = ["a", "b", "name", "items", "value", "z9", "z10", "ref", "configMapRef"];
        let mut entries: Vec<(String, Value)> = Vec::new();
        for _ in 0..count {
            let key = dice.pick(&keys);
            if entries.iter().all(|(k, _)| k != key) {
                entries.push((key.to_owned(), tree(dice, depth - 1)));
            }
        }
        return Value::Map(entries);
    }
    if dice.one_in(2) {
        let named = |i: usize, dice: &mut Dice| map! {"name": NAMES[i], "value": tree(dice, depth - 1)};
        return (0..count).map(|i| named(i, dice)).collect::<Vec<_>>().into();
    }
    (0..count).map(|_| tree(dice, depth - 1)).collect::<Vec<_>>().into()
}

fn workload(dice: &mut Dice) -> Value {
    let mut entries = Vec::new();
    if dice.one_in(2) {
        entries.push(("replicas".to_owned(), Value::text(dice.pick(&["1", "2", "3"]))));
    }
    if dice.one_in(2) {
        entries.push(("selector".to_owned(), map! {"matchLabels": labels(dice)}));
    }
    if dice.one_in(6) {
        entries.push((
            "strategy".to_owned(),
            map! {"type": "RollingUpdate", "rollingUpdate": map! {"maxSurge": "1"}},
        ));
    }
    entries.push(("template".to_owned(), template(dice)));
    Value::Map(entries)
}

fn stateful_set(dice: &mut Dice) -> Value {
    let Value::Map(mut entries) = workload(dice) else { return Value::text("") };
    entries.push(("serviceName".to_owned(), Value::text(name(dice))));
    if dice.one_in(2) {
        let claim = map! {
            "metadata": map! {"name": "data"},
            "spec": map! {"storageClassName": name(dice), "resources": map! {"requests": map! {"storage": "1Gi"}}},
        };
        entries.push(("volumeClaimTemplates".to_owned(), vec![claim].into()));
    }
    map! {"spec": Value::Map(entries)}
}

fn template(dice: &mut Dice) -> Value {
    let mut entries = Vec::new();
    if dice.one_in(2) {
        let mut metadata = vec![("labels".to_owned(), labels(dice))];
        if dice.one_in(3) {
            metadata.push(("annotations".to_owned(), annotations(dice)));
        }
        entries.push(("metadata".to_owned(), Value::Map(metadata)));
    }
    entries.push(("spec".to_owned(), pod(dice)));
    Value::Map(entries)
}

fn pod(dice: &mut Dice) -> Value {
    let mut entries = Vec::new();
    if dice.one_in(3) {
        entries.push(("serviceAccountName".to_owned(), Value::text(name(dice))));
    }
    if dice.one_in(6) {
        entries.push(("initContainers".to_owned(), vec![container("init", dice)].into()));
    }
    let names = ["main", "sidecar", "proxy"];
    let count = dice.between(1, 3);
    entries.push((
        "containers".to_owned(),
        (0..count).map(|i| container(names[i], dice)).collect::<Vec<_>>().into(),
    ));
    if dice.one_in(2) {
        entries.push(("volumes".to_owned(), volumes(dice)));
    }
    if dice.one_in(8) {
        entries.push(("imagePullSecrets".to_owned(), vec![map! {"name": name(dice)}].into()));
    }
    if dice.one_in(10) {
        entries.push(("priorityClassName".to_owned(), Value::text(name(dice))));
    }
    if dice.one_in(8) {
        entries.push(("topologySpreadConstraints".to_owned(), spread(dice)));
    }
    if dice.one_in(8) {
        let toleration = map! {"key": "a", "operator": "Exists"};
        entries.push(("tolerations".to_owned(), vec![toleration].into()));
    }
    if dice.one_in(10) {
        entries.push((
            "hostAliases".to_owned(),
            vec![map! {"ip": "10.0.0.1", "hostnames": vec![Value::text("x")]}].into(),
        ));
    }
    if dice.one_in(8) {
        entries.push(("affinity".to_owned(), affinity(dice)));
    }
    Value::Map(entries)
}

fn affinity(dice: &mut Dice) -> Value {
    map! {"podAntiAffinity": map! {
        "requiredDuringSchedulingIgnoredDuringExecution": vec![
            map! {"topologyKey": "zone", "labelSelector": map! {"matchLabels": labels(dice)}},
        ],
        "preferredDuringSchedulingIgnoredDuringExecution": vec![
            map! {"weight": "1", "podAffinityTerm": map! {"labelSelector": map! {"matchLabels": labels(dice)}}},
        ],
    }}
}

fn spread(dice: &mut Dice) -> Value {
    let one = |when: &str, dice: &mut Dice| {
        map! {"topologyKey": "zone", "maxSkew": "1", "whenUnsatisfiable": when, "labelSelector": map! {"matchLabels": labels(dice)}}
    };
    vec![one("DoNotSchedule", dice), one("ScheduleAnyway", dice)].into()
}

pub(crate) fn image(dice: &mut Dice) -> Value {
    Value::text(dice.pick(&[
        "nginx",
        "nginx:1.25",
        "registry.example:5000/team/app:v1",
        "registry.example:5000/team/app",
        "app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "team/app:v2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "'busybox'",
        "\"nginx:latest\"",
        "gcr.io/x/nginx:1",
        "nginx:${TAG}",
    ]))
}

pub(crate) fn container(name: &str, dice: &mut Dice) -> Value {
    let mut entries = vec![("name".to_owned(), Value::text(name)), ("image".to_owned(), image(dice))];
    if dice.one_in(3) {
        let args: Vec<Value> = (0..dice.between(1, 3)).map(|_| scalars::string(dice)).collect();
        entries.push((dice.pick(&["args", "command"]).to_owned(), args.into()));
    }
    if dice.one_in(2) {
        entries.push(("env".to_owned(), env(dice)));
    }
    if dice.one_in(5) {
        let from = dice.pick(&["configMapRef", "secretRef"]).to_owned();
        entries.push((
            "envFrom".to_owned(),
            vec![Value::Map(vec![(from, map! {"name": name_of(dice)})])].into(),
        ));
    }
    if dice.one_in(3) {
        entries.push(("ports".to_owned(), ports("containerPort", dice)));
    }
    if dice.one_in(3) {
        let mount = |path: &str| map! {"name": "vol", "mountPath": path};
        let mut mounts = vec![mount("/data")];
        if dice.one_in(2) {
            mounts.push(mount(dice.pick(&["/etc", "/data", "'/x'"])));
        }
        entries.push(("volumeMounts".to_owned(), mounts.into()));
    }
    if dice.one_in(4) {
        let cpu = dice.pick(&["100m", "1", "'0.5'", "0.5", "2e0"]);
        entries.push(("resources".to_owned(), map! {"limits": map! {"cpu": cpu, "memory": "1Gi"}}));
    }
    Value::Map(entries)
}

fn name_of(dice: &mut Dice) -> &'static str {
    if dice.one_in(3) { dice.pick(&["settings", "keys"]) } else { name(dice) }
}

fn env(dice: &mut Dice) -> Value {
    let names = ["A", "B", "C", "A"];
    let count = dice.between(1, 4);
    let one = |i: usize, dice: &mut Dice| match dice.below(5) {
        0 => {
            map! {"name": names[i], "valueFrom": map! {"configMapKeyRef": map! {"name": name_of(dice), "key": "a"}}}
        }
        1 => {
            map! {"name": names[i], "valueFrom": map! {"secretKeyRef": map! {"name": name_of(dice), "key": "a"}}}
        }
        _ => map! {"name": names[i], "value": scalars::string(dice)},
    };
    (0..count).map(|i| one(i, dice)).collect::<Vec<_>>().into()
}

pub(crate) fn ports(key: &str, dice: &mut Dice) -> Value {
    let mut ports = Vec::new();
    for number in ["80", "443", "53", "53"] {
        if dice.one_in(2) {
            let mut port = vec![(key.to_owned(), Value::text(number))];
            if dice.one_in(3) {
                port.push(("name".to_owned(), Value::text(dice.pick(&["http", "dns", "x"]))));
            }
            if dice.one_in(2) {
                port.push(("protocol".to_owned(), Value::text(dice.pick(&["TCP", "UDP"]))));
            }
            if key == "port" && dice.one_in(2) {
                port.push(("targetPort".to_owned(), Value::text(dice.pick(&["8080", "http", "'80'"]))));
            }
            ports.push(Value::Map(port));
        }
    }
    ports.into()
}

fn volumes(dice: &mut Dice) -> Value {
    let source = match dice.below(5) {
        0 => ("configMap", map! {"name": name_of(dice)}),
        1 => ("secret", map! {"secretName": name_of(dice)}),
        2 => ("persistentVolumeClaim", map! {"claimName": name(dice)}),
        3 => (
            "projected",
            map! {"sources": vec![map! {"configMap": map! {"name": name_of(dice)}}, map! {"secret": map! {"name": name_of(dice)}}]},
        ),
        _ => ("emptyDir", Value::Map(Vec::new())),
    };
    let first = Value::Map(vec![("name".to_owned(), Value::text("vol")), (source.0.to_owned(), source.1)]);
    vec![first, map! {"name": "tmp", "emptyDir": map! {"medium": "Memory"}}].into()
}

fn service(dice: &mut Dice) -> Value {
    let mut entries = vec![("ports".to_owned(), ports("port", dice))];
    if dice.one_in(2) {
        entries.push(("selector".to_owned(), labels(dice)));
    }
    if dice.one_in(4) {
        entries.push(("clusterIP".to_owned(), Value::text("None")));
    }
    map! {"spec": Value::Map(entries)}
}

fn ingress(dice: &mut Dice) -> Value {
    let backend = map! {"service": map! {"name": name(dice), "port": map! {"number": "80"}}};
    let path = map! {"path": "/", "pathType": "Prefix", "backend": backend};
    map! {"spec": map! {
        "ingressClassName": name(dice),
        "tls": vec![map! {"secretName": name(dice), "hosts": vec![Value::text("a.example")]}],
        "rules": vec![map! {"host": dice.pick(&["a.example", "'*.example'", "$(HOST)"]), "http": map! {"paths": vec![path]}}],
    }}
}

fn network_policy(dice: &mut Dice) -> Value {
    map! {"spec": map! {
        "podSelector": map! {"matchLabels": labels(dice)},
        "ingress": vec![map! {"from": vec![map! {"podSelector": map! {"matchLabels": labels(dice)}}]}],
    }}
}

fn binding(kind: &str, dice: &mut Dice) -> Value {
    let subject = |dice: &mut Dice| {
        let mut entries = vec![
            (
                "kind".to_owned(),
                Value::text(dice.pick(&["ServiceAccount", "ServiceAccount", "User", "Group"])),
            ),
            ("name".to_owned(), Value::text(dice.pick(&["default", "web", "api", "db"]))),
        ];
        if dice.one_in(2) {
            entries.push(("namespace".to_owned(), Value::text(*dice.choose(NAMESPACES))));
        }
        Value::Map(entries)
    };
    let role = if kind == "RoleBinding" && dice.one_in(2) { "Role" } else { "ClusterRole" };
    map! {
        "roleRef": map! {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name(dice)},
        "subjects": vec![subject(dice), subject(dice)],
    }
}
