//! Shell-like variables in a text: `${name}`, with defaults, substrings, cases, prefixes and replacements.
//!
//! The grammar is that of Flux, not of a shell:
//!
//! | form | gives |
//! |---|---|
//! | `${v}` | the value |
//! | `${#v}` | its length in bytes |
//! | `${v^}` `${v^^}` `${v,}` `${v,,}` | with the first letter, or all, in upper or lower case |
//! | `${v:pos}` `${v:pos:len}` | a part, by bytes; numbers that aren't any leave the value as it is |
//! | `${v=d}` `${v:=d}` `${v:-d}` `${v:?d}` `${v:+d}` | `d` where the value is empty or not set |
//! | `${v#p}` `${v##p}` `${v%p}` `${v%%p}` | without the shortest or longest prefix or suffix that the glob matches |
//! | `${v/o/n}` `${v//o/n}` `${v/#o/n}` `${v/%o/n}` | with `n` for the first, every, the leading, the trailing `o` |
//! | `$$` | `$` |
//!
//! Text that was put in isn't looked at again. The time is linear in the text, its values and its output, each glob
//! counted once per character that it's tried on.
//!
//! Source: fluxcd/pkg `envsubst` 1.7. Deviations: a character is never cut in half by a glob; a negative length that
//! ends before its start is an error, not a panic; nesting and output are bounded.

mod error;
mod eval;
mod functions;
mod glob;
mod parse;
mod runes;

pub use error::{Error, ErrorKind};

/// Bounds on one text.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest output, in bytes, what nested substitutions give on the way included.
    pub output: usize,
    /// Deepest nesting of `${` in `${`.
    pub depth: usize,
    /// Most bytes that are searched for patterns, counted again for each pattern and each of its characters.
    pub searched: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output: 8 << 20, depth: 32, searched: 256 << 20 }
    }
}

/// Replaces the variables in a text by what `lookup` says of them.
///
/// Variables that aren't set are empty; with `strict` they are an error, unless they stand with a default.
///
/// # Errors
/// What is written wrong comes before what isn't set; of several mistakes, the first. Also an output that isn't UTF-8,
/// which a part by bytes can make, and the limits.
pub fn substitute<'v>(
    text: &str,
    lookup: impl Fn(&str) -> Option<&'v str>,
    strict: bool,
    limits: &Limits,
) -> Result<String, Error> {
    let failed = |(kind, at)| Error::new(kind, text, at);
    let parts = parse::parse(text, limits.depth).map_err(failed)?;
    let bytes = eval::Run::new(&lookup, strict, limits).text(&parts).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| failed((ErrorKind::NotUtf8, 0)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn run(text: &str, variables: &[(&str, &str)], strict: bool) -> String {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let done = substitute(text, |name| variables.get(name).copied(), strict, &Limits::default());
        done.unwrap_or_else(|e| format!("error: {e}"))
    }

    fn check(text: &str, variables: &[(&str, &str)], expected: &str) {
        assert_eq!(run(text, variables, true), expected, "{text}");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        check("a\n${v", &[], "error: missing closing brace in line 2");
        check("${v-x}", &[], "error: missing closing brace in line 1");
        check("\n\n${}", &[], "error: unable to parse variable name in line 3");
        check("${v:}", &[], "error: unable to parse substitution within function in line 1");
        check("${v/o}", &[], "error: bad substitution in line 1");
        check("x\n${a}", &[], "error: variable not set (strict mode): \"a\" in line 2");
        check("${a} ${", &[], "error: unable to parse variable name in line 1");
    }

    #[test]
    fn a_negative_length_before_the_start_is_an_error() {
        check("${v:2:-1}", &[("v", "abc")], "error: bad substitution in line 1");
        check(
            "${v:9223372036854775807:9223372036854775807}",
            &[("v", "abc")],
            "error: bad substitution in line 1",
        );
    }

    #[test]
    fn a_character_cut_in_half_is_an_error_and_globs_never_cut() {
        check("${v:1}", &[("v", "é")], "error: the result is not UTF-8 in line 1");
        check("${v#?}", &[("v", "éa")], "a");
        check("${v%?}", &[("v", "aé")], "a");
    }

    #[test]
    fn output_nesting_and_searching_are_bounded() {
        let large = "x".repeat(1 << 20);
        let values = [("v", large.as_str())];
        check(&"${v}".repeat(9), &values, "error: the result is larger than 8388608 bytes in line 1");
        let deep = format!("{}a{}", "${a:=".repeat(33), "}".repeat(33));
        check(&deep, &[], "error: substitutions are nested deeper than 32 in line 1");
        let pattern = "${v##".to_owned() + &"?".repeat(300) + "*z}";
        let expected = "error: patterns are searched for in more than 268435456 bytes in line 1";
        check(&pattern, &values, expected);
        check(&"${v/y/z}".repeat(2000), &values, "error: the result is larger than 8388608 bytes in line 1");
    }

    #[test]
    fn many_substitutions_take_no_stack() {
        let text = "${a}$$".repeat(500_000);
        assert_eq!(run(&text, &[("a", "b")], true), "b$".repeat(500_000));
    }
}
