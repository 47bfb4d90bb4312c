// y = g (x - mean) / sqrt(variance + least) + b.

@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn normalization_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let per_group = parameters.channels / parameters.groups;
    let size = per_group * parameters.area;
    // beyond the last item the first is done again and thrown away, so that all meet the barriers
    let first = select(0u, item * size, item < parameters.items);
    let found = statistics(first, size, local);
    if item >= parameters.items {
        return;
    }
    for (var k = local; k < size; k += 64u) {
        let channel = item % parameters.groups * per_group + k / parameters.area;
        let gain = controls[parameters.offset + channel];
        let add = controls[parameters.offset + parameters.channels + channel];
        output[first + k] = gain * found.y * (input[first + k] - found.x) + add;
    }
}
