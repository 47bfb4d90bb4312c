// Divides blocks of modes evenly into copies: y[(b copies + c) modes + m] = share x[b modes + m], over the blocks of all samples.

@compute @workgroup_size(64)
fn splitter(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear_item(group, groups, local);
    if i >= parameters.len {
        return;
    }
    let block = i / parameters.modes / parameters.copies;
    output[i] = parameters.share * input[block * parameters.modes + i % parameters.modes];
}
