//! Sets of characters.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// The set of the characters of these ranges, given by code point. Surrogates are no characters:
/// no text has them, so they are left out.
pub(super) fn of_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> ClassUnicode {
    ClassUnicode::new(ranges.into_iter().filter_map(|(low, high)| {
        let low = char::from_u32(low).unwrap_or('\u{e000}');
        let high = char::from_u32(high).unwrap_or('\u{d7ff}');
        (low <= high).then(|| ClassUnicodeRange::new(low, high))
    }))
}

/// The set with everything that differs from a member only in case.
pub(super) fn folded(mut class: ClassUnicode) -> ClassUnicode {
    class.case_fold_simple();
    class
}

/// All characters that aren't in the set.
pub(super) fn negated(mut class: ClassUnicode) -> ClassUnicode {
    class.negate();
    class
}
