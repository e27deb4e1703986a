//! Pipelines, commands and operands.

use super::number::number;
use super::token::{Token, TokenKind};
use super::{Parser, Result, name};
use crate::node::{
    Command, Expression, ExpressionKind, Identifier, Literal, Name, Part, Pipe, Position, Print, Row,
    Variable,
};
use crate::strconv;

impl Parser<'_> {
    /// Declarations or an assignment, and commands up to a token of kind `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipe> {
        let position = self.peek_non_space().start;
        let (variables, is_assignment) = self.declarations(context)?;
        let first = self.open.commands.len();
        loop {
            let token = self.next_non_space();
            if token.kind == end {
                self.check_commands(&self.open.commands[first..], context)?;
                let commands = self.source.syntax.add_row(self.open.commands.drain(first..));
                return Ok(Pipe { position, is_assignment, variables, commands });
            }
            if !starts_operand(token.kind) {
                return Err(self.unexpected(token, context));
            }
            self.give_back();
            let command = self.command()?;
            self.open.commands.push(command);
        }
    }

    fn declarations(&mut self, context: &str) -> Result<(Row<Variable>, bool)> {
        let mut declared = self.source.syntax.next_row();
        loop {
            let token = self.peek_non_space();
            if token.kind != TokenKind::Variable {
                return Ok((declared, false));
            }
            self.next();
            // Whether "$x y" declares is known only at the third token.
            let after = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.next_non_space();
                    declared = self.declare(token, declared);
                    return Ok((declared, next.kind == TokenKind::Assign));
                }
                TokenKind::Char if self.text(next) == b"," => {
                    self.next_non_space();
                    declared = self.declare(token, declared);
                    self.check_comma(context, declared.len())?;
                }
                _ => {
                    if after.kind == TokenKind::Space {
                        self.give_back_3(token, after);
                    } else {
                        self.give_back_2(token);
                    }
                    return Ok((declared, false));
                }
            }
        }
    }

    /// The row with the variable behind it.
    fn declare(&mut self, token: Token, declared: Row<Variable>) -> Row<Variable> {
        let variable = self.variable(token);
        self.scope.variables.push(variable.id);
        self.source.syntax.add(variable);
        self.source.syntax.up_to_here(declared)
    }

    /// Only a range has two variables.
    fn check_comma(&mut self, context: &str, declared: usize) -> Result<()> {
        if context != "range" || declared > 1 {
            return Err(self.fail(&format!("too many declarations in {context}")));
        }
        match self.peek_non_space().kind {
            TokenKind::Variable | TokenKind::RightDelimiter | TokenKind::RightParen => Ok(()),
            _ => Err(self.fail("range can only initialize variables")),
        }
    }

    fn check_commands(&self, commands: &[Command], context: &str) -> Result<()> {
        if commands.is_empty() {
            return Err(self.fail(&format!("missing value for {context}")));
        }
        let stages = commands.iter().enumerate().skip(1);
        for (index, command) in stages {
            if self.source.syntax.row(command.words).first().is_some_and(|word| is_literal(word.kind)) {
                let stage = index + 1;
                let text = format!("non executable command in pipeline stage {stage}");
                return Err(self.fail(&text));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let position = self.peek_non_space().start;
        let first = self.open.words.len();
        loop {
            self.peek_non_space();
            let word = self.operand()?;
            self.open.words.extend(word);
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelimiter | TokenKind::RightParen => self.give_back(),
                TokenKind::Pipe => {}
                _ => return Err(self.unexpected(token, "operand")),
            }
            if self.open.words.len() == first {
                return Err(self.fail("empty command"));
            }
            let words = self.source.syntax.add_row(self.open.words.drain(first..));
            return Ok(Command { position, words });
        }
    }

    /// A term and the fields that are asked of it; nothing when no term follows.
    fn operand(&mut self) -> Result<Option<Expression>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != TokenKind::Field {
            return Ok(Some(term));
        }
        let fields = self.source.syntax.next_row();
        while self.peek().kind == TokenKind::Field {
            let token = self.next();
            self.source.syntax.add(field(token));
        }
        self.chain(term, first.start, fields).map(Some)
    }

    /// A term with the fields that were added since their row was begun.
    fn chain(&mut self, term: Expression, position: Position, fields: Row<Name>) -> Result<Expression> {
        let syntax = &mut self.source.syntax;
        let kind = match term.kind {
            // The term's own name is the last one before them.
            ExpressionKind::Field(names) => ExpressionKind::Field(syntax.up_to_here(names)),
            ExpressionKind::Variable(variable, _) => {
                ExpressionKind::Variable(variable, syntax.up_to_here(fields))
            }
            kind if is_literal(kind) => {
                let term = Print(Part::Expression(&term), &self.source).to_string();
                let term = strconv::quote(term.as_bytes());
                return Err(self.fail(&format!("unexpected . after term {term}")));
            }
            _ => ExpressionKind::Chain(syntax.add(term), syntax.up_to_here(fields)),
        };
        Ok(Expression { position, kind })
    }

    fn term(&mut self) -> Result<Option<Expression>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            TokenKind::Identifier => self.function(token)?,
            TokenKind::Dot => ExpressionKind::Dot,
            TokenKind::Nil => ExpressionKind::Nil,
            TokenKind::Variable => self.variable_use(token)?,
            TokenKind::Field => ExpressionKind::Field(self.source.syntax.add_row([field(token)])),
            TokenKind::Bool => ExpressionKind::Bool(self.text(token) == b"true"),
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                let number = number(self.text(token), name(token), token.kind);
                let number = number.map_err(|message| self.fail(&message))?;
                ExpressionKind::Number(self.source.syntax.add(number))
            }
            TokenKind::String | TokenKind::RawString => self.string(token)?,
            TokenKind::LeftParen => return self.parenthesized().map(Some),
            _ => {
                self.give_back();
                return Ok(None);
            }
        };
        Ok(Some(Expression { position: token.start, kind }))
    }

    fn parenthesized(&mut self) -> Result<Expression> {
        let pipe = self.nested(|parser| parser.pipeline("parenthesized pipeline", TokenKind::RightParen))?;
        let position = pipe.position;
        Ok(Expression { position, kind: ExpressionKind::Pipe(self.source.syntax.add(pipe)) })
    }

    fn function(&self, token: Token) -> Result<ExpressionKind> {
        let text = self.text(token);
        let Some(slot) = self.functions.slot(text) else {
            return Err(self.fail(&format!("function {} not defined", strconv::quote(text))));
        };
        Ok(ExpressionKind::Function(Identifier { name: name(token), slot }))
    }

    fn variable_use(&mut self, token: Token) -> Result<ExpressionKind> {
        let variable = self.variable(token);
        if !self.scope.variables.contains(&variable.id) {
            let name = strconv::quote(self.text(token));
            return Err(self.fail(&format!("undefined variable {name}")));
        }
        Ok(ExpressionKind::Variable(variable, self.source.syntax.next_row()))
    }

    fn string(&mut self, token: Token) -> Result<ExpressionKind> {
        let literal = Literal { text: self.unquote(token)?, quoted: name(token) };
        Ok(ExpressionKind::String(self.source.syntax.add(literal)))
    }
}

/// A field's name, without its dot.
fn field(token: Token) -> Name {
    let Name { start, end } = name(token);
    Name { start: start + 1, end }
}

fn starts_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Bool
            | TokenKind::CharConstant
            | TokenKind::Complex
            | TokenKind::Dot
            | TokenKind::Field
            | TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::Nil
            | TokenKind::RawString
            | TokenKind::String
            | TokenKind::Variable
            | TokenKind::LeftParen
    )
}

/// Whether it can't be executed, so that it can only begin a pipeline.
fn is_literal(kind: ExpressionKind) -> bool {
    matches!(
        kind,
        ExpressionKind::Bool(_)
            | ExpressionKind::Dot
            | ExpressionKind::Nil
            | ExpressionKind::Number(_)
            | ExpressionKind::String(_)
    )
}
