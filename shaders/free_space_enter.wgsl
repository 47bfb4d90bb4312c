// One row of a sample to its spectrum, of which the columns that pass are kept; on the way back the ramp is taken off first.

@group(0) @binding(1) var<storage, read> turns: array<vec2f>;
@group(0) @binding(2) var<storage, read> places: array<u32>;
@group(0) @binding(3) var<storage, read> ramps: array<vec2f>;
@group(0) @binding(4) var<storage, read> input: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> spectra: array<vec2f>;

fn turn(index: u32) -> vec2f {
    return turns[index];
}

@compute @workgroup_size(64)
fn free_space_enter(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let inside = item < parameters.batch * parameters.rows;
    let sample = item / parameters.rows;
    let row = item % parameters.rows;
    for (var k = local; k < LENGTH; k += 64u) {
        var value = vec2f(0.0);
        if inside && k < parameters.columns {
            value = input[item * parameters.columns + k];
            if parameters.back == 1u {
                value = cmul_conj(cmul(ramps[k], ramps[parameters.columns + row]), value);
            }
        }
        line[k] = value;
    }
    workgroupBarrier();
    transform_there(local);
    if inside {
        for (var k = local; k < parameters.passed; k += 64u) {
            spectra[(sample * parameters.passed + k) * parameters.rows + row] = line[places[k]];
        }
    }
}
