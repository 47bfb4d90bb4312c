//! Numbers of array files, of every width and in both orders of bytes, as f64.

use super::npy::Parsed;

/// The exponent of an extended number that stands for 2⁰, and the one of infinities and of what is no number.
const EXTENDED_BIAS: i32 = 16383;
const EXTENDED_SPECIAL: u16 = 0x7fff;

/// How one real number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// A byte; 0 is false and counts as 0, all else as 1.
    Boolean,
    /// Two's complement of 1, 2, 4 or 8 bytes.
    Signed(usize),
    /// 1, 2, 4 or 8 bytes.
    Unsigned(usize),
    /// IEEE 754 of 2, 4 or 8 bytes.
    Float(usize),
    /// The x87's 80 bits with 6 bytes of padding, little-endian: `long double` of x86.
    Extended,
}

impl Number {
    /// Bytes of one.
    pub fn bytes(self) -> usize {
        match self {
            Number::Boolean => 1,
            Number::Signed(bytes) | Number::Unsigned(bytes) | Number::Float(bytes) => bytes,
            Number::Extended => 16,
        }
    }

    /// The number in `bytes`, which are as many as [`Number::bytes`]. Errs where no f64 is that number, or near it.
    pub fn read(self, bytes: &[u8], big_endian: bool) -> Parsed<f64> {
        let mut word = [0; 16];
        word[..bytes.len()].copy_from_slice(bytes);
        if big_endian {
            word[..bytes.len()].reverse();
        }
        let whole = u64::from_le_bytes(std::array::from_fn(|at| word[at]));
        match self {
            Number::Boolean => Ok(f64::from(u8::from(whole != 0))),
            Number::Unsigned(_) => exact(i128::from(whole)),
            Number::Signed(size) => {
                let unused = 64 - 8 * size as u32;
                exact(i128::from((whole << unused).cast_signed() >> unused))
            }
            Number::Float(2) => Ok(half(whole as u16)),
            Number::Float(4) => Ok(f64::from(f32::from_bits(whole as u32))),
            Number::Float(_) => Ok(f64::from_bits(whole)),
            Number::Extended => extended(whole, u16::from_le_bytes([word[8], word[9]])),
        }
    }
}

fn exact(whole: i128) -> Parsed<f64> {
    let number = whole as f64;
    if number as i128 == whole { Ok(number) } else { Err(format!("it holds {whole}, which no float64 is")) }
}

/// Half precision: 1 sign, 5 exponent and 10 fraction bits.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// 64 bits of mantissa, the first one explicit, and sign with exponent.
fn extended(mantissa: u64, sign_and_exponent: u16) -> Parsed<f64> {
    let (exponent, leading) = (sign_and_exponent & EXTENDED_SPECIAL, mantissa >> 63 == 1);
    if (exponent != 0) != leading {
        return Err("its float128 elements are not the long double of x86; save them as float64".into());
    }
    let power = i32::from(exponent) - EXTENDED_BIAS;
    let size = match exponent {
        EXTENDED_SPECIAL if mantissa << 1 == 0 => f64::INFINITY,
        EXTENDED_SPECIAL => f64::NAN,
        _ if power > 1023 => return Err(format!("it holds a long double near 2^{power}, which no float64 is")),
        _ if power < -1080 => 0.0,
        // in two steps, as the factor alone may be too small
        _ => mantissa as f64 * 2_f64.powi(-63) * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2),
    };
    Ok(if sign_and_exponent >> 15 == 1 { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The long double of x86 that is `value`, which is normal or 0.
    fn to_extended(value: f64) -> [u8; 16] {
        let bits = value.to_bits();
        let (sign, exponent, fraction) = (bits >> 63, bits >> 52 & 0x7ff, bits << 12 >> 12);
        let (power, mantissa) = match value == 0.0 {
            true => (0, 0),
            false => (exponent + EXTENDED_BIAS as u64 - 1023, 1 << 63 | fraction << 11),
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&mantissa.to_le_bytes());
        bytes[8..10].copy_from_slice(&((sign << 15 | power) as u16).to_le_bytes());
        bytes
    }

    #[test]
    fn halves_and_long_doubles_are_what_they_stand_for() {
        let half = |bits: u16| Number::Float(2).read(&bits.to_le_bytes(), false).unwrap();
        let cases = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_477_539_063e-8),
        ];
        for (bits, value) in cases {
            assert_eq!(half(bits), value);
            assert_eq!(Number::Float(2).read(&u16::to_be_bytes(bits), true).unwrap(), value);
        }
        assert!(half(0x7c00) == f64::INFINITY && half(0xfc00) == f64::NEG_INFINITY && half(0x7e00).is_nan());
        for value in [0.0, 1.0, -1.0, 0.1, std::f64::consts::PI, -6.2, 1e300, 1e-300, f64::MIN_POSITIVE, f64::MAX] {
            assert_eq!(Number::Extended.read(&to_extended(value), false).unwrap(), value);
        }
        // π to 64 bits, as numpy.longdouble("3.14159265358979323846") lies in memory
        let mut pi = [0; 16];
        pi[..10].copy_from_slice(&[0x35, 0xc2, 0x68, 0x21, 0xa2, 0xda, 0x0f, 0xc9, 0x00, 0x40]);
        assert_eq!(Number::Extended.read(&pi, false).unwrap(), std::f64::consts::PI);
        pi[9] = 0x7f;
        assert!(Number::Extended.read(&pi, false).unwrap_err().contains("no float64"));
        pi[7] = 0x09;
        assert!(Number::Extended.read(&pi, false).unwrap_err().contains("save them as float64"));
    }

    #[test]
    fn whole_numbers_keep_their_sign_and_every_digit() {
        let read = |number: Number, bytes: &[u8]| number.read(bytes, false);
        assert_eq!(read(Number::Signed(1), &[0xff]), Ok(-1.0));
        assert_eq!(read(Number::Unsigned(1), &[0xff]), Ok(255.0));
        assert_eq!(Number::Signed(2).read(&[0xff, 0xfe], true), Ok(-2.0));
        assert_eq!(read(Number::Signed(8), &i64::MIN.to_le_bytes()), Ok(i64::MIN as f64));
        assert_eq!(read(Number::Boolean, &[2]), Ok(1.0));
        let odd = (1_u64 << 53) + 1;
        assert!(read(Number::Unsigned(8), &odd.to_le_bytes()).unwrap_err().contains("9007199254740993"));
    }
}
