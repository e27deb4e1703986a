//! The rules that metadata must follow.

use super::decode::Draft;
use super::metadata::{Dependency, Maintainer, Metadata, ValidationError};
use crate::text;
use crate::version;
use gotemplate::strconv::is_print;
use std::collections::HashSet;

/// Cleans the texts of a chart's metadata, then checks them.
///
/// In a chart, no two dependencies may have one name; in an index they may, since some servers drop the alias.
///
/// # Errors
/// The first rule that is broken, in Helm's order.
pub(crate) fn validate(draft: Draft, unique: bool) -> Result<Metadata, ValidationError> {
    let Draft { mut fields, maintainers, dependencies } = draft;
    sanitize(&mut fields);
    check(&fields)?;
    fields.maintainers = maintainers.into_iter().map(maintainer).collect::<Result<_, _>>()?;
    fields.dependencies = dependencies.map(|all| all_dependencies(all, unique)).transpose()?;
    Ok(fields)
}

/// Checks metadata that was made by a program or read from a record.
///
/// # Errors
/// See [`validate`].
pub(crate) fn revalidate(metadata: &Metadata) -> Result<Metadata, ValidationError> {
    let draft = Draft {
        fields: Metadata { maintainers: Vec::new(), dependencies: None, ..metadata.clone() },
        maintainers: metadata.maintainers.iter().cloned().map(Some).collect(),
        dependencies: metadata.dependencies.as_ref().map(|all| all.iter().cloned().map(Some).collect()),
    };
    validate(draft, true)
}

fn check(metadata: &Metadata) -> Result<(), ValidationError> {
    let Metadata { name, version, .. } = metadata;
    if metadata.api_version.is_empty() {
        return broken("chart.metadata.apiVersion is required");
    }
    if name.is_empty() {
        return broken("chart.metadata.name is required");
    }
    if name == "." || name == ".." {
        return broken(format!("chart.metadata.name {} is not allowed", text::quote(name)));
    }
    if name != text::base(name) {
        return broken(format!("chart.metadata.name {} is invalid", text::quote(name)));
    }
    if version.is_empty() {
        return broken("chart.metadata.version is required");
    }
    if !version::is_valid(version) {
        return broken(format!("chart.metadata.version {} is invalid", text::quote(version)));
    }
    if !matches!(metadata.kind.as_str(), "" | "application" | "library") {
        return broken("chart.metadata.type must be application or library");
    }
    Ok(())
}

fn sanitize(metadata: &mut Metadata) {
    let Metadata { name, description, home, icon, condition, tags, app_version, kube_version, .. } = metadata;
    for text in [name, description, home, icon, condition, tags, app_version, kube_version] {
        clean(text);
    }
    metadata.sources.iter_mut().chain(&mut metadata.keywords).for_each(clean);
}

fn maintainer(maintainer: Option<Maintainer>) -> Result<Maintainer, ValidationError> {
    let Some(mut maintainer) = maintainer else {
        return broken("maintainers must not contain empty or null nodes");
    };
    let Maintainer { name, email, url } = &mut maintainer;
    [name, email, url].into_iter().for_each(clean);
    Ok(maintainer)
}

fn all_dependencies(
    dependencies: Vec<Option<Dependency>>,
    unique: bool,
) -> Result<Vec<Dependency>, ValidationError> {
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(dependencies.len());
    for dependency in dependencies {
        let dependency = checked(dependency)?;
        let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
        if !seen.insert(key.clone()) && unique {
            return broken(format!("more than one dependency with name or alias {}", text::quote(key)));
        }
        all.push(dependency);
    }
    Ok(all)
}

fn checked(dependency: Option<Dependency>) -> Result<Dependency, ValidationError> {
    let Some(mut dependency) = dependency else {
        return broken("dependencies must not contain empty or null nodes");
    };
    let Dependency { name, version, repository, condition, .. } = &mut dependency;
    [name, version, repository, condition].into_iter().for_each(clean);
    dependency.tags.iter_mut().for_each(clean);
    if !dependency.alias.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        let name = text::quote(&dependency.name);
        return broken(format!("dependency {name} has disallowed characters in the alias"));
    }
    Ok(dependency)
}

/// Makes every kind of space a plain one and drops what can't be printed.
fn clean(text: &mut String) {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return;
    }
    let cleaned = text.chars().filter_map(|c| match c {
        c if text::is_space(c) => Some(' '),
        c if is_print(c) => Some(c),
        _ => None,
    });
    *text = cleaned.collect();
}

fn broken<T>(message: impl Into<String>) -> Result<T, ValidationError> {
    Err(ValidationError(message.into()))
}
