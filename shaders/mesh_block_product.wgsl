// Samples times complex matrices: target[s, o] = sum over j of source[s, j] P[j][o], for windows of 64 outputs each. Rows from `split`
// on take the adjoint instead, conj(P[o][j]), of their own matrices. In blocks of a mesh a window's inputs are its outputs' modes
// and every window has its own matrix; in a whole matrix every window takes all inputs and a part of the one matrix.
// Tiles of 128 samples x 64 outputs, 8 x 4 complex sums per invocation; the next tile is read while this one is multiplied.

struct BlockProduct {
    rows: u32,
    split: u32,
    modes: u32,
    inner: u32,
    in_first: i32,
    in_step: i32,
    out_first: i32,
    windows: u32,
    matrix_step: u32,
    matrix_out_step: u32,
    stride: u32,
    finish: u32,
}

@group(0) @binding(0) var<uniform> parameters: BlockProduct;
@group(0) @binding(1) var<storage, read> source: array<vec2f>;
@group(0) @binding(2) var<storage, read> direct: array<vec2f>;
@group(0) @binding(3) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(4) var<storage, read> factors: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> product: array<vec2f>;

const ROWS = 128u;
const OUTPUTS = 64u;
const DEPTH = 8u;
// [inner][two samples ^ inner] and [inner][two outputs ^ inner]: the exclusive or spreads inner indices over the memory's banks.
var<workgroup> samples: array<array<vec4f, 64>, 8>;
var<workgroup> matrix: array<array<vec4f, 32>, 8>;

struct Tile {
    window: i32,
    first_row: u32,
    end_row: u32,
    turned: bool,
}

fn tile_of(place: u32) -> Tile {
    let above = (parameters.split + ROWS - 1u) / ROWS;
    let part = place / parameters.windows;
    let window = i32(place % parameters.windows);
    if part < above {
        return Tile(window, part * ROWS, parameters.split, false);
    }
    return Tile(window, parameters.split + (part - above) * ROWS, parameters.rows, true);
}

// Inner index j of two neighbouring samples.
fn two_samples(tile: Tile, pair: u32, j: u32) -> vec4f {
    let mode = parameters.in_first + tile.window * parameters.in_step + i32(j);
    let row = tile.first_row + 2u * pair;
    var two = vec4f();
    if j < parameters.inner && mode >= 0 && mode < i32(parameters.modes) {
        let at = row * parameters.modes + u32(mode);
        if row < tile.end_row {
            two = vec4f(source[at], 0.0, 0.0);
        }
        if row + 1u < tile.end_row {
            two = vec4f(two.xy, source[at + parameters.modes]);
        }
    }
    return two;
}

// Entries of two neighbouring outputs for inner index j.
fn two_outputs(tile: Tile, pair: u32, j: u32) -> vec4f {
    let output = u32(tile.window) * parameters.matrix_out_step + 2u * pair;
    let first = u32(tile.window) * parameters.matrix_step;
    var two = vec4f();
    if j < parameters.inner {
        if output < parameters.stride {
            two = vec4f(entry(tile, first, output, j), 0.0, 0.0);
        }
        if output + 1u < parameters.stride {
            two = vec4f(two.xy, entry(tile, first, output + 1u, j));
        }
    }
    return two;
}

fn entry(tile: Tile, first: u32, output: u32, j: u32) -> vec2f {
    if tile.turned {
        return conj(adjoint[first + output * parameters.stride + j]);
    }
    return direct[first + j * parameters.stride + output];
}

// b a for two samples a, whose products with i are `turned`.
fn times(b: vec2f, a: vec4f, turned: vec4f) -> vec4f {
    return b.x * a + b.y * turned;
}

fn turn(a: vec4f) -> vec4f {
    return vec4f(-a.y, a.x, -a.w, a.z);
}

fn finish(tile: Tile, row: u32, output: u32, sum: vec2f) {
    let mode = parameters.out_first + tile.window * i32(OUTPUTS) + i32(output);
    if row >= tile.end_row || mode < 0 || mode >= i32(parameters.modes) {
        return;
    }
    var value = sum;
    if parameters.finish == 1u {
        value = cmul(factors[mode], value);
    }
    product[row * parameters.modes + u32(mode)] = value;
}

fn finish_two(tile: Tile, pair: u32, column: u32, s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f) {
    let row = tile.first_row + 2u * pair;
    let output = 2u * column;
    finish(tile, row, output, s0.xy);
    finish(tile, row, output + 1u, s1.xy);
    finish(tile, row, output + 32u, s2.xy);
    finish(tile, row, output + 33u, s3.xy);
    finish(tile, row + 1u, output, s0.zw);
    finish(tile, row + 1u, output + 1u, s1.zw);
    finish(tile, row + 1u, output + 32u, s2.zw);
    finish(tile, row + 1u, output + 33u, s3.zw);
}

@compute @workgroup_size(256)
fn mesh_block_product(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = tile_of(linear_group(group, groups));
    // What this invocation reads: neighbours read neighbouring addresses.
    let j_sample = local % DEPTH;
    let pair_sample = local / DEPTH;
    let j_output = select(local / 32u, local % DEPTH, tile.turned);
    let pair_output = select(local % 32u, local / DEPTH, tile.turned);
    // What it sums: sample pairs row + 16 i, output pairs column and column + 16.
    let row = local / 16u;
    let column = local % 16u;

    var next_upper = two_samples(tile, pair_sample, j_sample);
    var next_lower = two_samples(tile, pair_sample + 32u, j_sample);
    var next_matrix = two_outputs(tile, pair_output, j_output);
    var s00 = vec4f(); var s01 = vec4f(); var s02 = vec4f(); var s03 = vec4f();
    var s10 = vec4f(); var s11 = vec4f(); var s12 = vec4f(); var s13 = vec4f();
    var s20 = vec4f(); var s21 = vec4f(); var s22 = vec4f(); var s23 = vec4f();
    var s30 = vec4f(); var s31 = vec4f(); var s32 = vec4f(); var s33 = vec4f();
    for (var k = 0u; k < parameters.inner; k += DEPTH) {
        samples[j_sample][pair_sample ^ j_sample] = next_upper;
        samples[j_sample][(pair_sample + 32u) ^ j_sample] = next_lower;
        matrix[j_output][pair_output ^ j_output] = next_matrix;
        workgroupBarrier();
        next_upper = two_samples(tile, pair_sample, k + DEPTH + j_sample);
        next_lower = two_samples(tile, pair_sample + 32u, k + DEPTH + j_sample);
        next_matrix = two_outputs(tile, pair_output, k + DEPTH + j_output);
        for (var j = 0u; j < DEPTH; j++) {
            let b0 = matrix[j][column ^ j];
            let b1 = matrix[j][(column + 16u) ^ j];
            let a0 = samples[j][row ^ j];
            let t0 = turn(a0);
            s00 += times(b0.xy, a0, t0); s01 += times(b0.zw, a0, t0);
            s02 += times(b1.xy, a0, t0); s03 += times(b1.zw, a0, t0);
            let a1 = samples[j][(row + 16u) ^ j];
            let t1 = turn(a1);
            s10 += times(b0.xy, a1, t1); s11 += times(b0.zw, a1, t1);
            s12 += times(b1.xy, a1, t1); s13 += times(b1.zw, a1, t1);
            let a2 = samples[j][(row + 32u) ^ j];
            let t2 = turn(a2);
            s20 += times(b0.xy, a2, t2); s21 += times(b0.zw, a2, t2);
            s22 += times(b1.xy, a2, t2); s23 += times(b1.zw, a2, t2);
            let a3 = samples[j][(row + 48u) ^ j];
            let t3 = turn(a3);
            s30 += times(b0.xy, a3, t3); s31 += times(b0.zw, a3, t3);
            s32 += times(b1.xy, a3, t3); s33 += times(b1.zw, a3, t3);
        }
        workgroupBarrier();
    }
    finish_two(tile, row, column, s00, s01, s02, s03);
    finish_two(tile, row + 16u, column, s10, s11, s12, s13);
    finish_two(tile, row + 32u, column, s20, s21, s22, s23);
    finish_two(tile, row + 48u, column, s30, s31, s32, s33);
}
