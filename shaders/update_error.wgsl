// What a chip with update errors follows: c0 + slope (c - c0), slope = 1 + E.

struct Length {
    len: u32,
}

@group(0) @binding(0) var<uniform> parameters: Length;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> origin: array<f32>;
@group(0) @binding(3) var<storage, read> slope: array<f32>;
@group(0) @binding(4) var<storage, read_write> followed: array<f32>;

@compute @workgroup_size(64)
fn update_error(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        followed[i] = origin[i] + slope[i] * (controls[i] - origin[i]);
    }
}
