// Where the MZIs of a mesh on several dies stand: die d has the modes from d modes/dies on, and in every column (first row, count, first
// MZI) count/dies MZIs from its own first row on. A mesh on one die does not pay for that.

// Number of the MZI whose upper mode is `mode`, or -1 where there is none.
fn mzi_on_dies(mode: i32, column: vec4u, modes: u32, dies: u32) -> i32 {
    let die_modes = i32(modes / dies);
    let per_die = i32(column.y / dies);
    let from_first = mode % die_modes - i32(column.x);
    let exists = mode >= 0 && mode < i32(modes) && from_first >= 0 && from_first / 2 < per_die;
    return select(-1, i32(column.z) + mode / die_modes * per_die + from_first / 2, exists);
}

// Upper mode of MZI number k of a column.
fn mode_on_dies(k: u32, column: vec4u, modes: u32, dies: u32) -> u32 {
    let per_die = column.y / dies;
    return column.x + k / per_die * (modes / dies) + 2u * (k % per_die);
}

// The MZIs of a column that lie whole in the modes low..high, as a range of their numbers in the column.
fn pairs_on_dies(low: u32, high: u32, column: vec4u, modes: u32, dies: u32) -> vec2u {
    let die_modes = modes / dies;
    let per_die = column.y / dies;
    let start = low % die_modes;
    let end = high % die_modes;
    let first = low / die_modes * per_die + min((start - min(start, column.x) + 1u) / 2u, per_die);
    let last = high / die_modes * per_die + min((end - min(end, column.x)) / 2u, per_die);
    return vec2u(first, last);
}
