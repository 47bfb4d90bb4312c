//! Numbers as tables write them: with a decimal point or a decimal comma, real or complex.

use std::borrow::Cow;

/// A number in a field of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Numeral {
    /// `1.5`, `-2e3`.
    Real(f64),
    /// (re, im): `1+2j`, `(1+2j)`, `2j` as Python writes them, `1-2i` as MATLAB does, blanks around the sign or not.
    Complex([f64; 2]),
}

impl Numeral {
    /// The number that a field is, if it is one.
    pub fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Numeral::Real).or_else(|| complex(text).map(Numeral::Complex))
    }
}

/// The complex number of a text that ends with `j` or `i`.
fn complex(text: &str) -> Option<[f64; 2]> {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text).trim();
    let body = inner.strip_suffix(['j', 'i'])?.trim_end();
    if !body.ends_with(|last: char| last.is_ascii_digit() || last == '.') {
        return None;
    }
    let bytes = body.as_bytes();
    // the sign between the parts: the last one that begins no exponent
    let sign = |at: &usize| matches!(bytes[*at], b'+' | b'-') && !matches!(bytes[*at - 1], b'e' | b'E');
    let Some(at) = (1..bytes.len()).rev().find(sign) else { return Some([0.0, body.parse().ok()?]) };
    let re = body[..at].trim_end();
    let negative = bytes[at] == b'-';
    // numpy.savetxt wrote `1+-2j`
    let re = if negative { re.strip_suffix('+').unwrap_or(re).trim_end() } else { re };
    let im: f64 = body[at + 1..].trim_start().parse().ok()?;
    Some([re.parse().ok()?, if negative { -im } else { im }])
}

/// A text with its decimal commas as points. None where a comma is none, and beside a point.
pub(crate) fn pointed(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(',') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let decimal = |(at, _): (usize, &str)| bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    let all = !text.contains('.') && text.match_indices(',').all(decimal);
    all.then(|| Cow::Owned(text.replace(',', ".")))
}

/// The commas of a number may separate thousands as well: `1,234`, and not `0,234` or `1,5`.
pub(crate) fn may_be_thousands(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let Some((before, after)) = digits.split_once(',') else { return false };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    plain(before) && plain(after) && before.len() <= 3 && after.len() == 3 && !before.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complex_numbers_are_read_as_python_and_matlab_write_them() {
        for (text, re, im) in [
            ("1+2j", 1.0, 2.0),
            ("(1+2j)", 1.0, 2.0),
            ("1-2i", 1.0, -2.0),
            ("-1.5e-05-2e+10j", -1.5e-5, -2e10),
            ("(-0-2j)", 0.0, -2.0),
            ("1 + 2i", 1.0, 2.0),
            ("1.0000 - 2.5000i", 1.0, -2.5),
            ("(1.5e+00+-2.5e+00j)", 1.5, -2.5),
            ("2j", 0.0, 2.0),
            ("-2.5i", 0.0, -2.5),
            ("(2j)", 0.0, 2.0),
            ("1e+5j", 0.0, 1e5),
        ] {
            assert_eq!(Numeral::read(text), Some(Numeral::Complex([re, im])), "{text}");
        }
        for text in
            ["", "j", "i", "x+yj", "1+j", "infi", "1+nanj", "mini", "1 2i", "1++2j", "1+2", "(1+2j", "1+2k", "é2i"]
        {
            assert_eq!(Numeral::read(text), None, "{text}");
        }
        assert_eq!(Numeral::read("-1e-3"), Some(Numeral::Real(-1e-3)));
    }

    #[test]
    fn a_decimal_comma_is_told_from_one_that_separates() {
        let read = |text: &str| pointed(text).map(Cow::into_owned);
        assert_eq!(read("-1,5e3").as_deref(), Some("-1.5e3"));
        assert_eq!(read("1,5+2,5i").as_deref(), Some("1.5+2.5i"));
        assert_eq!([read("1,"), read("1.234,5"), read("a,b")], [None, None, None]);
        assert_eq!(["1,234", "-12,500", "123,000"].map(may_be_thousands), [true; 3]);
        assert_eq!(["0,234", "1,5", "1234,567", "1,2345", "1"].map(may_be_thousands), [false; 5]);
    }
}
