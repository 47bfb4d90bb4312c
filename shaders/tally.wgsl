// tally += (sum of losses, correct samples, samples), in one workgroup and in a fixed order.

struct Tally {
    batch: u32,
}

@group(0) @binding(0) var<uniform> parameters: Tally;
@group(0) @binding(1) var<storage, read> scores: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> tally_sums: array<f32>;

const LANES = 256u;
var<workgroup> partial: array<vec2f, 256>;

@compute @workgroup_size(256)
fn tally(@builtin(local_invocation_index) local: u32) {
    var sum = vec2f(0.0);
    for (var k = local; k < parameters.batch; k += LANES) {
        sum += scores[k];
    }
    partial[local] = sum;
    for (var step = LANES / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if local < step {
            partial[local] += partial[local + step];
        }
    }
    if local == 0u {
        tally_sums[0] += partial[0].x;
        tally_sums[1] += partial[0].y;
        tally_sums[2] += f32(parameters.batch);
    }
}
