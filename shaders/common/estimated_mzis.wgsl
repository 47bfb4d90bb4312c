// `count` of a mesh's `mzis` from `first` on, those whose values lie in one binding; `offset` is where the mesh's part of a flat vector
// begins.

struct MeshEstimate {
    mzis: u32,
    first: u32,
    count: u32,
    offset: u32,
}

@group(0) @binding(0) var<uniform> parameters: MeshEstimate;
