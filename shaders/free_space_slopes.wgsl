// What one column of a sample's spectra says of dL/ds = 2 Re sum a* (dH/ds) x, of [s_x, s_y, s_z]: `spectra` of the light that entered and
// `adjoints`, both before they are transformed along the column. By Parseval's theorem the sum over frequencies is one over the rows of a* and
// of what H's slope makes of the column, there and back. `places` and `depth` as in free_space_estimate.

@group(0) @binding(1) var<storage, read> turns: array<vec2f>;
@group(0) @binding(2) var<storage, read> transfer: array<vec2f>;
@group(0) @binding(3) var<storage, read> depth: array<vec2f>;
@group(0) @binding(4) var<storage, read> places: array<f32>;
@group(0) @binding(5) var<storage, read> spectra: array<vec2f>;
@group(0) @binding(6) var<storage, read> adjoints: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> slopes: array<f32>;

fn turn(index: u32) -> vec2f {
    return turns[index];
}

@compute @workgroup_size(64)
fn free_space_slopes(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let inside = item < parameters.batch * parameters.passed;
    let column = item % parameters.passed;
    let first = parameters.columns + parameters.rows;
    for (var coordinate = 0u; coordinate < 3u; coordinate++) {
        for (var k = local; k < LENGTH; k += 64u) {
            var value = vec2f(0.0);
            if inside && k < parameters.rows {
                value = spectra[item * parameters.rows + k];
            }
            line[k] = value;
        }
        workgroupBarrier();
        transform_there(local);
        for (var k = local; k < LENGTH; k += 64u) {
            var slope = vec2f(0.0, places[first + column]);
            if coordinate == 1u {
                slope = vec2f(0.0, places[first + parameters.passed + k]);
            } else if coordinate == 2u {
                slope = depth[column * LENGTH + k];
            }
            line[k] = cmul(cmul(slope, transfer[column * LENGTH + k]), line[k]);
        }
        workgroupBarrier();
        transform_back(local);
        var sum = 0.0;
        if inside {
            for (var k = local; k < parameters.rows; k += 64u) {
                sum += 2.0 * cmul_conj(adjoints[item * parameters.rows + k], line[k]).x;
            }
        }
        // there is room for one line and no more
        workgroupBarrier();
        if local < LENGTH {
            line[local] = vec2f(sum, 0.0);
        }
        workgroupBarrier();
        for (var half = min(64u, LENGTH) / 2u; half > 0u; half /= 2u) {
            if local < half {
                line[local] += line[local + half];
            }
            workgroupBarrier();
        }
        if inside && local == 0u {
            slopes[item * 3u + coordinate] = line[0].x;
        }
        workgroupBarrier();
    }
}
