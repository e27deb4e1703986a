//! Shamir's secret sharing over GF(2⁸), as HashiCorp Vault lays its parts out: the values, then the point.

use zeroize::Zeroizing;

/// Puts parts together; there must be two at least, of one length and for different points.
///
/// Too few parts, or wrong ones, give a wrong secret.
pub(super) fn combine(parts: &[Zeroizing<Vec<u8>>]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let [first, _, ..] = parts else {
        return Err("less than two parts cannot be used to reconstruct the secret");
    };
    if first.len() < 2 {
        return Err("parts must be at least two bytes");
    }
    if parts.iter().any(|part| part.len() != first.len()) {
        return Err("all parts must be the same length");
    }
    let length = first.len() - 1;
    let points: Vec<u8> = parts.iter().map(|part| part[length]).collect();
    let mut seen = [false; 256];
    if points.iter().any(|point| std::mem::replace(&mut seen[usize::from(*point)], true)) {
        return Err("duplicate part detected");
    }
    let weights: Vec<u8> = (0..points.len()).map(|index| weight(&points, index)).collect();
    let mut secret = Zeroizing::new(vec![0; length]);
    for (part, weight) in parts.iter().zip(&weights) {
        for (byte, value) in secret.iter_mut().zip(part.iter()) {
            *byte ^= multiply(*value, *weight);
        }
    }
    Ok(secret)
}

/// What the value at a point counts for at zero (Lagrange's basis).
fn weight(points: &[u8], index: usize) -> u8 {
    let own = points[index];
    let others = points.iter().enumerate().filter(|(other, _)| *other != index);
    others.fold(1, |weight, (_, point)| multiply(weight, multiply(*point, inverse(*point ^ own))))
}

/// The product modulo x⁸ + x⁴ + x³ + x + 1, without branches on secrets.
fn multiply(a: u8, b: u8) -> u8 {
    let mut product = 0u8;
    for bit in (0..8).rev() {
        let overflow = (product >> 7).wrapping_neg() & 0x1b;
        product = (product << 1) ^ overflow;
        product ^= (b >> bit & 1).wrapping_neg() & a;
    }
    product
}

/// The inverse by Fermat: the power of 254; of zero it is zero.
fn inverse(a: u8) -> u8 {
    let mut power = 1;
    for _ in 0..254 {
        power = multiply(power, a);
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(secret: &[u8], points: &[u8], coefficients: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
        let value = |secret: u8, point: u8| {
            coefficients.iter().rev().fold(0, |value, c| multiply(value ^ c, point)) ^ secret
        };
        let part = |point: u8| {
            let mut part: Vec<u8> = secret.iter().map(|byte| value(*byte, point)).collect();
            part.push(point);
            Zeroizing::new(part)
        };
        points.iter().map(|point| part(*point)).collect()
    }

    #[test]
    fn any_parts_give_the_secret_if_there_are_enough() {
        let secret = b"a secret of some bytes";
        let parts = split(secret, &[1, 2, 3, 200, 255], &[7, 99]);
        for chosen in [&parts[..3], &parts[2..], &parts[..]] {
            assert_eq!(combine(chosen).expect("they fit").as_slice(), secret);
        }
        assert_ne!(combine(&parts[..2]).expect("they fit").as_slice(), secret);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let part = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        let refuse = |parts: &[Zeroizing<Vec<u8>>]| combine(parts).map(drop).expect_err("refused");
        assert_eq!(refuse(&[part(&[1, 1])]), "less than two parts cannot be used to reconstruct the secret");
        assert_eq!(refuse(&[part(&[1]), part(&[2])]), "parts must be at least two bytes");
        assert_eq!(refuse(&[part(&[1, 1]), part(&[1, 2, 2])]), "all parts must be the same length");
        assert_eq!(refuse(&[part(&[1, 1]), part(&[2, 1])]), "duplicate part detected");
    }
}
