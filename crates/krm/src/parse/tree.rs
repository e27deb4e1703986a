//! Parser events to trees.

use super::{Error, ErrorKind, Limits, merge};
use crate::node::{Mapping, Node, Scalar, ScalarKind, Style};
use crate::resolve::{Rules, resolve};
use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, StructureStyle, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

/// Maps below this size look keys up one by one.
const SMALL_MAP: usize = 16;

pub(super) struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    rules: Rules,
    limits: &'a Limits,
    anchors: HashMap<usize, Node>,
    /// How many lists and maps in brackets are open.
    flow: usize,
    nodes: usize,
    alias_nodes: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, rules: Rules, limits: &'a Limits) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.block_nesting_limit = limits.depth;
        options.flow_nesting_limit = limits.depth;
        options.block_scalar_eof_without_line_feed = true;
        let events = Parser::new_from_str_with_options(text, options);
        Self { events, rules, limits, anchors: HashMap::new(), flow: 0, nodes: 0, alias_nodes: 0 }
    }

    pub(super) fn documents(mut self) -> Result<Vec<Node>, Error> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) => self.anchors.clear(),
                event => documents.push(self.node(event, span, 0)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                Err(Error::malformed(marker.line(), marker.col() + 1, error.info()))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Error> {
        self.count(&span, depth)?;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = Node::Scalar(self.scalar(text, style, tag.as_deref(), &span)?);
                Ok(self.anchored(anchor, node))
            }
            Event::SequenceStart(style, anchor, _) => {
                self.flow += usize::from(style == StructureStyle::Flow);
                let node = Node::Sequence(self.sequence(depth)?);
                self.flow -= usize::from(style == StructureStyle::Flow);
                Ok(self.anchored(anchor, node))
            }
            Event::MappingStart(style, anchor, _) => {
                self.flow += usize::from(style == StructureStyle::Flow);
                let node = Node::Mapping(self.mapping(depth)?);
                self.flow -= usize::from(style == StructureStyle::Flow);
                Ok(self.anchored(anchor, node))
            }
            Event::Alias(id) => self.alias(id, &span),
            _ => Err(malformed(&span, "unexpected content")),
        }
    }

    fn count(&mut self, span: &Span, depth: usize) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(limit(span, format!("more than {} values", self.limits.nodes)));
        }
        if depth > self.limits.depth {
            return Err(limit(span, format!("nested deeper than {} levels", self.limits.depth)));
        }
        Ok(())
    }

    fn anchored(&mut self, anchor: usize, node: Node) -> Node {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        node
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Node, Error> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(malformed(span, "anchor value contains itself"));
        };
        let size = count(node);
        self.nodes += size;
        self.alias_nodes += size;
        if self.alias_nodes > self.limits.alias_nodes {
            let message = format!("aliases expand to more than {} values", self.limits.alias_nodes);
            return Err(limit(span, message));
        }
        Ok(node.clone())
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(items);
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Mapping, Error> {
        let mut entries: Vec<(Scalar, Node)> = Vec::new();
        let mut seen = Seen::default();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.key(event, span, depth)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if is_merge {
                merged.push(value);
                continue;
            }
            if let Some(first) = seen.find(&entries, &key.text) {
                // sigs.k8s.io/yaml lets the last one win where it isn't strict.
                if self.rules == Rules::V2 {
                    entries.retain(|(k, _)| k.text != key.text);
                } else {
                    return Err(duplicate(&key, first));
                }
            }
            entries.push((key, value));
            seen.added(&entries);
        }
        if !merged.is_empty() {
            let line = entries.first().map_or(1, |(key, _)| key.line as usize);
            merge::merge_into(&mut entries, merged).map_err(|m| Error::malformed(line, 1, m))?;
        }
        Ok(Mapping::from_entries(entries))
    }

    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Scalar, Error> {
        let Node::Scalar(key) = self.node(event, span, depth + 1)? else {
            return Err(malformed(&span, "a map or a list can't be a key"));
        };
        if key.text.len() > self.limits.key_bytes {
            return Err(limit(&span, format!("key is longer than {} bytes", self.limits.key_bytes)));
        }
        Ok(key)
    }

    fn scalar(
        &self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Result<Scalar, Error> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        // The parser gives `~` for a value that isn't there.
        let text = if span.is_empty() && style == Style::Plain { String::new() } else { text.into_owned() };
        let brackets = u8::try_from(self.flow).unwrap_or(u8::MAX);
        let plain = Scalar { text, kind: ScalarKind::Str, style, line, untagged: false, brackets };
        // In brackets go-yaml takes the sign for an indicator whatever follows it.
        if self.flow > 0 && style == Style::Plain && plain.text.starts_with([':', '?']) {
            return Err(malformed(span, "did not find expected node content"));
        }
        match tag {
            None if style == Style::Plain => {
                let kind = resolve(&plain.text, self.rules);
                // JSON has no infinity, and all that is read ends up as JSON.
                if kind == ScalarKind::Float && plain.text.to_ascii_lowercase().contains(['i', 'n']) {
                    return Err(malformed(span, format!("unsupported value: {}", plain.text)));
                }
                Ok(Scalar { kind, ..plain })
            }
            None => Ok(plain),
            Some(tag) => tagged(plain, tag, self.rules).map_err(|m| malformed(span, m)),
        }
    }
}

/// Gives a scalar the meaning of its tag.
fn tagged(scalar: Scalar, tag: &Tag, rules: Rules) -> Result<Scalar, String> {
    let uri = tag.to_string();
    let Some(name) = uri.strip_prefix("tag:yaml.org,2002:") else { return Ok(scalar) };
    let found = resolve(&scalar.text, rules);
    let kind = match (name, found) {
        ("binary", _) => {
            let bytes =
                crate::binary::decode(&scalar.text).ok_or("!!binary value contains invalid base64 data")?;
            return Ok(Scalar { text: String::from_utf8_lossy(&bytes).into_owned(), ..scalar });
        }
        ("float", ScalarKind::Int | ScalarKind::Float) => ScalarKind::Float,
        ("int", ScalarKind::Int) => ScalarKind::Int,
        ("int", ScalarKind::Float) if scalar.value_is_whole() => ScalarKind::Int,
        ("bool", _) if crate::resolve::boolean(&scalar.text).is_some() => ScalarKind::Bool,
        ("null", ScalarKind::Null) => ScalarKind::Null,
        ("timestamp", ScalarKind::Timestamp) => ScalarKind::Timestamp,
        ("float" | "int" | "bool" | "null" | "timestamp", _) => {
            return Err(format!("cannot decode the value as a !!{name}"));
        }
        _ => ScalarKind::Str,
    };
    Ok(Scalar { kind, ..scalar })
}

impl Scalar {
    fn value_is_whole(&self) -> bool {
        matches!(crate::number::parse(&self.text), Some(crate::number::Number::Float(f)) if f.fract() == 0.0)
    }
}

/// The keys of a map being read, by their hashes; kept only once the map is large.
#[derive(Default)]
pub(super) struct Seen {
    keys: HashSet<u64>,
}

impl Seen {
    pub(super) fn find(&self, entries: &[(Scalar, Node)], key: &str) -> Option<u32> {
        if !self.keys.is_empty() && !self.keys.contains(&self.hash(key)) {
            return None;
        }
        entries.iter().find(|(k, _)| k.text == key).map(|(k, _)| k.line)
    }

    pub(super) fn added(&mut self, entries: &[(Scalar, Node)]) {
        let new = match entries.len() {
            ..SMALL_MAP => return,
            SMALL_MAP => entries,
            len => &entries[len - 1..],
        };
        for (key, _) in new {
            let hash = self.hash(&key.text);
            self.keys.insert(hash);
        }
    }

    fn hash(&self, key: &str) -> u64 {
        self.keys.hasher().hash_one(key)
    }
}

fn count(node: &Node) -> usize {
    match node {
        Node::Scalar(_) => 1,
        Node::Sequence(items) => 1 + items.iter().map(count).sum::<usize>(),
        Node::Mapping(map) => 1 + map.iter().map(|(_, v)| 1 + count(v)).sum::<usize>(),
    }
}

fn duplicate(key: &Scalar, first: u32) -> Error {
    Error {
        line: key.line as usize,
        column: 1,
        kind: ErrorKind::DuplicateKey,
        message: format!("mapping key {:?} already defined at line {first}", key.text),
    }
}

fn malformed(span: &Span, message: impl Into<String>) -> Error {
    Error::malformed(span.start.line(), span.start.col() + 1, message)
}

fn limit(span: &Span, message: String) -> Error {
    Error::limit(span.start.line(), span.start.col() + 1, message)
}
