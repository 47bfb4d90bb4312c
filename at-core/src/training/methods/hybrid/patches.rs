//! Patches of images and what leaves them, cut and joined by operations of an engine, on both ways.

use crate::engine::Engine;
use crate::stage::Patches;
use crate::{Error, Result};

/// Values of a vector in another order, 0 where there are none.
struct Order<E: Engine> {
    from: E::Indices,
    /// 1, and 0 where there is none; nothing where there always is one.
    there: Option<E::Buffer>,
    /// Values per sample.
    width: usize,
}

impl<E: Engine> Order<E> {
    /// For `samples` of `width` values, of which that at `place` comes from value `from(place)` of `entering` ones.
    fn new(
        engine: &E,
        samples: usize,
        entering: usize,
        width: usize,
        from: impl Fn(usize) -> Option<usize>,
    ) -> Result<Self> {
        let most = samples.saturating_mul(width.max(entering));
        if u32::try_from(most).is_err() {
            let reason = format!("its patches have {most} values, more than 32 bits number; choose a smaller one");
            return Err(Error::invalid("batch-size", samples, reason));
        }
        let places: Vec<Option<usize>> = (0..width).map(from).collect();
        let of_sample = |sample: usize| places.iter().map(move |from| (sample * entering + from.unwrap_or(0)) as u32);
        let indices: Vec<u32> = (0..samples).flat_map(of_sample).collect();
        let gaps = places.iter().any(Option::is_none);
        let there = gaps.then(|| {
            let one: Vec<f64> = places.iter().map(|from| if from.is_some() { 1.0 } else { 0.0 }).collect();
            engine.upload(&one.repeat(samples))
        });
        Ok(Order { from: engine.upload_indices(&indices)?, there: there.transpose()?, width })
    }

    fn apply(&self, engine: &E, source: &E::Buffer, samples: usize, target: &mut E::Buffer) -> Result<()> {
        engine.gather(source, 1, &self.from, 0, samples * self.width, target)?;
        self.there.as_ref().map_or(Ok(()), |there| engine.multiply(there, target))
    }
}

/// Images cut into patches: `[sample, channel, row, column]` to `[sample, patch, entry]`.
pub(super) struct Cut<E: Engine> {
    taken: Order<E>,
    /// Of every feature the first of its places in patches, the second, and so on.
    places: Vec<Order<E>>,
    /// A feature's errors at one of its places.
    errors: E::Buffer,
}

impl<E: Engine> Cut<E> {
    /// For up to `samples` images.
    pub fn new(engine: &E, patches: &Patches, samples: usize) -> Result<Self> {
        let (features, entries) = (patches.image.features(), patches.entries());
        let values = patches.positions() * entries;
        let feature = |value: usize| patches.feature(value / entries, value % entries);
        let mut held: Vec<Vec<usize>> = vec![Vec::new(); features];
        for value in 0..values {
            if let Some(feature) = feature(value) {
                held[feature].push(value);
            }
        }
        let most = held.iter().map(Vec::len).max().unwrap_or(0);
        let place = |number: usize| Order::new(engine, samples, values, features, |own| held[own].get(number).copied());
        Ok(Cut {
            taken: Order::new(engine, samples, features, values, feature)?,
            places: (0..most).map(place).collect::<Result<_>>()?,
            errors: engine.zeros(samples * features)?,
        })
    }

    /// The patches of `images`.
    pub fn ahead(&self, engine: &E, images: &E::Buffer, samples: usize, patches: &mut E::Buffer) -> Result<()> {
        self.taken.apply(engine, images, samples, patches)
    }

    /// The error of every feature: the sum over all its places of those of patches.
    pub fn back(&mut self, engine: &E, patches: &E::Buffer, samples: usize, images: &mut E::Buffer) -> Result<()> {
        let Some((first, others)) = self.places.split_first() else {
            return engine.combine(0.0, &self.errors, 0.0, images);
        };
        first.apply(engine, patches, samples, images)?;
        for place in others {
            place.apply(engine, patches, samples, &mut self.errors)?;
            engine.combine(1.0, &self.errors, 1.0, images)?;
        }
        Ok(())
    }
}

/// What leaves patches joined to images: `[sample, patch, output]` to `[sample, output, patch]`.
pub(super) struct Join<E: Engine> {
    joined: Order<E>,
    parted: Order<E>,
}

impl<E: Engine> Join<E> {
    /// For up to `samples` images of so many outputs at so many patches.
    pub fn new(engine: &E, patches: usize, outputs: usize, samples: usize) -> Result<Self> {
        let values = patches * outputs;
        let turned = |rows: usize, columns: usize| move |place: usize| Some(place % rows * columns + place / rows);
        Ok(Join {
            joined: Order::new(engine, samples, values, values, turned(patches, outputs))?,
            parted: Order::new(engine, samples, values, values, turned(outputs, patches))?,
        })
    }

    /// The images.
    pub fn ahead(&self, engine: &E, patches: &E::Buffer, samples: usize, images: &mut E::Buffer) -> Result<()> {
        self.joined.apply(engine, patches, samples, images)
    }

    /// The errors of what left the patches.
    pub fn back(&self, engine: &E, images: &E::Buffer, samples: usize, patches: &mut E::Buffer) -> Result<()> {
        self.parted.apply(engine, images, samples, patches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::image_shape::ImageShape;

    fn wave(count: usize, seed: f64) -> Vec<f64> {
        (0..count).map(|k| (1.7 * k as f64 + seed).sin()).collect()
    }

    fn product(one: &[f64], other: &[f64]) -> f64 {
        one.iter().zip(other).map(|(a, b)| a * b).sum()
    }

    /// Of a batch with room for more, and the way back is the transpose: ⟨P x, y⟩ = ⟨x, Pᵀ y⟩.
    #[test]
    fn patches_are_those_of_the_page_and_errors_go_back_where_they_came_from() {
        let engine = Cpu::<f64>::new();
        for (kernel, stride, padding) in [([2, 3], 1, 0), ([3, 2], 2, 1), ([2, 2], 3, 1)] {
            let patches = Patches { image: ImageShape::new(2, 5, 4), kernel, stride, padding };
            let (features, entries) = (patches.image.features(), patches.entries());
            let values = patches.positions() * entries;
            let mut cut = Cut::new(&engine, &patches, 4).unwrap();
            let (images, errors) = (wave(4 * features, 0.3), wave(4 * values, 0.9));
            let mut found = vec![f64::NAN; 4 * values];
            cut.ahead(&engine, &images, 3, &mut found).unwrap();
            let at = |sample: usize, value: usize| {
                let feature = patches.feature(value / entries, value % entries);
                feature.map_or(0.0, |feature| images[sample * features + feature])
            };
            let expected: Vec<f64> = (0..3 * values).map(|k| at(k / values, k % values)).collect();
            assert_eq!(found[..3 * values], expected);
            let mut back = vec![f64::NAN; 4 * features];
            cut.back(&engine, &errors, 3, &mut back).unwrap();
            let (there, here) = (product(&found[..3 * values], &errors), product(&images[..3 * features], &back));
            assert!((there - here).abs() < 1e-12 && there.abs() > 0.1, "{there} {here}");
        }
    }

    #[test]
    fn what_is_joined_and_parted_is_what_it_was() {
        let engine = Cpu::<f64>::new();
        let join = Join::new(&engine, 5, 3, 2).unwrap();
        let (patches, mut images, mut back) = (wave(30, 0.4), vec![0.0; 30], vec![0.0; 30]);
        join.ahead(&engine, &patches, 2, &mut images).unwrap();
        for (sample, patch, output) in [(0, 0, 1), (0, 4, 2), (1, 3, 0)] {
            assert_eq!(images[15 * sample + 5 * output + patch], patches[15 * sample + 3 * patch + output]);
        }
        join.back(&engine, &images, 2, &mut back).unwrap();
        assert_eq!(back, patches);
    }
}
