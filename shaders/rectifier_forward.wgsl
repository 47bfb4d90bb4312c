// max(x - threshold, 0), written so that NaN passes and is noticed.

struct Rectifier {
    len: u32,
    threshold: f32,
}

@group(0) @binding(0) var<uniform> parameters: Rectifier;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn rectifier_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        let x = input[i];
        output[i] = select(x - parameters.threshold, 0.0, x <= parameters.threshold);
    }
}
