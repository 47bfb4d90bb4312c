// A walk through the columns of a mesh, one workgroup per die, with one number per mode that passes from column to column. What lies in
// an estimate or its gradient, [delta1, delta2, delta theta of every MZI, waveguides [column, mode]], begins at `offset`; what lies in the
// controls' gradient at `controls`. `ends` says that this pass holds the outputs' end of the mesh.

struct Waveguides {
    modes: u32,
    dies: u32,
    mzis: u32,
    columns: u32,
    first_column: u32,
    last_column: u32,
    offset: u32,
    controls: u32,
    ends: u32,
}

@group(0) @binding(0) var<uniform> parameters: Waveguides;

const LANES = 256u;

// The modes of a die, first and number; none for a workgroup beyond the dies.
fn modes_of(die: u32) -> vec2u {
    let count = parameters.modes / parameters.dies;
    return vec2u(die * count, select(0u, count, die < parameters.dies));
}

// The MZIs of a column (first row, count, first MZI) on that die, likewise.
fn mzis_of(die: u32, column: vec4u) -> vec2u {
    let count = column.y / parameters.dies;
    return vec2u(column.z + die * count, select(0u, count, die < parameters.dies));
}

// Whether MZIs join any two modes: a column's first number then says where in the table its pairs begin.
override PAIRED: bool = false;

// Upper and lower mode of MZI number k of a die in a column.
fn rows_of(die: u32, k: u32, column: vec4u) -> vec2u {
    if PAIRED {
        let pair = die * (column.y / parameters.dies) + k;
        let two = columns[column.x + pair / 2u];
        return select(two.xy, two.zw, pair % 2u == 1u);
    }
    let upper = die * (parameters.modes / parameters.dies) + column.x + 2u * k;
    return vec2u(upper, upper + 1u);
}

// Where the phases of the waveguides in front of a column begin.
fn pieces_of(column: u32) -> u32 {
    return parameters.offset + 3u * parameters.mzis + column * parameters.modes;
}
