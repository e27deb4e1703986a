//! What go-yaml v3 makes of folded text that it writes and reads again.

use super::scalar::Analysis;

/// What a folded scalar (`>`) holds once go-yaml v3 has written it and read it again, if that isn't what it was.
///
/// The writer puts one more line break after a line of text, as the reader takes one away. But it does so too in front
/// of an indented line and at the end of text that keeps its line breaks, where the reader takes none; and not at all
/// if the text starts with a blank (`yaml_emitter_write_folded_scalar` looks at the start where it should look at what
/// comes next).
#[must_use]
pub fn refolded(text: &str) -> Option<String> {
    // Tabs are no hindrance to a block there.
    if !text.contains('\n') || !Analysis::of(&text.replace('\t', "x")).block {
        return None;
    }
    let adds = !text.trim_start_matches('\n').starts_with([' ', '\t']) && !text.chars().all(|c| c == '\n');
    let mut out = String::with_capacity(text.len() + 8);
    let mut line_is_text = false;
    let mut rest = text;
    while let Some(at) = rest.find('\n') {
        let line = &rest[..at];
        if !line.is_empty() {
            line_is_text = !line.starts_with([' ', '\t']);
        }
        out.push_str(line);
        let breaks = rest[at..].bytes().take_while(|b| *b == b'\n').count();
        rest = &rest[at + breaks..];
        let written = breaks + usize::from(adds && line_is_text && !line.is_empty());
        push_breaks(&mut out, breaks, written, line_is_text && !line.is_empty(), rest);
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

/// Adds the breaks that reading gives of those written.
fn push_breaks(out: &mut String, breaks: usize, written: usize, after_text: bool, rest: &str) {
    let keeps = breaks > 1;
    let read = match rest {
        "" if keeps => written,
        "" => 1,
        _ if after_text && !rest.starts_with([' ', '\t']) => written - 1,
        _ => written,
    };
    if read == 0 {
        out.push(' ');
    }
    out.extend(std::iter::repeat_n('\n', read));
}
