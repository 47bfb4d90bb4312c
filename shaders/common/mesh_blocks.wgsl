// A mesh cut into blocks. MZIs stand at (column, row) with row = column mod 2, so (u, v) = ((column + row)/2, (column - row)/2) are
// whole numbers, and light comes to (u, v) from (u-1, v) and (u, v-1). A block is a square of HALF x HALF of them: a diamond that
// touches a window of 2 HALF modes. Blocks of one level, U + V, do not depend on each other, and their windows lie side by side;
// those of the next level are HALF columns further and HALF modes aside. Positions at the edges that hold no MZI are waveguides.

struct MeshBlocks {
    modes: u32,
    columns: u32,
    first_level: i32,
    per_level: u32,
    unbalanced: u32,
    inverse: u32,
    base_mzi: u32,
    base_imbalance: u32,
    coupler_stride: u32,
    chunks: u32,
    mzis: u32,
    offset: u32,
    dies: u32,
}

@group(0) @binding(0) var<uniform> parameters: MeshBlocks;

const HALF = 32;
const WIDTH = 64u;
// Columns of a block.
const CROSSED = 63;

struct Block {
    // Column of its first MZI, and first mode of its window; both can lie outside the mesh.
    column: i32,
    low: i32,
}

// Block `number`, counted through the levels from first_level on.
fn block_of(number: u32) -> Block {
    let level = parameters.first_level + i32(number / parameters.per_level);
    let diagonal = 2 * i32(number % parameters.per_level) - (level & 1);
    return Block(level * HALF, diagonal * HALF - (HALF - 1));
}

// Window row of pair `pair` in the block's column `step`, or -1 where the column has fewer.
fn row_of(step: i32, pair: i32) -> i32 {
    let first = abs(step - (HALF - 1));
    return select(-1, first + 2 * pair, pair < HALF - first);
}

// Number of the MZI on window row `row` of a column (first row, count, first MZI), or -1 where there is a waveguide.
fn mzi_at(block: Block, row: i32, column: vec4u) -> i32 {
    if parameters.dies > 1u {
        return select(-1, mzi_on_dies(block.low + row, column, parameters.modes, parameters.dies), row >= 0);
    }
    let from_first = block.low + row - i32(column.x);
    let exists = row >= 0 && from_first >= 0 && from_first / 2 < i32(column.y);
    return select(-1, i32(column.z) + from_first / 2, exists);
}

fn is_mode(mode: i32) -> bool {
    return mode >= 0 && mode < i32(parameters.modes);
}
