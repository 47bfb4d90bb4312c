// From the gradient of weights to that of an estimate of the rings' resonances and linewidths, which begins at `offset`. A resonance is in
// half linewidths.

@group(0) @binding(0) var<uniform> parameters: RingBank;
@group(0) @binding(1) var<storage, read> rings: array<vec4f>;
@group(0) @binding(2) var<storage, read> turns: array<vec2f>;
@group(0) @binding(3) var<storage, read> steps: array<vec2f>;
@group(0) @binding(4) var<storage, read> of_weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> imperfections: array<f32>;

@compute @workgroup_size(64)
fn ring_bank_slopes(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let slopes = ring_slopes(i);
    let at = parameters.offset + i;
    imperfections[at] = slopes.x * parameters.half_linewidth;
    imperfections[at + parameters.len] = slopes.y;
}
