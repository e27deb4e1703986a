use crate::{error::Error, semver::Constraint};

/// Which commit of a repository is meant.
///
/// When more than one field is set, the first of commit, name, tag, semver and branch counts; with
/// none it is the branch `master`. An empty text is a field that isn't set.
///
/// Source: fluxcd/pkg `git/gogit/client.go`, `Clone`. (Flux documents that semver beats tag; its code
/// has it the other way round.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Branch to follow; with `commit`, only how the revision is written.
    pub branch: Option<String>,
    /// Tag to follow.
    pub tag: Option<String>,
    /// Range of versions; the tag with the highest version in it is followed.
    pub semver: Option<String>,
    /// Full name of a reference, such as `refs/pull/7/head`.
    pub name: Option<String>,
    /// Hash of a commit, in full.
    pub commit: Option<String>,
}

/// The one field of a reference that counts.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Commit { hash: String, branch: Option<String> },
    Name(String),
    Tag(String),
    Semver { text: String, constraint: Constraint },
    Branch(String),
}

impl Reference {
    pub(crate) fn target(&self) -> Result<Target, Error> {
        if let Some(hash) = set(&self.commit) {
            let branch = set(&self.branch).map(ToOwned::to_owned);
            return Ok(Target::Commit { hash: hash.to_owned(), branch });
        }
        if let Some(name) = set(&self.name) {
            return name_target(name);
        }
        if let Some(tag) = set(&self.tag) {
            validate(&format!("refs/tags/{tag}"), tag)?;
            return Ok(Target::Tag(tag.to_owned()));
        }
        if let Some(text) = set(&self.semver) {
            let constraint = text.parse().map_err(Error::Semver)?;
            return Ok(Target::Semver { text: text.to_owned(), constraint });
        }
        let branch = set(&self.branch).unwrap_or("master");
        validate(&format!("refs/heads/{branch}"), branch)?;
        Ok(Target::Branch(branch.to_owned()))
    }
}

fn set(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|text| !text.is_empty())
}

fn name_target(name: &str) -> Result<Target, Error> {
    if name.starts_with('/') || name.ends_with('/') {
        return Err(Error::NameInvalid(name.to_owned()));
    }
    let plain = name.strip_suffix("^{}").unwrap_or(name);
    validate(plain, name)?;
    Ok(Target::Name(name.to_owned()))
}

/// Refuses what Git would not accept as a name, before it gets to the wire.
fn validate(full: &str, written: &str) -> Result<(), Error> {
    gix::validate::reference::name(full.into())
        .map(drop)
        .map_err(|_| Error::ReferenceInvalid(written.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Reference {
        Reference {
            branch: Some("b".into()),
            tag: Some("t".into()),
            semver: Some("1.x".into()),
            name: Some("refs/heads/n".into()),
            commit: Some("c".into()),
        }
    }

    #[track_caller]
    fn check(reference: &Reference, expected: &str) {
        let shown = match reference.target() {
            Ok(Target::Commit { hash, branch }) => format!("commit {hash} on {branch:?}"),
            Ok(Target::Name(name)) => format!("name {name}"),
            Ok(Target::Tag(tag)) => format!("tag {tag}"),
            Ok(Target::Semver { text, .. }) => format!("semver {text}"),
            Ok(Target::Branch(branch)) => format!("branch {branch}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn fields_count_in_the_order_of_the_implementation() {
        let mut reference = all();
        check(&reference, "commit c on Some(\"b\")");
        reference.commit = None;
        check(&reference, "name refs/heads/n");
        reference.name = Some(String::new());
        check(&reference, "tag t");
        reference.tag = None;
        check(&reference, "semver 1.x");
        reference.semver = None;
        check(&reference, "branch b");
        reference.branch = None;
        check(&reference, "branch master");
    }

    #[test]
    fn names_do_not_begin_or_end_with_a_slash() {
        for name in ["/refs/heads/a", "refs/heads/a/"] {
            let reference = Reference { name: Some(name.into()), ..Reference::default() };
            check(
                &reference,
                &format!("ref {name} is invalid; Git refs cannot begin or end with a slash '/'"),
            );
        }
    }

    #[test]
    fn names_that_git_refuses_are_refused() {
        for branch in ["a..b", "a b", "a\nb", "a.lock", "a~1", "@{"] {
            let reference = Reference { branch: Some(branch.into()), ..Reference::default() };
            check(&reference, &format!("reference {branch:?} is not a valid Git reference name"));
        }
    }

    #[test]
    fn range_that_does_not_parse_is_an_error() {
        let reference = Reference { semver: Some("not-a-range".into()), ..Reference::default() };
        check(&reference, "semver parse error");
    }
}
