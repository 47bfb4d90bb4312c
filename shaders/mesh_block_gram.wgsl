// Products of adjoints and fields summed over samples: gram[j][i] = sum over s of a[s, i] conj(y[s, j]), for windows of 64 x 64 modes.
// `states` holds the fields of all samples and then their adjoints. The samples are cut into chunks, each with its own sums, so that
// few windows keep a device busy. In blocks of a mesh a window stands for i and j, and its sums lie at [window][chunk][64][64]; in a
// whole matrix there is a window for every pair, at [chunk][modes][modes]. 4 x 4 complex sums per invocation.

struct BlockGram {
    samples: u32,
    modes: u32,
    chunks: u32,
    chunk: u32,
    first: i32,
    windows: u32,
    whole: u32,
}

@group(0) @binding(0) var<uniform> parameters: BlockGram;
@group(0) @binding(1) var<storage, read> states: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> gram: array<vec2f>;

const WIDTH = 64u;
const DEPTH = 8u;
// [sample][two modes].
var<workgroup> fields: array<array<vec4f, 32>, 8>;
var<workgroup> adjoints: array<array<vec4f, 32>, 8>;

fn two_modes(sample: u32, end: u32, first: i32, pair: u32, offset: u32) -> vec4f {
    let mode = first + 2 * i32(pair);
    var two = vec4f();
    if sample < end {
        let at = i32(offset + sample * parameters.modes) + mode;
        if mode >= 0 && mode < i32(parameters.modes) {
            two = vec4f(states[at], 0.0, 0.0);
        }
        if mode + 1 >= 0 && mode + 1 < i32(parameters.modes) {
            two = vec4f(two.xy, states[at + 1]);
        }
    }
    return two;
}

// a conj(y) for two modes a, whose products with -i are `back`.
fn times(y: vec2f, a: vec4f, back: vec4f) -> vec4f {
    return y.x * a + y.y * back;
}

fn turn_back(a: vec4f) -> vec4f {
    return vec4f(a.y, -a.x, a.w, -a.z);
}

@compute @workgroup_size(256)
fn mesh_block_gram(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let place = linear_group(group, groups);
    let chunk = place % parameters.chunks;
    let window = place / parameters.chunks;
    var first_i = parameters.first + i32(window * WIDTH);
    var first_j = first_i;
    if parameters.whole == 1u {
        let across = (parameters.modes + WIDTH - 1u) / WIDTH;
        first_i = i32(window % across * WIDTH);
        first_j = i32(window / across * WIDTH);
    }
    let begin = min(chunk * parameters.chunk, parameters.samples);
    let end = min(begin + parameters.chunk, parameters.samples);
    let sample = local / 32u;
    let pair = local % 32u;
    let offset = parameters.samples * parameters.modes;
    let row = local / 16u;
    let column = local % 16u;

    var next_field = two_modes(begin + sample, end, first_j, pair, 0u);
    var next_adjoint = two_modes(begin + sample, end, first_i, pair, offset);
    // [j][two i].
    var s00 = vec4f(); var s01 = vec4f();
    var s10 = vec4f(); var s11 = vec4f();
    var s20 = vec4f(); var s21 = vec4f();
    var s30 = vec4f(); var s31 = vec4f();
    for (var k = begin; k < end; k += DEPTH) {
        fields[sample][pair] = next_field;
        adjoints[sample][pair] = next_adjoint;
        workgroupBarrier();
        next_field = two_modes(k + DEPTH + sample, end, first_j, pair, 0u);
        next_adjoint = two_modes(k + DEPTH + sample, end, first_i, pair, offset);
        for (var s = 0u; s < DEPTH; s++) {
            let y0 = fields[s][row];
            let y1 = fields[s][row + 16u];
            let a0 = adjoints[s][column];
            let b0 = turn_back(a0);
            s00 += times(y0.xy, a0, b0); s10 += times(y0.zw, a0, b0);
            s20 += times(y1.xy, a0, b0); s30 += times(y1.zw, a0, b0);
            let a1 = adjoints[s][column + 16u];
            let b1 = turn_back(a1);
            s01 += times(y0.xy, a1, b1); s11 += times(y0.zw, a1, b1);
            s21 += times(y1.xy, a1, b1); s31 += times(y1.zw, a1, b1);
        }
        workgroupBarrier();
    }
    finish_row(window, chunk, first_j, first_i, 2u * row, 2u * column, s00, s01);
    finish_row(window, chunk, first_j, first_i, 2u * row + 1u, 2u * column, s10, s11);
    finish_row(window, chunk, first_j, first_i, 2u * row + 32u, 2u * column, s20, s21);
    finish_row(window, chunk, first_j, first_i, 2u * row + 33u, 2u * column, s30, s31);
}

fn finish_row(window: u32, chunk: u32, first_j: i32, first_i: i32, j: u32, i: u32, left: vec4f, right: vec4f) {
    if parameters.whole == 0u {
        let at = ((window * parameters.chunks + chunk) * WIDTH + j) * WIDTH + i;
        gram[at] = left.xy;
        gram[at + 1u] = left.zw;
        gram[at + 32u] = right.xy;
        gram[at + 33u] = right.zw;
        return;
    }
    let modes = parameters.modes;
    let mode_j = u32(first_j) + j;
    let mode_i = u32(first_i) + i;
    if mode_j >= modes {
        return;
    }
    let at = (chunk * modes + mode_j) * modes + mode_i;
    if mode_i < modes { gram[at] = left.xy; }
    if mode_i + 1u < modes { gram[at + 1u] = left.zw; }
    if mode_i + 32u < modes { gram[at + 32u] = right.xy; }
    if mode_i + 33u < modes { gram[at + 33u] = right.zw; }
}
