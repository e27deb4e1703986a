//! From parts to the text with its values.

use super::Limits;
use super::error::ErrorKind;
use super::functions;
use super::parse::{Call, Failure, Function, Part};

/// One substitution under way.
pub(super) struct Run<'a, 'v> {
    lookup: &'a dyn Fn(&str) -> Option<&'v str>,
    strict: bool,
    budget: Budget<'a>,
}

/// What may still be made and searched.
pub(super) struct Budget<'a> {
    limits: &'a Limits,
    made: usize,
    searched: usize,
}

impl Budget<'_> {
    /// Counts bytes of output before they are made.
    pub(super) fn make(&mut self, bytes: usize) -> Result<(), ErrorKind> {
        self.made = self.made.saturating_add(bytes);
        if self.made > self.limits.output { Err(ErrorKind::Output(self.limits.output)) } else { Ok(()) }
    }

    /// Counts bytes before they are searched.
    pub(super) fn search(&mut self, bytes: usize) -> Result<(), ErrorKind> {
        self.searched = self.searched.saturating_add(bytes);
        if self.searched > self.limits.searched {
            return Err(ErrorKind::Searched(self.limits.searched));
        }
        Ok(())
    }
}

impl<'a, 'v> Run<'a, 'v> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<&'v str>, strict: bool, limits: &'a Limits) -> Self {
        Self { lookup, strict, budget: Budget { limits, made: 0, searched: 0 } }
    }

    pub(super) fn text(&mut self, parts: &[Part<'_>]) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => {
                    self.budget.make(text.len()).map_err(|kind| (kind, 0))?;
                    out.extend_from_slice(text.as_bytes());
                }
                Part::Call(call) => self.call(call, &mut out)?,
            }
        }
        Ok(out)
    }

    /// Arguments come first, also those that aren't used: a variable that isn't set fails in them, too.
    fn call(&mut self, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.text(std::slice::from_ref(argument))?);
        }
        let at = |kind| (kind, call.at);
        let value = match (self.lookup)(call.name) {
            Some(value) => value,
            None if self.strict && call.function != Function::Default => {
                return Err(at(ErrorKind::NotSet(call.name.to_owned())));
            }
            None => "",
        };
        functions::apply(call.function, value.as_bytes(), &arguments, &mut self.budget, out).map_err(at)
    }
}
