// With n the normalised values and d = g e: a = (d - <d> - n <d n>) / sqrt(variance + least); and per sample and channel the sums of
// e n and e, [sample, (gains, offsets)].

@group(0) @binding(3) var<storage, read> error: array<f32>;
@group(0) @binding(4) var<storage, read_write> error_in: array<f32>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>;

@compute @workgroup_size(64)
fn normalization_backward(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let item = linear_group(group, groups);
    let per_group = parameters.channels / parameters.groups;
    let size = per_group * parameters.area;
    let inside = item < parameters.items;
    let first = select(0u, item * size, inside);
    let found = statistics(first, size, local);
    let sample = item / parameters.groups;
    var all = vec2f();
    for (var own = 0u; own < per_group; own++) {
        var sum = vec2f();
        for (var k = local; k < parameters.area; k += 64u) {
            let place = first + own * parameters.area + k;
            sum += error[place] * vec2f(found.y * (input[place] - found.x), 1.0);
        }
        sum = together(sum, local);
        let channel = item % parameters.groups * per_group + own;
        if local == 0u && inside {
            products[2u * sample * parameters.channels + channel] = sum.x;
            products[(2u * sample + 1u) * parameters.channels + channel] = sum.y;
        }
        all += controls[parameters.offset + channel] * sum;
    }
    if !inside {
        return;
    }
    all /= f32(size);
    for (var k = local; k < size; k += 64u) {
        let gain = controls[parameters.offset + item % parameters.groups * per_group + k / parameters.area];
        let normal = found.y * (input[first + k] - found.x);
        error_in[first + k] = found.y * (gain * error[first + k] - all.y - normal * all.x);
    }
}
