//! Objects that stories begin with.

use serde_json::{Value, json};

use crate::git::Files;

/// A GitRepository that follows `main` of `<url>/<namespace>/app.git` and waits to be asked.
pub fn git_repository(namespace: &str, url: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": { "name": "app", "namespace": namespace },
        "spec": { "interval": "10m", "url": format!("{url}/{namespace}/app.git"), "ref": { "branch": "main" } },
    })
}

/// A Kustomization `app` of the source `app` with `prune`, into its own namespace; `spec` is merged over it.
pub fn kustomization(namespace: &str, spec: &Value) -> Value {
    named_kustomization(namespace, "app", spec)
}

/// The same under another name.
pub fn named_kustomization(namespace: &str, name: &str, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "interval": "10m",
            "retryInterval": "2s",
            "path": "./",
            "prune": true,
            "targetNamespace": namespace,
            "sourceRef": { "kind": "GitRepository", "name": "app" },
        },
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        object["spec"][field] = value.clone();
    }
    object
}

/// A ConfigMap as a manifest.
pub fn config_map(name: &str, color: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  color: {color}\n")
}

/// A tree with one ConfigMap per name.
pub fn config_maps(names: &[&str], color: &str) -> Files {
    let mut files = Files::default();
    for name in names {
        files.set(&format!("{name}.yaml"), config_map(name, color));
    }
    files
}

/// One application: ServiceAccount, Service, Deployment without replicas, Ingress.
pub fn application(name: &str, version: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels: {{version: {version}}}
spec:
  selector: {{app: {name}}}
  ports:
  - name: http
    port: 80
    targetPort: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{app: {name}, version: {version}}}
spec:
  replicas: 0
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      serviceAccountName: {name}
      containers:
      - name: app
        image: registry.example/{name}:{version}
        ports:
        - containerPort: 8080
        resources:
          requests: {{cpu: 10m, memory: 16Mi}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  labels: {{version: {version}}}
spec:
  rules:
  - host: {name}.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: {name}
            port:
              name: http
"
    )
}
