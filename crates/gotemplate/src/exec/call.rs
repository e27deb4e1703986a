//! Calls of functions.

use smallvec::SmallVec;

use super::{At, Context, Operand, Result};
use crate::builtins;
use crate::error::Error;
use crate::function::{Builtin, CallError, Callee, Function};
use crate::node::{Expression, Identifier, Part};
use crate::strconv;
use crate::types::Type;
use crate::value::Value;

/// The values of a call's arguments; most calls have few.
type Values = SmallVec<[Value; 4]>;

impl<'e> Context<'e> {
    /// Calls a function; `node` is what the error text points to when the function fails.
    pub(super) fn function(
        &mut self,
        dot: &Operand,
        identifier: &'e Identifier,
        node: At<'e>,
        words: &'e [Expression],
        last: Option<Value>,
    ) -> Result<Operand> {
        let functions = self.environment.functions();
        let name = self.tree.source.name(identifier.name);
        let Some((name, callee)) = functions.get(name, identifier.slot) else {
            let name = strconv::quote(name);
            return Err(self.fail(format!("{name} is not a defined function")));
        };
        match callee {
            Callee::Function(function) => self.call(dot, function, name, node, words, last),
            Callee::Builtin(builtin) => self.builtin(dot, *builtin, name, node, words, last),
        }
    }

    fn call(
        &mut self,
        dot: &Operand,
        function: &'e Function,
        name: &'static str,
        node: At<'e>,
        words: &'e [Expression],
        last: Option<Value>,
    ) -> Result<Operand> {
        let fixed = function.parameters().len();
        self.check_count(name, fixed, function.rest().is_some(), words, last.as_ref())?;
        let parameter =
            |index: usize| function.parameters().get(index).or_else(|| function.rest()).unwrap_or(&Type::Any);
        let mut values = Values::new();
        for (index, word) in words.iter().enumerate() {
            values.push(self.argument(dot, parameter(index), word)?);
        }
        if let Some(last) = last {
            let last = self.fit(&Operand::concrete(last), parameter(values.len()))?;
            values.push(last);
        }
        let result = function.call(self, &values).and_then(|value| {
            if let Value::String(text) = &value {
                self.budget.write(text.len())?;
            }
            // A single call may take long.
            self.budget.look()?;
            Ok(Operand::result(value))
        });
        result.map_err(|error| self.call_failed(node, name, error))
    }

    fn check_count(
        &self,
        name: &str,
        fixed: usize,
        is_variadic: bool,
        words: &[Expression],
        last: Option<&Value>,
    ) -> Result<()> {
        let got = words.len() + usize::from(last.is_some());
        if is_variadic {
            if got < fixed {
                let got = words.len();
                let text = format!("wrong number of args for {name}: want at least {fixed} got {got}");
                return Err(self.fail(text));
            }
        } else if got != fixed {
            return Err(self.fail(format!("wrong number of args for {name}: want {fixed} got {got}")));
        }
        Ok(())
    }

    fn builtin(
        &mut self,
        dot: &Operand,
        builtin: Builtin,
        name: &'static str,
        node: At<'e>,
        words: &'e [Expression],
        last: Option<Value>,
    ) -> Result<Operand> {
        let is_variadic = builtin != Builtin::Len;
        self.check_count(name, 1, is_variadic, words, last.as_ref())?;
        if matches!(builtin, Builtin::And | Builtin::Or) {
            return self.and_or(dot, builtin == Builtin::Or, words, last);
        }
        let mut operands = SmallVec::<[Operand; 2]>::new();
        for word in words {
            operands.push(self.operand(dot, word)?);
        }
        operands.extend(last.map(Operand::concrete));
        let result = match builtin {
            Builtin::Len => builtins::len(&operands[0]),
            Builtin::Slice => builtins::slice(&operands),
            _ => builtins::call(&operands[0], &self.callee_name(words, &operands[0])),
        };
        match result {
            Ok(value) => Ok(Operand::concrete(value)),
            Err(error) => Err(self.call_failed(node, name, error)),
        }
    }

    /// The first operand that decides, or the last; the others aren't evaluated.
    fn and_or(
        &mut self,
        dot: &Operand,
        is_or: bool,
        words: &'e [Expression],
        last: Option<Value>,
    ) -> Result<Operand> {
        let mut operand = Operand::default();
        for word in words {
            operand = self.operand(dot, word)?;
            if operand.value.is_true() == is_or {
                return Ok(operand);
            }
        }
        Ok(last.map_or(operand, Operand::concrete))
    }

    #[cold]
    pub(super) fn call_failed(&mut self, node: At<'e>, name: &str, error: CallError) -> Box<Error> {
        self.at = node;
        match error {
            CallError::Limit(limit) => self.error(format!("error calling {name}: {limit}"), Some(error)),
            error => self.error(format!("error calling {name}"), Some(error)),
        }
    }

    /// How Go names the callee of `call`: as written, or by its value when it comes from the pipeline.
    fn callee_name(&self, words: &[Expression], callee: &Operand) -> String {
        match (words.first(), &callee.value) {
            (Some(word), _) => self.print(At::Part(Part::Expression(word))),
            (None, Value::String(text)) => text.to_string(),
            (None, value) => format!("<{} Value>", value.type_of()),
        }
    }
}
