// What the kernels of weights take of three errors each, (1 + e0, 1 + e1, e2, 0), from an estimate [e0.., e1.., e2..] that begins at `offset`.

struct WeightsEstimate {
    len: u32,
    offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: WeightsEstimate;
@group(0) @binding(1) var<storage, read> estimate: array<f32>;
@group(0) @binding(2) var<storage, read_write> errors: array<vec4f>;

@compute @workgroup_size(64)
fn weights_estimate(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let at = parameters.offset + i;
    let len = parameters.len;
    errors[i] = vec4f(1.0 + estimate[at], 1.0 + estimate[at + len], estimate[at + 2u * len], 0.0);
}
