// Rows order[start..start+count] of source [rows, width] into the first rows of target.

struct Gather {
    count: u32,
    width: u32,
    start: u32,
    // The rows of which this dispatch sees the source; others come with other dispatches.
    first: u32,
    rows: u32,
}

@group(0) @binding(0) var<uniform> parameters: Gather;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> gathered: array<f32>;

@compute @workgroup_size(64)
fn gather(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.count * parameters.width {
        return;
    }
    let row = order[parameters.start + i / parameters.width] - parameters.first; // wraps where it lies before them
    if row >= parameters.rows {
        return;
    }
    gathered[i] = source[row * parameters.width + i % parameters.width];
}
