// Free space between two grids, whose spectra are kept of `passed` columns, `[batch, passed, rows]`.

struct FreeSpace {
    rows: u32,
    columns: u32,
    passed: u32,
    batch: u32,
    // 1: on the way back
    back: u32,
}

@group(0) @binding(0) var<uniform> parameters: FreeSpace;
