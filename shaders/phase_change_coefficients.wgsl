// Controls to weights and slopes of a phase-change crossbar: w = contrast e + o with e = c within -1..1, the contrast 1+p of the first cell of
// a pair or 1+n of the second by the sign of c. A pair is (1+p, 1+n, o, 0).

struct Weights {
    len: u32,
    offset: u32,
    has_errors: u32,
}

@group(0) @binding(0) var<uniform> parameters: Weights;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> pairs: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> slopes: array<f32>;

@compute @workgroup_size(64)
fn phase_change_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    var cells = vec4f(1.0, 1.0, 0.0, 0.0);
    if parameters.has_errors == 1u {
        cells = pairs[i];
    }
    let told = controls[parameters.offset + i];
    let contrast = select(cells.x, cells.y, told < 0.0);
    weights[i] = contrast * clamp(told, -1.0, 1.0) + cells.z;
    slopes[i] = select(0.0, contrast, abs(told) <= 1.0);
}
