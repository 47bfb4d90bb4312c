//! Chip files that somebody changed: whatever stands in one, it is one error or a chip that gives finite readouts.
//!
//! `AT_MUTATIONS=1000000 cargo test -p at-core --lib mutation` tries a million.

use super::*;
use crate::chip::Chip;
use crate::cpu::Cpu;
use crate::files::npz_draft::NpzWriter;
use crate::imperfections::{Control, Imperfections, Passive};
use crate::network::{Detection, singular_value_stages};
use crate::optics::{Activation, Layout};
use crate::propagator::Propagator;
use crate::tiled::tiled_stages;
use ndarray::{ArrayD, IxDyn};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Some seconds' worth.
const MUTATIONS: usize = 20_000;
const BATCH: usize = 2;

/// Small networks with every kind of stage.
fn networks() -> Vec<Network> {
    let mesh = |modes, layout| Stage::Mesh(Mesh::universal(modes, layout).unwrap());
    let detection = |modes| Stage::detection(modes, Detection::Intensity);
    let activation = Stage::activation(4, Activation::ELECTRO_OPTIC);
    let two = vec![vec![mesh(4, Layout::Rectangular), activation], vec![mesh(4, Layout::Triangular), detection(4)]];
    let svd = singular_value_stages(3, 4, Layout::Rectangular).unwrap().into_iter().chain([detection(4)]).collect();
    let tiles = tiled_stages(4, 4, &Mesh::rectangular(2).unwrap()).unwrap().into_iter().chain([detection(4)]).collect();
    let rectifier = Stage::rectifier(3, 0.0);
    let bank = |inputs, outputs| Stage::weight_bank(inputs, outputs);
    let banks = vec![vec![bank(4, 3), rectifier.clone()], vec![bank(3, 2)]];
    let matrix = |inputs, outputs| Stage::matrix(inputs, outputs);
    let matrices = vec![vec![matrix(4, 3), rectifier], vec![matrix(3, 2)]];
    [two, vec![svd], vec![tiles], banks, matrices].into_iter().map(|layers| Network::new(layers).unwrap()).collect()
}

/// A file taken apart: the header's text, and every array's name, shape and numbers.
#[derive(Clone)]
struct Content {
    header: String,
    arrays: Vec<(String, Vec<usize>, Vec<f64>)>,
}

impl Content {
    fn of(network: &Network, seed: u64) -> Self {
        let control =
            Control { control_range: 7.0, control_bits: 6, heater_spread: 0.1, crosstalk: 0.05, ..Control::NONE };
        let kind = Imperfections {
            splitter_angle: 0.1,
            phase: 0.2,
            loss_db: 0.3,
            loss_spread_db: 0.1,
            parameter_spread: 0.2,
            response_slope: 0.2,
            update_error: 0.3,
            perturbation: 0.2,
            passive: Passive { amplified: seed.is_multiple_of(2), ..Passive::NONE },
            control,
            drift: Drift { drift_step: 0.1, ..Drift::NONE },
            noise: Noise { shot_noise: 0.1, adc_bits: 7, ..Noise::NONE },
            ..Imperfections::NONE
        };
        let chip = kind.fabricate(network, seed).unwrap();
        let header = Header::new(&chip, (!seed.is_multiple_of(3)).then(|| network.identity())).to_json();
        let arrays = vectors(&chip).into_iter().map(|(name, values)| (name, vec![values.len()], values));
        let shifters = shifters(&chip);
        let rows = (SHIFTERS.to_string(), vec![shifters.len() / 3, 3], shifters);
        Content { header, arrays: arrays.chain([rows]).collect() }
    }

    fn file(&self) -> Vec<u8> {
        let mut file = NpzWriter::new(Vec::new());
        file.add_text(HEADER, &self.header).unwrap();
        let mut names: Vec<&str> = Vec::new();
        for (name, shape, values) in &self.arrays {
            if !names.contains(&name.as_str()) {
                file.add_array(name.as_str(), &ArrayD::from_shape_vec(IxDyn(shape), values.clone()).unwrap()).unwrap();
                names.push(name);
            }
        }
        file.finish().unwrap()
    }

    /// Changes one thing.
    fn mutate(&mut self, random: &mut ChaCha8Rng) {
        let index = random.random_range(0..self.arrays.len());
        let other = random.random_range(0..self.arrays.len());
        let (name, shape, values) = &mut self.arrays[index];
        match random.random_range(0..10) {
            0..5 if !values.is_empty() => {
                let place = random.random_range(0..values.len());
                values[place] = number(values[place], random);
            }
            5 if values.len() > 1 => {
                let (one, two) = (random.random_range(0..values.len()), random.random_range(0..values.len()));
                values.swap(one, two);
            }
            6 => {
                let length = match random.random_range(0..4) {
                    0 => 0,
                    1 => values.len() + 1,
                    2 => values.len().saturating_sub(1),
                    _ => random.random_range(0..2 * values.len() + 2),
                };
                values.resize(length, 1.0);
                *shape = vec![length];
            }
            7 => *shape = if shape.len() == 1 { vec![1, values.len(), 1] } else { vec![values.len()] },
            8 => match random.random_range(0..3) {
                0 => drop(self.arrays.remove(index)),
                1 => *name = format!("stage{}.phases", random.random_range(0..6)),
                _ => {
                    let taken = self.arrays[other].2.clone();
                    self.arrays[index].1 = vec![taken.len()];
                    self.arrays[index].2 = taken;
                }
            },
            _ => self.mutate_header(random),
        }
    }

    /// Changes one character of the header, or one of its numbers.
    fn mutate_header(&mut self, random: &mut ChaCha8Rng) {
        let mut text: Vec<char> = self.header.chars().collect();
        let place = random.random_range(0..text.len());
        if random.random_range(0..3) == 0 {
            text[place] = char::from(random.random_range(32..127_u8));
        } else if let Some(start) = text[place..].iter().position(|&c| c == ':').map(|at| place + at + 1) {
            let end = text[start..].iter().position(|&c| c == ',' || c == '}').map_or(text.len(), |at| start + at);
            let value = number(1.0, random);
            text.splice(start..end, format!("{value:?}").chars());
        }
        self.header = text.into_iter().collect();
    }
}

/// Another number in the place of `value`: one of the ends of its kind, or a neighbour.
fn number(value: f64, random: &mut impl Rng) -> f64 {
    let ends = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        0.0,
        -0.0,
        -1.0,
        0.5,
        1e6,
        -1e6,
        1e300,
        100.0,
        -100.0,
        f64::from(u32::MAX),
        f64::from(u32::MAX) + 1.0,
        value + 1.0,
        value - 1.0,
        -value,
        value * 1e3,
    ];
    ends[random.random_range(0..ends.len())]
}

/// Reads `file`; an accepted chip must give finite readouts before and after its controls change.
fn accepts(network: &Network, file: Vec<u8>) -> bool {
    let path = Path::new("mutated.npz");
    let read = Npz::parse(path, file).and_then(|npz| parse(&npz, network, Owner::ThisNetwork));
    let chip = match read {
        Ok(KeptChip { chip, .. }) => chip,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("mutated.npz: "), "{text}");
            return false;
        }
    };
    let engine = Cpu::<f32>::new();
    let mut own = Chip::new(&engine, network, &chip).unwrap();
    let fields = (0..BATCH * network.input().width()).map(|k| (k as f32).sin()).collect();
    let mut readout = vec![0.0; BATCH * network.outputs()];
    for turn in 1..=2 {
        let controls = (0..network.controls()).map(|k| 1.0 + ((turn * k) as f32).cos()).collect();
        own.program(&controls).unwrap();
        own.propagate(&fields, BATCH, &mut readout).unwrap();
        assert!(readout.iter().all(|read| read.is_finite()), "{readout:?} of {chip:?}");
    }
    true
}

#[test]
fn no_mutation_of_a_chip_file_panics_or_gives_readouts_that_are_no_numbers() {
    let mutations = std::env::var("AT_MUTATIONS").map_or(MUTATIONS, |text| text.parse().unwrap());
    let networks = networks();
    let good: Vec<Vec<Content>> =
        networks.iter().map(|network| (0..6).map(|seed| Content::of(network, seed)).collect()).collect();
    for (network, contents) in networks.iter().zip(&good) {
        assert!(contents.iter().all(|content| accepts(network, content.file())), "the originals are chips");
    }
    let mut random = ChaCha8Rng::seed_from_u64(19);
    let mut accepted = 0;
    for round in 0..mutations {
        let which = round % networks.len();
        let mut content = good[which][random.random_range(0..6)].clone();
        for _ in 0..random.random_range(1..4) {
            if !content.arrays.is_empty() {
                content.mutate(&mut random);
            }
        }
        let mut file = content.file();
        if round % 16 == 0 {
            let place = random.random_range(0..file.len());
            file[place] ^= 1 << random.random_range(0..8); // damage, beside changes
        }
        accepted += usize::from(accepts(&networks[which], file));
    }
    let share = accepted as f64 / mutations as f64;
    assert!((0.02..0.9).contains(&share), "{share} of the mutations are chips: they must be changes that matter");
}
