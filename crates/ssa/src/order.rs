//! In which order kinds are applied.

use std::cmp::Ordering;

use krm::Id;

/// Kinds that others need come first, the rest by group and kind, webhooks last.
const FIRST: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Compares two objects by the order in which they are applied: kind, then namespace, then name.
///
/// Source: `github.com/fluxcd/pkg/ssa` `SortableUnstructureds`.
#[must_use]
pub fn compare(a: &Id, b: &Id) -> Ordering {
    compare_kinds((&a.group, &a.kind), (&b.group, &b.kind))
        .then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
}

/// Compares two kinds, given as group and kind.
#[must_use]
pub fn compare_kinds(a: (&str, &str), b: (&str, &str)) -> Ordering {
    rank(a.1).cmp(&rank(b.1)).then_with(|| a.cmp(&b))
}

fn rank(kind: &str) -> usize {
    let position = |list: &[&str]| list.iter().position(|one| *one == kind);
    position(&FIRST).or_else(|| position(&LAST).map(|index| FIRST.len() + 1 + index)).unwrap_or(FIRST.len())
}

/// A group and a kind; an empty group is the core group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupKind {
    /// Such as `apps`.
    pub group: String,
    /// Such as `Deployment`.
    pub kind: String,
}

impl GroupKind {
    /// Reads the comma-separated list of `--custom-apply-stage-kinds`: `group/Kind`, or `Kind` of the core group.
    #[must_use]
    pub fn parse_list(text: &str) -> Vec<Self> {
        let parse = |item: &str| {
            let (group, kind) = item.split_once('/').unwrap_or(("", item));
            Self { group: group.to_owned(), kind: kind.to_owned() }
        };
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(parse).collect()
    }
}

/// Objects that are applied together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage<T> {
    /// In apply order.
    pub objects: Vec<T>,
    /// Later stages only start when these are ready.
    pub wait: bool,
}

/// Splits objects into stages, each in apply order: definitions, classes, the kinds of `custom`, the rest.
///
/// Empty stages are left out.
pub fn stages<T>(objects: Vec<T>, id: impl Fn(&T) -> &Id, custom: &[GroupKind]) -> Vec<Stage<T>> {
    let mut stages: [Vec<T>; 4] = Default::default();
    for object in objects {
        let index = stage_of(id(&object), custom);
        stages[index].push(object);
    }
    let sorted = |(index, mut objects): (usize, Vec<T>)| {
        objects.sort_by(|a, b| compare(id(a), id(b)));
        Stage { objects, wait: index < 2 }
    };
    stages.into_iter().enumerate().filter(|(_, objects)| !objects.is_empty()).map(sorted).collect()
}

fn stage_of(id: &Id, custom: &[GroupKind]) -> usize {
    match id.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" | "ClusterRole" => 0,
        kind if kind.ends_with("Class") => 1,
        kind if custom.iter().any(|one| one.kind == kind && one.group == id.group) => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        let mut parts = text.split('/').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Id { group: next(), kind: next(), namespace: next(), name: next(), version: "v1".into() }
    }

    fn check(objects: &[&str], custom: &str, expected: &[(&[&str], bool)]) {
        let custom = GroupKind::parse_list(custom);
        let stages = stages(objects.iter().map(|text| id(text)).collect(), |id| id, &custom);
        let text = |id: &Id| format!("{}/{}/{}/{}", id.group, id.kind, id.namespace, id.name);
        let actual: Vec<_> = stages
            .iter()
            .map(|stage| (stage.objects.iter().map(text).collect::<Vec<_>>(), stage.wait))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(objects, wait)| (objects.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), *wait))
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn no_objects_are_no_stages() {
        check(&[], "", &[]);
    }

    #[test]
    fn definitions_then_classes_then_the_rest() {
        check(
            &[
                "apps/Deployment/b/web",
                "scheduling.k8s.io/PriorityClass//p",
                "/Namespace//n",
                "rbac.authorization.k8s.io/ClusterRole//r",
                "apiextensions.k8s.io/CustomResourceDefinition//c",
            ],
            "",
            &[
                (
                    &[
                        "apiextensions.k8s.io/CustomResourceDefinition//c",
                        "/Namespace//n",
                        "rbac.authorization.k8s.io/ClusterRole//r",
                    ],
                    true,
                ),
                (&["scheduling.k8s.io/PriorityClass//p"], true),
                (&["apps/Deployment/b/web"], false),
            ],
        );
    }

    #[test]
    fn custom_kinds_have_a_stage_that_is_not_waited_for() {
        check(
            &["/ConfigMap/a/x", "example.com/Widget/a/w", "/Secret/a/s"],
            "example.com/Widget, Secret",
            &[(&["/Secret/a/s", "example.com/Widget/a/w"], false), (&["/ConfigMap/a/x"], false)],
        );
    }

    #[test]
    fn known_kinds_then_by_group_then_webhooks() {
        check(
            &[
                "admissionregistration.k8s.io/ValidatingWebhookConfiguration//v",
                "admissionregistration.k8s.io/MutatingWebhookConfiguration//m",
                "networking.k8s.io/Ingress/a/i",
                "autoscaling/HorizontalPodAutoscaler/a/h",
                "batch/Job/a/j",
                "batch/CronJob/a/c",
                "apps/Deployment/a/d",
                "apps/Deployment/a/b",
                "apps/Deployment/Z/z",
                "/Service/a/s",
                "/Secret/a/s",
                "/ConfigMap/a/c",
                "/ServiceAccount/a/s",
            ],
            "",
            &[(
                &[
                    "/ServiceAccount/a/s",
                    "/ConfigMap/a/c",
                    "/Secret/a/s",
                    "/Service/a/s",
                    "apps/Deployment/Z/z",
                    "apps/Deployment/a/b",
                    "apps/Deployment/a/d",
                    "batch/CronJob/a/c",
                    "autoscaling/HorizontalPodAutoscaler/a/h",
                    "batch/Job/a/j",
                    "networking.k8s.io/Ingress/a/i",
                    "admissionregistration.k8s.io/MutatingWebhookConfiguration//m",
                    "admissionregistration.k8s.io/ValidatingWebhookConfiguration//v",
                ],
                false,
            )],
        );
    }
}
