// Copies four values per invocation, to know how fast the device's memory is.

struct Length {
    len: u32,
}

@group(0) @binding(0) var<uniform> parameters: Length;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(64)
fn copy(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.len {
        copied[i] = source[i];
    }
}
