use super::Failure;

/// What one evaluation may cost: about one unit for a node that is evaluated, a value that is compared or a
/// few bytes that are read.
const COST: u64 = 10_000_000;

/// What a byte or a value costs that is newly made, in units: it bounds memory as well.
const MADE_BYTE: u64 = 1;
const MADE_VALUE: u64 = 16;

/// How many bytes are read for a unit.
const READ_BYTES: u64 = 16;

/// Counts what an evaluation costs and ends it when that is too much.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: COST }
    }
}

impl Budget {
    pub(crate) fn step(&mut self) -> Result<(), Failure> {
        self.charge(1)
    }

    pub(crate) fn read(&mut self, bytes: usize) -> Result<(), Failure> {
        self.charge(1 + bytes as u64 / READ_BYTES)
    }

    pub(crate) fn make_bytes(&mut self, bytes: usize) -> Result<(), Failure> {
        self.charge((bytes as u64).saturating_mul(MADE_BYTE))
    }

    pub(crate) fn make_values(&mut self, values: usize) -> Result<(), Failure> {
        self.charge((values as u64).saturating_mul(MADE_VALUE))
    }

    /// For what takes time of its own, such as compiling a pattern.
    pub(crate) fn charge(&mut self, cost: u64) -> Result<(), Failure> {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                // What comes after, such as the other side of an `||`, must not go on with the rest.
                self.left = 0;
                Err(Failure::TooMuch)
            }
        }
    }
}
