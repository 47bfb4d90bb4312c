//! Python's pickles, as far as tables of bytes with lists of numbers need them: protocol 2 with NumPy arrays of bytes, as Python 2 wrote them.
//!
//! A pickle is a program for a stack. Here nothing of it is run: the few operations that such files have put values on the stack, and of
//! the callables that a pickle can name, three of NumPy are known, which stand for an array and its type. All else is refused by name.

use super::npy::Parsed;
use super::whole::shown;
use std::collections::HashMap;
use std::ops::Range;

/// The callables that are known, and what each stands for.
const KNOWN: [(&str, &str, Callable); 4] = [
    ("numpy.core.multiarray", "_reconstruct", Callable::Reconstruct),
    ("numpy._core.multiarray", "_reconstruct", Callable::Reconstruct),
    ("numpy", "ndarray", Callable::Array),
    ("numpy", "dtype", Callable::Type),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callable {
    /// Makes an empty array, which a state then fills.
    Reconstruct,
    /// The class of arrays.
    Array,
    /// Makes the type of elements.
    Type,
}

/// A value of a pickle; values within it are told by their number.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    None,
    Truth(bool),
    Whole(i64),
    /// Bytes or text, where they are in the content.
    Bytes(Range<usize>),
    Tuple(Vec<usize>),
    List(Vec<usize>),
    Dictionary(Vec<[usize; 2]>),
    Callable(Callable),
    /// A type of elements, by its word, and its state.
    Type(Range<usize>),
    /// An array: shape and elements, once it has its state.
    Array(Option<(Vec<usize>, Range<usize>)>),
}

/// A pickle that is a dictionary.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    content: &'a [u8],
    values: Vec<Value>,
    entries: Vec<[usize; 2]>,
}

impl<'a> Pickle<'a> {
    /// Reads `content`. The memory is some ten times that of what it has beside bytes and text. Errs with a reason on what is no such
    /// pickle.
    pub fn parse(content: &'a [u8]) -> Parsed<Self> {
        let mut reader = Reader { content, at: 0, values: Vec::new(), stack: Vec::new(), marks: Vec::new() };
        let root = reader.run()?;
        match &reader.values[root] {
            Value::Dictionary(entries) => {
                let entries = entries.clone();
                Ok(Pickle { content, values: reader.values, entries })
            }
            _ => Err("its pickle is no dictionary".into()),
        }
    }

    fn get(&self, key: &str) -> Parsed<&Value> {
        let is_key = |id: usize| matches!(&self.values[id], Value::Bytes(range) if &self.content[range.clone()] == key.as_bytes());
        let found = self.entries.iter().rev().find(|[own, _]| is_key(*own)); // the last of equal keys is the one that counts
        found.map(|[_, value]| &self.values[*value]).ok_or_else(|| format!("its pickle has no '{key}'"))
    }

    /// The whole numbers of the list `key`.
    pub fn integers(&self, key: &str) -> Parsed<Vec<i64>> {
        let Value::List(items) = self.get(key)? else { return Err(format!("'{key}' is no list")) };
        let whole = |(at, id): (usize, &usize)| match self.values[*id] {
            Value::Whole(number) => Ok(number),
            _ => Err(format!("element {at} of '{key}' is no whole number")),
        };
        items.iter().enumerate().map(whole).collect()
    }

    /// Shape of the array of bytes `key`, and where in the content its elements are, in row-major order.
    pub fn bytes(&self, key: &str) -> Parsed<(Vec<usize>, Range<usize>)> {
        match self.get(key)? {
            Value::Array(Some((shape, elements))) => {
                let wanted = shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
                match wanted == Some(elements.len()) {
                    true => Ok((shape.clone(), elements.clone())),
                    false => Err(format!("'{key}' has shape {shape:?} and {} bytes", elements.len())),
                }
            }
            _ => Err(format!("'{key}' is no array")),
        }
    }
}

struct Reader<'a> {
    content: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<usize>,
    marks: Vec<usize>,
}

const CUT: &str = "its pickle is cut short or damaged";

impl<'a> Reader<'a> {
    /// Number of the value that is left at the end.
    fn run(&mut self) -> Parsed<usize> {
        let mut memo: HashMap<u32, usize> = HashMap::new();
        loop {
            let start = self.at;
            match self.byte()? {
                0x80 => match self.byte()? {
                    2 => {}
                    other => return Err(format!("its pickle has protocol {other}, and 2 is read")),
                },
                b'.' => return self.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'}' => self.push(Value::Dictionary(Vec::new())),
                b']' => self.push(Value::List(Vec::new())),
                b'N' => self.push(Value::None),
                0x88 => self.push(Value::Truth(true)),
                0x89 => self.push(Value::Truth(false)),
                b'K' => {
                    let number = self.number(1)?;
                    self.push(Value::Whole(number.into()));
                }
                b'M' => {
                    let number = self.number(2)?;
                    self.push(Value::Whole(number.into()));
                }
                b'J' => {
                    let number = self.number(4)?;
                    self.push(Value::Whole(number.cast_signed().into()));
                }
                b'U' => self.text(1)?,
                b'T' | b'X' => self.text(4)?,
                b'q' => {
                    let (key, top) = (self.number(1)?, self.top()?);
                    memo.insert(key, top);
                }
                b'r' => {
                    let (key, top) = (self.number(4)?, self.top()?);
                    memo.insert(key, top);
                }
                operation @ (b'h' | b'j') => {
                    let key = self.number(if operation == b'h' { 1 } else { 4 })?;
                    let value = memo.get(&key).ok_or(CUT)?;
                    self.stack.push(*value);
                }
                b'c' => self.callable()?,
                b't' => {
                    let items = self.since_mark()?;
                    self.push(Value::Tuple(items));
                }
                count @ 0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(count - 0x84)).ok_or(CUT)?;
                    let items = self.stack.split_off(from);
                    self.push(Value::Tuple(items));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.list()?.push(item);
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.list()?.extend(items);
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.dictionary()?.push([key, value]);
                }
                b'u' => {
                    let items = self.since_mark()?;
                    let (pairs, rest) = items.as_chunks::<2>();
                    if !rest.is_empty() {
                        return Err(CUT.into());
                    }
                    self.dictionary()?.extend_from_slice(pairs);
                }
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                other => {
                    let name = char::from(other).escape_default();
                    return Err(format!(
                        "byte {start} of its pickle is the operation {name} ({other:#04x}), which tables of images do not need, and is not done"
                    ));
                }
            }
        }
    }

    fn byte(&mut self) -> Parsed<u8> {
        let byte = *self.content.get(self.at).ok_or(CUT)?;
        self.at += 1;
        Ok(byte)
    }

    /// A little-endian number of up to four bytes.
    fn number(&mut self, bytes: usize) -> Parsed<u32> {
        let range = self.range(bytes)?;
        Ok(self.content[range].iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    /// The next `length` bytes.
    fn range(&mut self, length: usize) -> Parsed<Range<usize>> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.content.len()).ok_or(CUT)?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    /// Bytes behind their length.
    fn text(&mut self, bytes: usize) -> Parsed<()> {
        let length = self.number(bytes)? as usize;
        let range = self.range(length)?;
        self.push(Value::Bytes(range));
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    fn pop(&mut self) -> Parsed<usize> {
        self.stack.pop().ok_or_else(|| CUT.into())
    }

    fn top(&self) -> Parsed<usize> {
        self.stack.last().copied().ok_or_else(|| CUT.into())
    }

    /// What was put on the stack since the last mark.
    fn since_mark(&mut self) -> Parsed<Vec<usize>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len()).ok_or(CUT)?;
        Ok(self.stack.split_off(mark))
    }

    fn list(&mut self) -> Parsed<&mut Vec<usize>> {
        let top = self.top()?;
        match &mut self.values[top] {
            Value::List(items) => Ok(items),
            _ => Err(CUT.into()),
        }
    }

    fn dictionary(&mut self) -> Parsed<&mut Vec<[usize; 2]>> {
        let top = self.top()?;
        match &mut self.values[top] {
            Value::Dictionary(entries) => Ok(entries),
            _ => Err(CUT.into()),
        }
    }

    fn line(&mut self) -> Parsed<&'a str> {
        let rest = &self.content[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or(CUT)?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| CUT.into())
    }

    fn callable(&mut self) -> Parsed<()> {
        let (module, name) = (self.line()?, self.line()?);
        let known = KNOWN.iter().find(|(own, called, _)| (*own, *called) == (module, name));
        let (_, _, callable) = known.ok_or_else(|| {
            format!(
                "its pickle asks for {}.{}, which is not NumPy's array of bytes; nothing of it is run",
                shown(module),
                shown(name)
            )
        })?;
        self.push(Value::Callable(*callable));
        Ok(())
    }

    /// The call of a known callable: an array without elements, or the type of bytes.
    fn reduce(&mut self) -> Parsed<()> {
        let (arguments, called) = (self.pop()?, self.pop()?);
        let Value::Tuple(arguments) = &self.values[arguments] else { return Err(CUT.into()) };
        let value = match (&self.values[called], &arguments[..]) {
            (Value::Callable(Callable::Reconstruct), [class, ..])
                if self.values[*class] == Value::Callable(Callable::Array) =>
            {
                Value::Array(None)
            }
            (Value::Callable(Callable::Type), [word, ..]) => match &self.values[*word] {
                Value::Bytes(range) => Value::Type(range.clone()),
                _ => return Err(CUT.into()),
            },
            _ => return Err("its pickle calls what is no maker of arrays".into()),
        };
        self.push(value);
        Ok(())
    }

    /// The state of what lies below it: an array's version, shape, type, order and elements, or that of a type.
    fn build(&mut self) -> Parsed<()> {
        let (state, target) = (self.pop()?, self.top()?);
        let Value::Tuple(state) = &self.values[state] else { return Err(CUT.into()) };
        let filled = match (&self.values[target], &state[..]) {
            (Value::Type(_), _) => return Ok(()), // bytes have no order, and other types are refused by their word
            (Value::Array(None), &[_, shape, kind, order, elements]) => {
                let Value::Type(word) = &self.values[kind] else { return Err(CUT.into()) };
                if !matches!(&self.content[word.clone()], b"u1" | b"|u1") {
                    let word = String::from_utf8_lossy(&self.content[word.clone()]).into_owned();
                    return Err(format!("its array holds {}, and bytes (u1) are read", shown(&word)));
                }
                if self.values[order] != Value::Truth(false) {
                    return Err("its array is in column-major order, which is not read".into());
                }
                let (Value::Tuple(shape), Value::Bytes(elements)) = (&self.values[shape], &self.values[elements])
                else {
                    return Err(CUT.into());
                };
                let length = |id: &usize| match self.values[*id] {
                    Value::Whole(length) => usize::try_from(length).map_err(|_| CUT.to_string()),
                    _ => Err(CUT.into()),
                };
                Value::Array(Some((shape.iter().map(length).collect::<Parsed<_>>()?, elements.clone())))
            }
            _ => return Err(CUT.into()),
        };
        self.values[target] = filled;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A batch as Python 2's cPickle writes it: a label, labels, `[samples, width]` bytes, names.
    pub(crate) fn batch(labels: &[u8], width: usize, data: &[u8]) -> Vec<u8> {
        let mut file =
            b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05(".to_vec();
        labels.iter().for_each(|label| file.extend([b'K', *label]));
        file.extend(b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09(K\x01");
        for size in [labels.len(), width] {
            file.push(b'J');
            file.extend((size as u32).to_le_bytes());
        }
        file.extend(b"\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file.extend(b"tbU\x09filenamesq\x0c]q\x0d(");
        labels.iter().for_each(|_| file.extend(b"U\x05a.png"));
        file.extend(b"eu.");
        file
    }

    #[test]
    fn a_batch_is_read_without_running_it() {
        let file = batch(&[3, 9, 0], 4, b"abcdefghijkl");
        let pickle = Pickle::parse(&file).unwrap();
        assert_eq!(pickle.integers("labels").unwrap(), [3, 9, 0]);
        let (shape, elements) = pickle.bytes("data").unwrap();
        assert_eq!((shape, &file[elements]), (vec![3, 4], &b"abcdefghijkl"[..]));
        for (key, reason) in [("label", "no 'label'"), ("data", "'data' is no list")] {
            assert!(pickle.integers(key).unwrap_err().contains(reason), "{key}");
        }
        assert!(pickle.bytes("labels").unwrap_err().contains("no array"));
    }

    #[test]
    fn what_a_batch_does_not_need_is_refused_by_name() {
        let good = batch(&[3, 9, 0], 4, b"abcdefghijkl");
        let with = |from: &[u8], to: &[u8]| {
            let at = good.windows(from.len()).position(|part| part == from).expect("it is there");
            [&good[..at], to, &good[at + from.len()..]].concat()
        };
        for (file, reason) in [
            (with(b"numpy\nndarray", b"os\nsystem"), "os.system"),
            (with(b"cnumpy.core.multiarray\n_reconstruct", b"cbuiltins\neval"), "nothing of it is run"),
            (with(b"\x80\x02", b"\x80\x04"), "protocol 4"),
            (with(b"U\x02u1", b"U\x02f8"), "holds f8"),
            (with(b"\x89T", b"\x88T"), "column-major"),
            (with(b"abcdefghijkl", b"abcdefghijk"), "cut short"),
            (with(b"u.", b"u"), "cut short"),
            (with(b"K\x09", b"i\x09"), "operation i"),
            (with(b"K\x09", b"N0"), "operation 0"),
            (b"".to_vec(), "cut short"),
            (b"\x80\x02N.".to_vec(), "no dictionary"),
            (b"\x80\x02h\x07.".to_vec(), "cut short"),
            (b"\x80\x02(t.".to_vec(), "no dictionary"),
        ] {
            let error = Pickle::parse(&file).map(|_| ()).unwrap_err();
            assert!(error.contains(reason), "{error} is not about {reason}");
        }
        let short = with(b"J\x04\0\0\0", b"J\x05\0\0\0");
        assert!(Pickle::parse(&short).unwrap().bytes("data").unwrap_err().contains("[3, 5] and 12 bytes"));
        let words = with(b"K\x09", b"N");
        assert!(Pickle::parse(&words).unwrap().integers("labels").unwrap_err().contains("element 1"));
    }

    proptest! {
        #[test]
        fn damaged_pickles_never_panic(at in 0usize..260, byte in any::<u8>(), cut in 0usize..260) {
            let mut file = batch(&[3, 9, 0], 4, b"abcdefghijkl");
            let at = at % file.len();
            file[at] = byte;
            for file in [&file[..], &file[..cut.min(file.len())]] {
                if let Ok(pickle) = Pickle::parse(file) {
                    let _ = (pickle.integers("labels"), pickle.bytes("data"));
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Pickle::parse(&[b"\x80\x02", &bytes[..]].concat());
        }
    }
}
