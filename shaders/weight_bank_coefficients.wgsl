// Controls to weights and slopes: w = (1+a) sin x, dw/dphi = (1+a)(1+s) cos x with x = (1+s) phi + o. A cell is (1+a, 1+s, o, 0).

struct Weights {
    len: u32,
    offset: u32,
    has_errors: u32,
}

@group(0) @binding(0) var<uniform> parameters: Weights;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> cells: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> slopes: array<f32>;

@compute @workgroup_size(64)
fn weight_bank_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    var cell = vec4f(1.0, 1.0, 0.0, 0.0);
    if parameters.has_errors == 1u {
        cell = cells[i];
    }
    let turn = cos_sin(cell.y * controls[parameters.offset + i] + cell.z);
    weights[i] = cell.x * turn.y;
    slopes[i] = cell.x * cell.y * turn.x;
}
