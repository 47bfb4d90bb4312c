// Where an invocation stands, when more than 65,535 workgroups were folded into two dimensions.

fn linear_group(group: vec3u, groups: vec3u) -> u32 {
    return group.x + group.y * groups.x;
}

fn linear_item(group: vec3u, groups: vec3u, local: u32) -> u32 {
    return linear_group(group, groups) * 64u + local;
}
