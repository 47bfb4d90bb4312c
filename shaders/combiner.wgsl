// Brings the copies of blocks of modes together: y[b modes + m] = share sum_c x[(b copies + c) modes + m], over the blocks of all samples.

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
    let first = i / parameters.modes * parameters.copies * parameters.modes + i % parameters.modes;
    var sum = vec2f(0.0);
    for (var copy = 0u; copy < parameters.copies; copy++) {
        sum += input[first + copy * parameters.modes];
    }
    output[i] = parameters.share * sum;
}
