//! The little that is needed of STS's XML: texts of elements that occur once.

/// The text of the first element of that name; `None` when there is none, or it has elements itself.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = xml.find(&open)? + open.len();
    let end = start + xml[start..].find(&close)?;
    let inner = xml[start..end].trim();
    (!inner.contains('<')).then(|| unescaped(inner))
}

fn unescaped(text: &str) -> String {
    let mut out = text.to_owned();
    // The ampersand comes last, so that what it uncovers isn't read again.
    for (entity, plain) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#x2F;", "/")]
    {
        out = out.replace(entity, plain);
    }
    out.replace("&amp;", "&")
}
