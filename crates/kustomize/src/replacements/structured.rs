//! Values inside of texts that are YAML or JSON themselves.

use super::set as set_field;
use crate::file::FieldOptions;
use crate::lookup::{self, Leaf};
use krm::Node;

/// Sets a value inside of the first text on the path that is YAML or JSON; tells whether it did.
pub(super) fn set(node: &mut Node, path: &[String], value: &Node, options: Option<&FieldOptions>) -> bool {
    let Some(at) = text_on(node, path) else { return false };
    let (outer, inner) = path.split_at(at);
    let Ok(Some(Node::Scalar(scalar))) = lookup::get(node, outer) else { return false };
    let Some(changed) = changed(&scalar.text, inner, value, options) else { return false };
    let done = lookup::visit(node, outer, None, &mut |field| {
        if let Some(scalar) = field.as_scalar_mut() {
            scalar.text.clone_from(&changed);
        }
        Ok(())
    });
    done.is_ok_and(|count| count > 0)
}

/// How much of the path leads to a text.
fn text_on(node: &Node, path: &[String]) -> Option<usize> {
    (1..path.len()).find(|at| {
        matches!(lookup::get(node, &path[..*at]), Ok(Some(Node::Scalar(scalar))) if krm::parse(&scalar.text).is_ok())
    })
}

fn changed(text: &str, path: &[String], value: &Node, options: Option<&FieldOptions>) -> Option<String> {
    let mut document = krm::parse(text).ok()?.into_iter().next()?;
    let create = options.filter(|o| o.create).map(|_| Leaf::of(value));
    let found = lookup::visit(&mut document, path, create, &mut |field| set_field(field, value, options));
    if found.ok()? == 0 {
        return None;
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return Some(krm::emit_as_read(&document).trim().to_owned());
    }
    let mut json = document.to_json();
    json.sort_all_objects();
    let pretty = text.contains('\n') && text.contains("  ");
    let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
    text.ok().map(|text| escape_html(&text))
}

// Go's encoder escapes these in all strings, and they can't stand anywhere else in JSON.
fn escape_html(json: &str) -> String {
    if !json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}
