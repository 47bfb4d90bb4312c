// tally += (sum of losses, correct samples, samples) of every group, one workgroup each and in a fixed order; sample k belongs to
// group k mod the number of groups.

struct Tally {
    batch: u32,
    groups: u32,
}

@group(0) @binding(0) var<uniform> parameters: Tally;
@group(0) @binding(1) var<storage, read> scores: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> tally_sums: array<f32>;

const LANES = 256u;
var<workgroup> partial: array<vec2f, 256>;

@compute @workgroup_size(256)
fn tally(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    // Workgroups beyond the groups, which folding can make, sum the first one's samples and write nothing.
    let own = linear_group(workgroup, workgroups);
    let group = select(0u, own, own < parameters.groups);
    let samples = parameters.batch / parameters.groups;
    var sum = vec2f(0.0);
    for (var k = local; k < samples; k += LANES) {
        sum += scores[k * parameters.groups + group];
    }
    partial[local] = sum;
    for (var step = LANES / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if local < step {
            partial[local] += partial[local + step];
        }
    }
    if local == 0u && own < parameters.groups {
        tally_sums[3u * group] += partial[0].x;
        tally_sums[3u * group + 1u] += partial[0].y;
        tally_sums[3u * group + 2u] += f32(samples);
    }
}
