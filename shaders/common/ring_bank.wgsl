// A bank of microrings: who meets whom on a bus, and what is dropped. The kernel declares `rings`, (o, u^2, 1 - x, what is dropped of that)
// per ring, `turns`, (cos, sin) of half its phase, and `steps`, (cos, sin) of pi n/C.

struct RingBank {
    len: u32,
    offset: u32,
    inputs: u32,
    outputs: u32,
    channels: u32,
    half_linewidth: f32,
    half_width: f32,
}

// The output and the input of a weight; input `inputs` is the bias.
fn output_and_input(i: u32) -> vec2u {
    let weights = parameters.inputs * parameters.outputs;
    if i < weights {
        return vec2u(i / parameters.inputs, i % parameters.inputs);
    }
    return vec2u(i - weights, parameters.inputs);
}

fn ring_of(output: u32, input: u32) -> u32 {
    if input < parameters.inputs {
        return output * parameters.inputs + input;
    }
    return parameters.outputs * parameters.inputs + output;
}

// The first input of the bus of this one, and how many it has.
fn bus_of(input: u32) -> vec2u {
    let first = input / parameters.channels * parameters.channels;
    return vec2u(first, min(parameters.channels, parameters.inputs + 1u - first));
}

// (cos, sin) of half the phase of a ring at `place` of its bus for `channel`.
fn meets(turn: vec2f, step: vec2f, place: u32, channel: u32) -> vec2f {
    if channel > place {
        return vec2f(turn.x * step.x + turn.y * step.y, turn.y * step.x - turn.x * step.y);
    }
    return vec2f(turn.x * step.x - turn.y * step.y, turn.y * step.x + turn.x * step.y);
}

fn apart(a: u32, b: u32) -> u32 {
    return max(a, b) - min(a, b);
}
