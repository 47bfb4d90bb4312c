//! The way back through a loop: a trace per step, and gradients that all steps add to.

use super::Looped;
use super::way::Way;
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Adjoint, Buffer, LayerAccess, Tunable};

/// The engine's own traces, one per step.
pub struct LoopedTrace<T> {
    steps: Vec<T>,
    /// Samples that it was last filled with.
    batch: usize,
}

/// Adds one visit's part of a gradient to those of the other steps.
fn add_up<E: Engine>(
    engine: &E,
    sum: &mut Option<E::Buffer>,
    len: usize,
    gradient: &mut E::Buffer,
    fill: impl FnOnce(&mut E::Buffer) -> Result<()>,
) -> Result<()> {
    let mut own = match sum.take() {
        Some(own) => own,
        None => engine.zeros(len)?, // of other layers it stays so
    };
    let filled = fill(&mut own);
    let added = filled.and_then(|()| engine.combine(1.0, &own, 1.0, gradient));
    *sum = Some(own);
    added
}

impl<N: Adjoint + LayerAccess> Looped<N> {
    /// Through one visit; `back` is the engine's own way back through the layer, into `gradient` as it would stand alone there.
    fn visit_back(
        inside: &mut N,
        way: &mut Way<N::Engine>,
        number: usize,
        batch: usize,
        input_error: Option<&mut Buffer<N>>,
        gradient: &mut Buffer<N>,
        back: impl FnOnce(&mut N, usize, Option<&mut Buffer<N>>, &mut Buffer<N>) -> Result<()>,
    ) -> Result<()> {
        let visit = way.visit(number)?;
        let mut input_error = input_error;
        let mut entered = if input_error.is_some() { way.take_error(number, batch)? } else { None };
        let to = entered.as_mut().or(input_error.as_deref_mut());
        if way.begins_anew(number) {
            back(inside, visit.layer, to, gradient)?;
        } else {
            let len = inside.controls();
            let Way { engine, sums, .. } = way;
            add_up(engine, &mut sums[visit.layer][0], len, gradient, |own| back(inside, visit.layer, to, own))?;
        }
        if let (Some(entered), Some(error)) = (entered, input_error) {
            way.leave(number, batch, &entered, error)?;
            way.keep_error(entered);
        }
        Ok(())
    }

    /// From the error at the readout through all visits.
    fn carry_back(
        inside: &mut N,
        way: &mut Way<N::Engine>,
        batch: usize,
        readout_error: &Buffer<N>,
        gradient: &mut Buffer<N>,
        mut back: impl FnMut(
            &mut N,
            &mut Way<N::Engine>,
            usize,
            &Buffer<N>,
            Option<&mut Buffer<N>>,
            &mut Buffer<N>,
        ) -> Result<()>,
    ) -> Result<()> {
        way.forget_gradients();
        let mut between = way.take_between(batch)?;
        for number in (0..way.visits.len()).rev() {
            let [error, before] = &mut between;
            let error = if number + 1 == way.visits.len() { readout_error } else { &*error };
            back(inside, way, number, error, (number > 0).then_some(before), gradient)?;
            between.swap(0, 1);
        }
        way.keep_between(between);
        Ok(())
    }
}

impl<E: Engine> Way<E> {
    /// Whether the gradient of the layer of a visit begins with it: of other steps nothing is there, or what was there is over.
    fn begins_anew(&mut self, number: usize) -> bool {
        let visit = self.visits[number];
        let added = &mut self.added[visit.layer];
        let anew = added[visit.step] || added.iter().all(|added| !added);
        if anew {
            added.fill(false);
        }
        added[visit.step] = true;
        anew
    }

    fn forget_gradients(&mut self) {
        self.added.iter_mut().for_each(|added| added.fill(false));
    }
}

impl<N: Adjoint + LayerAccess> Adjoint for Looped<N> {
    type Trace = LoopedTrace<N::Trace>;

    fn trace(&self, batch: usize) -> Result<Self::Trace> {
        let steps = self.way.as_ref().map_or(1, |way| way.steps);
        Ok(LoopedTrace { steps: (0..steps).map(|_| self.inside.trace(batch)).collect::<Result<_>>()?, batch: 0 })
    }

    fn record(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.record(fields, batch, &mut trace.steps[0], readout);
        };
        let last = way.visits.len() - 1;
        let mut between = way.take_between(batch)?;
        for number in 0..=last {
            let visit = way.visits[number];
            let [source, target] = &mut between;
            let source = if number == 0 { fields } else { source };
            let target = if number == last { &mut *readout } else { target };
            let own = &mut trace.steps[visit.step];
            inside.record_layer(visit.layer, way.enter(number, source, batch)?, batch, own)?;
            inside.recorded_output(visit.layer, own, target)?;
            between.swap(0, 1);
        }
        way.keep_between(between);
        trace.batch = batch;
        Ok(())
    }

    fn record_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.record_layer(layer, input, batch, &mut trace.steps[0]);
        };
        let visit = way.visit(layer)?;
        trace.batch = batch;
        inside.record_layer(visit.layer, way.enter(layer, input, batch)?, batch, &mut trace.steps[visit.step])
    }

    fn recorded_output(&self, layer: usize, trace: &Self::Trace, output: &mut Buffer<Self>) -> Result<()> {
        match &self.way {
            None => self.inside.recorded_output(layer, &trace.steps[0], output),
            Some(way) => {
                let visit = way.visit(layer)?;
                self.inside.recorded_output(visit.layer, &trace.steps[visit.step], output)
            }
        }
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.backpropagate_layer(layer, &trace.steps[0], output_error, input_error, gradient);
        };
        let own = &trace.steps[way.visit(layer)?.step];
        Self::visit_back(inside, way, layer, trace.batch, input_error, gradient, |inside, layer, to, gradient| {
            inside.backpropagate_layer(layer, own, output_error, to, gradient)
        })
    }

    fn backpropagate(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.backpropagate(&trace.steps[0], readout_error, gradient);
        };
        let batch = trace.batch;
        Self::carry_back(inside, way, batch, readout_error, gradient, |inside, way, number, error, to, gradient| {
            let own = &trace.steps[way.visits[number].step];
            Self::visit_back(inside, way, number, batch, to, gradient, |inside, layer, to, gradient| {
                inside.backpropagate_layer(layer, own, error, to, gradient)
            })
        })
    }
}

impl<N: Tunable + LayerAccess> Looped<N> {
    /// [`Looped::visit_back`] of both gradients.
    fn visit_back_with_imperfections(
        inside: &mut N,
        way: &mut Way<N::Engine>,
        number: usize,
        trace: &LoopedTrace<N::Trace>,
        error: &Buffer<N>,
        to: Option<&mut Buffer<N>>,
        gradient: &mut Buffer<N>,
        imperfections: &mut Buffer<N>,
    ) -> Result<()> {
        let visit = way.visit(number)?;
        let own = &trace.steps[visit.step];
        let (engine, len) = (way.engine.clone(), inside.imperfections());
        let anew = way.added[visit.layer][visit.step] || way.added[visit.layer].iter().all(|added| !added);
        let mut sum = way.sums[visit.layer][1].take();
        let done =
            Self::visit_back(
                inside,
                way,
                number,
                trace.batch,
                to,
                gradient,
                |inside, layer, to, gradient| match anew {
                    true => inside.backpropagate_layer_imperfections(layer, own, error, to, gradient, imperfections),
                    false => add_up(&engine, &mut sum, len, imperfections, |imperfections| {
                        inside.backpropagate_layer_imperfections(layer, own, error, to, gradient, imperfections)
                    }),
                },
            );
        way.sums[visit.layer][1] = sum;
        done
    }
}

impl<N: Tunable + LayerAccess> Tunable for Looped<N> {
    fn imperfections(&self) -> usize {
        self.inside.imperfections()
    }

    fn set_imperfections(&mut self, estimate: &Buffer<Self>) -> Result<()> {
        self.inside.set_imperfections(estimate)
    }

    fn backpropagate_imperfections(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            let own = &trace.steps[0];
            return self.inside.backpropagate_imperfections(own, readout_error, gradient, imperfection_gradient);
        };
        let batch = trace.batch;
        Self::carry_back(inside, way, batch, readout_error, gradient, |inside, way, number, error, to, gradient| {
            let imperfections = &mut *imperfection_gradient;
            Self::visit_back_with_imperfections(inside, way, number, trace, error, to, gradient, imperfections)
        })
    }

    fn backpropagate_layer_imperfections(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.backpropagate_layer_imperfections(
                layer,
                &trace.steps[0],
                output_error,
                input_error,
                gradient,
                imperfection_gradient,
            );
        };
        Self::visit_back_with_imperfections(
            inside,
            way,
            layer,
            trace,
            output_error,
            input_error,
            gradient,
            imperfection_gradient,
        )
    }
}
