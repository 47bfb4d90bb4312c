// 2 Re a* i t x, whose sum over samples is the slope by a pixel's phase, or 2 Re a* (dt/dθ) x, by the angle of its amplitude.

@group(0) @binding(1) var<storage, read> pixels: array<vec4f>;
@group(0) @binding(2) var<storage, read> input: array<vec2f>;
@group(0) @binding(3) var<storage, read> adjoint: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(64)
fn mask_products(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.batch * parameters.pixels {
        return;
    }
    let pixel = pixels[i % parameters.pixels];
    let product = cmul_conj(adjoint[i], input[i]);
    if parameters.other == 1u {
        products[i] = 2.0 * cmul(pixel.zw, product).x;
    } else {
        products[i] = -2.0 * cmul(pixel.xy, product).y;
    }
}
