/// Formats the revision of an artifact: `main@sha1:<hash>`, or `sha1:<hash>` without a pointer.
///
/// A hash of another length than SHA-1's gets the algorithm `<unknown>`.
///
/// Source: fluxcd/pkg `git/git.go`, `Commit.String` and `Hash.Algorithm`.
#[must_use]
pub fn revision(pointer: &str, hash: &str) -> String {
    const SHA1_HEX: usize = 40;
    let algorithm = if hash.len() == SHA1_HEX { "sha1" } else { "<unknown>" };
    if pointer.is_empty() {
        return format!("{algorithm}:{hash}");
    }
    format!("{pointer}@{algorithm}:{hash}")
}

#[cfg(test)]
mod tests {
    use super::revision;

    const HASH: &str = "20248256088ee9aaef6466ef4fd7022e1873c73d";

    #[track_caller]
    fn check(pointer: &str, hash: &str, expected: &str) {
        assert_eq!(revision(pointer, hash), expected);
    }

    #[test]
    fn pointer_comes_before_the_hash() {
        check("release/1.x", HASH, &format!("release/1.x@sha1:{HASH}"));
    }

    #[test]
    fn hash_stands_alone_without_a_pointer() {
        check("", HASH, &format!("sha1:{HASH}"));
    }

    #[test]
    fn longer_hash_has_an_unknown_algorithm() {
        check("main", &"a".repeat(64), &format!("main@<unknown>:{}", "a".repeat(64)));
    }
}
