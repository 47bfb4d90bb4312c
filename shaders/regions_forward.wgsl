// The mean power of the pixels of every region; `corners` has the first row and column of each.

@group(0) @binding(1) var<storage, read> corners: array<vec2u>;
@group(0) @binding(2) var<storage, read> input: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn regions_forward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.batch * parameters.count {
        return;
    }
    let corner = corners[i % parameters.count];
    let first = i / parameters.count * parameters.pixels + corner.x * parameters.columns + corner.y;
    var power = 0.0;
    for (var pixel = 0u; pixel < parameters.side * parameters.side; pixel++) {
        let z = input[first + pixel / parameters.side * parameters.columns + pixel % parameters.side];
        power += dot(z, z);
    }
    output[i] = parameters.share * power;
}
