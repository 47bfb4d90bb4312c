// From the gradient of weights to those of their controls and of three errors each: times dw/dc, times dw/de.

struct WeightsSlopes {
    len: u32,
    offset: u32,
    estimate_offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: WeightsSlopes;
@group(0) @binding(1) var<storage, read> of_weights: array<f32>;
@group(0) @binding(2) var<storage, read> of_controls: array<f32>;
@group(0) @binding(3) var<storage, read> of_errors: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> imperfections: array<f32>;

@compute @workgroup_size(64)
fn weights_slopes(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let change = of_weights[i];
    gradient[parameters.offset + i] = change * of_controls[i];
    let slopes = change * of_errors[i];
    let at = parameters.estimate_offset + i;
    let len = parameters.len;
    imperfections[at] = slopes.x;
    imperfections[at + len] = slopes.y;
    imperfections[at + 2u * len] = slopes.z;
}
