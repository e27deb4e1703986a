//! Decimal numbers of any size, as shopspring/decimal has them.

use std::cmp::Ordering;

use gotemplate::CallError;
use gotemplate::strconv::{FloatForm, format_float};
use num_bigint::{BigInt, Sign};

/// `digits` times ten to the power of `exponent`.
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

/// How many places a quotient has.
const DIVISION_PLACES: i64 = 16;

impl Decimal {
    /// The fewest digits that read back as the same number.
    pub(super) fn from_float(number: f64) -> Result<Self, CallError> {
        if !number.is_finite() {
            let name = format_float(number, FloatForm::General, None, 64);
            return Err(format!("Cannot create a Decimal from {name}").into());
        }
        let text = format_float(number, FloatForm::Exponent, None, 64);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i64 = format!("{whole}{fraction}").parse().unwrap_or_default();
        let exponent: i64 = exponent.parse().unwrap_or_default();
        Ok(Self { digits: digits.into(), exponent: exponent - fraction.len() as i64 })
    }

    /// The nearest float; an infinity when it is too large.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or_default()
    }

    pub(super) fn negate(self) -> Self {
        Self { digits: -self.digits, ..self }
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.digits_at(exponent) + other.digits_at(exponent), exponent }
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }
    }

    /// The quotient, rounded half away from zero.
    pub(super) fn divide(&self, other: &Self) -> Result<Self, CallError> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let dividend = &self.digits * power_of_ten(shift.max(0));
        let divisor = &other.digits * power_of_ten((-shift).max(0));
        let mut quotient = &dividend / &divisor;
        let rest = dividend - &quotient * &divisor;
        if (rest * 2u8).magnitude().cmp(divisor.magnitude()) != Ordering::Less {
            quotient += if self.digits.sign() == other.digits.sign() { 1 } else { -1 };
        }
        Ok(Self { digits: quotient, exponent: -DIVISION_PLACES })
    }

    /// The digits at an exponent that isn't greater than the number's own.
    fn digits_at(&self, exponent: i64) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }
}

/// The exponents of floats are below 400, and so are those of their products times their number.
fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10u8).pow(u32::try_from(exponent).unwrap_or_default())
}
