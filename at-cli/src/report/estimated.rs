//! What was estimated of every stage of a chip: which kinds of errors, how large, and how large they are.

use at_core::fabrication::{ControlPath, Fabrication};
use at_core::network::{Network, Stage};
use at_core::stage::{ErrorVector, Order, StageErrors};
use at_core::training::methods::PHASE_ERROR;
use std::f64::consts::TAU;

/// Gain of a heater below which it is dead: that of others is off by some percent.
const DEAD: f64 = 0.5;

/// The picture of losses.
pub const LOSSES: &str = "losses";

/// The controls whose sign a dead heater leaves open.
const THETA: &str = "theta";

/// A stage of the chip, or one inside another.
pub struct Part {
    pub number: String,
    pub stage: Stage,
    /// What stands behind it.
    pub next: Option<Stage>,
    /// Its first control among all.
    pub first: usize,
    pub controls: Vec<f64>,
    /// Errors as the data sheet has them, as they were found, and as they are.
    pub known: StageErrors,
    pub found: StageErrors,
    pub truth: Option<StageErrors>,
    /// Of every control whether its heater is dead and was found so.
    pub dead: Vec<bool>,
}

impl Part {
    /// All of a chip of `network` with these `controls`: as it is `known` and as it was `found`, and as it is where that is known.
    pub fn all(
        network: &Network,
        controls: &[f64],
        [known, found]: [&Fabrication; 2],
        truth: Option<&Fabrication>,
    ) -> Vec<Self> {
        let dead =
            |chip: &Fabrication, index: usize| chip.control.shifters.get(index).is_some_and(|own| own.gain < DEAD);
        let mut parts = Vec::new();
        let mut first = 0;
        let mut following = network.stages().skip(1);
        for (index, stage) in network.stages().enumerate() {
            let own = first..first + stage.controls();
            let whole = Part {
                number: format!("{}", index + 1),
                stage: stage.clone(),
                next: following.next().cloned(),
                first,
                controls: controls[own.clone()].to_vec(),
                known: known.stage(index).clone(),
                found: found.stage(index).clone(),
                truth: truth.map(|truth| truth.stage(index).clone()),
                dead: own.clone().map(|k| dead(found, k) && truth.is_some_and(|truth| dead(truth, k))).collect(),
            };
            first = own.end;
            whole.taken_apart(&mut parts);
        }
        parts
    }

    /// Itself, or everything inside it.
    fn taken_apart(mut self, parts: &mut Vec<Part>) {
        let Some(series) = self.stage.series_inside() else {
            self.turn_back();
            return parts.push(self);
        };
        let starts = series.first_controls();
        let [known, found] = [&self.known, &self.found].map(|errors| series.errors_of_stages(errors));
        let truth = self.truth.as_ref().map(|errors| series.errors_of_stages(errors));
        for (index, stage) in series.stages.iter().enumerate() {
            let own = Part {
                number: format!("{}.{}", self.number, index + 1),
                stage: stage.clone(),
                next: series.stages.get(index + 1).cloned(),
                first: self.first + starts[index],
                controls: self.controls[starts[index]..starts[index + 1]].to_vec(),
                known: known[index].clone(),
                found: found[index].clone(),
                truth: truth.as_ref().map(|truth| truth[index].clone()),
                dead: self.dead[starts[index]..starts[index + 1]].to_vec(),
            };
            own.taken_apart(parts);
        }
    }

    /// Takes whole turns off what was found, and of θ that are dead the mirrored phase where that is nearer.
    fn turn_back(&mut self) {
        if self.found.is_none() {
            return;
        }
        let mirrored = self.dead_thetas();
        let vectors = self.stage.element().imperfect().map(|own| own.errors()).unwrap_or_default();
        for vector in &vectors {
            let truth = self.truth.as_ref().and_then(|truth| named(truth, vector.name));
            let found = self.found.get_mut(vector.name);
            let near = turned_back(vector, found, truth);
            *found = match truth {
                Some(truth) if vector.what == PHASE_ERROR => {
                    let other: Vec<f64> = found.iter().map(|phase| -phase).collect();
                    let other = turned_back(vector, &other, Some(truth));
                    let off = |phases: &[f64], k: usize| (phases[k] - truth.get(k).copied().unwrap_or(0.0)).abs();
                    let mirror = |k| mirrored.contains(&k) && off(&other, k) < off(&near, k);
                    (0..near.len()).map(|k| if mirror(k) { other[k] } else { near[k] }).collect()
                }
                Some(_) | None => near,
            };
        }
    }

    /// The θ among its controls that are dead: nobody can tell θ from -θ there, where the phases beside it are half a turn off.
    pub fn dead_thetas(&self) -> Vec<usize> {
        let mut start = 0;
        let mut own = Vec::new();
        for array in self.stage.control_arrays() {
            let end = start + array.shape.iter().product::<usize>();
            if array.name == THETA {
                own.extend((start..end).filter(|&k| self.dead[k]));
            }
            start = end;
        }
        own
    }

    /// Its kinds of errors that were estimated, those of controls by what these are.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for vector in self.stage.element().imperfect().map(|own| own.errors()).unwrap_or_default() {
            let values = |errors| named(errors, vector.name);
            let Some(found) = values(&self.found).filter(|found| values(&self.known) != Some(*found)) else { continue };
            let truth = self.truth.as_ref().map(|truth| values(truth).unwrap_or_default());
            let mut start = 0;
            for (name, length) in self.pieces(&vector) {
                let own = start..start + length;
                start = own.end;
                kinds.push(Kind {
                    name,
                    drawn: drawn_with(&vector),
                    unit: vector.unit,
                    whole: vector.order == Order::Stage,
                    found: found[own.clone()].to_vec(),
                    truth: truth.map(|truth| own.map(|index| truth.get(index).copied().unwrap_or(0.0)).collect()),
                });
            }
        }
        kinds
    }

    /// What `vector` has errors of, and how many: of each array of the controls, where it has one for every control.
    fn pieces(&self, vector: &ErrorVector) -> Vec<(String, usize)> {
        let arrays = self.stage.control_arrays();
        let of_controls = vector.order == Order::Controls && vector.length == self.controls.len();
        if !of_controls || arrays.len() < 2 {
            return vec![(vector.what.to_string(), vector.length)];
        }
        arrays.iter().map(|array| (format!("{}, {}", vector.what, array.name), array.shape.iter().product())).collect()
    }
}

/// Errors of one kind of one stage.
#[derive(Debug)]
pub struct Kind {
    pub name: String,
    /// The picture that it is in: kinds share one whose sizes are alike.
    pub drawn: &'static str,
    pub unit: &'static str,
    /// They are the stage's as a whole.
    pub whole: bool,
    pub found: Vec<f64>,
    pub truth: Option<Vec<f64>>,
}

/// Heaters of all controls.
pub struct Heaters<'a> {
    /// Whether their gains were estimated.
    pub estimated: Vec<bool>,
    pub found: &'a ControlPath,
    pub truth: Option<&'a ControlPath>,
}

impl Heaters<'_> {
    /// Gains of the heaters of `part`, where they were estimated.
    pub fn of(&self, part: &Part) -> Option<Kind> {
        let own: Vec<usize> = (part.first..part.first + part.controls.len()).filter(|&k| self.estimated[k]).collect();
        let gains =
            |path: &ControlPath| own.iter().map(|&k| path.shifters.get(k).map_or(0.0, |own| own.gain - 1.0)).collect();
        (!own.is_empty()).then(|| Kind {
            name: "gain of a heater".to_string(),
            drawn: "gains",
            unit: "",
            whole: false,
            found: gains(self.found),
            truth: self.truth.map(gains),
        })
    }
}

/// The picture of the errors of a `vector`.
fn drawn_with(vector: &ErrorVector) -> &'static str {
    match vector.name {
        "first_coupler" | "second_coupler" => "couplers",
        "loss_db" if matches!(vector.order, Order::Waveguides { .. }) => LOSSES,
        "positive" | "negative" => "contrasts",
        name if vector.what == PHASE_ERROR && name != "phase" => "phases",
        name => name,
    }
}

/// The vector `name` of a stage's errors.
fn named<'a>(errors: &'a StageErrors, name: &str) -> Option<&'a [f64]> {
    errors.iter().find(|(own, _)| *own == name).map(|(_, values)| values)
}

/// Phases that differ by whole turns are one: those that were `found`, next to the true ones, or to 0 where nobody knows these.
fn turned_back(vector: &ErrorVector, found: &[f64], truth: Option<&[f64]>) -> Vec<f64> {
    let phases = vector.unit == "rad" && matches!(vector.order, Order::Controls | Order::ControlsFrom(_));
    let near = |index: usize| truth.and_then(|truth| truth.get(index)).copied().unwrap_or(0.0);
    let turn = |(index, value): (usize, &f64)| match phases {
        true => value - TAU * ((value - near(index)) / TAU).round(),
        false => *value,
    };
    found.iter().enumerate().map(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::optics::Mesh;
    use at_core::stage::Imperfect;

    fn part(found: StageErrors, truth: Option<StageErrors>) -> Part {
        part_with(found, truth, &[])
    }

    /// The same with these heaters dead.
    fn part_with(found: StageErrors, truth: Option<StageErrors>, dead: &[usize]) -> Part {
        let mesh = Mesh::rectangular(3).unwrap();
        let (controls, known) = (vec![0.5; mesh.controls()], StageErrors::zeros(&mesh));
        let dead = (0..controls.len()).map(|k| dead.contains(&k)).collect();
        let (number, stage) = ("1".to_string(), Stage::Mesh(mesh));
        let own = Part { number, stage, next: None, first: 0, controls, known, found, truth, dead };
        let mut parts = Vec::new();
        own.taken_apart(&mut parts);
        parts.remove(0)
    }

    fn errors(of: impl Fn(&str, usize) -> f64) -> StageErrors {
        let mesh = Mesh::rectangular(3).unwrap();
        let vectors = mesh.errors();
        StageErrors::new(&mesh, vectors.iter().map(|own| (0..own.length).map(|k| of(own.name, k)).collect()).collect())
    }

    #[test]
    fn errors_are_told_apart_by_what_they_are_errors_of_and_whole_turns_are_none() {
        let found = errors(|name, k| if name == "phases" { 0.1 * (k + 1) as f64 + TAU } else { 0.0 });
        let truth = errors(|name, k| if name == "phases" { 0.1 * (k + 1) as f64 - 0.02 } else { 0.3 });
        let kinds = part(found.clone(), Some(truth)).kinds();
        let told: Vec<(&str, usize)> = kinds.iter().map(|kind| (kind.name.as_str(), kind.found.len())).collect();
        assert_eq!(told, [("phase error, theta", 3), ("phase error, phi", 3), ("phase error, gamma", 3)]);
        for kind in &kinds {
            let off = kind.found.iter().zip(kind.truth.as_ref().unwrap()).map(|(found, truth)| found - truth);
            assert!(off.into_iter().all(|off| (off - 0.02).abs() < 1e-12), "{kind:?}");
        }
        let alone = part(found, None).kinds();
        assert!((alone[2].found[2] - 0.9).abs() < 1e-12, "next to 0 where nobody knows the true ones");
    }

    #[test]
    fn a_dead_theta_is_as_near_by_its_mirrored_phase_and_no_other_heater_is() {
        let errors = |phase: f64| errors(|name, _| if name == "phases" { phase } else { 0.0 });
        let own = part_with(errors(-1.2 + TAU), Some(errors(1.0)), &[1, 4]);
        let phases = named(&own.found, "phases").unwrap();
        let expected = |k: usize| if k == 1 { 1.2 } else { -1.2 };
        assert!(phases.iter().enumerate().all(|(k, phase)| (phase - expected(k)).abs() < 1e-12), "{phases:?}");
        assert_eq!(own.dead_thetas(), [1], "the fifth control is a phi");
        let nearer = part_with(errors(0.9), Some(errors(1.0)), &[1]);
        assert!((named(&nearer.found, "phases").unwrap()[1] - 0.9).abs() < 1e-12);
    }
}
