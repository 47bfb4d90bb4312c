// Patches back into their images, the transpose of convolution_patches: every feature adds up what was taken from it.

@group(0) @binding(1) var<storage, read> patches: array<f32>;
@group(0) @binding(2) var<storage, read_write> images: array<f32>;

@compute @workgroup_size(64)
fn convolution_back(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let x = i % parameters.width + parameters.padding;
    var rest = i / parameters.width;
    let y = rest % parameters.height + parameters.padding;
    rest /= parameters.height;
    let channel = rest % parameters.channels;
    let sample = rest / parameters.channels; // of the piece
    var sum = 0.0;
    for (var row = 0u; row < min(parameters.kernel_rows, y + 1u); row++) {
        let down = (y - row) / parameters.stride;
        if (y - row) % parameters.stride != 0u || down >= parameters.rows {
            continue;
        }
        for (var column = 0u; column < min(parameters.kernel_columns, x + 1u); column++) {
            let across = (x - column) / parameters.stride;
            if (x - column) % parameters.stride != 0u || across >= parameters.columns {
                continue;
            }
            let position = (sample * parameters.rows + down) * parameters.columns + across;
            let entry = (channel * parameters.kernel_rows + row) * parameters.kernel_columns + column;
            sum += patches[position * parameters.channels * parameters.kernel_rows * parameters.kernel_columns + entry];
        }
    }
    images[parameters.first * parameters.channels * parameters.height * parameters.width + i] = sum;
}
