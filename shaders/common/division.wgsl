// Blocks of `modes` modes, `blocks` in a sample, and their `copies`, of which `part` modes of every sample from `first` on are there; `share` is
// 1/sqrt(copies), and `len` the number of fields that are written.

struct Division {
    modes: u32,
    copies: u32,
    blocks: u32,
    first: u32,
    part: u32,
    len: u32,
    share: f32,
}

@group(0) @binding(0) var<uniform> parameters: Division;
@group(0) @binding(1) var<storage, read> input: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec2f>;
