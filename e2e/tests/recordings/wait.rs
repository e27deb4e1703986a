//! The conditions of a `wait` step.

use std::collections::BTreeMap;

use e2e::objects::find_condition;
use serde_json::Value;

/// Commits by repository.
pub(crate) type Pushes = BTreeMap<String, Vec<String>>;

/// Whether the object is as the step wants it.
///
/// `digest` is that of the push to the registry that the step names.
pub(crate) fn met(step: &Value, object: Option<&Value>, pushes: &Pushes, digest: Option<&str>) -> bool {
    let Some(object) = object else { return step["gone"] == true };
    step["gone"] != true
        && condition_fits(step, object)
        && token_fits(step, object)
        && fits(&step["revision"], revision(object), pushes)
        && digest.is_none_or(|digest| revision(object).as_str().is_some_and(|text| text.ends_with(digest)))
        && fits(&step["attempted"], &object["status"]["lastAttemptedRevision"], pushes)
}

fn condition_fits(step: &Value, object: &Value) -> bool {
    let (wanted, observed) = (step["ready"].as_str(), step["observed"] == true);
    if wanted.is_none() && !observed {
        return true;
    }
    let Some(condition) = find_condition(object, step["type"].as_str().unwrap_or("Ready")) else {
        return false;
    };
    let generation = &object["metadata"]["generation"];
    let current = condition["observedGeneration"] == *generation
        && (condition["status"] != "True" || object["status"]["observedGeneration"] == *generation);
    wanted.is_none_or(|wanted| condition["status"] == wanted) && (!observed || current)
}

fn token_fits(step: &Value, object: &Value) -> bool {
    step["handled"].is_null() || step["handled"] == object["status"]["lastHandledReconcileAt"]
}

fn revision(object: &Value) -> &Value {
    let status = &object["status"];
    if object["kind"] == "Kustomization" {
        &status["lastAppliedRevision"]
    } else {
        &status["artifact"]["revision"]
    }
}

fn fits(wanted: &Value, revision: &Value, pushes: &Pushes) -> bool {
    let Some(wanted) = wanted.as_str() else { return true };
    let (repository, number) = wanted.split_once(':').unwrap_or(("app", wanted));
    let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let commit = index.and_then(|index| pushes.get(repository)?.get(index));
    commit.zip(revision.as_str()).is_some_and(|(commit, revision)| revision.ends_with(commit.as_str()))
}
