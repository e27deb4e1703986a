use api::kustomize::v1::KustomizationSpec;

/// Returns the paths of the fields that are set but that neither [`crate::build`] nor a plain apply handles.
///
/// Who builds and applies must refuse these fields, or handle them: ignoring one would apply something else than
/// what was asked for. Handled are, beside what the build uses: `interval`, `retryInterval`, `timeout`, `suspend`,
/// `prune`, `force`, `wait`, `healthChecks`, `dependsOn` without `readyExpr`, `deletionPolicy`, `commonMetadata`,
/// `sourceRef` and the `validation` of old releases, which says nothing.
#[must_use]
pub fn unsupported(spec: &KustomizationSpec) -> Vec<String> {
    let fields = [
        ("spec.decryption", spec.decryption.is_some()),
        ("spec.healthCheckExprs", !spec.health_check_exprs.is_empty()),
        ("spec.ignore", !spec.ignore.is_empty()),
        ("spec.kubeConfig", spec.kube_config.is_some()),
        ("spec.postBuild", spec.post_build.is_some()),
        (
            "spec.serviceAccountName",
            spec.service_account_name.as_deref().is_some_and(|name| !name.is_empty()),
        ),
    ];
    let set = fields.into_iter().filter(|(_, set)| *set).map(|(path, _)| path.to_owned());
    let dependencies = spec.depends_on.iter().enumerate();
    let expressions = dependencies.filter(|(_, dependency)| dependency.ready_expr.is_some());
    set.chain(expressions.map(|(index, _)| format!("spec.dependsOn[{index}].readyExpr"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::unsupported;

    fn check(fields: &Value, expected: &[&str]) {
        let mut spec =
            json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}});
        spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(unsupported(&serde_json::from_value(spec).unwrap()), expected, "{fields}");
    }

    #[test]
    fn what_is_handled_is_not_named() {
        check(&json!({}), &[]);
        check(
            &json!({"dependsOn": [{"name": "a"}], "wait": true, "validation": "client", "serviceAccountName": ""}),
            &[],
        );
    }

    #[test]
    fn each_field_is_named() {
        check(&json!({"postBuild": {}}), &["spec.postBuild"]);
        check(&json!({"serviceAccountName": "a"}), &["spec.serviceAccountName"]);
        check(
            &json!({"dependsOn": [{"name": "a"}, {"name": "b", "readyExpr": "true"}], "decryption": {"provider": "sops"}}),
            &["spec.decryption", "spec.dependsOn[1].readyExpr"],
        );
    }
}
