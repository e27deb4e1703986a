use gix::ObjectId;

use crate::{
    credentials::{Credentials, parse_url, shown},
    error::{Cause, Error},
    options::Options,
    reference::{Reference, Target},
    revision::revision,
    semver::latest,
    transport::{Connection, RemoteRef, connect},
};

/// Which commit a reference means right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The revision as it stands in an artifact, such as `main@sha1:<hash>`.
    pub revision: String,
    /// The hash of the commit.
    pub hash: String,
}

/// Asks the server which commit the reference means, without fetching anything.
///
/// A commit needs no question. `None` means that only fetching can tell: tags whose versions differ
/// in build metadata alone, where the youngest commit wins.
///
/// # Errors
///
/// [`Error::List`] for what happens on the wire, otherwise the errors of [`crate::fetch`].
pub fn resolve(
    url: &str,
    reference: &Reference,
    credentials: &Credentials,
    options: &Options,
) -> Result<Option<Resolved>, Error> {
    let url = parse_url(url)?;
    let target = reference.target()?;
    if let Target::Commit { hash, branch } = &target {
        let hash = commit_id(hash)?.to_string();
        let revision = revision(branch.as_deref().unwrap_or_default(), &hash);
        return Ok(Some(Resolved { revision, hash }));
    }
    let list = |cause| Error::list(&url, cause);
    let mut connection = connect(&url, credentials, options, options.clock())?.map_err(list)?;
    let refs = connection.references(&[&target.prefix()]).map_err(list)?;
    match found(&target, &refs) {
        Found::One(found) => Ok(Some(found.resolved(&target))),
        Found::Several(_) => Ok(None),
        Found::Nothing => Err(missing(&url, &target, &mut connection)),
    }
}

/// What the references of a server say about a target.
pub(crate) enum Found<'a> {
    One(&'a RemoteRef),
    Several(Vec<&'a RemoteRef>),
    Nothing,
}

impl Target {
    /// What all references that matter begin with.
    pub(crate) fn prefix(&self) -> String {
        match self {
            Self::Branch(branch) => format!("refs/heads/{branch}"),
            Self::Tag(tag) => format!("refs/tags/{tag}"),
            Self::Name(name) => plain(name).to_owned(),
            Self::Semver { .. } => "refs/tags/".to_owned(),
            Self::Commit { branch: Some(branch), .. } => format!("refs/heads/{branch}"),
            Self::Commit { branch: None, .. } => "refs/heads/".to_owned(),
        }
    }
}

impl RemoteRef {
    pub(crate) fn resolved(&self, target: &Target) -> Resolved {
        let hash = self.peeled.to_string();
        let revision = revision(&self.pointer(target), &hash);
        Resolved { revision, hash }
    }

    /// Returns the reference as it is written in a revision: in short, unless it was given by name.
    pub(crate) fn pointer(&self, target: &Target) -> String {
        match target {
            Target::Name(name) => name.clone(),
            _ => self.name.splitn(3, '/').last().unwrap_or_default().to_owned(),
        }
    }
}

pub(crate) fn found<'a>(target: &Target, refs: &'a [RemoteRef]) -> Found<'a> {
    let Target::Semver { constraint, .. } = target else {
        let wanted = target.prefix();
        return refs.iter().find(|found| found.name == wanted).map_or(Found::Nothing, Found::One);
    };
    let tag = |found: &'a RemoteRef| found.name.strip_prefix("refs/tags/");
    let best = latest(refs.iter().filter_map(tag), constraint);
    let mut best = refs.iter().filter(|found| tag(found).is_some_and(|tag| best.contains(&tag)));
    match (best.next(), best.collect::<Vec<_>>()) {
        (None, _) => Found::Nothing,
        (Some(one), rest) if rest.is_empty() => Found::One(one),
        (Some(first), rest) => Found::Several([vec![first], rest].concat()),
    }
}

/// Tells why nothing was found, which takes a look at whether there is anything at all.
pub(crate) fn missing(url: &url::Url, target: &Target, connection: &mut Connection) -> Error {
    if let Target::Name(name) = target {
        return Error::NameNotFound(name.clone());
    }
    let is_empty = connection.references(&[]).is_ok_and(|all| all.is_empty());
    match target {
        Target::Branch(_) if is_empty => Error::EmptyRepository,
        _ if is_empty => Error::EmptyRemote(shown(url)),
        Target::Semver { text, .. } => Error::NoMatch(text.clone()),
        _ => Error::clone(url, Cause::ReferenceNotFound(target.prefix())),
    }
}

pub(crate) fn commit_id(hash: &str) -> Result<ObjectId, Error> {
    ObjectId::from_hex(hash.as_bytes()).map_err(|_| Error::CommitNotFound(hash.to_owned()))
}

/// A name may be written with the mark of a peeled tag, as `ls-remote` prints it.
fn plain(name: &str) -> &str {
    name.strip_suffix("^{}").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "20248256088ee9aaef6466ef4fd7022e1873c73d";
    const TAG: &str = "b6747b04a22691ce7583d70e7b84cae2974f578c";

    fn refs(names: &[&str]) -> Vec<RemoteRef> {
        let id = |hex| commit_id(hex).expect("a full hash");
        let one = |name: &&str| RemoteRef { name: (*name).to_owned(), object: id(TAG), peeled: id(COMMIT) };
        names.iter().map(one).collect()
    }

    #[track_caller]
    fn check(reference: &Reference, names: &[&str], expected: &str) {
        let target = reference.target().expect("the test's reference is valid");
        let refs = refs(names);
        let shown = match found(&target, &refs) {
            Found::One(found) => found.resolved(&target).revision,
            Found::Several(found) => format!("{} equal ones", found.len()),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(shown, expected.replace("COMMIT", COMMIT));
    }

    fn branch(name: &str) -> Reference {
        Reference { branch: Some(name.into()), ..Reference::default() }
    }

    fn named(name: &str) -> Reference {
        Reference { name: Some(name.into()), ..Reference::default() }
    }

    fn range(text: &str) -> Reference {
        Reference { semver: Some(text.into()), ..Reference::default() }
    }

    #[test]
    fn branch_is_found_by_its_whole_name() {
        check(&branch("release/1.x"), &["refs/heads/release/1.x"], "release/1.x@sha1:COMMIT");
        check(&branch("main"), &["refs/heads/main2", "refs/tags/main"], "nothing");
        check(&branch("x"), &["refs/heads/refs/heads/x", "refs/heads/x"], "x@sha1:COMMIT");
    }

    #[test]
    fn tag_means_the_commit_behind_it() {
        let tag = Reference { tag: Some("v1".into()), ..Reference::default() };
        check(&tag, &["refs/tags/v1"], "v1@sha1:COMMIT");
    }

    #[test]
    fn name_stays_whole_in_the_revision() {
        check(&named("refs/pull/7/head"), &["refs/pull/7/head"], "refs/pull/7/head@sha1:COMMIT");
        check(&named("refs/tags/v1^{}"), &["refs/tags/v1"], "refs/tags/v1^{}@sha1:COMMIT");
    }

    #[test]
    fn range_picks_the_highest_tag() {
        let names = ["refs/tags/v1.0.0", "refs/tags/1.2.0", "refs/tags/2.0.0", "refs/tags/latest"];
        check(&range("1.x"), &names, "1.2.0@sha1:COMMIT");
        check(&range("3.x"), &names, "nothing");
    }

    #[test]
    fn equal_versions_are_undecided() {
        check(&range("*"), &["refs/tags/1.0.0+a", "refs/tags/1.0.0+b"], "2 equal ones");
    }
}
