//! The program `asyt`.

fn main() {}
