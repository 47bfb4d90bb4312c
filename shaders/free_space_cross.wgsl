// One column of a spectrum there, times the transfer function or its conjugate, and back. `transfer` is `[passed, LENGTH]`, each in the order
// in which a transform leaves its numbers, and divided by those of the padded grid.

@group(0) @binding(1) var<storage, read> turns: array<vec2f>;
@group(0) @binding(2) var<storage, read> transfer: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> spectra: array<vec2f>;

fn turn(index: u32) -> vec2f {
    return turns[index];
}

@compute @workgroup_size(64)
fn free_space_cross(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let inside = item < parameters.batch * parameters.passed;
    for (var k = local; k < LENGTH; k += 64u) {
        var value = vec2f(0.0);
        if inside && k < parameters.rows {
            value = spectra[item * parameters.rows + k];
        }
        line[k] = value;
    }
    workgroupBarrier();
    transform_there(local);
    let first = item % parameters.passed * LENGTH;
    for (var k = local; k < LENGTH; k += 64u) {
        let factor = transfer[first + k];
        if parameters.back == 1u {
            line[k] = cmul_conj(factor, line[k]);
        } else {
            line[k] = cmul(factor, line[k]);
        }
    }
    workgroupBarrier();
    transform_back(local);
    if inside {
        for (var k = local; k < parameters.rows; k += 64u) {
            spectra[item * parameters.rows + k] = line[k];
        }
    }
}
