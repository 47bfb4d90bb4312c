// y <- a x + b y; with b = 0 the old y does not matter.

struct Combine {
    len: u32,
    a: f32,
    b: f32,
}

@group(0) @binding(0) var<uniform> parameters: Combine;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn combine(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    if parameters.b == 0.0 {
        y[i] = parameters.a * x[i];
    } else {
        y[i] = parameters.a * x[i] + parameters.b * y[i];
    }
}
