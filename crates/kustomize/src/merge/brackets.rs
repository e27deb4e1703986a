//! What a merge does to brackets: a value takes those of the place that it comes to.

use krm::{Mapping, Node, Scalar};
use std::borrow::Cow;

/// A field's value without the brackets that its map stands in.
pub(super) fn outside<'a>((key, value): (&Scalar, &'a Node)) -> Option<Cow<'a, Node>> {
    if key.brackets == 0 {
        return Some(Cow::Borrowed(value));
    }
    let mut value = value.clone();
    shift(&mut value, -i16::from(key.brackets));
    Some(Cow::Owned(value))
}

/// Puts a new value into a map, which may stand in brackets.
pub(super) fn put_in(value: &mut Node, map: &Mapping) {
    let brackets = map.entry_at(0).map_or(0, |(key, _)| key.brackets);
    shift(value, i16::from(brackets));
}

/// Gives a list or a map the brackets of the one whose place it takes, or takes its own away.
pub(super) fn take_place(new: &mut Node, old: &Node) {
    let (Some(old), Some(own)) = (has_brackets(old), has_brackets(new)) else { return };
    shift(new, i16::from(old) - i16::from(own));
}

/// Whether a list or a map is written in brackets; unknown if it holds nothing.
fn has_brackets(node: &Node) -> Option<bool> {
    let (scalar, levels) = first_scalar(node, 0)?;
    Some(usize::from(scalar.brackets) >= levels && levels > 0)
}

/// The first scalar in a value, and in how many lists and maps of the value it is.
fn first_scalar(node: &Node, levels: usize) -> Option<(&Scalar, usize)> {
    match node {
        Node::Scalar(scalar) => Some((scalar, levels)),
        Node::Sequence(items) => first_scalar(items.first()?, levels + 1),
        Node::Mapping(map) => map.entry_at(0).map(|(key, _)| (key, levels + 1)),
    }
}

fn shift(node: &mut Node, by: i16) {
    if by == 0 {
        return;
    }
    match node {
        Node::Scalar(scalar) => {
            scalar.brackets = u8::try_from((i16::from(scalar.brackets) + by).max(0)).unwrap_or(u8::MAX);
        }
        Node::Sequence(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Node::Mapping(map) => map.iter_mut().for_each(|(_, value)| shift(value, by)),
    }
}
