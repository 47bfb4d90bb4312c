// y = t x, or t* x on the way back.

@group(0) @binding(1) var<storage, read> pixels: array<vec4f>;
@group(0) @binding(2) var<storage, read> input: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec2f>;

@compute @workgroup_size(64)
fn mask_transmit(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.batch * parameters.pixels {
        return;
    }
    let t = pixels[i % parameters.pixels].xy;
    if parameters.other == 1u {
        output[i] = cmul_conj(t, input[i]);
    } else {
        output[i] = cmul(t, input[i]);
    }
}
