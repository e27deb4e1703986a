use api::kustomize::v1::CommonMetadata;
use krm::Object;

/// Adds labels and annotations to every object; they win over the object's own.
///
/// This is done right before objects are applied, after the owner's labels, so the digest of a build knows nothing
/// of it.
pub fn add_common_metadata(objects: &mut [Object], metadata: &CommonMetadata) {
    for object in objects {
        for (name, value) in &metadata.labels {
            object.set_label(name, value);
        }
        for (name, value) in &metadata.annotations {
            object.set_annotation(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn common_metadata_wins_over_the_objects_own() {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "labels": {"team": "x", "tier": "y"}},
        });
        let mut objects = [Object::from_json(object).unwrap()];
        let metadata =
            serde_json::from_value(json!({"labels": {"team": "z"}, "annotations": {"who": "me"}})).unwrap();
        add_common_metadata(&mut objects, &metadata);
        let expected =
            json!({"name": "a", "labels": {"team": "z", "tier": "y"}, "annotations": {"who": "me"}});
        assert_eq!(objects[0].to_json()["metadata"], expected);
    }
}
