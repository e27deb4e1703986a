//! Branches to text, as go-yaml v3's emitter lays it out.
//!
//! The emitter works on a stream of events and keeps comments until a place comes where it writes them. Where they
//! end up follows from that, so this writer keeps the same ones and asks for them at the same places.

use super::scalar;
use super::style::{Form, Written, is_break};
use crate::stores::text::push;
use crate::tree::{Branch, Comment, Entry, Item, Value};
use zeroize::Zeroizing;

const INDENT: usize = 4;

/// Writes documents, joined by `---` lines.
pub(in crate::stores) fn write(branches: &[Branch]) -> Zeroizing<Vec<u8>> {
    let mut writer = Writer::new();
    for (index, branch) in branches.iter().enumerate() {
        if index > 0 {
            writer.indent_to(0);
            writer.indicator("---", false);
            writer.indent_to(0);
        }
        writer.document(branch);
    }
    std::mem::take(&mut writer.out)
}

/// What the encoder hands to the emitter.
enum Node<'a> {
    Scalar { form: Form, head: Text, line: Text, foot: Text },
    List { items: Vec<Self>, head: Text, line: Text, foot: Text },
    Map { entries: Vec<Pair<'a>>, head: Text, line: Text, foot: Text },
}

struct Pair<'a> {
    key: &'a str,
    head: Text,
    foot: Text,
    value: Node<'a>,
}

/// Lines of comment, each with its sign.
type Text = Zeroizing<Vec<u8>>;

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    List,
    Map,
}

struct Writer {
    out: Zeroizing<Vec<u8>>,
    column: usize,
    /// The last thing written was a blank or an indentation.
    whitespace: bool,
    /// Nothing but indentation and entry indicators stand on this line.
    indention: bool,
    /// Below a comment at this indentation an empty line follows.
    foot_indent: Option<usize>,
    head: Text,
    line: Text,
    foot: Text,
    tail: Text,
}

impl Writer {
    fn new() -> Self {
        Self {
            out: Zeroizing::default(),
            column: 0,
            whitespace: true,
            indention: true,
            foot_indent: None,
            head: Text::default(),
            line: Text::default(),
            foot: Text::default(),
            tail: Text::default(),
        }
    }

    fn document(&mut self, branch: &Branch) {
        let root = map(branch);
        self.announce(&root);
        self.write_head(0);
        self.start(&root, 0);
        self.write_line();
        self.write_foot(0);
        self.children(root, None, Place::Root);
        self.foot_indent = Some(0);
        self.write_foot(0);
        self.foot_indent = None;
        self.indent_to(0);
    }

    /// Takes over the comments that come with the event that begins a node.
    fn announce(&mut self, node: &Node<'_>) {
        match node {
            Node::Scalar { head, line, foot, .. } => {
                keep(&mut self.head, head);
                keep(&mut self.line, line);
                keep(&mut self.foot, foot);
            }
            Node::List { head, .. } | Node::Map { head, .. } => keep(&mut self.head, head),
        }
    }

    /// Writes a scalar, or what of an empty list or map is on the line; `indent` is that of further lines.
    fn start(&mut self, node: &Node<'_>, indent: usize) {
        match node {
            Node::Scalar { form, .. } => self.scalar(form, indent),
            Node::List { items, .. } if items.is_empty() => self.indicator("[", true),
            Node::Map { entries, .. } if entries.is_empty() => self.indicator("{", true),
            Node::List { .. } | Node::Map { .. } => {}
        }
    }

    /// Writes what is in a list or map whose parent has the indentation `parent`.
    fn children(&mut self, node: Node<'_>, parent: Option<usize>, place: Place) {
        match node {
            Node::Scalar { .. } => {}
            Node::List { items, line, foot, .. } => {
                if items.is_empty() {
                    return self.end_brackets("]", &line, &foot, parent);
                }
                let indent = deeper(parent, place);
                items.into_iter().for_each(|item| self.item(item, indent));
                keep(&mut self.line, &line);
                keep(&mut self.foot, &foot);
            }
            Node::Map { entries, line, foot, .. } => {
                if entries.is_empty() {
                    return self.end_brackets("}", &line, &foot, parent);
                }
                self.entries(entries, deeper(parent, place));
                keep(&mut self.line, &line);
                keep(&mut self.foot, &foot);
            }
        }
    }

    fn end_brackets(&mut self, bracket: &str, line: &Text, foot: &Text, parent: Option<usize>) {
        keep(&mut self.line, line);
        keep(&mut self.foot, foot);
        self.indicator(bracket, false);
        self.write_line();
        self.write_foot(parent.unwrap_or(0));
    }

    fn item(&mut self, item: Node<'_>, indent: usize) {
        self.announce(&item);
        self.write_head(indent);
        self.indent_to(indent);
        self.entry_indicator("-");
        self.start(&item, deeper(Some(indent), Place::List));
        self.write_line();
        self.write_foot(indent);
        self.children(item, Some(indent), Place::List);
    }

    fn entries(&mut self, entries: Vec<Pair<'_>>, indent: usize) {
        let mut tail = Text::default();
        for Pair { key, head, foot, value } in entries {
            keep(&mut self.tail, &std::mem::replace(&mut tail, foot));
            keep(&mut self.head, &head);
            self.write_head(indent);
            self.indent_to(indent);
            self.key(key, indent);
            self.announce(&value);
            self.start(&value, deeper(Some(indent), Place::Map));
            self.write_line();
            self.write_foot(indent);
            self.children(value, Some(indent), Place::Map);
        }
        keep(&mut self.tail, &tail);
        self.write_head(indent);
    }

    fn key(&mut self, key: &str, indent: usize) {
        let below = deeper(Some(indent), Place::Map);
        if let Some(simple) = Form::of_simple_key(key) {
            self.scalar(&simple, below);
            return self.indicator(":", false);
        }
        self.entry_indicator("?");
        self.scalar(&Form::of(key), below);
        self.indent_to(indent);
        self.entry_indicator(":");
    }

    fn scalar(&mut self, form: &Form, indent: usize) {
        if !form.tag.is_empty() {
            self.indicator(form.tag, true);
        }
        match &form.written {
            Written::Line(line) => self.word(line.as_bytes()),
            Written::SingleQuoted(text) => self.single_quoted(text, indent),
            Written::Literal(text) => self.literal(text, indent),
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize) {
        self.indicator("'", true);
        for line in text.split_inclusive(is_break) {
            if self.column == 0 && !line.starts_with(is_break) {
                self.indent_to(indent);
            }
            self.put(line.replace('\'', "''").as_bytes());
            if line.ends_with(is_break) {
                self.column = 0;
                self.indention = true;
            } else {
                self.indention = false;
            }
        }
        self.indicator("'", false);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("4", false);
        }
        self.indicator(chomping(text), false);
        if self.line.is_empty() {
            self.line_break();
        } else {
            self.write_line();
        }
        self.whitespace = true;
        for line in text.split_inclusive(is_break) {
            let content = line.trim_end_matches(is_break);
            if !content.is_empty() {
                self.indent_to(indent);
                self.put(content.as_bytes());
                self.indention = false;
            }
            if content.len() < line.len() {
                self.put(&line.as_bytes()[content.len()..]);
                self.column = 0;
                self.indention = true;
            }
        }
    }

    fn write_head(&mut self, indent: usize) {
        let tail = std::mem::take(&mut self.tail);
        if !tail.is_empty() {
            self.indent_to(indent);
            self.comment(&tail, indent);
            self.foot_indent = Some(indent);
        }
        let head = std::mem::take(&mut self.head);
        if !head.is_empty() {
            self.indent_to(indent);
            self.comment(&head, indent);
        }
    }

    fn write_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(b" ");
        }
        self.comment(&line, 0);
    }

    fn write_foot(&mut self, indent: usize) {
        let foot = std::mem::take(&mut self.foot);
        if !foot.is_empty() {
            self.indent_to(indent);
            self.comment(&foot, indent);
            self.foot_indent = Some(indent);
        }
    }

    fn comment(&mut self, lines: &[u8], indent: usize) {
        for (index, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.indent_to(indent);
            }
            self.put(line);
            self.line_break();
        }
        self.whitespace = true;
    }

    /// Goes to a column, on a new line unless only indentation stands on this one.
    fn indent_to(&mut self, column: usize) {
        if !self.indention || self.column > column || (self.column == column && !self.whitespace) {
            self.line_break();
        }
        if self.foot_indent == Some(column) {
            self.line_break();
        }
        while self.column < column {
            self.put(b" ");
        }
        self.whitespace = true;
        self.foot_indent = None;
    }

    fn entry_indicator(&mut self, indicator: &str) {
        let indention = self.indention;
        self.indicator(indicator, true);
        self.indention = indention;
    }

    fn indicator(&mut self, indicator: &str, blank: bool) {
        if blank && !self.whitespace {
            self.put(b" ");
        }
        self.put(indicator.as_bytes());
        self.whitespace = false;
        self.indention = false;
    }

    fn word(&mut self, word: &[u8]) {
        if !self.whitespace {
            self.put(b" ");
        }
        self.put(word);
        self.whitespace = false;
        self.indention = false;
    }

    fn put(&mut self, bytes: &[u8]) {
        push(&mut self.out, bytes);
        self.column += bytes.len();
    }

    fn line_break(&mut self) {
        self.put(b"\n");
        self.column = 0;
        self.indention = true;
    }
}

/// The indentation below a parent: two inside a list item, else the next multiple of four.
fn deeper(parent: Option<usize>, place: Place) -> usize {
    match (parent, place) {
        (None, _) => 0,
        (Some(indent), Place::List) => indent + 2,
        (Some(indent), _) => INDENT * ((indent + INDENT) / INDENT),
    }
}

fn keep(pending: &mut Text, comment: &Text) {
    if !comment.is_empty() {
        pending.clone_from(comment);
    }
}

fn chomping(text: &str) -> &'static str {
    let mut ends = text.chars().rev();
    match (ends.next().is_some_and(is_break), ends.next()) {
        (false, _) => "-",
        (true, None) => "+",
        (true, Some(before)) if is_break(before) => "+",
        (true, Some(_)) => "",
    }
}

/// Source: sops `stores/yaml`, `treeValueToNode`.
fn node(value: &Value) -> Node<'_> {
    match value {
        Value::Map(branch) => map(branch),
        Value::List(items) => list(items),
        // Go's encoder takes bytes for a list of numbers.
        Value::Bytes(bytes) => {
            let items = bytes.iter().map(|byte| leaf(&Value::Int(i64::from(*byte)))).collect();
            Node::List { items, head: Text::default(), line: Text::default(), foot: Text::default() }
        }
        _ => leaf(value),
    }
}

fn leaf(value: &Value) -> Node<'static> {
    Node::Scalar {
        form: scalar::form(value),
        head: Text::default(),
        line: Text::default(),
        foot: Text::default(),
    }
}

/// Source: sops `stores/yaml`, `appendTreeBranch`.
fn map(branch: &Branch) -> Node<'_> {
    let mut pending = Pending::default();
    let mut entries: Vec<Pair<'_>> = Vec::new();
    let mut map_head = Text::default();
    for entry in branch {
        match entry {
            Entry::Comment(comment) => pending.add(comment),
            Entry::Pair(key, value) => {
                let mut value = node(value);
                let head = std::mem::take(&mut pending.head);
                let (above_map, head) =
                    if entries.is_empty() { (head, Text::default()) } else { (Text::default(), head) };
                keep(&mut map_head, &above_map);
                value.add_line(&std::mem::take(&mut pending.inline));
                entries.push(Pair { key, head, foot: Text::default(), value });
            }
        }
    }
    let rest = pending.rest();
    match entries.last_mut() {
        Some(last) => append(&mut last.foot, &rest),
        None => append(&mut map_head, &rest),
    }
    Node::Map { entries, head: map_head, line: Text::default(), foot: Text::default() }
}

/// Source: sops `stores/yaml`, `appendSequence`.
fn list(items: &[Item]) -> Node<'_> {
    let mut pending = Pending::default();
    let mut nodes: Vec<Node<'_>> = Vec::new();
    let mut list_head = Text::default();
    for item in items {
        match item {
            Item::Comment(comment) => pending.add(comment),
            Item::Value(value) => {
                let mut value = node(value);
                let head = std::mem::take(&mut pending.head);
                if nodes.is_empty() {
                    append(&mut list_head, &head);
                } else {
                    value.add_head(&head);
                }
                value.add_line(&std::mem::take(&mut pending.inline));
                nodes.push(value);
            }
        }
    }
    let rest = pending.rest();
    match nodes.last_mut() {
        Some(last) => last.add_foot(&rest),
        None => append(&mut list_head, &rest),
    }
    Node::List { items: nodes, head: list_head, line: Text::default(), foot: Text::default() }
}

impl Node<'_> {
    fn add_head(&mut self, text: &Text) {
        let (Self::Scalar { head, .. } | Self::List { head, .. } | Self::Map { head, .. }) = self;
        if text.is_empty() {
            return;
        }
        let below = std::mem::replace(head, text.clone());
        append(head, &below);
    }

    fn add_line(&mut self, text: &Text) {
        let (Self::Scalar { line, .. } | Self::List { line, .. } | Self::Map { line, .. }) = self;
        append(line, text);
    }

    fn add_foot(&mut self, text: &Text) {
        let (Self::Scalar { foot, .. } | Self::List { foot, .. } | Self::Map { foot, .. }) = self;
        append(foot, text);
    }
}

/// Comments that wait for the value that they belong to.
#[derive(Default)]
struct Pending {
    head: Text,
    inline: Text,
}

impl Pending {
    fn add(&mut self, comment: &Comment) {
        let mut line = Text::new(vec![b'#']);
        push(&mut line, &comment.text);
        append(if comment.inline { &mut self.inline } else { &mut self.head }, &line);
    }

    fn rest(mut self) -> Text {
        append(&mut self.head, &self.inline);
        self.head
    }
}

/// Adds lines below lines.
fn append(lines: &mut Text, more: &Text) {
    if more.is_empty() {
        return;
    }
    if !lines.is_empty() {
        push(lines, b"\n");
    }
    push(lines, more);
}
