//! Pipelines, commands and operands.

use super::number::number;
use super::token::{Token, TokenKind};
use super::{Parser, Result, name, position};
use crate::node::{
    Command, Expression, ExpressionKind, Identifier, Literal, Name, Part, Pipe, Position, Print, Variable,
};
use crate::strconv;

impl Parser<'_> {
    /// Declarations or an assignment, and commands up to a token of kind `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipe> {
        let position = position(self.peek_non_space());
        let (variables, is_assignment) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            let token = self.next_non_space();
            if token.kind == end {
                self.check_commands(&commands, context)?;
                return Ok(Pipe { position, is_assignment, variables, commands });
            }
            if !starts_operand(token.kind) {
                return Err(self.unexpected(token, context));
            }
            self.give_back();
            commands.push(self.command()?);
        }
    }

    fn declarations(&mut self, context: &str) -> Result<(Vec<Variable>, bool)> {
        let mut declared = Vec::new();
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
                    self.declare(token, &mut declared);
                    return Ok((declared, next.kind == TokenKind::Assign));
                }
                TokenKind::Char if self.text(next) == b"," => {
                    self.next_non_space();
                    self.declare(token, &mut declared);
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

    fn declare(&mut self, token: Token, declared: &mut Vec<Variable>) {
        let variable = self.variable(token);
        self.scope.variables.push(variable.id);
        declared.push(variable);
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
            if is_literal(&command.words[0].kind) {
                let stage = index + 1;
                let text = format!("non executable command in pipeline stage {stage}");
                return Err(self.fail(&text));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let position = position(self.peek_non_space());
        let mut words = Vec::new();
        loop {
            self.peek_non_space();
            words.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelimiter | TokenKind::RightParen => self.give_back(),
                TokenKind::Pipe => {}
                _ => return Err(self.unexpected(token, "operand")),
            }
            if words.is_empty() {
                return Err(self.fail("empty command"));
            }
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
        let mut fields = Vec::new();
        while self.peek().kind == TokenKind::Field {
            let token = self.next();
            fields.push(self.field(token));
        }
        self.chain(term, position(first), fields).map(Some)
    }

    fn chain(&self, term: Expression, position: Position, fields: Vec<Name>) -> Result<Expression> {
        let kind = match term.kind {
            ExpressionKind::Field(mut names) => {
                names.extend(fields);
                ExpressionKind::Field(names)
            }
            ExpressionKind::Variable(variable, _) => ExpressionKind::Variable(variable, fields),
            ref kind if is_literal(kind) => {
                let term = Print(Part::Expression(&term), self.source).to_string();
                let term = strconv::quote(term.as_bytes());
                return Err(self.fail(&format!("unexpected . after term {term}")));
            }
            _ => ExpressionKind::Chain(Box::new(term), fields),
        };
        Ok(Expression { position, kind })
    }

    /// A field's name, without its dot.
    fn field(&self, token: Token) -> Name {
        let Name { start, end } = name(token);
        Name { start: start + 1, end }
    }

    fn term(&mut self) -> Result<Option<Expression>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            TokenKind::Identifier => self.function(token)?,
            TokenKind::Dot => ExpressionKind::Dot,
            TokenKind::Nil => ExpressionKind::Nil,
            TokenKind::Variable => self.variable_use(token)?,
            TokenKind::Field => ExpressionKind::Field(vec![self.field(token)]),
            TokenKind::Bool => ExpressionKind::Bool(self.text(token) == b"true"),
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                let number = number(self.text(token), name(token), token.kind);
                let number = number.map_err(|message| self.fail(&message))?;
                ExpressionKind::Number(Box::new(number))
            }
            TokenKind::String | TokenKind::RawString => self.string(token)?,
            TokenKind::LeftParen => return self.parenthesized().map(Some),
            _ => {
                self.give_back();
                return Ok(None);
            }
        };
        Ok(Some(Expression { position: position(token), kind }))
    }

    fn parenthesized(&mut self) -> Result<Expression> {
        let pipe = self.nested(|parser| parser.pipeline("parenthesized pipeline", TokenKind::RightParen))?;
        let position = pipe.position;
        Ok(Expression { position, kind: ExpressionKind::Pipe(Box::new(pipe)) })
    }

    fn function(&self, token: Token) -> Result<ExpressionKind> {
        let text = self.text(token);
        let slot = std::str::from_utf8(text).ok().and_then(|text| self.functions.slot(text));
        let Some(slot) = slot else {
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
        Ok(ExpressionKind::Variable(variable, Vec::new()))
    }

    fn string(&self, token: Token) -> Result<ExpressionKind> {
        Ok(ExpressionKind::String(Literal { text: self.unquote(token)?, quoted: name(token) }))
    }
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
fn is_literal(kind: &ExpressionKind) -> bool {
    matches!(
        kind,
        ExpressionKind::Bool(_)
            | ExpressionKind::Dot
            | ExpressionKind::Nil
            | ExpressionKind::Number(_)
            | ExpressionKind::String(_)
    )
}
