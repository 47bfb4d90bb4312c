//! What separates the columns of a table, and the fields of a line.

use super::numeral::{Numeral, pointed};
use std::borrow::Cow;

/// Lines that are looked at to find out.
const PROBE: usize = 32;

/// What stands between two columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `,`
    Comma,
    /// One blank or several, tabs among them.
    Blanks,
}

impl Separator {
    /// In the order in which they are believed.
    const ALL: [Separator; 4] = [Self::Semicolon, Self::Tab, Self::Comma, Self::Blanks];

    /// For a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
            Self::Comma => "commas",
            Self::Blanks => "blanks",
        }
    }

    /// What separates the columns of `lines`, none of which is blank: `usual` where it fits; what makes numbers of all columns, or of
    /// all but one, in all lines but a heading; what gives every line as many columns; commas.
    pub fn find<'a>(lines: impl Iterator<Item = &'a [u8]>, usual: Option<Separator>) -> Self {
        let probe: Vec<&[u8]> = lines.take(PROBE).collect();
        let Some((first, rest)) = probe.split_first() else { return Self::Comma };
        let body = if rest.is_empty() { &probe[..] } else { rest };
        let columns = |own: Separator| own.fields(first).len();
        let even = |own: &Separator| {
            let columns = columns(*own);
            columns >= 2 && body.iter().all(|line| own.fields(line).len() == columns)
        };
        let words = |own: Separator| {
            let mut numeric = vec![true; columns(own)];
            for line in body {
                let fields = own.fields(line);
                numeric.iter_mut().zip(&fields).for_each(|(numeric, field)| *numeric &= own.number(field).is_some());
            }
            numeric.into_iter().filter(|numeric| !numeric).count()
        };
        let fitting: Vec<Separator> = Self::ALL.into_iter().filter(even).collect();
        let with = |most: usize| fitting.iter().copied().find(|&own| words(own) <= most);
        let usual = usual.filter(|usual| fitting.contains(usual));
        let splits = || Self::ALL.into_iter().find(|&own| own != Self::Blanks && columns(own) >= 2);
        let found = usual.or_else(|| with(0)).or_else(|| with(1)).or_else(|| fitting.first().copied());
        found.or_else(splits).or_else(|| (columns(Self::Blanks) >= 2).then_some(Self::Blanks)).unwrap_or(Self::Comma)
    }

    /// The number in a field. A decimal comma is taken where commas separate nothing.
    pub fn number(self, field: &[u8]) -> Option<Numeral> {
        let text = std::str::from_utf8(field).ok()?;
        if self == Self::Comma { Numeral::read(text) } else { Numeral::read(&pointed(text)?) }
    }

    /// The fields of a line. In quotes nothing separates, and two quotes are one.
    pub fn fields(self, line: &[u8]) -> Vec<Cow<'_, [u8]>> {
        // a tab at either end separates an empty field, as pandas heads its index
        let line = if self == Self::Tab { line } else { line.trim_ascii() };
        let separates = |byte: u8| match self {
            Self::Semicolon => byte == b';',
            Self::Tab => byte == b'\t',
            Self::Comma => byte == b',',
            Self::Blanks => byte.is_ascii_whitespace(),
        };
        let kept = |field: &&[u8]| self != Self::Blanks || !field.is_empty();
        if !line.contains(&b'"') {
            let fields = line.split(|&byte| separates(byte)).filter(kept);
            return fields.map(|field| Cow::Borrowed(field.trim_ascii())).collect();
        }
        let mut quoted = false;
        let outside = |&byte: &u8| {
            quoted ^= byte == b'"';
            separates(byte) && !quoted
        };
        line.split(outside).filter(kept).map(|field| unquoted(field.trim_ascii())).collect()
    }
}

fn unquoted(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")) else {
        return Cow::Borrowed(field);
    };
    let mut after_quote = false;
    let kept = |&byte: &u8| {
        after_quote = byte == b'"' && !after_quote;
        (byte != b'"' || !after_quote).then_some(byte)
    };
    if inner.contains(&b'"') { Cow::Owned(inner.iter().filter_map(kept).collect()) } else { Cow::Borrowed(inner) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Separator::{Blanks, Comma, Semicolon, Tab};

    fn found(text: &str) -> Separator {
        Separator::find(text.lines().map(str::as_bytes), None)
    }

    #[test]
    fn the_separator_is_the_one_that_makes_numbers() {
        for (text, separator) in [
            ("x,y,kind\n1.5,2,0\n", Comma),
            ("x;y;kind\n1.5;2;0\n", Semicolon),
            ("x\ty\tkind\n1.5\t2\t0\n", Tab),
            ("x  y kind\n1.5   2 0\n", Blanks),
            ("länge, cm;breite, cm;art\n1,5;2,5;a\n3,5;4,5;b\n", Semicolon),
            ("1,5;2,5;0\n3,5;4,5;1\n", Semicolon),
            ("1,5;0\n3,5;1\n", Semicolon),
            ("1,2,a;b\n3,4,c;d\n", Comma),
            ("1,2,a b\n3,4,c d\n", Comma),
            ("1, 2, 0\n3, 4, 1\n", Comma),
            ("1,\t2,\t0\n3,\t4,\t1\n", Comma),
            ("1 + 2i,3 - 4i,0\n1 + 2i,3 - 4i,1\n", Comma),
            ("1;2;x\n1;y;z\n", Semicolon),
            ("0\n", Comma),
            ("", Comma),
        ] {
            assert_eq!(found(text), separator, "{text}");
        }
        let same = |text: &str| Separator::find(text.lines().map(str::as_bytes), Some(Blanks));
        assert_eq!([same("1 2\n"), same("1,2\n")], [Blanks, Comma]);
    }

    #[test]
    fn a_quoted_field_may_hold_what_separates() {
        let fields = |own: Separator, line: &'static str| {
            own.fields(line.as_bytes())
                .iter()
                .map(|field| String::from_utf8_lossy(field).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(fields(Comma, "1,\"a, \"\"b\"\"\", c "), ["1", "a, \"b\"", "c"]);
        assert_eq!(fields(Blanks, "  1  \"a b\"\t2 "), ["1", "a b", "2"]);
        assert_eq!(fields(Tab, "\t0\t1 \r"), ["", "0", "1"]);
    }
}
