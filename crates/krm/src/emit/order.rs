//! The order of keys in a map.

use crate::node::{Mapping, Node, Scalar};
use std::cmp::Ordering;

/// The entries of a map in go-yaml's order.
pub(super) fn sorted(map: &Mapping) -> Vec<(&Scalar, &Node)> {
    merge_sort(map.iter().collect())
}

/// Whether the entries of a map are in go-yaml's order as they stand.
pub(super) fn is_sorted(map: &Mapping) -> bool {
    let keys = map.iter().map(|(key, _)| &key.text);
    keys.clone().zip(keys.skip(1)).all(|(a, b)| key_order(a, b) != Ordering::Greater)
}

// The order isn't transitive for every odd mix of digits and letters, and the standard sort may panic then.
fn merge_sort<'a>(entries: Vec<(&'a Scalar, &'a Node)>) -> Vec<(&'a Scalar, &'a Node)> {
    if entries.len() < 2 {
        return entries;
    }
    let mut left = entries;
    let right = left.split_off(left.len() / 2);
    let (left, right) = (merge_sort(left), merge_sort(right));
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        let next = if key_order(&b.text, &a.text) == Ordering::Less { right.next() } else { left.next() };
        out.extend(next);
    }
    out.extend(left);
    out.extend(right);
    out
}

/// Compares two keys as go-yaml v2 does: digits as numbers, other characters before letters.
#[must_use]
pub fn key_order(a: &str, b: &str) -> Ordering {
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    if common == a.len() || common == b.len() {
        return a.len().cmp(&b.len());
    }
    let (x, y) = (a.as_bytes()[common], b.as_bytes()[common]);
    if x.is_ascii_alphabetic() && y.is_ascii_alphabetic() {
        return x.cmp(&y);
    }
    let start = (0..=common).rev().find(|i| a.is_char_boundary(*i) && b.is_char_boundary(*i)).unwrap_or(0);
    differing(a, b, start)
}

fn differing(a: &str, b: &str, start: usize) -> Ordering {
    let (Some(x), Some(y)) = (a[start..].chars().next(), b[start..].chars().next()) else {
        return a.len().cmp(&b.len());
    };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A run that starts with zero may continue a number that began before the difference.
    let inside_number = (x == '0' || y == '0')
        && a[..start].bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0');
    let (a_number, a_len) = run(&a[start..], inside_number);
    let (b_number, b_len) = run(&b[start..], inside_number);
    a_number.cmp(&b_number).then(a_len.cmp(&b_len)).then(x.cmp(&y))
}

fn run(text: &str, inside_number: bool) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((i64::from(inside_number), 0), |(number, len), digit| {
        (number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), len + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_natural_order() {
        let order = ["1", "2", "10", "B1", "T", "a-b", "a.b", "a_b", "ab", "b2", "b10", "é"];
        for pair in order.windows(2) {
            assert_eq!(key_order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(key_order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }
}
