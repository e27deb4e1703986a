//! Brings references in line with names that have changed.

use crate::config::{Create, References, Spec, walk_anyway};
use crate::error::{Context as _, Error, Result};
use crate::ids::{Gvk, ResId};
use crate::resmap::ResMap;
use crate::resource::Resource;
use krm::{Node, Scalar, ScalarKind};
use std::collections::{HashMap, HashSet};

/// Fixes the references of all resources.
pub(crate) fn fix(map: &mut ResMap, references: &[References]) -> Result<()> {
    let candidates: Vec<Candidate> = map.items().iter().map(Candidate::of).collect();
    let index = Index::of(&candidates);
    let mut by_kind = ByKind::of(references);
    for (position, resource) in map.items_mut().iter_mut().enumerate() {
        let original = resource.original_id().gvk;
        let found = by_kind.find(&original);
        if found.is_empty() {
            continue;
        }
        let me = &candidates[position];
        let visible = visible_namespaces(resource)?;
        for (target, spec) in found {
            let fixer = Fixer { index: &index, candidates: &candidates, me, target, spec, visible: &visible };
            fixer.run(&mut resource.node)?;
        }
    }
    Ok(())
}

/// What is known about a resource that may be referred to.
struct Candidate {
    current: ResId,
    original_namespace: String,
    cluster_scoped: bool,
    previous: Vec<ResId>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    role_ref: Option<Gvk>,
}

impl Candidate {
    fn of(resource: &Resource) -> Self {
        let current = resource.current_id();
        let part = |key| resource.node.at(&["roleRef", key]).and_then(Node::text);
        let role_ref = part("apiGroup").zip(part("kind")).map(|(group, kind)| Gvk::of_parts(group, "", kind));
        Self {
            cluster_scoped: current.cluster_scoped,
            original_namespace: resource.original_id().effective_namespace().to_owned(),
            previous: resource.book.previous.iter().map(|p| resource.previous_id(p)).collect(),
            prefixes: resource.book.prefixes.clone(),
            suffixes: resource.book.suffixes.clone(),
            current,
            role_ref,
        }
    }

    fn namespace(&self) -> &str {
        self.current.effective_namespace()
    }

    fn was_selected_by(&self, gvk: &Gvk) -> bool {
        self.previous.iter().any(|id| gvk.selects(&id.gvk))
    }

    fn affixes_fit(&self, other: &Self, empty_fits: bool) -> bool {
        let fit =
            |a: &[String], b: &[String]| (empty_fits && (a.is_empty() || b.is_empty())) || same_ending(a, b);
        fit(&self.prefixes, &other.prefixes) && fit(&self.suffixes, &other.suffixes)
    }
}

/// Whether the shorter list is the tail of the longer; an empty one is only of another empty one.
fn same_ending(a: &[String], b: &[String]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.len() == b.len();
    }
    if a.len() <= b.len() { b.ends_with(a) } else { a.ends_with(b) }
}

/// Candidates by the names and by the namespace that they had.
struct Index<'a> {
    by_name: HashMap<&'a str, Vec<usize>>,
    /// Of those that can be reached from the same places, one each.
    by_namespace: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(candidates: &'a [Candidate]) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (position, candidate) in candidates.iter().enumerate() {
            for id in &candidate.previous {
                let positions = by_name.entry(id.name.as_str()).or_default();
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            }
        }
        Self { by_name, by_namespace: Self::namespaces(candidates) }
    }

    fn namespaces(candidates: &'a [Candidate]) -> HashMap<&'a str, Vec<usize>> {
        let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut seen = HashSet::new();
        for (position, candidate) in candidates.iter().enumerate() {
            let original = candidate.original_namespace.as_str();
            if seen.insert((original, candidate.current.namespace.as_str(), candidate.cluster_scoped)) {
                found.entry(original).or_default().push(position);
            }
        }
        found
    }
}

/// Places of references by the kind that has them; most kinds aren't in a build, so nobody looks for theirs.
struct ByKind<'a> {
    kinds: HashMap<String, Vec<(&'a Gvk, &'a Spec)>>,
    all: &'a [References],
}

impl<'a> ByKind<'a> {
    fn of(all: &'a [References]) -> Self {
        Self { kinds: HashMap::new(), all }
    }

    /// The places in resources of a kind, in the order of the configuration.
    fn find(&mut self, gvk: &Gvk) -> Vec<(&'a Gvk, &'a Spec)> {
        if !self.kinds.contains_key(&*gvk.kind) {
            self.kinds.insert(gvk.kind.to_string(), self.of_kind(&gvk.kind));
        }
        let found = self.kinds.get(&*gvk.kind).into_iter().flatten();
        found.filter(|(_, spec)| spec.gvk.selects(gvk)).copied().collect()
    }

    fn of_kind(&self, kind: &str) -> Vec<(&'a Gvk, &'a Spec)> {
        let all = self.all.iter().flat_map(|group| group.specs.iter().map(move |spec| (&group.target, spec)));
        all.filter(|(_, spec)| spec.gvk.kind.is_empty() || spec.gvk.kind == kind).collect()
    }
}

/// Namespaces that a role binding reaches through its subjects.
fn visible_namespaces(resource: &Resource) -> Result<Vec<String>> {
    if resource.kind() != "RoleBinding" {
        return Ok(Vec::new());
    }
    let mut namespaces = Vec::new();
    let subjects = resource.node.get("subjects").and_then(Node::as_seq);
    for subject in subjects.into_iter().flatten() {
        let is_account = subject.get("kind").and_then(Node::text) == Some("ServiceAccount");
        let Some(namespace) = subject.get("namespace").filter(|_| is_account) else { continue };
        let Some(text) = namespace.as_scalar().filter(|scalar| scalar.kind == ScalarKind::Str) else {
            let message = format!(
                "Invalid Input: namespace is blank for resource {:?}",
                resource.current_id().to_string()
            );
            let error = Error::new(message).line(namespace.line() as usize);
            return Err(error.hint("write a namespace's name; put it in quotes if it is a number"));
        };
        namespaces.push(text.text.clone());
    }
    Ok(namespaces)
}

struct Fixer<'a> {
    index: &'a Index<'a>,
    candidates: &'a [Candidate],
    me: &'a Candidate,
    target: &'a Gvk,
    spec: &'a Spec,
    visible: &'a [String],
}

impl Fixer<'_> {
    fn run(&self, node: &mut Node) -> Result<()> {
        // The referrer was chosen by its original kind; its current one doesn't matter here.
        walk_anyway(self.spec, node, Create::Never, &mut |leaf| self.leaf(leaf)).context(|| {
            format!("updating name reference in '{}' field of '{}'", self.spec.path, self.me.current)
        })
    }

    fn leaf(&self, node: &mut Node) -> Result<()> {
        match node {
            node if node.is_null() => Ok(()),
            Node::Scalar(scalar) => self.scalar(scalar),
            Node::Mapping(_) => self.map(node),
            Node::Sequence(items) => items.iter_mut().try_for_each(|item| match item {
                item if item.is_null() => Ok(()),
                Node::Scalar(scalar) => self.scalar(scalar),
                Node::Mapping(_) => self.map(item),
                Node::Sequence(_) => {
                    Err(Error::new("list is expected to be either a string or a map of string"))
                }
            }),
        }
    }

    fn scalar(&self, scalar: &mut Scalar) -> Result<()> {
        let same = |found: &[&Candidate]| found.windows(2).all(|w| w[0].current.name == w[1].current.name);
        let Some(referral) = self.select(&scalar.text, None, same)? else { return Ok(()) };
        if referral.current.name != scalar.text {
            *scalar = Scalar { line: scalar.line, ..Scalar::string(referral.current.name.clone()) };
        }
        Ok(())
    }

    fn map(&self, node: &mut Node) -> Result<()> {
        let Some(map) = node.as_map_mut() else { return Ok(()) };
        let name = map.get("name").ok_or_else(|| Error::new("path config error; no 'name' field in node"))?;
        // A name that is a list or a map refers to nothing.
        let Some(name) = name.as_scalar().map(|s| s.text.clone()) else { return Ok(()) };
        let namespace = map.get("namespace").and_then(Node::as_scalar).map(|s| s.text.clone());
        let same = |found: &[&Candidate]| {
            found.windows(2).all(|w| {
                w[0].current.name == w[1].current.name && w[0].current.namespace == w[1].current.namespace
            })
        };
        let Some(referral) = self.select(&name, namespace.as_deref(), same)? else { return Ok(()) };
        let new = &referral.current;
        if new.name == name && new.namespace.is_empty() {
            return Ok(());
        }
        map.insert("name", Node::string(new.name.as_str()));
        if !new.namespace.is_empty() {
            map.insert("namespace", Node::string(new.namespace.as_str()));
        }
        Ok(())
    }

    /// Picks the one resource that a name refers to.
    fn select(
        &self,
        name: &str,
        namespace: Option<&str>,
        same: impl Fn(&[&Candidate]) -> bool,
    ) -> Result<Option<&Candidate>> {
        let Some(positions) = self.index.by_name.get(name) else { return Ok(None) };
        let role_ref = self.role_ref();
        let found: Vec<&Candidate> = positions
            .iter()
            .map(|position| &self.candidates[*position])
            .filter(|c| self.is_in_reach(c) && self.is_in(c, namespace))
            .filter(|c| c.was_selected_by(self.target))
            .filter(|c| role_ref.is_none_or(|gvk| c.was_selected_by(gvk)))
            .filter(|c| self.is_same_namespace(c))
            .collect();
        if let [one] = found[..] {
            return Ok(Some(one));
        }
        let mut found: Vec<_> = found.into_iter().filter(|c| c.affixes_fit(self.me, true)).collect();
        if found.len() > 1 {
            found.retain(|c| c.affixes_fit(self.me, false));
        }
        if found.len() > 1 && !same(&found) {
            let ids: Vec<String> = found.iter().map(|c| c.current.to_string()).collect();
            return Err(Error::new(format!("found multiple possible referrals: {}", ids.join(", "))));
        }
        Ok(found.first().copied())
    }

    fn role_ref(&self) -> Option<&Gvk> {
        self.me.role_ref.as_ref().filter(|_| self.spec.path.ends_with("roleRef/name"))
    }

    fn is_in_reach(&self, candidate: &Candidate) -> bool {
        self.me.cluster_scoped
            || candidate.cluster_scoped
            || self.me.namespace() == candidate.namespace()
            || self.visible.contains(&candidate.current.namespace)
    }

    // A namespace in the reference is an original one if there is any such, else a current one.
    fn is_in(&self, candidate: &Candidate, namespace: Option<&str>) -> bool {
        let Some(namespace) = namespace else { return true };
        let mut originals = self.index.by_namespace.get(namespace).into_iter().flatten();
        if originals.any(|position| self.is_in_reach(&self.candidates[*position])) {
            candidate.original_namespace == namespace
        } else {
            candidate.namespace() == namespace
        }
    }

    fn is_same_namespace(&self, candidate: &Candidate) -> bool {
        self.me.cluster_scoped
            || candidate.cluster_scoped
            || candidate.current.gvk.kind == "ServiceAccount"
            || self.me.namespace() == candidate.namespace()
    }
}
