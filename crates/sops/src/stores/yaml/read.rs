//! Text to branches.

use super::comments::{Comments, Position};
use super::scalar;
use crate::error::LoadError;
use crate::options::Limits;
use crate::tree::{Branch, Comment, Entry, Item, Value};
use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, StructureStyle};
use std::collections::{HashMap, HashSet};

/// Reads all documents; each must be a map or nothing.
pub(in crate::stores) fn read(text: &str, limits: &Limits) -> Result<Vec<Branch>, LoadError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.block_nesting_limit = limits.depth;
    options.flow_nesting_limit = limits.depth;
    options.block_scalar_eof_without_line_feed = true;
    let comments = Comments::of(text, options.clone());
    let events = Parser::new_from_str_with_options(text, options);
    Reader { events, comments, limits, anchors: HashMap::new(), values: 0, copied_bytes: 0, end_line: 0 }
        .documents()
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    comments: Comments,
    limits: &'a Limits,
    anchors: HashMap<usize, Value>,
    values: usize,
    /// What anchors and aliases copied, in bytes.
    copied_bytes: usize,
    /// The line on which the last list or map ended.
    end_line: usize,
}

impl<'a> Reader<'a> {
    fn documents(mut self) -> Result<Vec<Branch>, LoadError> {
        let mut documents: Vec<Branch> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => {
                    let rest = self.comments.before((usize::MAX, 0));
                    attach(documents.last_mut(), rest);
                    return Ok(documents);
                }
                Event::DocumentStart(..) => {
                    self.anchors.clear();
                    if let Some(last) = documents.last_mut() {
                        let foot = self.comments.before(start(&span));
                        attach(Some(last), foot);
                    }
                }
                event => documents.push(self.root(event, &span)?),
            }
        }
    }

    fn root(&mut self, event: Event<'a>, span: &Span) -> Result<Branch, LoadError> {
        match self.value(event, span, 0, None)? {
            Value::Map(branch) => Ok(branch),
            Value::Null => Ok(Branch::new()),
            Value::List(_) => Err(malformed(span, "YAML documents that are sequences are not supported")),
            _ => Err(malformed(span, "YAML documents that are values are not supported")),
        }
    }

    /// Reads a value inside a map whose keys stand at the column `within`, if it is inside one.
    fn value(
        &mut self,
        event: Event<'a>,
        span: &Span,
        depth: usize,
        within: Option<usize>,
    ) -> Result<Value, LoadError> {
        self.count(depth)?;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar::read(&text, style, tag.as_deref(), span.is_empty())
                    .map_err(|message| malformed(span, message))?;
                self.anchored(anchor, value)
            }
            Event::SequenceStart(style, anchor, _) => {
                let value = Value::List(self.list(style, span, depth, within)?);
                self.anchored(anchor, value)
            }
            Event::MappingStart(style, anchor, _) => {
                let value = Value::Map(self.map(style, span, depth)?);
                self.anchored(anchor, value)
            }
            Event::Alias(id) => self.alias(id, span),
            _ => Err(malformed(span, "unexpected content")),
        }
    }

    fn map(&mut self, style: StructureStyle, span: &Span, depth: usize) -> Result<Branch, LoadError> {
        let mut branch = Branch::new();
        let mut indent = span.start.col();
        let mut first = true;
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let end = start(&key_span);
                extend(&mut branch, self.comments_at_end(style, end, indent));
                refuse_duplicates(&branch, span)?;
                return Ok(branch);
            }
            if std::mem::take(&mut first) && style == StructureStyle::Block {
                indent = key_span.start.col();
            }
            extend(&mut branch, self.comments.before(start(&key_span)));
            let key = self.key(event, &key_span, depth)?;
            self.entry(&mut branch, key, &key_span, depth, indent)?;
        }
    }

    fn key(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<String, LoadError> {
        match self.value(event, span, depth + 1, None)? {
            Value::Str(text) => {
                String::from_utf8(text.to_vec()).map_err(|_| malformed(span, "invalid UTF-8"))
            }
            _ => Err(malformed(span, "Tree contains a non-string key. Only string keys are supported")),
        }
    }

    fn entry(
        &mut self,
        branch: &mut Branch,
        key: String,
        key_span: &Span,
        depth: usize,
        indent: usize,
    ) -> Result<(), LoadError> {
        let (event, span) = self.next()?;
        if !is_flow(&event) {
            let mut behind = self.comments.right_of(start(key_span), key_span.start.line());
            // What stands behind the key alone counts as standing above it.
            let same_line = span.start.line() == key_span.start.line() && !span.is_empty();
            let inline = is_leaf(&event) && (same_line || is_block_scalar(&event));
            behind.iter_mut().for_each(|comment| comment.inline = inline);
            extend(branch, behind);
        }
        if is_leaf(&event) {
            extend(branch, self.comments.before(start(&span)));
            extend(branch, self.comments.right_of(start(&span), last_line(&event, &span)));
        }
        let flow = is_flow(&event);
        let mut value = self.value(event, &span, depth + 1, Some(indent))?;
        if flow {
            // What stands behind brackets counts as the first thing inside.
            let behind = self.comments.right_of(start(&span), self.end_line);
            prepend(&mut value, behind);
        }
        branch.push(Entry::Pair(key, value));
        Ok(())
    }

    fn list(
        &mut self,
        style: StructureStyle,
        span: &Span,
        depth: usize,
        within: Option<usize>,
    ) -> Result<Vec<Item>, LoadError> {
        let mut items = Vec::new();
        // A list at the column of the key above it ends with a comment at that column.
        let indent = span.start.col() + usize::from(within == Some(span.start.col()));
        loop {
            let (event, item_span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let foot = self.comments_at_end(style, start(&item_span), indent);
                items.extend(foot.into_iter().map(Item::Comment));
                return Ok(items);
            }
            let mut comments = match is_block_scalar(&event) {
                true => self.comments.before_block(start(&item_span)),
                false => self.comments.before(start(&item_span)),
            };
            if is_leaf(&event) {
                comments.extend(self.comments.right_of(start(&item_span), last_line(&event, &item_span)));
            }
            let flow = is_flow(&event);
            let value = self.value(event, &item_span, depth + 1, None)?;
            if flow {
                comments.extend(self.comments.right_of(start(&item_span), self.end_line));
            }
            items.extend(comments.into_iter().map(Item::Comment));
            items.push(Item::Value(value));
        }
    }

    fn comments_at_end(&mut self, style: StructureStyle, end: Position, indent: usize) -> Vec<Comment> {
        match style {
            StructureStyle::Flow => self.comments.before(end),
            StructureStyle::Block => self.comments.trailing(end, indent),
        }
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Value, LoadError> {
        let Some(value) = self.anchors.get(&id) else {
            return Err(malformed(span, "anchor value contains itself"));
        };
        let value = value.clone();
        self.values = self.values.saturating_add(size(&value).0);
        self.copied(&value)?;
        Ok(value)
    }

    fn anchored(&mut self, anchor: usize, value: Value) -> Result<Value, LoadError> {
        if anchor > 0 {
            self.copied(&value)?;
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn copied(&mut self, value: &Value) -> Result<(), LoadError> {
        self.copied_bytes = self.copied_bytes.saturating_add(size(value).1);
        if self.copied_bytes > self.limits.alias_bytes {
            return Err(LoadError::Limit {
                what: "size of expanded aliases",
                limit: self.limits.alias_bytes,
            });
        }
        Ok(())
    }

    const fn count(&mut self, depth: usize) -> Result<(), LoadError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(LoadError::Limit { what: "number of values", limit: self.limits.values });
        }
        if depth > self.limits.depth {
            return Err(LoadError::Limit { what: "depth", limit: self.limits.depth });
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), LoadError> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
                    self.end_line = span.start.line();
                }
                Ok((event, span))
            }
            Some(Err(error)) => Err(LoadError::malformed(error.marker().line(), error.info())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }
}

fn refuse_duplicates(branch: &Branch, span: &Span) -> Result<(), LoadError> {
    let mut seen = HashSet::new();
    for entry in branch {
        if let Entry::Pair(key, _) = entry
            && !seen.insert(key.as_str())
        {
            return Err(malformed(span, format!("mapping key {key:?} already defined")));
        }
    }
    Ok(())
}

const fn is_leaf(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(..) | Event::Alias(_))
}

/// A block scalar begins, for the parser, behind its header: the line that a comment may stand on.
const fn is_block_scalar(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..))
}

const fn is_flow(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::SequenceStart(StructureStyle::Flow, ..) | Event::MappingStart(StructureStyle::Flow, ..)
    )
}

fn extend(branch: &mut Branch, comments: Vec<Comment>) {
    branch.extend(comments.into_iter().map(Entry::Comment));
}

fn attach(branch: Option<&mut Branch>, comments: Vec<Comment>) {
    if let Some(branch) = branch {
        extend(branch, comments);
    }
}

fn start(span: &Span) -> Position {
    (span.start.line(), span.start.col())
}

/// The line behind which a comment may stand; a block's is that of its header.
fn last_line(event: &Event<'_>, span: &Span) -> usize {
    if is_block_scalar(event) { span.start.line() } else { span.end.line() }
}

fn prepend(value: &mut Value, comments: Vec<Comment>) {
    let comments = comments.into_iter().map(|comment| Comment { inline: false, ..comment });
    match value {
        Value::Map(branch) => drop(branch.splice(0..0, comments.map(Entry::Comment))),
        Value::List(items) => drop(items.splice(0..0, comments.map(Item::Comment))),
        _ => {}
    }
}

/// How many values there are and how many bytes of text.
fn size(value: &Value) -> (usize, usize) {
    const OVERHEAD: usize = 32;
    let parts: Vec<(usize, usize)> = match value {
        Value::Str(text) | Value::Bytes(text) => return (1, OVERHEAD + text.len()),
        Value::Null | Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Time(_) => {
            return (1, OVERHEAD);
        }
        Value::List(items) => items
            .iter()
            .map(|item| match item {
                Item::Value(value) => size(value),
                Item::Comment(comment) => (1, comment.text.len()),
            })
            .collect(),
        Value::Map(branch) => branch
            .iter()
            .map(|entry| match entry {
                Entry::Pair(key, value) => {
                    let (values, bytes) = size(value);
                    (values, bytes + key.len())
                }
                Entry::Comment(comment) => (1, comment.text.len()),
            })
            .collect(),
    };
    parts.into_iter().fold((1, OVERHEAD), |(v, b), (values, bytes)| (v + values, b + bytes))
}

fn malformed(span: &Span, message: impl Into<String>) -> LoadError {
    LoadError::malformed(span.start.line(), message)
}
