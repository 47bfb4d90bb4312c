// A workgroup's part of a mesh: some samples, and a window of modes wide enough that what it writes is not touched by what it does
// not know. Each column carries the unknown one mode further in, so a window has a halo of one mode per column around its tile.

struct MeshColumns {
    modes: u32,
    batch: u32,
    first_column: u32,
    last_column: u32,
    windows: u32,
    tile: u32,
    halo: u32,
    samples: u32,
    pair_lanes: u32,
    unbalanced: u32,
    first_mzi: u32,
    chunk_mzis: u32,
    coupler_stride: u32,
    finish: u32,
    base_mzi: u32,
    base_imbalance: u32,
    mzis: u32,
    transmission: f32,
    dies: u32,
    gathered: u32,
}

@group(0) @binding(0) var<uniform> parameters: MeshColumns;

override GROUP: u32 = 64u;
override SLOTS: u32 = 1024u;

struct Part {
    // Samples, from first_sample on; 0 in workgroups beyond the batch.
    first_sample: u32,
    samples: u32,
    // Modes that are written, and the wider range that is known.
    begin: u32,
    end: u32,
    low: u32,
    width: u32,
    // Its number among those of the pass.
    window: u32,
}

// Whether windows gather modes from anywhere. What a window has are then places, in the order of its modes, which lie in the table of columns behind
// them, four in an entry; of every window of the pass the table says where its places begin and end.
override GATHERED: bool = false;

// The mode at a place; else they are the same.
fn mode_at(place: u32) -> u32 {
    if GATHERED {
        return columns[place / 4u][place % 4u];
    }
    return place;
}

fn part_of(group: u32) -> Part {
    let first_sample = min(group / parameters.windows * parameters.samples, parameters.batch);
    let samples = min(parameters.samples, parameters.batch - first_sample);
    let window = group % parameters.windows;
    if GATHERED {
        let own = columns[parameters.gathered + window];
        return Part(first_sample, samples, own.x, own.y, own.x, own.y - own.x, window);
    }
    let begin = window * parameters.tile;
    let end = min(begin + parameters.tile, parameters.modes);
    let low = begin - min(begin, parameters.halo);
    return Part(first_sample, samples, begin, end, low, min(end + parameters.halo, parameters.modes) - low, window);
}

// Whether MZIs join any two modes of a die. Windows then hold whole dies, and a column's first number says where in the table its pairs begin.
override PAIRED: bool = false;

// Places of the upper and the lower mode of MZI k of a column, as pairs_of counts them.
fn modes_of(k: u32, column: vec4u) -> vec2u {
    if GATHERED {
        return columns[k].xy;
    }
    if PAIRED {
        let two = columns[column.x + k / 2u];
        return select(two.xy, two.zw, k % 2u == 1u);
    }
    if parameters.dies > 1u {
        let upper = mode_on_dies(k, column, parameters.modes, parameters.dies);
        return vec2u(upper, upper + 1u);
    }
    return vec2u(column.x + 2u * k, column.x + 2u * k + 1u);
}

// The number in its column of the MZI that pairs_of counts as k.
fn number_of(k: u32) -> u32 {
    if GATHERED {
        return columns[k].z;
    }
    return k;
}

// The MZIs of a column (first row, count, first MZI) that lie in the part's window, as a range of their numbers in the column; where modes are gathered, of
// their entries in the table, whose first number says where that of every window stands.
fn pairs_of(part: Part, column: vec4u) -> vec2u {
    if GATHERED {
        return columns[column.x + part.window].xy;
    }
    let high = part.low + part.width;
    if PAIRED {
        return vec2u(part.low, high) / (parameters.modes / parameters.dies) * (column.y / parameters.dies);
    }
    if parameters.dies > 1u {
        return pairs_on_dies(part.low, high, column, parameters.modes, parameters.dies);
    }
    let first = (part.low - min(part.low, column.x) + 1u) / 2u;
    let last = (high - min(high, column.x)) / 2u;
    return vec2u(first, min(last, column.y));
}
