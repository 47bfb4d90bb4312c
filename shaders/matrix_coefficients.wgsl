// Controls to weights, w = slope c; an ideal matrix has slope 1.

struct Weights {
    len: u32,
    offset: u32,
    has_errors: u32,
}

@group(0) @binding(0) var<uniform> parameters: Weights;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> slopes: array<f32>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;

@compute @workgroup_size(64)
fn matrix_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    var weight = controls[parameters.offset + i];
    if parameters.has_errors == 1u {
        weight *= slopes[i];
    }
    weights[i] = weight;
}
