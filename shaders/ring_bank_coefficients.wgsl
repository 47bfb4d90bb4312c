// Weights of a ring bank: what the rings of a bus drop of a channel, one after the other, less what they leave.

@group(0) @binding(0) var<uniform> parameters: RingBank;
@group(0) @binding(1) var<storage, read> rings: array<vec4f>;
@group(0) @binding(2) var<storage, read> turns: array<vec2f>;
@group(0) @binding(3) var<storage, read> steps: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;

@compute @workgroup_size(64)
fn ring_bank_coefficients(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let own = output_and_input(i);
    let bus = bus_of(own.y);
    let channel = own.y - bus.x;
    var power = 1.0;
    var dropped = 0.0;
    for (var place = 0u; place < bus.y; place++) {
        let k = ring_of(own.x, bus.x + place);
        let ring = rings[k];
        let turn = meets(turns[k], steps[apart(place, channel)], place, channel);
        let share = ring.y / (ring.y + turn.y * turn.y);
        dropped += power * ring.w * share;
        power *= 1.0 - ring.z * share;
    }
    weights[i] = dropped - power;
}
