// From the gradient of weights to that of an estimate of the rings' resonances and linewidths, which begins at `offset`. With what
// ring_bank_gradient says of dw/dL, dL/ds is 2 L (1 - L), and dL/do that of a phase times half a linewidth.

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
    let own = output_and_input(i);
    let bus = bus_of(own.y);
    let self_place = own.y - bus.x;
    let self_ring = rings[i];
    let self_turn = turns[i];
    var of_phase = 0.0;
    var of_linewidth = 0.0;
    for (var channel = 0u; channel < bus.y; channel++) {
        var power = 1.0;
        var arrives = 1.0;
        var dropped = 0.0;
        for (var place = 0u; place < bus.y; place++) {
            if place == self_place {
                arrives = power;
                power = 1.0;
                continue;
            }
            let k = ring_of(own.x, bus.x + place);
            let ring = rings[k];
            let turn = meets(turns[k], steps[apart(place, channel)], place, channel);
            let share = ring.y / (ring.y + turn.y * turn.y);
            if place > self_place {
                dropped += power * ring.w * share;
            }
            power *= 1.0 - ring.z * share;
        }
        let turn = meets(self_turn, steps[apart(self_place, channel)], self_place, channel);
        let share = self_ring.y / (self_ring.y + turn.y * turn.y);
        let slope = -share * share * turn.x * turn.y / self_ring.y;
        let change = of_weights[ring_of(own.x, bus.x + channel)] * arrives * (self_ring.w - self_ring.z * (dropped - power));
        of_phase += change * slope;
        of_linewidth += change * 2.0 * share * (1.0 - share);
    }
    let at = parameters.offset + i;
    imperfections[at] = of_phase * parameters.half_linewidth;
    imperfections[at + parameters.len] = of_linewidth;
}
