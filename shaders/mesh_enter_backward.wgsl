// Begins a mesh's way back from its output y: the field u = y / factor before the output phases beside a_u = factor* a_y, and
// Im a_y* y, whose sum over samples is -1/2 dL/dgamma. `rebuild` is 1 / |factor|.
// Fields are `stride` apart, the first adjoint stands at `second`.

struct MeshEnter {
    len: u32,
    modes: u32,
    rebuild: f32,
    stride: u32,
    second: u32,
}

@group(0) @binding(0) var<uniform> parameters: MeshEnter;
@group(0) @binding(1) var<storage, read> factors: array<vec2f>;
@group(0) @binding(2) var<storage, read> output: array<vec2f>;
@group(0) @binding(3) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> states: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(64)
fn mesh_enter_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let y = output[i];
    let a = adjoint[i];
    let factor = factors[i % parameters.modes];
    // Two factors in turn: the square of `rebuild` can leave the range of f32.
    let u = cmul_conj(parameters.rebuild * factor, parameters.rebuild * y);
    states[i * parameters.stride] = u;
    states[i * parameters.stride + parameters.second] = cmul_conj(factor, a);
    products[i] = a.x * y.y - a.y * y.x;
}
