use super::{region, session};

#[test]
fn the_region_is_a_part_of_the_key() {
    for (arn, expected) in [
        ("arn:aws:kms:us-west-2:107501996527:key/612d5f0p", Some("us-west-2")),
        ("arn:aws-us-gov:kms:us-gov-west-1:1:alias/a/b", Some("us-gov-west-1")),
        ("arn:aws:kms:us-west-2:1:key/a:b", Some("us-west-2")),
        ("arn:aws:kms:us-west-2:1:other/a", None),
        ("arn:azure:kms:us-west-2:1:key/a", None),
        ("arn:aws:kms:us-west-2", None),
    ] {
        assert_eq!(region(arn), expected, "{arn}");
    }
}

#[test]
fn sessions_are_named_after_the_host() {
    assert_eq!(session("kustomize-controller_7d!ä"), "sops@kustomizecontroller_7d");
    assert_eq!(session(&"h".repeat(100)).len(), 64);
}
