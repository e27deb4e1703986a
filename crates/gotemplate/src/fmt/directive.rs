//! The format of `printf`: its directives, and what is wrong with them.

use super::basic::Flags;
use super::printer::Printer;
use crate::types::Type;
use crate::utf8;
use crate::value::Value;

/// The largest width and precision.
const MOST: i64 = 1_000_000;

/// Prints the operands as the format says.
pub(super) fn print(printer: &mut Printer<'_>, format: &[u8], operands: &[Value]) {
    let mut reader = Reader { format, at: 0, operands, next: 0, reordered: false, good_index: true };
    while !printer.is_full() {
        let rest = &format[reader.at..];
        let text = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
        printer.push(&rest[..text]);
        reader.at += text + 1;
        if reader.at > format.len() || !reader.directive(printer) {
            break;
        }
    }
    // After an explicit index nobody knows which operands were meant to be used.
    if !reader.reordered && reader.next < operands.len() {
        extra(printer, &operands[reader.next..]);
    }
}

fn extra(printer: &mut Printer<'_>, operands: &[Value]) {
    printer.flags = Flags::default();
    printer.push(b"%!(EXTRA ");
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            printer.push(b", ");
        }
        if operand.type_of() == Type::Nil {
            printer.push(b"<nil>");
        } else {
            printer.push(operand.type_of().to_string().as_bytes());
            printer.push(b"=");
            printer.print_operand(operand, 'v');
        }
    }
    printer.push(b")");
}

/// Where the format and the operands are read.
struct Reader<'a> {
    format: &'a [u8],
    at: usize,
    operands: &'a [Value],
    /// The index of the operand that comes next.
    next: usize,
    /// Whether any directive so far had an explicit index.
    reordered: bool,
    /// Whether the indexes of this directive are valid.
    good_index: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Reads and prints one directive after its `%`; false when the format ends within it.
    fn directive(&mut self, printer: &mut Printer<'_>) -> bool {
        self.good_index = true;
        printer.flags = self.flags();
        let mut after_index = self.index();
        after_index = self.width(printer, after_index);
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            after_index = self.precision(printer, after_index);
        }
        if !after_index {
            self.index();
        }
        let Some(verb) = utf8::decode(&self.format[self.at..]) else {
            printer.push(b"%!(NOVERB)");
            return false;
        };
        self.at += verb.width;
        self.verb(printer, verb.char);
        true
    }

    fn verb(&mut self, printer: &mut Printer<'_>, verb: char) {
        let problem: &[u8] = match self.operands.get(self.next) {
            _ if verb == '%' => return printer.push(b"%"),
            _ if !self.good_index => b"(BADINDEX)",
            None => b"(MISSING)",
            Some(operand) => {
                if matches!(verb, 'v' | 'w') {
                    printer.flags.sharp_v = std::mem::take(&mut printer.flags.sharp);
                    printer.flags.plus_v = std::mem::take(&mut printer.flags.plus);
                }
                printer.print_operand(operand, verb);
                self.next += 1;
                return;
            }
        };
        printer.push(b"%!");
        printer.push_char(verb);
        printer.push(problem);
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            let flag = match byte {
                b'#' => &mut flags.sharp,
                b'0' => &mut flags.zero,
                b'+' => &mut flags.plus,
                b'-' => &mut flags.minus,
                b' ' => &mut flags.space,
                _ => break,
            };
            *flag = true;
            self.at += 1;
        }
        flags
    }

    /// Reads a width; says whether an index was the last that was read.
    fn width(&mut self, printer: &mut Printer<'_>, after_index: bool) -> bool {
        if !self.eat(b'*') {
            printer.flags.width = self.number(self.format.len());
            // As in "%[3]2d".
            self.good_index &= !after_index || printer.flags.width.is_none();
            return after_index;
        }
        let width = self.operand_number();
        if width.is_none() {
            printer.push(b"%!(BADWIDTH)");
        }
        if width.is_some_and(|width| width < 0) {
            printer.flags.minus = true;
            printer.flags.zero = false;
        }
        printer.flags.width = width.and_then(|width| usize::try_from(width.unsigned_abs()).ok());
        false
    }

    /// Reads a precision after its point.
    fn precision(&mut self, printer: &mut Printer<'_>, after_index: bool) -> bool {
        // As in "%[3].2d".
        self.good_index &= !after_index;
        let after_index = self.index();
        if !self.eat(b'*') {
            printer.flags.precision = Some(self.number(self.format.len()).unwrap_or(0));
            return after_index;
        }
        printer.flags.precision = self.operand_number().and_then(|number| usize::try_from(number).ok());
        if printer.flags.precision.is_none() {
            printer.push(b"%!(BADPREC)");
        }
        false
    }

    /// Takes the next operand for a width or precision; `None` when there is none or it isn't an
    /// integer within bounds.
    fn operand_number(&mut self) -> Option<i64> {
        let operand = self.operands.get(self.next)?;
        self.next += 1;
        let number = match operand {
            Value::Int(number, _) => i64::try_from(*number).ok()?,
            Value::Object(object) => match object.json() {
                Some(Value::Int(number, _)) => i64::try_from(number).ok()?,
                _ => return None,
            },
            _ => return None,
        };
        (-MOST..=MOST).contains(&number).then_some(number)
    }

    /// Reads digits before `end`. A number that is far too large swallows everything up to there.
    fn number(&mut self, end: usize) -> Option<usize> {
        let mut number: Option<i64> = None;
        while self.at < end {
            let Some(digit) = self.peek().filter(u8::is_ascii_digit) else { break };
            let value = number.unwrap_or(0);
            if value > MOST {
                self.at = end;
                return None;
            }
            number = Some(value * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// Reads an explicit index such as `[3]`; says whether a valid number was there.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let start = self.at;
        let rest = &self.format[start..];
        let close = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3);
        let Some(close) = close.map(|close| start + close) else {
            self.good_index = false;
            self.at = start + 1;
            return false;
        };
        self.at = start + 1;
        let number = self.number(close).filter(|_| self.at == close);
        self.at = close + 1;
        let index = number.and_then(|number| number.checked_sub(1));
        match index.filter(|index| *index < self.operands.len()) {
            Some(index) => self.next = index,
            None => self.good_index = false,
        }
        number.is_some()
    }
}
