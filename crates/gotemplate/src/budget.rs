//! Bounds on what one execution may use.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::LimitError;

/// What one execution may use, all templates together that it executes on its way.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep templates may execute templates, whether by `template` or through a function. Go
    /// allows 100000.
    pub depth: usize,
    /// Bytes that may be written, intermediate results included.
    pub output: u64,
    /// Actions and iterations that may be executed.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 100_000, output: 1 << 30, steps: 1 << 30 }
    }
}

/// How to execute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    pub limits: Limits,
    /// Ends the execution soon after it became true.
    pub cancelled: Option<&'a AtomicBool>,
}

/// What one or several executions may use and have used so far.
pub struct Budget<'a> {
    options: Options<'a>,
    depth: Cell<usize>,
    output: Cell<u64>,
    steps: Cell<u64>,
}

/// How many steps go by between two looks at the flag.
const STEPS_BETWEEN_LOOKS: u64 = 256;

impl<'a> Budget<'a> {
    /// Nothing is used so far.
    pub fn new(options: Options<'a>) -> Self {
        Self { options, depth: Cell::new(0), output: Cell::new(0), steps: Cell::new(0) }
    }

    pub(crate) fn enter(&self) -> Result<(), LimitError> {
        let depth = self.depth.get();
        if depth > self.options.limits.depth {
            return Err(LimitError::Depth(self.options.limits.depth));
        }
        self.depth.set(depth + 1);
        Ok(())
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth.get()
    }

    pub(crate) fn step(&self) -> Result<(), LimitError> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > self.options.limits.steps {
            return Err(LimitError::Steps(self.options.limits.steps));
        }
        if steps.is_multiple_of(STEPS_BETWEEN_LOOKS) {
            self.look()?;
        }
        Ok(())
    }

    pub(crate) fn look(&self) -> Result<(), LimitError> {
        match self.options.cancelled {
            Some(flag) if flag.load(Ordering::Relaxed) => Err(LimitError::Cancelled),
            _ => Ok(()),
        }
    }

    pub(crate) fn write(&self, bytes: usize) -> Result<(), LimitError> {
        let output = self.output.get().saturating_add(bytes as u64);
        self.output.set(output);
        if output > self.options.limits.output {
            return Err(LimitError::Output(self.options.limits.output));
        }
        Ok(())
    }
}
