// A mask and where its controls lie: phases from `offset` on, angles of amplitudes behind them, or alone.

struct Mask {
    pixels: u32,
    batch: u32,
    offset: u32,
    has_phases: u32,
    has_angles: u32,
    has_errors: u32,
    // 1: with conjugated transmissions, or slopes by the angles of amplitudes
    other: u32,
}

@group(0) @binding(0) var<uniform> parameters: Mask;
