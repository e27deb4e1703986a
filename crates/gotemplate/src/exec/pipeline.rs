//! Pipelines, commands and variables.

use super::{At, Context, Operand, Result};
use crate::node::{Command, Expression, ExpressionKind, Name, Number, Part, Pipe, Variable};
use crate::value::Value;

impl<'e> Context<'e> {
    /// The value of a pipeline, after its variables were declared or assigned.
    pub(super) fn pipeline(&mut self, dot: &Operand, pipe: &'e Pipe) -> Result<Value> {
        self.at = At::Part(Part::Pipe(pipe));
        let syntax = self.syntax();
        let mut last = None;
        for command in syntax.row(pipe.commands) {
            last = Some(self.command(dot, command, last)?.value);
        }
        let value = last.unwrap_or_default();
        for variable in syntax.row(pipe.variables) {
            let operand = Operand::concrete(value.clone());
            if pipe.is_assignment {
                self.assign(variable, operand)?;
            } else {
                self.variables.push((variable.id, operand));
            }
        }
        Ok(value)
    }

    /// `last` is the value of the command before, which becomes the last argument.
    fn command(&mut self, dot: &Operand, command: &'e Command, last: Option<Value>) -> Result<Operand> {
        let syntax = self.syntax();
        let [first, arguments @ ..] = syntax.row(command.words) else {
            return Err(self.fail("empty command".to_owned()));
        };
        match &first.kind {
            ExpressionKind::Function(identifier) => {
                self.at = At::Part(Part::Expression(first));
                self.function(dot, identifier, At::Part(Part::Command(command)), arguments, last)
            }
            ExpressionKind::Field(names) => {
                self.at = At::Part(Part::Expression(first));
                self.field_chain(dot, dot, first, syntax.row(*names), arguments, last.as_ref())
            }
            ExpressionKind::Variable(variable, names) => {
                self.variable(dot, first, variable, syntax.row(*names), arguments, last.as_ref())
            }
            ExpressionKind::Chain(inner, names) => {
                let receiver = self.chain_receiver(dot, syntax.get(*inner))?;
                self.field_chain(dot, &receiver, first, syntax.row(*names), arguments, last.as_ref())
            }
            ExpressionKind::Pipe(pipe) => {
                self.takes_no_arguments(first, arguments, last.as_ref())?;
                crate::stack::grow(|| self.pipeline(dot, syntax.get(*pipe))).map(Operand::concrete)
            }
            kind => {
                self.at = At::Part(Part::Expression(first));
                self.takes_no_arguments(first, arguments, last.as_ref())?;
                match kind {
                    ExpressionKind::Dot => Ok(dot.clone()),
                    ExpressionKind::Nil => Err(self.fail("nil is not a command".to_owned())),
                    kind => self.literal(*kind).map(Operand::concrete),
                }
            }
        }
    }

    pub(super) fn takes_no_arguments(
        &self,
        first: &'e Expression,
        arguments: &[Expression],
        last: Option<&Value>,
    ) -> Result<()> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        let first = match first.kind {
            // Go prints a pipeline without its parentheses here.
            ExpressionKind::Pipe(pipe) => self.print(At::Part(Part::Pipe(self.syntax().get(pipe)))),
            _ => self.print(At::Part(Part::Expression(first))),
        };
        Err(self.fail(format!("can't give argument to non-function {first}")))
    }

    /// The value of a literal where any type will do.
    pub(super) fn literal(&self, kind: ExpressionKind) -> Result<Value> {
        match kind {
            ExpressionKind::Bool(value) => Ok(Value::Bool(value)),
            ExpressionKind::String(literal) => Ok(Value::String(self.syntax().get(literal).text.clone())),
            ExpressionKind::Number(number) => self.ideal(self.syntax().get(number)),
            _ => Ok(Value::Nil),
        }
    }

    /// A number's type is told by how it is written.
    fn ideal(&self, number: &Number) -> Result<Value> {
        if let Some((real, imaginary)) = number.complex {
            return Ok(Value::Complex(real, imaginary));
        }
        if let Some(float) = number.float
            && number.is_written_as_float
        {
            return Ok(Value::Float(float));
        }
        match number.int {
            Some(int) => Ok(Value::int(int)),
            None => Err(self.fail(format!("{} overflows int", self.shown(number.text)))),
        }
    }

    pub(super) fn variable(
        &mut self,
        dot: &Operand,
        expression: &'e Expression,
        variable: &'e Variable,
        names: &'e [Name],
        arguments: &'e [Expression],
        last: Option<&Value>,
    ) -> Result<Operand> {
        self.at = At::Part(Part::Expression(expression));
        let value = self.lookup(variable)?;
        if names.is_empty() {
            self.takes_no_arguments(expression, arguments, last)?;
            return Ok(value);
        }
        self.field_chain(dot, &value, expression, names, arguments, last)
    }

    fn lookup(&self, variable: &Variable) -> Result<Operand> {
        let variables = self.variables[self.first_variable..].iter().rev();
        for (id, operand) in variables {
            if *id == variable.id {
                return Ok(operand.clone());
            }
        }
        Err(self.fail(format!("undefined variable: {}", self.shown(variable.name))))
    }

    pub(super) fn assign(&mut self, variable: &Variable, operand: Operand) -> Result<()> {
        let variables = self.variables[self.first_variable..].iter_mut().rev();
        for (id, value) in variables {
            if *id == variable.id {
                *value = operand;
                return Ok(());
            }
        }
        Err(self.fail(format!("undefined variable: {}", self.shown(variable.name))))
    }
}
