//! Files that went wrong: valid ones with bytes changed, moved, cut and doubled, the same for the same seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers that readers stumble over, where a file has a number as text.
const WORDS: [&str; 14] = [
    "0",
    "-1",
    "1e999",
    "1.7e308",
    "nan",
    "inf",
    "18446744073709551615",
    "18446744073709551616",
    "4294967296",
    "",
    "null",
    "[]",
    "\"",
    "1e-320",
];
/// The same as bytes, in either order.
const NUMBERS: [u64; 8] = [0, 1, 0x7f, 0x80, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];

/// Where the changes come from.
pub struct Mutator {
    random: ChaCha8Rng,
}

impl Mutator {
    /// One whose changes follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Mutator { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.random.random_range(0..end) }
    }

    /// `content` with one to six changes.
    pub fn mutate(&mut self, content: &[u8]) -> Vec<u8> {
        let mut changed = content.to_vec();
        for _ in 0..1 + self.below(6) {
            self.change(&mut changed);
        }
        changed
    }

    fn change(&mut self, content: &mut Vec<u8>) {
        let at = self.below(content.len());
        let length = self.below(16).min(content.len() - at);
        match self.below(10) {
            0 if at < content.len() => content[at] ^= 1 << self.below(8),
            1 if at < content.len() => content[at] = self.below(256) as u8,
            2 | 3 => {
                let (number, width) = (NUMBERS[self.below(NUMBERS.len())], [1, 2, 4, 8][self.below(4)]);
                let mut bytes = number.to_le_bytes()[..width].to_vec();
                if self.below(2) == 0 {
                    bytes.reverse();
                }
                let end = (at + width).min(content.len());
                content[at..end].copy_from_slice(&bytes[..end - at]);
            }
            4 => drop(content.drain(at..at + length)),
            5 => {
                let part = content[at..at + length].to_vec();
                let to = self.below(content.len() + 1);
                content.splice(to..to, part);
            }
            6 => {
                let part: Vec<u8> = (0..length).map(|_| self.below(256) as u8).collect();
                content.splice(at..at, part);
            }
            7 if self.below(4) == 0 => content.truncate(at),
            8 | 9 => self.change_number(content, at),
            _ => {}
        }
    }

    /// The first number as text from `at` on becomes another word.
    fn change_number(&mut self, content: &mut Vec<u8>, at: usize) {
        let is_part = |byte: &u8| byte.is_ascii_digit() || b".-+eE".contains(byte);
        let Some(start) = content[at..].iter().position(u8::is_ascii_digit).map(|step| at + step) else { return };
        let end = content[start..].iter().position(|byte| !is_part(byte)).map_or(content.len(), |step| start + step);
        let word = WORDS[self.below(WORDS.len())];
        content.splice(start..end, word.bytes());
    }
}
