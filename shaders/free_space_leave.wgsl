// The spectrum of one row of a sample back to its fields; on the way there the ramp is put on.

@group(0) @binding(1) var<storage, read> turns: array<vec2f>;
@group(0) @binding(2) var<storage, read> places: array<u32>;
@group(0) @binding(3) var<storage, read> ramps: array<vec2f>;
@group(0) @binding(4) var<storage, read> spectra: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> output: array<vec2f>;

fn turn(index: u32) -> vec2f {
    return turns[index];
}

@compute @workgroup_size(64)
fn free_space_leave(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let inside = item < parameters.batch * parameters.rows;
    let sample = item / parameters.rows;
    let row = item % parameters.rows;
    for (var k = local; k < LENGTH; k += 64u) {
        line[k] = vec2f(0.0);
    }
    workgroupBarrier();
    if inside {
        for (var k = local; k < parameters.passed; k += 64u) {
            line[places[k]] = spectra[(sample * parameters.passed + k) * parameters.rows + row];
        }
    }
    workgroupBarrier();
    transform_back(local);
    if inside {
        for (var k = local; k < parameters.columns; k += 64u) {
            var value = line[k];
            if parameters.back == 0u {
                value = cmul(cmul(ramps[k], ramps[parameters.columns + row]), value);
            }
            output[item * parameters.columns + k] = value;
        }
    }
}
