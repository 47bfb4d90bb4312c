//! Normal draws as NumPy's legacy generator makes them, for results that were published with its seeds.
//!
//! `np.random.seed(s)` seeds the Mersenne Twister MT19937 with the 32-bit integer s; `np.random.randn` turns its 53-bit doubles
//! into normal draws by Marsaglia's polar method and keeps the second of each pair for the next call. NumPy guarantees that
//! this stream never changes (NEP 19).

use rand_mt::Mt;

/// The stream of `np.random.seed(seed)`, `np.random.randn(…)`; shapes are filled in C order.
pub struct LegacyNormal {
    twister: Mt,
    kept: Option<f64>,
}

impl LegacyNormal {
    /// As `np.random.seed(seed)` leaves the generator.
    pub fn seed(seed: u32) -> Self {
        LegacyNormal { twister: Mt::new(seed), kept: None }
    }

    /// The next `count` draws, times `deviation`.
    pub fn draw(&mut self, count: usize, deviation: f64) -> impl Iterator<Item = f64> + '_ {
        (0..count).map(move |_| deviation * self.next())
    }

    fn next(&mut self) -> f64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.kept = Some(factor * x);
                return factor * y;
            }
        }
    }

    /// 53 bits in [0, 1): the upper 27 of one word and the upper 26 of the next.
    fn uniform(&mut self) -> f64 {
        let (high, low) = (self.twister.next_u32() >> 5, self.twister.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_numpy() {
        // np.random.seed(42); np.random.randn(4)
        let draws: Vec<f64> = LegacyNormal::seed(42).draw(4, 1.0).collect();
        let expected = [0.4967141530112327, -0.13826430117118466, 0.6476885381006925, 1.5230298564080254];
        for (draw, expected) in draws.iter().zip(expected) {
            assert!((draw - expected).abs() < 1e-15, "{draw} for {expected}");
        }
    }
}
