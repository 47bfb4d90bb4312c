// Slopes of w = contrast e + o, e = c within -1..1, by p, n and o: of p and n the one whose cell is told something has e, o has 1, whatever
// the errors are.

struct Weights {
    len: u32,
    offset: u32,
    has_errors: u32,
}

@group(0) @binding(0) var<uniform> parameters: Weights;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> pairs: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slopes: array<vec4f>;

@compute @workgroup_size(64)
fn phase_change_errors(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let told = clamp(controls[parameters.offset + i], -1.0, 1.0);
    slopes[i] = vec4f(max(told, 0.0), min(told, 0.0), 1.0, 0.0);
}
