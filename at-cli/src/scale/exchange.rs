//! What ranks exchange: sums over ranks measured by themselves, and the formula of their time.
//!
//! A sum of N values in f64 over R ranks ([`Collective::sum`]) is two exchanges, each of R - 1 messages that hold a share of the values:
//!
//! ```text
//! X(R, N) = 2 (R - 1) α + 2 (R - 1)/R · 8 N / β
//! ```
//!
//! with α the latency of a message (s) and β the rate of the network (B/s).

use super::fit::median;
use super::measure::Care;
use anyhow::Result;
use at_core::ranks::Collective;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::Instant;

/// Sums of fewer values are one exchange in the place of two.
const SHORT: f64 = 256.0;

/// A network between ranks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interconnect {
    /// As it was asked for.
    pub name: String,
    /// α (s).
    pub latency: f64,
    /// β (B/s).
    pub rate: f64,
}

/// Named ones: rates are those of the links by their standards, latencies what their makers and users state: `docs/scaling.md`.
const NAMED: [(&str, f64, f64); 3] =
    [("10-gigabit-ethernet", 30e-6, 1.25e9), ("hdr-infiniband", 1e-6, 25e9), ("ndr-infiniband", 1e-6, 50e9)];

impl FromStr for Interconnect {
    type Err = String;

    /// A name, or `LATENCY:RATE` in µs and GB/s.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((name, latency, rate)) = NAMED.into_iter().find(|(name, _, _)| *name == text) {
            return Ok(Interconnect { name: name.to_string(), latency, rate });
        }
        let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
        let numbers = text.split_once(':').and_then(|(latency, rate)| Some((number(latency)?, number(rate)?)));
        let numbers = numbers.filter(|(_, rate)| *rate > 0.0); // a latency may be too short to be found
        let (latency, rate) = numbers.ok_or_else(|| {
            let names: Vec<&str> = NAMED.iter().map(|(name, _, _)| *name).collect();
            format!("must be {}, or a latency in µs and a rate in GB/s such as 1.5:12", names.join(", "))
        })?;
        Ok(Interconnect { name: text.to_string(), latency: 1e-6 * latency, rate: 1e9 * rate })
    }
}

impl Interconnect {
    /// X: the time (s) of a sum of so many values over so many ranks.
    pub fn seconds(&self, ranks: usize, values: f64) -> f64 {
        let ranks = ranks as f64;
        2.0 * (ranks - 1.0) * self.latency + 2.0 * (ranks - 1.0) / ranks * 8.0 * values / self.rate
    }

    /// The one that comes nearest to the shortest times of measured `sums`, which wait for nothing else of the machine, by least squares of
    /// relative distances; its latency is 0 where less would fit better. With the greatest relative distance; none of fewer than two sizes.
    pub fn fit(ranks: usize, sums: &[Sum]) -> Option<(Self, f64)> {
        let long: Vec<(f64, f64)> = (sums.iter())
            .map(|sum| (sum.values as f64, sum.shortest_seconds))
            .filter(|&(values, seconds)| values > SHORT && seconds > 0.0)
            .collect();
        // t ≈ a + b N: the normal equations of (a + b N)/t - 1
        let total = |of: fn(&(f64, f64)) -> f64| long.iter().map(of).sum::<f64>();
        let (aa, ab, bb) =
            (total(|(_, t)| t.powi(-2)), total(|(n, t)| n * t.powi(-2)), total(|(n, t)| n * n * t.powi(-2)));
        let (ya, yb) = (total(|(_, t)| 1.0 / t), total(|(n, t)| n / t));
        let determinant = aa * bb - ab * ab;
        if ranks < 2 || determinant <= 1e-12 * aa * bb {
            return None;
        }
        let both = ((ya * bb - yb * ab) / determinant, (aa * yb - ab * ya) / determinant);
        let (a, b) = if both.0 >= 0.0 { both } else { (0.0, yb / bb) };
        if b <= 0.0 {
            return None;
        }
        let share = (ranks as f64 - 1.0) / ranks as f64;
        let (latency, rate) = (a / (2.0 * (ranks as f64 - 1.0)), 16.0 * share / b);
        let own = Interconnect { name: "measured".to_string(), latency, rate };
        let off = long.iter().map(|&(values, t)| (own.seconds(ranks, values) / t - 1.0).abs()).fold(0.0, f64::max);
        Some((own, off))
    }
}

/// A sum over ranks, measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// Values of each rank.
    pub values: usize,
    /// Median time (s).
    pub seconds: f64,
    /// Shortest time.
    pub shortest_seconds: f64,
    /// Longest time.
    pub longest_seconds: f64,
}

/// Measures sums of each of these sizes; what rank 0 takes, from when all are there. All ranks call it alike.
pub fn measure(all: &dyn Collective, sizes: &[usize], care: &Care) -> Result<Vec<Sum>> {
    let of = |&values: &usize| {
        let mut own: Vec<f64> = (0..values).map(|k| (k % 7) as f64 * 1e-3).collect();
        let mut times = Vec::new();
        for round in 0..care.warm_up + care.repeats {
            all.barrier()?;
            let began = Instant::now();
            all.sum(&mut own)?;
            if round >= care.warm_up {
                times.push(began.elapsed().as_secs_f64());
            }
            // sums of sums would leave the range of numbers
            own.iter_mut().for_each(|value| *value /= all.ranks() as f64);
        }
        times.sort_by(f64::total_cmp);
        let (shortest_seconds, longest_seconds) = (times[0], times[times.len() - 1]);
        Ok(Sum { values, seconds: median(&times), shortest_seconds, longest_seconds })
    };
    sizes.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::ranks::threads::together;

    #[test]
    fn an_interconnect_is_found_from_its_own_times_and_moves_what_a_ring_moves() {
        let own: Interconnect = "hdr-infiniband".parse().unwrap();
        // 4 ranks: 6 latencies, and 3/2 of 8 bytes a value
        assert!((own.seconds(4, 1e6) - (6e-6 + 12e6 / 25e9)).abs() < 1e-15);
        assert_eq!(own.seconds(1, 1e6), 0.0);
        let sum = |values: usize| {
            let seconds = own.seconds(4, values as f64);
            Sum { values, seconds, shortest_seconds: seconds, longest_seconds: seconds }
        };
        let sums = [10, 1000, 100_000, 10_000_000].map(sum);
        let (found, off) = Interconnect::fit(4, &sums).unwrap();
        assert!((found.latency / own.latency - 1.0).abs() < 1e-6 && (found.rate / own.rate - 1.0).abs() < 1e-6);
        assert!(off < 1e-9, "{off}");
        let earlier = |values: usize, seconds: f64| Sum { seconds, shortest_seconds: seconds, ..sum(values) };
        let (found, _) = Interconnect::fit(2, &[earlier(1000, 1e-6), earlier(1_000_000, 4e-3)]).unwrap();
        assert_eq!(found.latency, 0.0, "no latency is negative");
        assert!(found.rate > 2e9 && found.rate < 8e9, "{found:?}");
        assert_eq!(Interconnect::fit(2, &[earlier(1000, 2e-3), earlier(1_000_000, 1e-3)]), None, "no rate is negative");
        assert_eq!(Interconnect::fit(4, &sums[..2]), None, "one size beyond the short ones");
        assert_eq!(Interconnect::fit(1, &sums), None);
    }

    #[test]
    fn interconnects_are_named_or_two_numbers() {
        let own: Interconnect = "1.5:12".parse().unwrap();
        assert_eq!((own.latency, own.rate), (1.5e-6, 12e9));
        assert_eq!("0.0:2.07".parse::<Interconnect>().unwrap().latency, 0.0, "as --exchange may find it");
        for wrong in ["1.5", "1:0", "-1:1", "1:-1", "1:inf", "token-ring", ""] {
            assert!(wrong.parse::<Interconnect>().unwrap_err().contains("hdr-infiniband"), "{wrong}");
        }
    }

    #[test]
    fn every_size_is_measured_on_all_ranks() {
        let care = Care { warm_up: 1, repeats: 3 };
        for sums in together(3, |all| measure(&*all, &[1, 300, 1000], &care).unwrap()) {
            assert_eq!(sums.iter().map(|sum| sum.values).collect::<Vec<_>>(), [1, 300, 1000]);
            assert!(sums.iter().all(|sum| 0.0 < sum.shortest_seconds && sum.shortest_seconds <= sum.seconds));
            assert!(sums.iter().all(|sum| sum.seconds <= sum.longest_seconds));
        }
    }
}
