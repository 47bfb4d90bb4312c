//! How large an error-prediction network is, from its numbers alone: as floats, because absurd ones overflow.

/// Reals of the parameters, and pixels of all maps of one sample, of a network behind a mesh of `modes` modes, with `maps` maps at
/// the three scales ([`super::Sepn`]).
pub fn size(modes: usize, maps: [usize; 3]) -> (f64, f64) {
    let [f1, f2, f3] = maps.map(|count| count as f64);
    let convolution = |inputs: f64, outputs: f64| 2.0 * (9.0 * inputs + 1.0) * outputs;
    let reals = convolution(1.0, f1)
        + 2.0 * convolution(f1, f1)
        + convolution(1.0, f1)
        + convolution(f1, f2)
        + 2.0 * convolution(f2, f2)
        + convolution(f1, f2)
        + convolution(f2, f3)
        + 2.0 * convolution(f3, f3)
        + convolution(f3, f2)
        + convolution(2.0 * f2, f1)
        + convolution(2.0 * f1, 1.0);
    let side = modes.isqrt();
    let [large, half, quarter] =
        [side, side.div_ceil(2), side.div_ceil(2).div_ceil(2)].map(|side| (side as f64).powi(2));
    let pixels = (2.0 + 4.0 * f1) * large + (f1 + 4.0 * f2) * half + (f2 + 3.0 * f3) * quarter;
    (reals, pixels)
}

#[cfg(test)]
mod tests {
    use super::super::Sepn;
    use super::*;

    #[test]
    fn the_size_is_that_of_the_network() {
        for (modes, maps) in [(64, [4, 8, 16]), (144, [4, 6, 8]), (25, [3, 1, 2])] {
            let sepn = Sepn::new(modes, maps).unwrap();
            assert_eq!(size(modes, maps), (sepn.reals() as f64, sepn.pixels() as f64));
        }
        assert_eq!(size(64, [4, 8, 16]).0, 2.0 * 9757.0);
        assert!(size(64, [usize::MAX; 3]).0 > 1e38);
    }
}
