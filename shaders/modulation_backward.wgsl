// dL/dx = 2 Re a for an amplitude x set to a real number.

struct Length {
    len: u32,
}

@group(0) @binding(0) var<uniform> parameters: Length;
@group(0) @binding(1) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> error_in: array<f32>;

@compute @workgroup_size(64)
fn modulation_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        error_in[i] = 2.0 * adjoint[i].x;
    }
}
