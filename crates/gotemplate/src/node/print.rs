//! Nodes as Go re-prints them in error texts.

use std::fmt::{self, Display, Formatter, Write};

use super::{Command, Expression, ExpressionKind, Name, Pipe, Row, Source, TemplateCall};

/// Prints a part of a template, with single spaces and literals as they were written.
pub(crate) struct Print<'a>(pub(crate) Part<'a>, pub(crate) &'a Source);

/// What is printed.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    Action(&'a Pipe),
    Template(&'a TemplateCall),
    Pipe(&'a Pipe),
    Command(&'a Command),
    Expression(&'a Expression),
}

impl Display for Print<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut printer = Printer { out: f, source: self.1 };
        match self.0 {
            Part::Action(pipe) => {
                printer.out.write_str("{{")?;
                printer.pipeline(pipe)?;
                printer.out.write_str("}}")
            }
            Part::Template(call) => printer.template(call),
            Part::Pipe(pipe) => printer.pipeline(pipe),
            Part::Command(command) => printer.words(command),
            Part::Expression(expression) => printer.operand(expression),
        }
    }
}

struct Printer<'a, 'f> {
    out: &'a mut Formatter<'f>,
    source: &'a Source,
}

impl Printer<'_, '_> {
    fn template(&mut self, call: &TemplateCall) -> fmt::Result {
        write!(self.out, "{{{{template {}", crate::strconv::quote(&call.name))?;
        if let Some(pipe) = &call.pipe {
            self.out.write_char(' ')?;
            self.pipeline(pipe)?;
        }
        self.out.write_str("}}")
    }

    fn pipeline(&mut self, pipe: &Pipe) -> fmt::Result {
        for (index, variable) in self.source.syntax.row(pipe.variables).iter().enumerate() {
            if index > 0 {
                self.out.write_str(", ")?;
            }
            self.name(variable.name)?;
        }
        if !pipe.variables.is_empty() {
            self.out.write_str(if pipe.is_assignment { " = " } else { " := " })?;
        }
        for (index, command) in self.source.syntax.row(pipe.commands).iter().enumerate() {
            if index > 0 {
                self.out.write_str(" | ")?;
            }
            self.words(command)?;
        }
        Ok(())
    }

    fn words(&mut self, command: &Command) -> fmt::Result {
        for (index, word) in self.source.syntax.row(command.words).iter().enumerate() {
            if index > 0 {
                self.out.write_char(' ')?;
            }
            self.parenthesized(word)?;
        }
        Ok(())
    }

    fn parenthesized(&mut self, expression: &Expression) -> fmt::Result {
        let ExpressionKind::Pipe(pipe) = expression.kind else { return self.operand(expression) };
        self.out.write_char('(')?;
        self.pipeline(self.source.syntax.get(pipe))?;
        self.out.write_char(')')
    }

    fn operand(&mut self, expression: &Expression) -> fmt::Result {
        let syntax = &self.source.syntax;
        match expression.kind {
            ExpressionKind::Dot => self.out.write_char('.'),
            ExpressionKind::Nil => self.out.write_str("nil"),
            ExpressionKind::Bool(value) => write!(self.out, "{value}"),
            ExpressionKind::Number(number) => self.name(syntax.get(number).text),
            ExpressionKind::String(literal) => self.name(syntax.get(literal).quoted),
            ExpressionKind::Field(names) => self.fields(names),
            ExpressionKind::Variable(variable, names) => {
                self.name(variable.name)?;
                self.fields(names)
            }
            ExpressionKind::Chain(inner, names) => {
                self.parenthesized(syntax.get(inner))?;
                self.fields(names)
            }
            ExpressionKind::Function(identifier) => self.name(identifier.name),
            ExpressionKind::Pipe(pipe) => self.pipeline(syntax.get(pipe)),
        }
    }

    fn name(&mut self, name: Name) -> fmt::Result {
        self.out.write_str(&self.source.shown(name))
    }

    fn fields(&mut self, names: Row<Name>) -> fmt::Result {
        for name in self.source.syntax.row(names) {
            self.out.write_char('.')?;
            self.name(*name)?;
        }
        Ok(())
    }
}
