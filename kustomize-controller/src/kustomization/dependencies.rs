//! `spec.dependsOn`: what must be ready first.

use std::collections::HashSet;
use std::sync::Arc;

use api::kustomize::v1::{DependencyReference, Kustomization};
use expr::Expression;
use kube::api::Api;
use parking_lot::Mutex;
use toolkit::logging::chain;
use toolkit::reconcile::Key;

use super::error::Cause;
use super::plan;
use crate::context::Context;

/// Who waits for a dependency, and so wants to hear of one that becomes ready.
///
/// A status can't tell: it is written at the end of a run, and what happens between the look at the dependency and
/// then would wake nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<HashSet<Key>>>);

impl Waiting {
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.0.lock().contains(key)
    }

    pub(super) fn add(&self, key: Key) {
        self.0.lock().insert(key);
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

/// Checks every dependency; the object waits from before the first look until all are ready.
pub(super) async fn check(object: &Kustomization, revision: &str, context: &Context) -> Result<(), Cause> {
    if object.spec.depends_on.is_empty() {
        return Ok(());
    }
    let key = Key::of(object);
    context.waiting.add(key.clone());
    look(object, revision, context).await?;
    context.waiting.remove(&key);
    Ok(())
}

/// Reads live: a cache could still show a state from before the last push.
async fn look(object: &Kustomization, revision: &str, context: &Context) -> Result<(), Cause> {
    let additive = context.options.additive_cel;
    for dependency in &object.spec.depends_on {
        let expression = ready_expression(dependency)?;
        let namespace = object.dependency_namespace(dependency);
        let api: Api<Kustomization> = Api::namespaced(context.client.clone(), &namespace);
        let name = format!("{namespace}/{}", dependency.name);
        let found = match api.get(&dependency.name).await {
            Ok(found) => found,
            Err(kube::Error::Api(e)) if e.code == 404 => {
                return Err(Cause::Dependency(format!("dependency '{name}' not found: {}", e.message)));
            }
            Err(e) => return Err(Cause::Read(format!("dependency '{name}'"), e)),
        };
        let evaluated = expression.is_some();
        if let Some(expression) = expression
            && !is_ready(&expression, object, &found)?
        {
            let why = "is not ready according to readyExpr eval";
            return Err(Cause::Dependency(format!("dependency '{name}' {why}")));
        }
        if evaluated && !additive {
            continue;
        }
        if let Some(why) = obstacle(object, &found, revision) {
            return Err(Cause::Dependency(format!("dependency '{name}' {why}")));
        }
    }
    Ok(())
}

/// The compiled `readyExpr`. One that isn't a condition can't become one by waiting.
fn ready_expression(dependency: &DependencyReference) -> Result<Option<Expression>, Cause> {
    let Some(text) = dependency.ready_expr.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    Expression::compile_bool(text, &["self", "dep"]).map(Some).map_err(|e| {
        let name = &dependency.name;
        Cause::Terminal(format!("terminal error: failed to evaluate dependency {name}: {}", chain(&e)))
    })
}

fn is_ready(expression: &Expression, object: &Kustomization, found: &Kustomization) -> Result<bool, Cause> {
    let value = |k: &Kustomization| {
        serde_json::to_value(k).map_err(|e| Cause::Dependency(format!("failed to read the dependency: {e}")))
    };
    let variables = [("self", &value(object)?), ("dep", &value(found)?)];
    expression.eval_bool(&variables).map_err(|e| Cause::Dependency(chain(&e)))
}

/// Why the dependency holds the dependent up; `None` when it doesn't.
fn obstacle(dependent: &Kustomization, dependency: &Kustomization, revision: &str) -> Option<&'static str> {
    if !plan::is_ready(dependency) {
        return Some("is not ready");
    }
    let (a, b) = (&dependent.spec.source_ref, &dependency.spec.source_ref);
    let same_source =
        a.kind == b.kind && a.name == b.name && dependent.source_namespace() == dependency.source_namespace();
    let behind = same_source && applied_revision(dependency) != Some(revision);
    behind.then_some("revision is not up to date")
}

fn applied_revision(object: &Kustomization) -> Option<&str> {
    object.status.as_ref()?.last_applied_revision.as_deref()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn kustomization(source: &str, status: &Value) -> Kustomization {
        serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "base", "namespace": "apps", "generation": 2},
            "spec": {"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": source}},
            "status": status,
        }))
        .unwrap()
    }

    fn ready(status: &str, observed: i64, applied: &str) -> Value {
        json!({
            "observedGeneration": observed,
            "lastAppliedRevision": applied,
            "conditions": [{"type": "Ready", "status": status, "reason": "R", "message": "m",
                            "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        })
    }

    fn check(source: &str, status: &Value, expected: Option<&str>) {
        let dependent = kustomization("fleet", &json!({}));
        assert_eq!(obstacle(&dependent, &kustomization(source, status), "main@sha1:b"), expected);
    }

    #[test]
    fn a_dependency_must_be_ready_for_its_generation() {
        check("other", &json!({}), Some("is not ready"));
        check("other", &ready("True", 1, ""), Some("is not ready"));
        check("other", &ready("False", 2, ""), Some("is not ready"));
        check("other", &ready("True", 2, ""), None);
    }

    #[test]
    fn a_dependency_on_the_same_source_must_have_the_same_revision() {
        check("fleet", &ready("True", 2, "main@sha1:a"), Some("revision is not up to date"));
        check("fleet", &ready("True", 2, "main@sha1:b"), None);
    }
}
