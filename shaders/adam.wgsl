// One step of Adam with both bias corrections folded into `rate` and `floor`.

struct Adam {
    len: u32,
    rate: f32,
    floor: f32,
    keep_first: f32,
    take_first: f32,
    keep_second: f32,
    take_second: f32,
}

@group(0) @binding(0) var<uniform> parameters: Adam;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> first: array<f32>;
@group(0) @binding(3) var<storage, read_write> second: array<f32>;
@group(0) @binding(4) var<storage, read_write> trained: array<f32>;

@compute @workgroup_size(64)
fn adam(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let slope = gradient[i];
    let m = parameters.keep_first * first[i] + parameters.take_first * slope;
    let v = parameters.keep_second * second[i] + parameters.take_second * slope * slope;
    first[i] = m;
    second[i] = v;
    trained[i] -= parameters.rate * m / (sqrt(v) + parameters.floor);
}
