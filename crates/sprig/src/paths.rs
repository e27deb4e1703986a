//! Slash-separated paths. Those of the operating system are the same on the systems we run on.

use gotemplate::{Functions, Value};

use crate::arguments::{Answer, STRING, plain, text};

pub(crate) fn register(functions: &mut Functions) {
    let mut add = |names: [&'static str; 2], body: fn(&[Value]) -> Answer| {
        for name in names {
            plain(functions, name, [STRING], body);
        }
    };
    add(["base", "osBase"], |arguments| Ok(Value::string(base(text(arguments, 0)?))));
    add(["dir", "osDir"], |arguments| Ok(Value::string(dir(text(arguments, 0)?))));
    add(["clean", "osClean"], |arguments| Ok(Value::string(clean(text(arguments, 0)?))));
    add(["ext", "osExt"], |arguments| Ok(Value::string(extension(text(arguments, 0)?))));
    add(["isAbs", "osIsAbs"], |arguments| Ok(Value::Bool(text(arguments, 0)?.starts_with(b"/"))));
}

/// The last element, without slashes behind it; `.` of an empty path, `/` of slashes alone.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let path = &path[..end];
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    if path.is_empty() { b"/" } else { &path[start..] }
}

/// Everything up to the last slash, cleaned.
fn dir(path: &[u8]) -> Vec<u8> {
    clean(&path[..path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)])
}

/// What the last element has from its last dot on.
fn extension(path: &[u8]) -> &[u8] {
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let last = &path[start..];
    last.iter().rposition(|byte| *byte == b'.').map_or(b"", |dot| &last[dot..])
}

/// The shortest path that means the same: no empty elements, no `.`, no `..` behind a name.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut elements: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." if elements.last().is_some_and(|last| *last != b"..") => {
                elements.pop();
            }
            b".." if rooted => {}
            element => elements.push(element),
        }
    }
    let joined = elements.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
