// The gradient of a piece of a batch into that of the batch: y <- x of the first, y <- y + x of others.

struct PieceGradient {
    len: u32,
    offset: u32,
    is_first: u32,
}

@group(0) @binding(0) var<uniform> parameters: PieceGradient;
@group(0) @binding(1) var<storage, read> piece: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn convolution_add(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let k = parameters.offset + i;
    if parameters.is_first == 1u {
        gradient[k] = piece[k];
    } else {
        gradient[k] += piece[k];
    }
}
