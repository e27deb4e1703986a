//! Template errors as Helm prints them.
//!
//! Go's text names the innermost place last, after everything that was under way. Helm 4 prints the
//! chain one step a line, outermost first; Helm 3 leaves it as it is. `required` and `fail` mark their
//! words, and only those are printed.

use std::fmt::Write as _;

use gotemplate::{CallError, ErrorKind, LimitError, Location};

use crate::Compat;

const MARK_START: &str = "HELM_ERR_START";
const MARK_END: &str = "HELM_ERR_END";

/// Marks the words of `required` and `fail`, so that they are found in the text around them.
pub(super) fn marked(words: &str) -> String {
    format!("{MARK_START}{words}{MARK_END}")
}

/// What Helm says when a template can't be parsed.
pub(super) fn parse_error(file: &str, error: &gotemplate::ParseError) -> String {
    let text = error.to_string();
    let mut segments = text.split(": ");
    let (Some(_), Some(location)) = (segments.next(), segments.next()) else {
        return format!("parse error in ({file}): {text}");
    };
    let message = segments.last().unwrap_or(location);
    format!("parse error at ({location}): {message}")
}

/// What Helm says when a template fails.
pub(super) fn exec_error(file: &str, error: &gotemplate::Error, compat: Compat) -> String {
    if let (ErrorKind::Execute(location), Some(limit)) = (&error.kind, error.limit()) {
        return limit_error(location, limit, compat);
    }
    let text = error.to_string();
    if !matches!(error.kind, ErrorKind::Execute(_)) {
        return text;
    }
    let mut segments = text.splitn(3, ": ").skip(1);
    let (Some(location), Some(rest)) = (segments.next(), segments.next()) else {
        return format!("execution error in ({file}): {text}");
    };
    if let Some(words) = between_marks(rest) {
        return format!("execution error at ({location}): {words}");
    }
    if compat == Compat::V3 {
        return text;
    }
    multi_line(error).unwrap_or(text)
}

/// What ended a template that asked for too much: where it began, and the limit.
///
/// Of what was under way in between there can be thousands of steps, and `tpl` quotes the whole template at each. Helm,
/// which knows but one limit, ten times as high as ours, has no text for the others.
fn limit_error(location: &Location, limit: LimitError, compat: Compat) -> String {
    let Location { file, line, column, template, context, .. } = location;
    let (place, executing) =
        (format!("{file}:{line}:{column}"), format!("executing \"{template}\" at <{context}>:"));
    if compat == Compat::V3 {
        return format!("template: {place}: {executing} {limit}");
    }
    format!("{place}\n  {executing}\n    {limit}")
}

/// From the first start mark to the last end mark.
fn between_marks(text: &str) -> Option<&str> {
    let start = text.find(MARK_START)? + MARK_START.len();
    let end = text.rfind(MARK_END)?;
    text.get(start..end)
}

/// One step of the chain of causes.
#[derive(PartialEq, Eq)]
struct Step<'a> {
    location: &'a str,
    executing: String,
    message: &'a str,
}

/// The chain, a step after the other; none when one of the causes isn't a template's error.
fn multi_line(error: &gotemplate::Error) -> Option<String> {
    let texts = chain(error)?;
    let mut steps: Vec<Step<'_>> = Vec::new();
    for text in &texts {
        let step = step(text)?;
        if steps.last() != Some(&step) {
            steps.push(step);
        }
    }
    let mut out = String::new();
    for step in &steps {
        if !step.location.is_empty() {
            let _ = write!(out, "{}\n  ", step.location);
        }
        if !step.executing.is_empty() {
            let _ = write!(out, "{}\n    ", step.executing);
        }
        if !step.message.is_empty() {
            let _ = writeln!(out, "{}", step.message);
        }
    }
    Some(out.trim().to_owned())
}

/// The texts of the error and its causes; none when a cause isn't a template's error.
fn chain(error: &gotemplate::Error) -> Option<Vec<String>> {
    let mut texts = vec![text_of_step(error)];
    let mut current = error;
    while let Some(cause) = current.cause.as_deref() {
        let CallError::Template(inner) = cause else { return None };
        texts.push(text_of_step(inner));
        current = inner;
    }
    Some(texts)
}

/// As much of an error's text as a step shows. The whole text of each step has those of all steps after it, and there
/// can be thousands.
fn text_of_step(error: &gotemplate::Error) -> String {
    if let (ErrorKind::Execute(location), Some(CallError::Template(_))) =
        (&error.kind, error.cause.as_deref())
    {
        let text = format!("template: {location}: template:");
        if text.strip_prefix("template: ").and_then(executing).is_some() {
            return text;
        }
    }
    error.to_string()
}

fn step(text: &str) -> Option<Step<'_>> {
    let rest = text.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(Step { location: "", executing: String::new(), message: text });
    }
    executing(rest).or_else(|| {
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Step { location, executing: String::new(), message: first_of_chain(message) })
    })
}

/// `NAME:LINE:COLUMN: executing "TEMPLATE" at <CONTEXT>: MESSAGE`
fn executing(rest: &str) -> Option<Step<'_>> {
    let (location, after) = rest.split_once(": executing ")?;
    let after = after.strip_prefix('"')?;
    let (template, after) = after.split_once('"')?;
    let (context, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
    let executing = format!("executing \"{template}\" at <{context}>:");
    Some(Step { location, executing, message: first_of_chain(message) })
}

/// The message without the causes after it.
fn first_of_chain(message: &str) -> &str {
    message.find(" template:").map_or(message, |at| &message[..at])
}
