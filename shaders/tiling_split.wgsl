// Divides blocks of modes evenly into copies: y[(b copies + c) modes + m] = share x[b modes + m], over the blocks of all samples.

struct Tiling {
    modes: u32,
    copies: u32,
    len: u32,
    share: f32,
}

@group(0) @binding(0) var<uniform> parameters: Tiling;
@group(0) @binding(1) var<storage, read> input: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec2f>;

@compute @workgroup_size(64)
fn tiling_split(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let block = i / parameters.modes / parameters.copies;
    output[i] = parameters.share * input[block * parameters.modes + i % parameters.modes];
}
