//! The header of an npy file: a Python dictionary of three entries, as any version of NumPy wrote it.

use super::npy::Parsed;
use super::whole::shown;

/// More axes than NumPy's arrays can have.
const MOST_AXES: usize = 64;
/// A type of elements is named by fewer characters.
const LONGEST_NAME: usize = 64;

/// What a header says.
#[derive(Debug, PartialEq)]
pub(super) struct NpyHeader {
    /// The type of the elements: `<f8`.
    pub descr: String,
    /// The first axis runs fastest.
    pub fortran: bool,
    /// The lengths of the axes.
    pub shape: Vec<usize>,
}

/// Reads `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`, with quotes of either kind and lengths as `3L` too.
pub(super) fn parse(text: &str) -> Parsed<NpyHeader> {
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let mut rest = Rest(text);
    rest.need('{')?;
    while !rest.skip('}') {
        let key = rest.quoted()?;
        rest.need(':')?;
        match key {
            "descr" => descr = Some(rest.descr()?),
            "fortran_order" => fortran = Some(rest.truth()?),
            "shape" => shape = Some(rest.shape()?),
            other => return Err(format!("its header has the entry '{}', which is not known", shown(other))),
        }
        if !rest.skip(',') {
            rest.need('}')?;
            break;
        }
    }
    if !rest.0.trim().is_empty() {
        return Err("something follows in its header".into());
    }
    let missing = |key: &str| format!("its header has no '{key}'");
    Ok(NpyHeader {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
    })
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Steps over `sign`, if it is next.
    fn skip(&mut self, sign: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn need(&mut self, sign: char) -> Parsed<()> {
        let wrong = |rest: &str| format!("its header has '{}' where {sign} belongs", shown(rest.trim_start()));
        if self.skip(sign) { Ok(()) } else { Err(wrong(self.0)) }
    }

    /// A text in quotes of either kind.
    fn quoted(&mut self) -> Parsed<&'a str> {
        let wrong = |rest: &str| format!("its header has '{}' where a name in quotes belongs", shown(rest));
        let rest = self.0.trim_start();
        let text = ['\'', '"'].into_iter().find_map(|quote| rest.strip_prefix(quote)?.split_once(quote));
        let (name, rest) = text.filter(|(name, _)| name.len() <= LONGEST_NAME).ok_or_else(|| wrong(rest))?;
        self.0 = rest;
        Ok(name)
    }

    fn descr(&mut self) -> Parsed<String> {
        if self.0.trim_start().starts_with('[') {
            return Err("its elements are structures of several fields; save one field".into());
        }
        Ok(self.quoted()?.to_string())
    }

    fn truth(&mut self) -> Parsed<bool> {
        let rest = self.0.trim_start();
        let word = [("True", true), ("False", false)].into_iter();
        let found = word.filter_map(|(word, value)| Some((rest.strip_prefix(word)?, value))).next();
        let (rest, value) = found.ok_or("its header has no order of elements")?;
        self.0 = rest;
        Ok(value)
    }

    /// `(3, 4)`, `(3,)`, `()`; Python 2 writes `(3L, 4L)`.
    fn shape(&mut self) -> Parsed<Vec<usize>> {
        let bad = || "its header has no shape".to_string();
        self.need('(').map_err(|_| bad())?;
        let (list, rest) = self.0.split_once(')').ok_or_else(bad)?;
        self.0 = rest;
        let list = list.trim();
        let mut lengths = Vec::new();
        for length in list.strip_suffix(',').unwrap_or(list).split(',').map(str::trim) {
            if list.is_empty() {
                break;
            }
            if lengths.len() == MOST_AXES {
                return Err(format!("its header has a shape of more than {MOST_AXES} axes"));
            }
            let digits = length.strip_suffix('L').unwrap_or(length);
            let number = Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
            lengths.push(number.and_then(|digits| digits.parse().ok()).ok_or_else(bad)?);
        }
        Ok(lengths)
    }
}

/// What an array of elements of type `descr` in C order begins with.
pub(super) fn bytes(descr: &str, shape: &[usize]) -> Vec<u8> {
    let mut lengths = shape.iter().map(|length| format!("{length}")).collect::<Vec<_>>().join(", ");
    if shape.len() == 1 {
        lengths.push(',');
    }
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths})}}");
    // the elements start at a multiple of 64 bytes; where they would without spaces, there are 64, as NumPy does it
    let padded = (11 + header.len()) / 64 * 64 + 64 - 11;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(((padded + 1) as u16).to_le_bytes()); // a shape of any array that fits a memory is far shorter
    bytes.extend(format!("{header:padded$}\n").into_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_numpy_are_read() {
        let expected = |shape: &[usize]| NpyHeader { descr: "<f8".into(), fortran: true, shape: shape.to_vec() };
        let cases: [(&str, &[usize]); 6] = [
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }   \n", &[3, 4]),
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (3L, 4L), }", &[3, 4]),
            (r#"{"descr": "<f8", "fortran_order": True, "shape": (3,)}"#, &[3]),
            ("{'shape':(),'fortran_order':True,'descr':'<f8'}", &[]),
            ("{ 'shape' : ( 3 , 4 ) , 'descr' : \"<f8\" , 'fortran_order' : True , }", &[3, 4]),
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (7L,), }", &[7]),
        ];
        for (text, shape) in cases {
            assert_eq!(parse(text).unwrap(), expected(shape), "{text}");
        }
    }

    #[test]
    fn an_error_does_not_repeat_the_rest_of_a_header() {
        let long = "x".repeat(60_000);
        let axes = "1, ".repeat(20_000);
        let cases = [
            (format!("{{'descr': '{long}', 'fortran_order': True, 'shape': ()}}"), "name in quotes"),
            (format!("{{'{long}': 1}}"), "name in quotes"),
            (format!("{{'other': {long}}}"), "'other'"),
            (format!("{{'descr': [('x', '<f8'), {long}]"), "structures"),
            (format!("{{'descr': '<f8', 'fortran_order': {long}"), "order of elements"),
            (format!("{{'descr': '<f8', 'shape': ({axes})}}"), "more than 64 axes"),
            (format!("{{'descr': '<f8', 'shape': (-1, {long})}}"), "no shape"),
            (format!("{{'descr': '<f8' {long}"), "where } belongs"),
            (format!("{{}} {long}"), "something follows"),
            (long.to_string(), "where { belongs"),
            ("{'descr': '<f8', 'fortran_order': False}".into(), "no 'shape'"),
            ("{'shape': (3,), 'fortran_order': False}".into(), "no 'descr'"),
            ("{'descr': '<f8', 'shape': (3,)}".into(), "no 'fortran_order'"),
        ];
        for (text, part) in cases {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(part) && error.chars().count() < 250, "{error}");
        }
    }
}
