//! Splitters and combiners, which are transposes of one another.

/// `[batch, block, mode]` → `[batch, block, copy, mode]`, each copy divided by √copies; a block has `modes` modes.
pub fn split(modes: usize, copies: usize, input: &[f64]) -> Vec<f64> {
    let share = 1.0 / (copies as f64).sqrt();
    let blocks = input.chunks_exact(2 * modes);
    blocks.flat_map(|block| (0..copies).flat_map(move |_| block.iter().map(move |x| share * x))).collect()
}

/// `[batch, block, part, mode]` → `[batch, block, mode]`, the sum of the parts divided by √parts.
pub fn merge(modes: usize, parts: usize, input: &[f64]) -> Vec<f64> {
    let share = 1.0 / (parts as f64).sqrt();
    let blocks = input.chunks_exact(2 * modes * parts);
    let sum = |block: &[f64], real: usize| share * block.iter().skip(real).step_by(2 * modes).sum::<f64>();
    blocks.flat_map(|block| (0..2 * modes).map(move |real| sum(block, real))).collect()
}
