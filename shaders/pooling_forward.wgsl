// The mean or the maximum of every patch of every channel.

@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn pooling_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let across = i % parameters.columns;
    let down = i / parameters.columns % parameters.rows;
    let channel = i / parameters.columns / parameters.rows;
    let corner = (channel * parameters.height + down * parameters.stride) * parameters.width + across * parameters.stride;
    if parameters.is_max == 1u {
        output[i] = input[greatest(corner)];
        return;
    }
    var sum = 0.0;
    for (var row = 0u; row < parameters.size; row++) {
        for (var column = 0u; column < parameters.size; column++) {
            sum += input[corner + row * parameters.width + column];
        }
    }
    output[i] = sum / f32(parameters.size * parameters.size);
}
