// Couplers and errors of theta from an estimate [delta1, delta2, delta theta of every MZI, ...] that begins at `offset`: (c1, s1, c2, s2) with
// c = cos(pi/4 + delta), s = sin(pi/4 + delta).

@group(0) @binding(1) var<storage, read> estimate: array<f32>;
@group(0) @binding(2) var<storage, read_write> couplers: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> phase_errors: array<f32>;

fn coupler(delta: f32) -> vec2f {
    let turn = cos_sin(delta);
    return 0.70710678 * vec2f(turn.x - turn.y, turn.x + turn.y);
}

@compute @workgroup_size(64)
fn mesh_estimate(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.count {
        return;
    }
    let mzi = parameters.first + i;
    let at = parameters.offset + mzi;
    couplers[i] = vec4f(coupler(estimate[at]), coupler(estimate[at + parameters.mzis]));
    phase_errors[mzi] = estimate[at + 2u * parameters.mzis];
}
