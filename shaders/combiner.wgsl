// Brings the copies of blocks of modes together: y[b modes + m] = share sum_c x[(b copies + c) modes + m], over the blocks of all samples. Copies
// that are not there are dark.

@compute @workgroup_size(64)
fn combiner(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let block = i / parameters.modes;
    let first = block % parameters.blocks * parameters.copies * parameters.modes + i % parameters.modes;
    let sample = block / parameters.blocks * parameters.part;
    var sum = vec2f(0.0);
    for (var copy = 0u; copy < parameters.copies; copy++) {
        // wraps around in front of the part, and is then beyond it
        let at = first + copy * parameters.modes - parameters.first;
        if at < parameters.part {
            sum += input[sample + at];
        }
    }
    output[i] = parameters.share * sum;
}
