// The identity as fields, row by row: element i of the result is 1 where row and column are the same. With a stride of 2 the elements
// stand beside others, which stay as they are.

struct Identity {
    size: u32,
    stride: u32,
}

@group(0) @binding(0) var<uniform> parameters: Identity;
@group(0) @binding(1) var<storage, read_write> fields: array<vec2f>;

@compute @workgroup_size(64)
fn identity(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i < parameters.size * parameters.size {
        fields[i * parameters.stride] = vec2f(select(0.0, 1.0, i / parameters.size == i % parameters.size), 0.0);
    }
}
