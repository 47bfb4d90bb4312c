// Divides blocks of modes evenly into copies: y[(b copies + c) modes + m] = share x[b modes + m], over the blocks of all samples and the part of
// the copies that is there.

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
    let at = parameters.first + i % parameters.part;
    let block = i / parameters.part * parameters.blocks + at / parameters.modes / parameters.copies;
    output[i] = parameters.share * input[block * parameters.modes + at % parameters.modes];
}
