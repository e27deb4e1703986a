//! Why a workload isn't ready, as its Pods tell it.

use serde_json::Value;

use super::conditions::Conditions;
use super::fields::{integer, text};
use super::{State, Status};

/// Longest text of an object that gets into a message, in bytes.
const MAX_TEXT: usize = 256;

/// Reasons to wait that every container has for a while.
const USUAL: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// Adds to the status of a workload that isn't ready what is wrong with its Pods: that of the first one, by name,
/// that has something to tell. The state stays.
#[must_use]
pub fn explain(mut status: Status, pods: &[Value]) -> Status {
    if !matches!(status.state, State::InProgress | State::Failed) {
        return status;
    }
    let problem = |pod| problem(pod).map(|problem| (text(pod, "/metadata/name"), problem));
    let first = pods.iter().filter_map(problem).min_by(|(a, _), (b, _)| a.cmp(b));
    if let Some((name, problem)) = first {
        status.message = format!("{}; Pod {name}: {problem}", status.message);
    }
    status
}

/// What is wrong with a Pod, or nothing.
fn problem(pod: &Value) -> Option<String> {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let containers = lists.iter().filter_map(|list| pod.get("status")?.get(list)?.as_array()).flatten();
    containers.into_iter().find_map(container_problem).or_else(|| unscheduled(pod))
}

fn container_problem(container: &Value) -> Option<String> {
    let name = text(container, "/name");
    let waiting = text(container, "/state/waiting/reason");
    if !waiting.is_empty() && !USUAL.contains(&waiting) {
        return Some(with(format!("container {name}: {waiting}"), text(container, "/state/waiting/message")));
    }
    let code = integer(container, "/state/terminated/exitCode").filter(|code| *code != 0)?;
    let reason = text(container, "/state/terminated/reason");
    let what = format!("container {name}: {reason} with exit code {code}");
    Some(with(what, text(container, "/state/terminated/message")))
}

fn unscheduled(pod: &Value) -> Option<String> {
    let condition = Conditions::of(pod).ok()?.find("PodScheduled", "False")?;
    Some(with(condition.reason.to_owned(), condition.message))
}

fn with(what: String, message: &str) -> String {
    if message.is_empty() { what } else { format!("{what}: {}", short(message)) }
}

/// A text on one line and not too long.
pub(super) fn short(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(MAX_TEXT)];
    let mut line = cut.split_whitespace().collect::<Vec<_>>().join(" ");
    if cut.len() < text.len() {
        line.push('…');
    }
    line
}
