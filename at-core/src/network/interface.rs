//! What a sample makes cross the analogue-digital interface of a chip, where patches of images take turns there.
//!
//! Light and analogue electronics lead from stage to stage without a converter. A convolution breaks that way: its patches cross one
//! element in turn, so what enters it is written patch by patch, what leaves is read, and memory holds it until the next stage is lit. On
//! the way through memory, rectifiers and pooling are digital operations; what detectors pool themselves is none, and is read once. A way from converter to converter is a *segment*; of a network
//! without convolutions there is one. With P_k patches of segment k, of which e_k values each enter and l_k leave per sample,
//!
//! ```text
//! inputs P_0·e_0    injections Σ_{k>0} P_k·e_k    reads Σ l_k    passes Σ P_k    frames Σ P_k    rounds: segments
//! ```
//!
//! Where layers are looped ([`super::Recurrence`]), every step is a pass. What is fed back as it is crosses no converter; a part of the
//! sample that enters is written, which takes a frame. Fed back by converters, the state is read and injected, and a step is a segment.

use super::{Entry, Feedback, Network, Recurrence, Signal, Stage};
use crate::stage::{Element, Pool, Pooling, Residual};

/// One sample's way through a chip, or through one of its layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Values that enter at once at the first segment.
    pub at_once: usize,
    /// Values written into the first segment: a pixel as often as it is in a patch.
    pub inputs: usize,
    /// Values written into the others.
    pub injections: usize,
    /// Values read behind all segments.
    pub reads: usize,
    /// Patches of all segments, 1 of one that a sample crosses as a whole; of looped layers every step.
    pub passes: usize,
    /// What is written at a time: patches of all segments, and steps at which something enters.
    pub frames: usize,
    /// Segments, one after the other.
    pub rounds: usize,
    /// Digital operations between the segments: sums, products and comparisons of reals.
    pub flops: usize,
}

/// The ways through a chip as a whole, and through every layer by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// From the inputs to the readout.
    pub whole: Passage,
    /// From what enters every layer to what leaves it; a looped layer stands here once per step, as in [`Network::visits`].
    pub layers: Vec<Passage>,
    /// Of those passes, the ones that are no further ones where a sample crosses the whole chip: 1 of a layer that the light or the charges of the one
    /// before it enter as they are.
    pub continued: Vec<usize>,
    /// Of those that enter every layer where it is lit by itself, the ones that are parts of the sample, of layers behind the first.
    pub parts: Vec<usize>,
    /// Values that taps behind hidden layers read besides: memory has them where a convolution's readout was stored.
    pub tapped: usize,
}

impl Passage {
    /// Of a chip that takes and gives whole samples.
    pub fn plain(inputs: usize, reads: usize) -> Self {
        Passage { at_once: inputs, inputs, reads, passes: 1, frames: 1, rounds: 1, ..Passage::default() }
    }
}

impl Network {
    /// What a sample makes cross the chip's interface.
    pub fn interface(&self) -> Interface {
        let visits = self.visits();
        let entering = self.recurrence().and_then(Recurrence::entering).unwrap_or(0);
        let part = Signal { modes: entering, ..self.input() }.width();
        let mut way = Way::default();
        let mut tapped = 0;
        let mut continued = Vec::with_capacity(visits.len());
        for (number, visit) in visits.iter().enumerate() {
            if let Some(own) = self.recurrence() {
                if visit.again {
                    way.feed_back(own, self.state(own).width(), part);
                } else if visit.part.is_some() {
                    way.entering = Some(part);
                }
            }
            continued.push(usize::from(visit.again || way.on_its_way));
            self.layers()[visit.layer].iter().for_each(|stage| way.cross(stage));
            if way.on_its_way && number + 1 < visits.len() {
                tapped += self.layer_output(visit.layer).width();
                if let Some(own) = self.recurrence().filter(|_| self.converts(visits[number + 1])) {
                    tapped -= self.state(own).width(); // memory has it
                }
            }
        }
        let layers = visits.iter().map(|visit| {
            let mut way = Way { entering: (visit.part == Some(0) && !visit.again).then_some(part), ..Way::default() };
            self.layers()[visit.layer].iter().for_each(|stage| way.cross(stage));
            way.end()
        });
        let parts = visits.iter().map(|visit| if visit.again && visit.part.is_some() { part } else { 0 }).collect();
        Interface { layers: layers.collect(), continued, parts, whole: way.end(), tapped }
    }
}

/// A way under construction.
#[derive(Default)]
struct Way {
    passage: Passage,
    /// The signal is between two converters: light, or analogue electronics.
    on_its_way: bool,
    /// It lies in memory.
    stored: bool,
    /// It crosses one patch after the other.
    in_turn: bool,
    /// Reals of a sample behind the last stage.
    width: usize,
    /// Values that enter next in the place of all that a stage has inputs for: the others are dark.
    entering: Option<usize>,
}

impl Way {
    fn cross(&mut self, stage: &Stage) {
        match stage {
            Stage::Series(own) => own.stages.iter().for_each(|stage| self.cross(stage)),
            Stage::Residual(own) => self.add(own),
            single => self.cross_one(single),
        }
    }

    /// A residual connection: what is beside the branch waits in memory where the branch goes through memory, or it came from there.
    fn add(&mut self, own: &Residual) {
        if needs_memory(&own.branch.stages) {
            self.read();
        }
        let waits = self.stored;
        own.branch.stages.iter().for_each(|stage| self.cross(stage));
        let output = own.output();
        if !output.complex && (waits || self.stored) {
            self.read();
            self.passage.flops = self.passage.flops.saturating_add(output.width());
            self.stored = true;
        }
    }

    fn cross_one(&mut self, stage: &Stage) {
        if let Stage::Pooling(own) = stage
            && own.pool == Pool::Detectors
        {
            return self.pool_currents(own);
        }
        let Kind { patches, digital, memory } = kind(stage);
        if let Some(flops) = digital.filter(|_| self.stored || memory) {
            self.read();
            self.passage.flops = self.passage.flops.saturating_add(flops);
            self.stored = true;
        } else {
            if patches.is_some() {
                self.read();
            }
            if !self.on_its_way {
                self.write(patches, stage.crossed().input().width());
            }
        }
        self.width = stage.output().width();
        if self.on_its_way && self.in_turn && !stage.output().complex {
            self.read();
        }
    }

    /// Charges are gathered before they are read: where a convolution's outputs would be one by one, what is gathered of them is.
    fn pool_currents(&mut self, own: &Pooling) {
        let pooled = own.output().width();
        if self.stored {
            self.passage.reads -= self.width - pooled;
        } else if !self.on_its_way {
            self.write(None, own.input().width());
        }
        self.width = pooled;
    }

    fn write(&mut self, patches: Option<usize>, at_once: usize) {
        let count = patches.unwrap_or(1);
        let at_once = self.entering.take().unwrap_or(at_once);
        let values = count.saturating_mul(at_once);
        let own = &mut self.passage;
        if own.rounds == 0 {
            (own.at_once, own.inputs) = (at_once, values);
        } else {
            own.injections = own.injections.saturating_add(values);
        }
        own.passes = own.passes.saturating_add(count);
        own.frames = own.frames.saturating_add(count);
        own.rounds += 1;
        (self.on_its_way, self.stored, self.in_turn) = (true, false, patches.is_some());
    }

    /// The looped layers begin anew with a `state` of so many reals, and a `part` of the sample of so many.
    fn feed_back(&mut self, recurrence: &Recurrence, state: usize, part: usize) {
        if self.on_its_way && recurrence.feedback == Feedback::Converted {
            self.width = state;
            self.read();
        }
        let own = &mut self.passage;
        let written = match recurrence.entry {
            Entry::Parts(_) => part,
            // what is held stays on its modulators
            Entry::Once | Entry::Held(_) => 0,
        };
        own.inputs = own.inputs.saturating_add(written);
        if self.on_its_way {
            own.passes += 1; // else what is written next is one
            own.frames += usize::from(written > 0);
        } else if recurrence.entering().is_some() {
            self.entering = Some(state);
        }
    }

    fn read(&mut self) {
        if self.on_its_way {
            self.passage.reads = self.passage.reads.saturating_add(self.width);
            (self.on_its_way, self.stored) = (false, true);
        }
    }

    fn end(mut self) -> Passage {
        self.read();
        self.passage
    }
}

/// Whether something among `stages` needs memory in front of it.
fn needs_memory(stages: &[Stage]) -> bool {
    stages.iter().any(|stage| match stage {
        Stage::Series(own) => needs_memory(&own.stages),
        Stage::Residual(own) => needs_memory(&own.branch.stages),
        single => {
            let Kind { patches, memory, .. } = kind(single);
            patches.is_some() || memory
        }
    })
}

/// What a stage is for the interface.
struct Kind {
    /// Patches that cross it in turn.
    patches: Option<usize>,
    /// Operations per sample where it is digital.
    digital: Option<usize>,
    /// It needs what it works on in memory.
    memory: bool,
}

fn kind(stage: &Stage) -> Kind {
    let light = Kind { patches: None, digital: None, memory: false };
    match stage {
        Stage::Convolution(own) => Kind { patches: Some(own.patches.positions()), ..light },
        Stage::Pooling(own) => {
            let patch = own.size.saturating_mul(own.size);
            Kind { digital: Some(own.output_image().features().saturating_mul(patch)), memory: true, ..light }
        }
        Stage::Normalization(own) => {
            // two sums, two products with them, gain and offset
            Kind { digital: Some(own.image.features().saturating_mul(8)), memory: true, ..light }
        }
        Stage::Rectifier(own) => Kind { digital: Some(own.modes), ..light },
        Stage::Mesh(_)
        | Stage::Attenuators(_)
        | Stage::Splitter(_)
        | Stage::Combiner(_)
        | Stage::Activation(_)
        | Stage::Detection(_)
        | Stage::Modulation(_)
        | Stage::Matrix(_)
        | Stage::WeightBank(_)
        | Stage::RingBank(_)
        | Stage::PhaseChange(_)
        | Stage::Mask(_)
        | Stage::FreeSpace(_)
        | Stage::Regions(_)
        | Stage::Own(_) => light,
        // crossed stage by stage
        Stage::Series(_) | Stage::Residual(_) => light,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_shape::ImageShape;
    use crate::network::Detection;
    use crate::optics::{Activation, Mesh};
    use crate::stage::{Patches, Pool};

    /// 1×6×6, four 3×3 kernels: 4×4×4, pooled to 4×2×2, eight 2×2 kernels: 8×1×1, a bank to 3.
    fn small() -> Network {
        let conv = |image, size, outputs| {
            let patches = Patches { image, kernel: [size; 2], stride: 1, padding: 0 };
            Stage::convolution(patches, Stage::weight_bank(patches.entries(), outputs))
        };
        let first = conv(ImageShape::new(1, 6, 6), 3, 4);
        let pool = Stage::pooling(ImageShape::new(4, 4, 4), 2, Pool::Max);
        let second = conv(ImageShape::new(4, 2, 2), 2, 8);
        Network::new(vec![
            vec![first, Stage::rectifier(64, 0.0), pool],
            vec![second, Stage::rectifier(8, 0.0)],
            vec![Stage::weight_bank(8, 5), Stage::rectifier(5, 0.0)],
            vec![Stage::weight_bank(5, 3)],
        ])
        .unwrap()
    }

    #[test]
    fn a_patch_is_written_and_read_and_electronics_are_counted() {
        let Interface { whole, layers, continued, tapped, .. } = small().interface();
        // 16 patches of 9 pixels; one patch of 16; the banks in one go
        let expected = Passage {
            at_once: 9,
            inputs: 16 * 9,
            injections: 16 + 8,
            reads: 64 + 8 + 3,
            passes: 16 + 1 + 1,
            frames: 16 + 1 + 1,
            rounds: 3,
            flops: 64 + 64 + 8, // rectified, compared in pooling, rectified; the rectifier between banks is analogue
        };
        assert_eq!(whole, expected);
        assert_eq!(tapped, 5, "memory has what left the convolutions");
        assert_eq!(
            layers[0],
            Passage { injections: 0, reads: 64, passes: 16, frames: 16, rounds: 1, flops: 128, ..expected }
        );
        let second =
            Passage { at_once: 16, inputs: 16, reads: 8, passes: 1, frames: 1, rounds: 1, flops: 8, injections: 0 };
        assert_eq!(layers[1], second);
        assert_eq!(layers[2..], [Passage::plain(8, 5), Passage::plain(5, 3)]);
        assert_eq!(continued, [0, 0, 0, 1], "the last bank is lit by the one before it");
        let by_layers = layers.iter().zip(&continued).map(|(own, continued)| own.passes - continued);
        assert_eq!(by_layers.sum::<usize>(), whole.passes, "a patch is a pass, layer by layer as well");
    }

    /// Only those of the first way were counted, of LeNet-5 784 of 885.
    #[test]
    fn patches_of_every_way_are_passes() {
        let conv = |channels: usize, outputs| {
            let patches = Patches { image: ImageShape::new(channels, 4, 4), kernel: [3; 2], stride: 1, padding: 1 };
            Stage::convolution(patches, Stage::weight_bank(patches.entries(), outputs))
        };
        let branch = Stage::residual(vec![conv(2, 2), Stage::rectifier(32, 0.0), conv(2, 2)]);
        let network = Network::new(vec![vec![conv(1, 2), branch], vec![Stage::weight_bank(32, 3)]]).unwrap();
        let whole = network.interface().whole;
        assert_eq!((whole.passes, whole.frames, whole.rounds), (3 * 16 + 1, 3 * 16 + 1, 4));
    }

    #[test]
    fn without_convolutions_samples_cross_as_a_whole() {
        let bank = Stage::weight_bank;
        let network = Network::new(vec![vec![bank(6, 5), Stage::rectifier(5, 0.0)], vec![bank(5, 3)]]).unwrap();
        let Interface { whole, layers, tapped, .. } = network.interface();
        assert_eq!((whole, tapped), (Passage::plain(6, 3), 5));
        assert_eq!(layers, [Passage::plain(6, 5), Passage::plain(5, 3)]);
        let single = network.single_stages().unwrap().interface();
        assert_eq!((single.whole, single.tapped), (Passage::plain(6, 3), 10));
        assert_eq!(single.layers, [Passage::plain(6, 5), Passage::plain(5, 5), Passage::plain(5, 3)]);
    }

    #[test]
    fn what_is_fed_back_crosses_converters_only_where_the_network_says_so() {
        let layers = || vec![vec![Stage::weight_bank(7, 5), Stage::rectifier(5, 0.0)], vec![Stage::weight_bank(5, 3)]];
        let of = |entry, feedback| {
            let own = Recurrence { layers: 0..1, steps: 4, entry, feedback };
            Network::recurrent(layers(), own).unwrap().interface()
        };
        let Interface { whole, layers, continued, parts, tapped } = of(Entry::Parts(2), Feedback::Analogue);
        let expected =
            Passage { at_once: 2, inputs: 8, reads: 3, passes: 4, frames: 4, rounds: 1, ..Passage::default() };
        assert_eq!((whole, tapped), (expected, 4 * 5));
        // by itself a layer takes its state from converters too
        assert_eq!(layers[0], Passage::plain(2, 5));
        assert_eq!((layers[1], layers[4]), (Passage::plain(7, 5), Passage::plain(5, 3)));
        assert_eq!((parts, continued), (vec![0, 2, 2, 2, 0], vec![0, 1, 1, 1, 1]));

        let Interface { whole, tapped, .. } = of(Entry::Parts(2), Feedback::Converted);
        let read = Passage { injections: 3 * 5, reads: 3 * 5 + 3, rounds: 4, ..expected };
        assert_eq!((whole, tapped), (read, 5));
        // what is held is written once
        let held = of(Entry::Held(2), Feedback::Analogue).whole;
        assert_eq!(held, Passage { inputs: 2, frames: 1, ..expected });
        let held = of(Entry::Held(2), Feedback::Converted).whole;
        assert_eq!(held, Passage { inputs: 2, ..read });
    }

    #[test]
    fn light_that_is_fed_back_enters_once() {
        let mesh = || Stage::Mesh(Mesh::rectangular(4).unwrap());
        let detection = Stage::detection(4, Detection::Intensity);
        let layers = vec![vec![mesh(), Stage::activation(4, Activation::ELECTRO_OPTIC)], vec![mesh(), detection]];
        let own = Recurrence { layers: 0..1, steps: 5, entry: Entry::Once, feedback: Feedback::Analogue };
        let network = Network::recurrent(layers.clone(), own.clone()).unwrap();
        assert_eq!(network.interface().whole, Passage { passes: 5, ..Passage::plain(8, 4) });
        let converted = Recurrence { feedback: Feedback::Converted, ..own };
        let whole = Network::recurrent(layers, converted).unwrap().interface().whole;
        let expected = Passage { injections: 32, reads: 36, passes: 5, frames: 5, rounds: 5, ..Passage::plain(8, 4) };
        assert_eq!(whole, expected);
    }

    /// A branch of convolutions waits for memory, and so does what is added to it; one of banks is added as it is.
    #[test]
    fn what_a_residual_connection_adds_waits_in_memory_where_its_branch_does() {
        let conv = |channels| {
            let patches = Patches { image: ImageShape::new(channels, 4, 4), kernel: [3; 2], stride: 1, padding: 1 };
            Stage::convolution(patches, Stage::weight_bank(patches.entries(), 2))
        };
        let rectifier = || Stage::rectifier(32, 0.0);
        let branch = Stage::residual(vec![conv(2), rectifier(), conv(2)]);
        let network = |stages| Network::new(vec![stages, vec![Stage::weight_bank(32, 3)]]).unwrap();
        let plain = network(vec![conv(1), conv(2), rectifier(), conv(2)]).interface().whole;
        let added = network(vec![conv(1), branch]).interface().whole;
        assert_eq!(added, Passage { flops: plain.flops + 32, ..plain });
        let banks = |stage| Network::new(vec![vec![Stage::weight_bank(5, 5), stage], vec![Stage::weight_bank(5, 3)]]);
        let analogue = banks(Stage::residual(vec![Stage::weight_bank(5, 5)])).unwrap().interface().whole;
        assert_eq!(analogue, Passage::plain(5, 3));
    }

    /// Patches of a series are those of its element: light on its way has no converter.
    #[test]
    fn patches_through_light_are_counted_as_those_through_a_bank() {
        let patches = Patches { image: ImageShape::new(1, 6, 6), kernel: [2; 2], stride: 2, padding: 0 };
        let light = Stage::series(vec![
            Stage::modulation(4),
            Stage::Mesh(crate::optics::Mesh::rectangular(4).unwrap()),
            Stage::detection(4, crate::network::Detection::Intensity),
        ]);
        let of = |element| {
            let network =
                Network::new(vec![vec![Stage::convolution(patches, element)], vec![Stage::weight_bank(36, 3)]]);
            network.unwrap().interface()
        };
        assert_eq!(of(light), of(Stage::weight_bank(4, 4)));
    }

    /// Charges of a patch are read once, and of patches of detectors that are lit together as well.
    #[test]
    fn what_detectors_pool_is_read_once_and_no_operation() {
        let patches = Patches { image: ImageShape::new(1, 6, 6), kernel: [3; 2], stride: 1, padding: 0 };
        let of = |pool, currents: bool| {
            let conv = Stage::convolution(patches, Stage::weight_bank(9, 4));
            let pool = Stage::pooling(ImageShape::new(4, 4, 4), 2, pool);
            let rectifier = |count| Stage::rectifier(count, 0.0);
            let first = if currents { vec![conv, pool, rectifier(16)] } else { vec![conv, rectifier(64), pool] };
            Network::new(vec![first, vec![Stage::weight_bank(16, 3)]]).unwrap().interface().whole
        };
        let (digital, currents) = (of(Pool::Average, false), of(Pool::Detectors, true));
        assert_eq!(currents, Passage { reads: 16 + 3, flops: 16, ..digital });
        assert_eq!((digital.reads, digital.flops), (64 + 3, 64 + 64));

        let pool = Stage::pooling(ImageShape::new(1, 4, 4), 2, Pool::Detectors);
        let banks = vec![vec![Stage::weight_bank(5, 16), pool.clone()], vec![Stage::weight_bank(4, 3)]];
        assert_eq!(Network::new(banks).unwrap().interface().whole, Passage::plain(5, 3));
        let last = Network::new(vec![vec![Stage::weight_bank(5, 16), pool]]).unwrap().interface().whole;
        assert_eq!(last, Passage::plain(5, 4));
    }

    #[test]
    fn detectors_pool_currents_and_nothing_else() {
        let pool = || Stage::pooling(ImageShape::new(1, 4, 4), 2, Pool::Detectors);
        let bank = || Stage::weight_bank(5, 16);
        for stages in [vec![pool()], vec![bank(), Stage::rectifier(16, 0.0), pool()]] {
            let said = Network::new(vec![stages]).unwrap_err().to_string();
            assert!(said.contains("directly behind") && said.contains("average"), "{said}");
        }
        let overlapping = Pooling { image: ImageShape::new(1, 4, 4), size: 2, stride: 1, pool: Pool::Detectors };
        let said = Network::new(vec![vec![bank(), Stage::Pooling(overlapping)]]).unwrap_err().to_string();
        assert!(said.contains("at least 2 apart"), "{said}");
    }

    /// Pooled before anything is lit: the data are digital.
    #[test]
    fn data_may_be_pooled_before_they_enter() {
        let pool = Stage::pooling(ImageShape::new(1, 4, 4), 2, Pool::Average);
        let network = Network::new(vec![vec![pool, Stage::weight_bank(4, 2)]]).unwrap();
        assert_eq!(network.interface().whole, Passage { flops: 16, ..Passage::plain(4, 2) });
    }
}
