// Real numbers onto field amplitudes.

struct Length {
    len: u32,
}

@group(0) @binding(0) var<uniform> parameters: Length;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec2f>;

@compute @workgroup_size(64)
fn modulation_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        output[i] = vec2f(input[i], 0.0);
    }
}
