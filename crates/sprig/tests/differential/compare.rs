//! Both executions of a case.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use gotemplate::{Environment, Error, Functions, Limits, Options};
use sprig::Sources;

use crate::case::{self, Case};
use crate::original::Outcome;

/// How two executions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    Output,
    ErrorText,
    OnlyOursFails,
    OnlyTheirsFails,
    OursPanics,
}

/// Nothing that the generated templates use depends on these.
struct Fixed;

impl Sources for Fixed {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

pub(crate) fn functions() -> Functions {
    let sources: Rc<dyn Sources> = Rc::new(Fixed);
    sprig::functions(&sources)
}

pub(crate) fn ours(case: &Case, functions: &Functions) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| execute(case, functions))) {
        Ok(Ok(output)) => Outcome::Output(output),
        Ok(Err(error)) => Outcome::Error(error.to_string()),
        Err(_) => Outcome::Nothing("panic".to_owned()),
    }
}

fn execute(case: &Case, functions: &Functions) -> Result<Vec<u8>, Error> {
    let mut environment = Environment::new("all", functions).with_missing_key(case.missing_key());
    for (name, text) in &case.templates {
        environment.parse(name.as_str(), text.as_str())?;
    }
    let mut output = Vec::new();
    let limits = Limits { output: 64 << 20, steps: 10_000_000, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    environment.execute(case.run.as_bytes(), &case::value(&case.data), &mut output, &options)?;
    Ok(output)
}

pub(crate) fn difference(ours: &Outcome, theirs: &Outcome) -> Option<Difference> {
    match (ours, theirs) {
        (_, Outcome::Nothing(_)) => None,
        (Outcome::Nothing(_), _) => Some(Difference::OursPanics),
        (Outcome::Output(ours), Outcome::Output(theirs)) => (ours != theirs).then_some(Difference::Output),
        (Outcome::Error(ours), Outcome::Error(theirs)) => (ours != theirs).then_some(Difference::ErrorText),
        (Outcome::Error(_), Outcome::Output(_)) => Some(Difference::OnlyOursFails),
        (Outcome::Output(_), Outcome::Error(_)) => Some(Difference::OnlyTheirsFails),
    }
}
