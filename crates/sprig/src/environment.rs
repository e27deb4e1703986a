//! The environment, as the caller's [`Sources`] give it. Helm takes these functions away.

use std::rc::Rc;

use gotemplate::{Function, Functions, Value};

use crate::Sources;
use crate::arguments::{STRING, text};
use crate::limits;

pub(crate) fn register(functions: &mut Functions, sources: &Rc<dyn Sources>) {
    let from = Rc::clone(sources);
    functions.insert(
        "env",
        Function::new([STRING], move |_, arguments| Ok(Value::from(variable(&*from, text(arguments, 0)?)))),
    );
    let from = Rc::clone(sources);
    functions.insert(
        "expandenv",
        Function::new([STRING], move |_, arguments| {
            let expanded = expand(text(arguments, 0)?, |name| variable(&*from, name));
            limits::check_bytes(expanded.len())?;
            Ok(Value::string(expanded))
        }),
    );
}

/// A variable that isn't set is empty.
fn variable(sources: &dyn Sources, name: &[u8]) -> String {
    let name = std::str::from_utf8(name).ok();
    name.and_then(|name| sources.environment(name)).unwrap_or_default()
}

/// Go's `os.Expand`: `$name` and `${name}`; a `$` before anything else stands, bad braces vanish.
fn expand(text: &[u8], variable: impl Fn(&[u8]) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let (name, width) = shell_name(after);
        match name {
            [] if width == 0 => out.push(b'$'),
            [] => {}
            name => out.extend_from_slice(variable(name).as_bytes()),
        }
        rest = &after[width..];
    }
    out.extend_from_slice(rest);
    out
}

/// The name at the beginning of what follows a `$`, and how many bytes it takes with its braces.
fn shell_name(text: &[u8]) -> (&[u8], usize) {
    match text {
        [b'{', special, b'}', ..] if is_special(*special) => (&text[1..2], 3),
        [b'{', inside @ ..] => match inside.iter().position(|byte| *byte == b'}') {
            Some(end) => (&inside[..end], end + 2),
            None => (&[], 1),
        },
        [special, ..] if is_special(*special) => (&text[..1], 1),
        _ => {
            let is_name = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
            let width = text.iter().position(|byte| !is_name(byte)).unwrap_or(text.len());
            (&text[..width], width)
        }
    }
}

/// The one-character names of shells, digits included.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9')
}
