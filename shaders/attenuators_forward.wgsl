// y_k = t_k x_k for k < count; the other outputs are dark.

struct Attenuators {
    count: u32,
    inputs: u32,
    outputs: u32,
    batch: u32,
    offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: Attenuators;
@group(0) @binding(1) var<storage, read> coefficients: array<f32>;
@group(0) @binding(2) var<storage, read> input: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec2f>;

@compute @workgroup_size(64)
fn attenuators_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.batch * parameters.outputs {
        return;
    }
    let mode = i % parameters.outputs;
    var y = vec2f(0.0);
    if mode < parameters.count {
        y = coefficients[mode] * input[i / parameters.outputs * parameters.inputs + mode];
    }
    output[i] = y;
}
