// The product of common/matrix_product.wgsl for large matrices: tiles of 128 x 128 with 8 x 8 sums per invocation, so that a value once read
// from workgroup memory serves eight times. The next tile is read while this one is multiplied.

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> extra: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

const TILE = 128u;
const DEPTH = 16u;
// [inner, four neighbours ^ inner]: the exclusive or spreads neighbouring inner indices over the memory's banks. 16 KiB together.
var<workgroup> tile_a: array<array<vec4f, 32>, 16>;
var<workgroup> tile_b: array<array<vec4f, 32>, 16>;

// Inner index and quad of a task below 512; neighbouring invocations read neighbouring addresses, whichever stride is 1.
fn place_of(task: u32, inner_is_dense: bool) -> vec2u {
    return select(vec2u(task / 32u, task % 32u), vec2u(task % DEPTH, task / DEPTH), inner_is_dense);
}

fn quad_of_a(inner: u32, row: u32) -> vec4f {
    var quad = vec4f();
    if inner < parameters.last {
        let at = row * parameters.a_row + inner * parameters.a_column;
        if row < parameters.rows { quad.x = a[at]; }
        if row + 1u < parameters.rows { quad.y = a[at + parameters.a_row]; }
        if row + 2u < parameters.rows { quad.z = a[at + 2u * parameters.a_row]; }
        if row + 3u < parameters.rows { quad.w = a[at + 3u * parameters.a_row]; }
    }
    return quad;
}

fn quad_of_b(inner: u32, column: u32) -> vec4f {
    var quad = vec4f();
    if inner < parameters.last {
        let at = inner * parameters.b_row + column * parameters.b_column;
        if column < parameters.columns { quad.x = b[at]; }
        if column + 1u < parameters.columns { quad.y = b[at + parameters.b_column]; }
        if column + 2u < parameters.columns { quad.z = b[at + 2u * parameters.b_column]; }
        if column + 3u < parameters.columns { quad.w = b[at + 3u * parameters.b_column]; }
    }
    return quad;
}

fn finish(row: u32, column: u32, sum: f32) {
    if row >= parameters.rows || column >= parameters.columns {
        return;
    }
    let slot = parameters.c_offset + row * parameters.columns + column;
    var value = sum;
    if parameters.add == 1u {
        value += c[slot];
    }
    if parameters.afterwards == 1u {
        value += extra[parameters.extra_offset + column];
    } else if parameters.afterwards == 2u {
        value *= extra[parameters.extra_offset + row * parameters.columns + column];
    }
    c[slot] = value;
}

fn finish_row(row: u32, column: u32, left: vec4f, right: vec4f) {
    finish(row, column, left.x);
    finish(row, column + 1u, left.y);
    finish(row, column + 2u, left.z);
    finish(row, column + 3u, left.w);
    finish(row, column + 64u, right.x);
    finish(row, column + 65u, right.y);
    finish(row, column + 66u, right.z);
    finish(row, column + 67u, right.w);
}

@compute @workgroup_size(256)
fn matrix_product_large(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let across = (parameters.columns + TILE - 1u) / TILE;
    let place = linear_group(group, groups);
    let first_row = place / across * TILE;
    let first_column = place % across * TILE;
    let a0 = place_of(local, parameters.a_column == 1u);
    let a1 = place_of(local + 256u, parameters.a_column == 1u);
    let b0 = place_of(local, parameters.b_row == 1u);
    let b1 = place_of(local + 256u, parameters.b_row == 1u);
    // Rows row..row+4 and 64 further on; columns likewise.
    let row = local / 16u;
    let column = local % 16u;

    var k = parameters.first;
    var next_a0 = quad_of_a(k + a0.x, first_row + 4u * a0.y);
    var next_a1 = quad_of_a(k + a1.x, first_row + 4u * a1.y);
    var next_b0 = quad_of_b(k + b0.x, first_column + 4u * b0.y);
    var next_b1 = quad_of_b(k + b1.x, first_column + 4u * b1.y);
    // Eight rows of left and right quads; single variables, which surely stay in registers.
    var l0 = vec4f(); var l1 = vec4f(); var l2 = vec4f(); var l3 = vec4f();
    var l4 = vec4f(); var l5 = vec4f(); var l6 = vec4f(); var l7 = vec4f();
    var r0 = vec4f(); var r1 = vec4f(); var r2 = vec4f(); var r3 = vec4f();
    var r4 = vec4f(); var r5 = vec4f(); var r6 = vec4f(); var r7 = vec4f();
    while k < parameters.last {
        tile_a[a0.x][a0.y ^ a0.x] = next_a0;
        tile_a[a1.x][a1.y ^ a1.x] = next_a1;
        tile_b[b0.x][b0.y ^ b0.x] = next_b0;
        tile_b[b1.x][b1.y ^ b1.x] = next_b1;
        workgroupBarrier();
        k += DEPTH;
        next_a0 = quad_of_a(k + a0.x, first_row + 4u * a0.y);
        next_a1 = quad_of_a(k + a1.x, first_row + 4u * a1.y);
        next_b0 = quad_of_b(k + b0.x, first_column + 4u * b0.y);
        next_b1 = quad_of_b(k + b1.x, first_column + 4u * b1.y);
        for (var j = 0u; j < DEPTH; j++) {
            let upper = tile_a[j][row ^ j];
            let lower = tile_a[j][(16u + row) ^ j];
            let left = tile_b[j][column ^ j];
            let right = tile_b[j][(16u + column) ^ j];
            l0 += upper.x * left; r0 += upper.x * right;
            l1 += upper.y * left; r1 += upper.y * right;
            l2 += upper.z * left; r2 += upper.z * right;
            l3 += upper.w * left; r3 += upper.w * right;
            l4 += lower.x * left; r4 += lower.x * right;
            l5 += lower.y * left; r5 += lower.y * right;
            l6 += lower.z * left; r6 += lower.z * right;
            l7 += lower.w * left; r7 += lower.w * right;
        }
        workgroupBarrier();
    }
    let r = first_row + 4u * row;
    let s = first_column + 4u * column;
    finish_row(r, s, l0, r0);
    finish_row(r + 1u, s, l1, r1);
    finish_row(r + 2u, s, l2, r2);
    finish_row(r + 3u, s, l3, r3);
    finish_row(r + 64u, s, l4, r4);
    finish_row(r + 65u, s, l5, r5);
    finish_row(r + 66u, s, l6, r6);
    finish_row(r + 67u, s, l7, r7);
}
