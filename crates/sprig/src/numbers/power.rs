//! Powers of ten as Go computes them.

/// Go's `math.Pow(10, exponent)`, to the last bit: by squaring, with the binary exponent apart. It
/// isn't the nearest number for every exponent.
pub(super) fn of_ten(exponent: i64) -> f64 {
    match exponent {
        0 => return 1.0,
        1 => return 10.0,
        _ => {}
    }
    // The result is `fraction` times two to the power of `binary`.
    let (mut fraction, mut binary) = (1.0, 0i64);
    // Ten is 0.625 times two to the power of 4.
    let (mut square, mut square_binary) = (0.625, 4i64);
    let mut bits = exponent.unsigned_abs();
    while bits != 0 {
        if square_binary.abs() > 1 << 12 {
            binary += square_binary;
            break;
        }
        if bits & 1 == 1 {
            fraction *= square;
            binary += square_binary;
        }
        square *= square;
        square_binary *= 2;
        if square < 0.5 {
            square += square;
            square_binary -= 1;
        }
        bits >>= 1;
    }
    if exponent < 0 { scale(1.0 / fraction, -binary) } else { scale(fraction, binary) }
}

/// Go's `math.Ldexp` for normal numbers: times two to the power of `binary`, rounded once.
fn scale(number: f64, binary: i64) -> f64 {
    const FRACTION_BITS: u32 = 52;
    const BIAS: i64 = 1023;
    let bits = number.to_bits();
    let exponent = ((bits >> FRACTION_BITS & 0x7ff) as i64 - BIAS).saturating_add(binary);
    let with_exponent = |exponent: i64| {
        let biased = (exponent + BIAS) as u64;
        f64::from_bits(bits & !(0x7ff << FRACTION_BITS) | biased << FRACTION_BITS)
    };
    match exponent {
        ..-1075 => 0.0,
        // Below the normal numbers: lifted, then brought down in one step.
        -1075..-1022 => with_exponent(exponent + 53) * (-53f64).exp2(),
        -1022..=1023 => with_exponent(exponent),
        _ => f64::INFINITY,
    }
}
