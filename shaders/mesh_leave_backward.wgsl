// Ends a mesh's way back: the adjoint alone.

struct MeshLeave {
    len: u32,
    stride: u32,
    second: u32,
}

@group(0) @binding(0) var<uniform> parameters: MeshLeave;
@group(0) @binding(1) var<storage, read> states: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> adjoint: array<vec2f>;

@compute @workgroup_size(64)
fn mesh_leave_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        adjoint[i] = states[i * parameters.stride + parameters.second];
    }
}
