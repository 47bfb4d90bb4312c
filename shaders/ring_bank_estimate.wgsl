// Resonances and linewidths of rings from an estimate [o in half linewidths.., s..] that begins at `offset`: o, and u^2 with
// u = sin(pi/2F) e^s.

@group(0) @binding(0) var<uniform> parameters: RingBank;
@group(0) @binding(1) var<storage, read> estimate: array<f32>;
@group(0) @binding(2) var<storage, read_write> rings: array<vec4f>;

@compute @workgroup_size(64)
fn ring_bank_estimate(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let at = parameters.offset + i;
    let width = parameters.half_width * exp(estimate[at + parameters.len]);
    let ring = rings[i];
    rings[i] = vec4f(parameters.half_linewidth * estimate[at], width * width, ring.z, ring.w);
}
