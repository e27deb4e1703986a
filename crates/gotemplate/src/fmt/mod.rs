//! Go's `fmt` for the values of templates: what an action prints, `print`, `println`, `printf`.
//!
//! Deviations, all where Go has no answer that could be kept: an address (`%p`, a pointer inside a
//! container) is always the same number; what nests deeper than [`MAX_NESTING`], where a map that
//! holds itself ends Go's process, is `<nested too deeply>`; and a text longer than [`MAX_OUTPUT`]
//! is cut, so that its length tells.

mod basic;
mod directive;
mod printer;

use crate::strconv;
use crate::types::Kind;
use crate::value::Value;
use printer::Printer;

/// The length in bytes of the longest text of one call. A longer one is cut to one byte more than
/// that: who prints has to look at the length.
pub const MAX_OUTPUT: usize = 64 << 20;

/// How deeply containers are followed.
pub const MAX_NESTING: usize = 1000;

/// Go's `Sprint`: the operands in their default form, with a space between two that aren't strings.
pub fn sprint(operands: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out);
    let mut after_string = false;
    for (index, operand) in operands.iter().enumerate() {
        let is_string = operand.kind() == Kind::String;
        if index > 0 && !is_string && !after_string {
            printer.push(b" ");
        }
        printer.print_operand(operand, 'v');
        after_string = is_string;
    }
    bounded(out)
}

/// Go's `Sprintln`: the operands in their default form, with spaces between and a line feed after.
pub fn sprintln(operands: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out);
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            printer.push(b" ");
        }
        printer.print_operand(operand, 'v');
    }
    printer.push(b"\n");
    bounded(out)
}

/// Go's `Sprintf`. Mistakes in the format are part of the text, as in Go: `%!d(string=x)`.
pub fn sprintf(format: &[u8], operands: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    directive::print(&mut Printer::new(&mut out), format, operands);
    bounded(out)
}

/// Appends what a template action prints: the default form, without the `&` of pointers;
/// `<no value>` for nil.
///
/// Source: Go's `text/template/exec.go`, `printValue`.
pub fn print_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => out.extend_from_slice(b"<no value>"),
        Value::String(text) => out.extend_from_slice(text),
        Value::Int(number, int) if int.is_signed() => strconv::append_int(out, *number as i64, 10),
        Value::Object(object) if object.kind() == Kind::Ptr && object.display().is_none() => {
            Printer::new(out).print_pointee(&**object, 'v');
        }
        value => Printer::new(out).print_operand(value, 'v'),
    }
}

fn bounded(mut out: Vec<u8>) -> Vec<u8> {
    out.truncate(MAX_OUTPUT + 1);
    out
}
