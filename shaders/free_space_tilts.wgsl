// What one row of a sample says of dL/dt = 2 Re sum a* i u y, of [t_x, t_y]: `light` is what left. `places` as in
// free_space_estimate.

@group(0) @binding(1) var<storage, read> places: array<f32>;
@group(0) @binding(2) var<storage, read> light: array<vec2f>;
@group(0) @binding(3) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> slopes: array<f32>;

var<workgroup> sums: array<vec2f, 64>;

@compute @workgroup_size(64)
fn free_space_tilts(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let inside = item < parameters.batch * parameters.rows;
    var sum = vec2f(0.0);
    if inside {
        let v = places[parameters.columns + item % parameters.rows];
        for (var k = local; k < parameters.columns; k += 64u) {
            let pixel = item * parameters.columns + k;
            sum -= 2.0 * cmul_conj(adjoint[pixel], light[pixel]).y * vec2f(places[k], v);
        }
    }
    sums[local] = sum;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if local < half {
            sums[local] += sums[local + half];
        }
        workgroupBarrier();
    }
    if inside && local == 0u {
        slopes[item * 2u] = sums[0].x;
        slopes[item * 2u + 1u] = sums[0].y;
    }
}
