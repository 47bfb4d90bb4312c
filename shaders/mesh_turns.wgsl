// (cos phi, sin phi) of every MZI, errors included: what the slopes of first couplers need beside the coefficients.

@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> phase_errors: array<f32>;
@group(0) @binding(3) var<storage, read_write> turns: array<vec2f>;

@compute @workgroup_size(64)
fn mesh_turns(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.count {
        let phi = parameters.mzis + parameters.first + i;
        turns[i] = cos_sin(controls[parameters.offset + phi] + phase_errors[phi]);
    }
}
