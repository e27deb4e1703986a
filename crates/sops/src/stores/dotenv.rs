//! `KEY=value` lines; a line break in a value is written `\n`.

use super::text::{plain, push};
use crate::Format;
use crate::error::{EmitError, LoadError};
use crate::tree::{Branch, Comment, Entry, Value};
use zeroize::Zeroizing;

pub(super) fn read(text: &str) -> Result<Branch, LoadError> {
    let lines = text.split('\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(|(index, line)| entry(index + 1, line)).collect()
}

fn entry(number: usize, line: &str) -> Result<Entry, LoadError> {
    if let Some(comment) = line.strip_prefix('#') {
        let text = Zeroizing::new(comment.as_bytes().to_vec());
        return Ok(Entry::Comment(Comment { text, inline: false }));
    }
    let Some((key, value)) = line.split_once('=') else {
        return Err(LoadError::malformed(number, "invalid dotenv input line: it has no `=`"));
    };
    Ok(Entry::Pair(key.to_owned(), Value::text(value.replace("\\n", "\n"))))
}

pub(super) fn write(branch: &Branch) -> Result<Zeroizing<Vec<u8>>, EmitError> {
    let mut out = Zeroizing::default();
    for entry in branch {
        match entry {
            Entry::Comment(comment) => {
                push(&mut out, b"#");
                push(&mut out, &comment.text);
            }
            Entry::Pair(key, value) if value.is_complex() => {
                return Err(EmitError::Complex { format: Format::Dotenv, key: key.clone() });
            }
            Entry::Pair(key, value) => {
                push(&mut out, key.as_bytes());
                push(&mut out, b"=");
                escaped(&mut out, value);
            }
        }
        push(&mut out, b"\n");
    }
    Ok(out)
}

fn escaped(out: &mut Zeroizing<Vec<u8>>, value: &Value) {
    for (index, line) in plain(value).split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            push(out, b"\\n");
        }
        push(out, line);
    }
}
