// [sample, row, column] to [sample, column, row]: what leaves the element to channels of an image, and adjoints back.

struct Turn {
    len: u32,
    rows: u32,
    columns: u32,
    source_offset: u32,
    target_offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: Turn;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned: array<f32>;

@compute @workgroup_size(64)
fn convolution_turn(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let size = parameters.rows * parameters.columns;
    let row = i % parameters.rows;
    let column = i % size / parameters.rows;
    let place = i / size * size + row * parameters.columns + column;
    turned[parameters.target_offset + i] = source[parameters.source_offset + place];
}
