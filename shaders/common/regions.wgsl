// Detectors of square regions of a grid.

struct Regions {
    columns: u32,
    pixels: u32,
    count: u32,
    side: u32,
    batch: u32,
    share: f32,
}

@group(0) @binding(0) var<uniform> parameters: Regions;
