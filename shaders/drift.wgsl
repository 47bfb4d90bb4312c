// One step of a chip's drift: d <- keep d + own xi + common; four controls share a draw of the generator.

struct Drift {
    len: u32,
    key_low: u32,
    key_high: u32,
    time: u32,
    site: u32,
    keep: f32,
    own: f32,
    shared_step: f32,
}

@group(0) @binding(0) var<uniform> parameters: Drift;
@group(0) @binding(1) var<storage, read_write> drifted: array<f32>;

@compute @workgroup_size(64)
fn drift(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let key = vec2u(parameters.key_low, parameters.key_high);
    let xi = normals(key, vec4u(i / 4u, parameters.time, 0u, parameters.site))[i % 4u];
    drifted[i] = parameters.keep * drifted[i] + parameters.own * xi + parameters.shared_step;
}
