// Slopes of w = (1+a) sin x, x = (1+s) phi + o, by a, s and o: sin x, (1+a) phi cos x, (1+a) cos x. A cell is (1+a, 1+s, o, 0).

struct Weights {
    len: u32,
    offset: u32,
    has_errors: u32,
}

@group(0) @binding(0) var<uniform> parameters: Weights;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> cells: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slopes: array<vec4f>;

@compute @workgroup_size(64)
fn weight_bank_errors(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let cell = cells[i];
    let told = controls[parameters.offset + i];
    let turn = cos_sin(cell.y * told + cell.z);
    let of_offset = cell.x * turn.x;
    slopes[i] = vec4f(turn.y, of_offset * told, of_offset, 0.0);
}
