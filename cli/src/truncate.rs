//! Long checksums, cut for people's eyes.

use std::sync::LazyLock;

use regex::Regex;

static HEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u:\b)[a-f0-9]{40,128}(?-u:\b)").expect("the pattern is a constant"));

/// Cuts every checksum in the text, 40 to 128 hexadecimal digits, to its first eight.
pub(crate) fn truncate_hex(text: &str) -> String {
    HEX.replace_all(text, |found: &regex::Captures<'_>| found[0][..8].to_owned()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::truncate_hex;

    #[test]
    fn only_whole_checksums_are_cut() {
        let sha1 = "78b847abd49d92df21e0fbb4bee107bd7b5558c9";
        for (text, expected) in [
            (format!("main@sha1:{sha1}"), "main@sha1:78b847ab".to_owned()),
            (format!("stored '{sha1}' and {sha1}."), "stored '78b847ab' and 78b847ab.".to_owned()),
            (sha1[1..].to_owned(), sha1[1..].to_owned()),
            (format!("x{sha1}"), format!("x{sha1}")),
            (sha1.to_uppercase(), sha1.to_uppercase()),
            ("a".repeat(128), "a".repeat(8)),
            ("a".repeat(129), "a".repeat(129)),
        ] {
            assert_eq!(truncate_hex(&text), expected, "{text}");
        }
    }
}
