// The error of a mean in equal parts, that of a maximum where it was: every feature asks the patches that it is in.

@group(0) @binding(2) var<storage, read> error: array<f32>;
@group(0) @binding(3) var<storage, read_write> error_in: array<f32>;

@compute @workgroup_size(64)
fn pooling_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let x = i % parameters.width;
    let y = i / parameters.width % parameters.height;
    let channel = i / parameters.width / parameters.height;
    var sum = 0.0;
    for (var row = 0u; row < min(parameters.size, y + 1u); row++) {
        let down = (y - row) / parameters.stride;
        if (y - row) % parameters.stride != 0u || down >= parameters.rows {
            continue;
        }
        for (var column = 0u; column < min(parameters.size, x + 1u); column++) {
            let across = (x - column) / parameters.stride;
            if (x - column) % parameters.stride != 0u || across >= parameters.columns {
                continue;
            }
            let corner = (channel * parameters.height + y - row) * parameters.width + x - column;
            let own = error[(channel * parameters.rows + down) * parameters.columns + across];
            if parameters.is_max == 0u {
                sum += own / f32(parameters.size * parameters.size);
            } else if greatest(corner) == i {
                sum += own;
            }
        }
    }
    error_in[i] = sum;
}
