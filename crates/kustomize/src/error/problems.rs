//! Several problems of one build.

use super::{Error, Result};

/// More problems than this aren't looked for.
pub(crate) const MOST: usize = 50;

/// Problems in the order in which they were found.
#[derive(Default)]
pub(crate) struct Problems {
    found: Option<Error>,
}

impl Problems {
    /// Notes what failed and gives what didn't.
    ///
    /// # Errors
    /// All problems so far, if looking for more is of no use.
    pub(crate) fn note<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        let error = match result {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        // Nobody wants to hear what else is wrong with something that takes too long.
        if error.ends_the_build() {
            return Err(error);
        }
        let all = match self.found.take() {
            None => error,
            Some(found) => found.and(error),
        };
        if all.0.others.len() + 1 >= MOST {
            return Err(all);
        }
        self.found = Some(all);
        Ok(None)
    }

    /// Fails if there were any.
    pub(crate) fn finish(self) -> Result<()> {
        self.found.map_or(Ok(()), Err)
    }
}

/// All problems, by the line they are in.
pub(crate) fn by_line(mut problems: Vec<Error>) -> Option<Error> {
    problems.sort_by_key(|problem| (problem.at_line(), problem.at_column()));
    problems.into_iter().reduce(Error::and)
}

/// What helps where a file wants to be rendered first.
pub(super) const TEMPLATE: &str =
    "templates are not rendered here: render the file first, or put the value in quotes";

/// What is wrong with a text, in the words of kustomize's parser where there are such.
pub(crate) fn yaml_text(error: &krm::Error) -> String {
    let words = [
        ("tab", "found character that cannot start any token"),
        ("unclosed bracket '['", "did not find expected ',' or ']'"),
        ("unclosed bracket '{'", "did not find expected ',' or '}'"),
    ];
    match words.into_iter().find(|(ours, _)| error.message.contains(ours)) {
        Some((_, theirs)) => format!("yaml: line {}: {theirs}", error.line),
        None => error.to_string(),
    }
}

/// What usually helps against a mistake in YAML.
pub(super) fn help_with_yaml(error: &krm::Error) -> &'static str {
    match error.kind {
        krm::ErrorKind::DuplicateKey => "keep one of the two",
        krm::ErrorKind::Limit => "",
        krm::ErrorKind::Malformed => {
            let text = error.message.to_ascii_lowercase();
            let is_about = |word: &str| text.contains(word);
            if is_about("tab") {
                "indent with spaces, not with tabs"
            } else if is_about("utf-8") {
                "save the file as UTF-8"
            } else if is_about("bracket") {
                "close the bracket"
            } else {
                "check the indentation of this line and those before it, and put texts with ': ' or ' #' in quotes"
            }
        }
    }
}

/// The word that was most likely meant, if any is close enough.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let close = known.map(|name| (distance(&name.to_lowercase(), &lower), name)).min();
    close.filter(|(steps, _)| *steps <= (word.chars().count() + 1) / 3).map(|(_, name)| name)
}

/// How many letters must be added, dropped, changed or swapped with the next to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().take(64).enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn words_are_as_far_apart_as_letters_were_mistyped() {
        let cases = [
            ("resources", "resources", 0),
            ("resources", "resorces", 1),
            ("name", "nmae", 1),
            ("a", "bcd", 3),
        ];
        for (one, other, steps) in cases {
            assert_eq!((distance(one, other), distance(other, one)), (steps, steps), "{one} {other}");
        }
    }
}
