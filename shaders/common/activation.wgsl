// Optical nonlinearities: which, and their constants.
// 0 electro-optic: sqrt(1-tap), g/2, cos(bias/2), sin(bias/2).  1 saturable: depth/2, 1/saturation.  2 modReLU: bias.  3 self-phase modulation: g.

struct Activation {
    len: u32,
    kind: u32,
    first: f32,
    second: f32,
    third: f32,
    fourth: f32,
}

@group(0) @binding(0) var<uniform> parameters: Activation;

// e^{-i x}
fn turn_back(x: f32) -> vec2f {
    return conj(cos_sin(x));
}

// Electro-optic: e^{-i psi/2} of psi = g power + bias, whose real part is small and exact where bias is near pi and power low.
fn half_turn(power: f32) -> vec2f {
    return cmul(turn_back(parameters.second * power), vec2f(parameters.third, -parameters.fourth));
}
