// The product of common/matrix_product.wgsl in tiles of 64 x 64 with 4 x 4 sums per invocation.

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> extra: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

const TILE = 64u;
const DEPTH = 16u;
// [inner, row] and [inner, column], four neighbours a vector.
var<workgroup> tile_a: array<array<f32, 64>, 16>;
var<workgroup> tile_b: array<array<f32, 64>, 16>;

@compute @workgroup_size(256)
fn matrix_product(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let across = (parameters.columns + TILE - 1u) / TILE;
    let place = linear_group(group, groups);
    let first_row = place / across * TILE;
    let first_column = place % across * TILE;
    let row = local / 16u * 4u;
    let column = local % 16u * 4u;
    var sums = array<vec4f, 4>();
    for (var k = parameters.first; k < parameters.last; k += DEPTH) {
        for (var i = local; i < TILE * DEPTH; i += 256u) {
            // Neighbouring invocations read neighbouring addresses, whichever stride is 1.
            let a_inner = select(i / TILE, i % DEPTH, parameters.a_column == 1u);
            let a_place = select(i % TILE, i / DEPTH, parameters.a_column == 1u);
            var value = 0.0;
            if first_row + a_place < parameters.rows && k + a_inner < parameters.last {
                value = a[(first_row + a_place) * parameters.a_row + (k + a_inner) * parameters.a_column];
            }
            tile_a[a_inner][a_place] = value;
            let b_inner = select(i / TILE, i % DEPTH, parameters.b_row == 1u);
            let b_place = select(i % TILE, i / DEPTH, parameters.b_row == 1u);
            value = 0.0;
            if first_column + b_place < parameters.columns && k + b_inner < parameters.last {
                value = b[(k + b_inner) * parameters.b_row + (first_column + b_place) * parameters.b_column];
            }
            tile_b[b_inner][b_place] = value;
        }
        workgroupBarrier();
        for (var j = 0u; j < DEPTH; j++) {
            let right = vec4f(tile_b[j][column], tile_b[j][column + 1u], tile_b[j][column + 2u], tile_b[j][column + 3u]);
            sums[0] += tile_a[j][row] * right;
            sums[1] += tile_a[j][row + 1u] * right;
            sums[2] += tile_a[j][row + 2u] * right;
            sums[3] += tile_a[j][row + 3u] * right;
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 16u; i++) {
        let r = first_row + row + i / 4u;
        let s = first_column + column + i % 4u;
        if r < parameters.rows && s < parameters.columns {
            let slot = parameters.c_offset + r * parameters.columns + s;
            var value = sums[i / 4u][i % 4u];
            if parameters.add == 1u {
                value += c[slot];
            }
            if parameters.afterwards == 1u {
                value += extra[parameters.extra_offset + s];
            } else if parameters.afterwards == 2u {
                value *= extra[parameters.extra_offset + r * parameters.columns + s];
            }
            c[slot] = value;
        }
    }
}
