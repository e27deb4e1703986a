//! Who may refer to what.

/// An object refers to one in another namespace although that is turned off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can't access '{kind}/{namespace}/{name}', cross-namespace references have been blocked")]
pub struct AccessDenied {
    kind: String,
    namespace: String,
    name: String,
}

/// Checks a reference from an object in `from` to `kind` `name` in `namespace`.
///
/// # Errors
/// When the namespaces differ and `--no-cross-namespace-refs` is set.
pub fn check_reference(
    no_cross_namespace_refs: bool,
    from: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<(), AccessDenied> {
    if !no_cross_namespace_refs || from == namespace {
        return Ok(());
    }
    Err(AccessDenied { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::check_reference;

    #[test]
    fn only_another_namespace_is_blocked_and_only_when_asked() {
        let check = |no, from| {
            check_reference(no, from, "GitRepository", "flux-system", "app").map_err(|e| e.to_string())
        };
        assert_eq!((check(false, "apps"), check(true, "flux-system")), (Ok(()), Ok(())));
        assert_eq!(
            check(true, "apps").unwrap_err(),
            "can't access 'GitRepository/flux-system/app', cross-namespace references have been blocked"
        );
    }
}
