//! The macros over lists and maps.

use super::{Evaluation, Failure, Outcome};
use crate::ast::{Loop, LoopKind, Node};
use crate::value::{List, Val};

impl<'a> Evaluation<'a> {
    pub(super) fn looped(&mut self, the: &'a Loop) -> Outcome<'a> {
        let range = self.range(&the.range)?;
        match the.kind {
            LoopKind::All => self.quantified(the, &range, false),
            LoopKind::Exists => self.quantified(the, &range, true),
            LoopKind::ExistsOne => self.exists_one(the, &range),
            LoopKind::Filter => self.filtered(the, &range),
            LoopKind::Map => self.mapped(the, &range),
        }
    }

    /// `all` and `exists` are chains of `&&` and `||`: an error counts only when no element decides.
    fn quantified(&mut self, the: &'a Loop, range: &List<'a>, decisive: bool) -> Outcome<'a> {
        let mut failure = None;
        for item in range.iter() {
            match self.holds(&the.variable, item, &the.body) {
                Ok(value) if value == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(Failure::TooMuch) => return Err(Failure::TooMuch),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn exists_one(&mut self, the: &'a Loop, range: &List<'a>) -> Outcome<'a> {
        let mut found = 0;
        for item in range.iter() {
            found += usize::from(self.holds(&the.variable, item, &the.body)?);
        }
        Ok(Val::Bool(found == 1))
    }

    fn filtered(&mut self, the: &'a Loop, range: &List<'a>) -> Outcome<'a> {
        let mut kept = Vec::new();
        for item in range.iter() {
            if self.holds(&the.variable, item.clone(), &the.body)? {
                self.budget.make_values(1)?;
                kept.push(item);
            }
        }
        Ok(Val::list(kept))
    }

    fn mapped(&mut self, the: &'a Loop, range: &List<'a>) -> Outcome<'a> {
        let mut mapped = Vec::new();
        for item in range.iter() {
            if let Some(filter) = &the.filter
                && !self.holds(&the.variable, item.clone(), filter)?
            {
                continue;
            }
            self.budget.make_values(1)?;
            mapped.push(self.with(&the.variable, item, &the.body)?);
        }
        Ok(Val::list(mapped))
    }

    fn holds(&mut self, variable: &'a str, item: Val<'a>, condition: &'a Node) -> Result<bool, Failure> {
        match self.with(variable, item, condition)? {
            Val::Bool(value) => Ok(value),
            _ => Err(Failure::no_overload()),
        }
    }
}
