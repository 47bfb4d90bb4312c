// Where the patches of images lie, at-core's stage/patches.rs.

struct Patches {
    len: u32,
    first: u32,
    channels: u32,
    height: u32,
    width: u32,
    kernel_rows: u32,
    kernel_columns: u32,
    stride: u32,
    padding: u32,
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> parameters: Patches;
