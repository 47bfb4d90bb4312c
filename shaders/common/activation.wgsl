// Optical nonlinearities: which, and their three constants.
// 0 electro-optic: sqrt(1-tap)/2, g, bias.  1 saturable: depth/2, 1/saturation.  2 modReLU: bias.  3 self-phase modulation: g.

struct Activation {
    len: u32,
    kind: u32,
    first: f32,
    second: f32,
    third: f32,
}

@group(0) @binding(0) var<uniform> parameters: Activation;

// e^{-i x}
fn turn_back(x: f32) -> vec2f {
    return conj(cos_sin(x));
}
