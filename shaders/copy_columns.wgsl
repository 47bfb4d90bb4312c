// target[row, to_first + k] <- source[row, from_first + k]: columns of one matrix into another.

struct CopyColumns {
    rows: u32,
    count: u32,
    from_width: u32,
    from_first: u32,
    to_width: u32,
    to_first: u32,
}

@group(0) @binding(0) var<uniform> parameters: CopyColumns;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> copied: array<f32>;

@compute @workgroup_size(64)
fn copy_columns(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.rows * parameters.count {
        return;
    }
    let row = i / parameters.count;
    let k = i % parameters.count;
    let place = row * parameters.from_width + parameters.from_first + k;
    copied[row * parameters.to_width + parameters.to_first + k] = source[place];
}
