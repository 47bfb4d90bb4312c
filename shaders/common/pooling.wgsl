// Patches of every channel of images; `rows` and `columns` count patches.

struct Pooling {
    len: u32,
    height: u32,
    width: u32,
    size: u32,
    stride: u32,
    rows: u32,
    columns: u32,
    is_max: u32,
}

@group(0) @binding(0) var<uniform> parameters: Pooling;
@group(0) @binding(1) var<storage, read> input: array<f32>;

// Place of the maximum of the patch that begins there: the first of equal ones, and a NaN before all.
fn greatest(corner: u32) -> u32 {
    var place = corner;
    var best = input[corner];
    for (var row = 0u; row < parameters.size; row++) {
        for (var column = 0u; column < parameters.size; column++) {
            let k = corner + row * parameters.width + column;
            let value = input[k];
            if value > best || (value != value && best == best) {
                place = k;
                best = value;
            }
        }
    }
    return place;
}
