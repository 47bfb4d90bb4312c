// Patches of images, [sample, position, entry], from the sample `first` on: what a patch has outside its image is 0.

@group(0) @binding(1) var<storage, read> images: array<f32>;
@group(0) @binding(2) var<storage, read_write> patches: array<f32>;

@compute @workgroup_size(64)
fn convolution_patches(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let column = i % parameters.kernel_columns;
    var rest = i / parameters.kernel_columns;
    let row = rest % parameters.kernel_rows;
    rest /= parameters.kernel_rows;
    let channel = rest % parameters.channels;
    rest /= parameters.channels;
    // of the padded image
    let x = rest % parameters.columns * parameters.stride + column;
    rest /= parameters.columns;
    let y = rest % parameters.rows * parameters.stride + row;
    let sample = parameters.first + rest / parameters.rows;
    let p = parameters.padding;
    var value = 0.0;
    if x >= p && y >= p && x < parameters.width + p && y < parameters.height + p {
        value = images[((sample * parameters.channels + channel) * parameters.height + y - p) * parameters.width + x - p];
    }
    patches[i] = value;
}
