// Counts to `iterations` one by one. Some software drivers stop all loops of one invocation after 65,535 turns in total.

struct Canary {
    iterations: u32,
}

@group(0) @binding(0) var<uniform> parameters: Canary;
@group(0) @binding(1) var<storage, read_write> count: array<u32>;

@compute @workgroup_size(1)
fn canary() {
    var turns = 0u;
    for (var k = 0u; k < parameters.iterations; k++) {
        turns += 1u + (turns & 0u);
        count[0] = turns;
    }
}
