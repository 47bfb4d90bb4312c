// a = (1/s²) e z within a region, 0 beside all; `regions` has the region of every pixel, and their number beside all.

@group(0) @binding(1) var<storage, read> regions: array<u32>;
@group(0) @binding(2) var<storage, read> input: array<vec2f>;
@group(0) @binding(3) var<storage, read> error: array<f32>;
@group(0) @binding(4) var<storage, read_write> adjoint_in: array<vec2f>;

@compute @workgroup_size(64)
fn regions_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.batch * parameters.pixels {
        return;
    }
    let region = regions[i % parameters.pixels];
    var a = vec2f(0.0);
    if region < parameters.count {
        a = parameters.share * error[i / parameters.pixels * parameters.count + region] * input[i];
    }
    adjoint_in[i] = a;
}
