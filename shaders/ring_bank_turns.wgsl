// Controls to (cos, sin) of half the phase of every ring, phi + o.

@group(0) @binding(0) var<uniform> parameters: RingBank;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> rings: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> turns: array<vec2f>;

@compute @workgroup_size(64)
fn ring_bank_turns(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    turns[i] = cos_sin(0.5 * (controls[parameters.offset + i] + rings[i].x));
}
