//! The comments of a text, handed out as the values around them are read.

use crate::tree::Comment;
use granit_parser::{Event, Options, Parser, Placement};
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// A place in the text: line, then column.
pub(super) type Position = (usize, usize);

/// The comments that weren't handed out yet, in the order of the text.
#[derive(Default)]
pub(super) struct Comments {
    pending: VecDeque<Found>,
}

struct Found {
    at: Position,
    text: String,
    /// Whether something else stands on the line in front of it.
    right: bool,
}

impl Comments {
    /// Finds the comments of a text. What is wrong with the text is left for the reader of values to find.
    pub(super) fn of(text: &str, mut options: Options) -> Self {
        if !text.contains('#') {
            return Self::default();
        }
        options.set_emit_comments(true);
        options.max_buffered_comment_events = usize::MAX;
        let mut pending = VecDeque::new();
        let mut parser = Parser::new_from_str_with_options(text, options);
        while let Some(Ok((event, span))) = parser.next_event() {
            match event {
                Event::Comment(text, placement) => pending.push_back(Found {
                    at: (span.start.line(), span.start.col()),
                    text: text.into_owned(),
                    right: placement == Placement::Right,
                }),
                Event::StreamEnd => break,
                _ => {}
            }
        }
        Self { pending }
    }

    /// Hands out what stands before a position.
    pub(super) fn before(&mut self, position: Position) -> Vec<Comment> {
        self.take_while(|found| found.at < position)
    }

    /// Hands out what stands before the content of a block scalar: what is beside its header counts as beside it.
    pub(super) fn before_block(&mut self, position: Position) -> Vec<Comment> {
        let mut comments = self.take_while(|found| found.at < position && !found.right);
        let mut beside = self.before(position);
        beside.iter_mut().for_each(|comment| comment.inline = true);
        comments.append(&mut beside);
        comments
    }

    /// Hands out what stands before a position, down to a column: it belongs to a block that ends.
    pub(super) fn trailing(&mut self, position: Position, indent: usize) -> Vec<Comment> {
        self.take_while(|found| found.at < position && !found.right && found.at.1 >= indent)
    }

    /// Hands out what stands behind something on its line.
    pub(super) fn right_of(&mut self, start: Position, end_line: usize) -> Vec<Comment> {
        let mut comments = self.take_while(|found| {
            found.right && found.at > start && (found.at.0 == start.0 || found.at.0 == end_line)
        });
        comments.iter_mut().for_each(|comment| comment.inline = true);
        comments
    }

    fn take_while(&mut self, belongs: impl Fn(&Found) -> bool) -> Vec<Comment> {
        let mut taken = Vec::new();
        while let Some(found) = self.pending.pop_front() {
            if !belongs(&found) {
                self.pending.push_front(found);
                break;
            }
            taken.push(Comment { text: Zeroizing::new(found.text.into_bytes()), inline: false });
        }
        taken
    }
}
