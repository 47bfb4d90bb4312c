// a_x = t a_y, and 2 Re a_y* x, whose sum over samples is dL/dt, as [batch, inputs].

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
@group(0) @binding(3) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> adjoint_in: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(64)
fn attenuators_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.batch * parameters.inputs {
        return;
    }
    let mode = i % parameters.inputs;
    var a = vec2f(0.0);
    var product = 0.0;
    if mode < parameters.count {
        let above = adjoint[i / parameters.inputs * parameters.outputs + mode];
        a = coefficients[mode] * above;
        product = 2.0 * dot(above, input[i]);
    }
    adjoint_in[i] = a;
    products[i] = product;
}
