// The slopes of a ring: a ring meets every channel of its bus, and with the power P that arrives and what the detectors make of unit power
// behind it, S, dw/dL = P (d0 - a S) with d = d0 L and t = 1 - a L. L follows the phase and the logarithm s of the linewidth,
// dL/ds = 2 L (1 - L). Declared by the kernel: what ring_bank.wgsl needs, and `of_weights`, the gradient of weights.

// Of the phase and of s, of ring i.
fn ring_slopes(i: u32) -> vec2f {
    let own = output_and_input(i);
    let bus = bus_of(own.y);
    let self_place = own.y - bus.x;
    let self_ring = rings[i];
    let self_turn = turns[i];
    var slopes = vec2f(0.0);
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
        let change = arrives * (self_ring.w - self_ring.z * (dropped - power));
        slopes += of_weights[ring_of(own.x, bus.x + channel)] * change * vec2f(slope, 2.0 * share * (1.0 - share));
    }
    return slopes;
}
