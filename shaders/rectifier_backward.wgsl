// The error passes where the signal did.

struct Rectifier {
    len: u32,
    threshold: f32,
}

@group(0) @binding(0) var<uniform> parameters: Rectifier;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> error: array<f32>;
@group(0) @binding(3) var<storage, read_write> error_in: array<f32>;

@compute @workgroup_size(64)
fn rectifier_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        error_in[i] = select(error[i], 0.0, input[i] <= parameters.threshold);
    }
}
