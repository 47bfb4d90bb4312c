// A subgroup's part of a mesh: SAMPLES samples, of each of which a lane holds the MODES neighbouring modes from lane MODES on, an even
// number. MZIs of even columns lie within lanes; of an odd column one in MODES/2 joins the last mode of a lane to the first of the
// next, and both lanes do their half of it. Arrays are indexed by constants once loops are unrolled, so they are registers.

struct MeshLanes {
    modes: u32,
    batch: u32,
    first_column: u32,
    last_column: u32,
    unbalanced: u32,
    first_mzi: u32,
    chunk_mzis: u32,
    coupler_stride: u32,
    finish: u32,
    base_mzi: u32,
    base_imbalance: u32,
    dies: u32,
}

@group(0) @binding(0) var<uniform> parameters: MeshLanes;

override MODES: u32 = 2u;
override SAMPLES: u32 = 1u;
override SUBGROUPS: u32 = 1u;

// Number of the MZI whose upper mode is `mode` in a column (first row, count, first MZI), or -1 where there is none.
fn mzi_at(mode: i32, column: vec4u) -> i32 {
    if parameters.dies > 1u {
        return mzi_on_dies(mode, column, parameters.modes, parameters.dies);
    }
    let from_first = mode - i32(column.x);
    return select(-1, i32(column.z) + from_first / 2, from_first >= 0 && from_first / 2 < i32(column.y));
}
