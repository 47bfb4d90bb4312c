//! Thermal crosstalk: what a heater adds to the phases of its neighbours.

use crate::error::same_size;
use crate::imperfections::Place;
use crate::network::Network;
use crate::{Error, Result};
use std::collections::HashMap;

/// Neighbours that get less than this share of the nearest ones' are left out.
const NEGLIGIBLE: f64 = 0.01;

/// A symmetric sparse matrix without a diagonal, row by row: row i holds the entries `starts[i]..starts[i + 1]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coupling {
    /// One more than there are controls; empty where nothing is coupled.
    pub starts: Vec<u32>,
    /// Columns.
    pub neighbours: Vec<u32>,
    /// Entries.
    pub strengths: Vec<f64>,
}

impl Coupling {
    /// `κ·e^{-(d - d₀)/ℓ}` between all heaters of a die: κ `nearest` at the pitch d₀, ℓ the decay `length`, both in µm.
    pub fn by_distance(network: &Network, nearest: f64, length: f64, pitch: f64) -> Self {
        let reach = 1.0 - length / pitch * NEGLIGIBLE.ln();
        let mut coupling = Coupling { starts: vec![0], ..Coupling::default() };
        let mut offset = 0;
        for stage in network.stages() {
            let places = stage.places();
            let cell = |place: [f64; 2]| place.map(|x| (x / reach).floor() as i64);
            let mut cells: HashMap<(usize, [i64; 2]), Vec<usize>> = HashMap::new();
            for (index, place) in places.iter().enumerate() {
                if let Some(Place { die, at }) = place {
                    cells.entry((*die, cell(*at))).or_default().push(index);
                }
            }
            for (index, place) in places.iter().enumerate() {
                if let Some(Place { die, at }) = *place {
                    let [x, y] = cell(at);
                    let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| (die, [x, y])));
                    let mut row: Vec<usize> = around.filter_map(|cell| cells.get(&cell)).flatten().copied().collect();
                    row.sort_unstable();
                    for other in row.into_iter().filter(|&other| other != index) {
                        let [a, b] = places[other].expect("only heaters have a cell").at;
                        let distance = (a - at[0]).hypot(b - at[1]);
                        if distance <= reach {
                            coupling.neighbours.push((offset + other) as u32);
                            coupling.strengths.push(nearest * (-(distance - 1.0) * pitch / length).exp());
                        }
                    }
                }
                coupling.starts.push(coupling.neighbours.len() as u32);
            }
            offset += places.len();
        }
        coupling.neighbours.shrink_to_fit();
        coupling.strengths.shrink_to_fit();
        coupling
    }

    /// Errs unless this is a symmetric matrix without a diagonal, in the order of its indices, that joins controls of one stage of
    /// `network` only: what engines and gradients count on.
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        let Coupling { starts, neighbours, strengths } = self;
        let wrong = |value: String, reason: &str| Err(Error::invalid("crosstalk", value, reason));
        same_size("rows of the crosstalk", network.controls() + 1, starts.len())?;
        same_size("strengths of the crosstalk", neighbours.len(), strengths.len())?;
        if starts[0] != 0 {
            return wrong(format!("starts[0] = {}", starts[0]), "its entries begin at 0");
        }
        if let Some(row) = starts.windows(2).position(|pair| pair[0] > pair[1] || pair[1] as usize > neighbours.len()) {
            let value = format!("row {row} from entry {} to {}", starts[row], starts[row + 1]);
            return wrong(value, &format!("rows follow on one another up to entry {}", neighbours.len()));
        }
        same_size("entries of the crosstalk", starts[starts.len() - 1] as usize, neighbours.len())?;
        let mut first = 0;
        for stage in network.stages() {
            let own = first..first + stage.controls();
            first = own.end;
            for row in own.clone() {
                let entries = starts[row] as usize..starts[row + 1] as usize;
                let mut previous = None;
                for entry in entries {
                    let (other, strength) = (neighbours[entry] as usize, strengths[entry]);
                    let at = || format!("{strength} from control {other} to control {row}");
                    if !own.contains(&other) {
                        return wrong(at(), "a neighbour is no control, or one of another stage");
                    }
                    if other == row || previous.is_some_and(|previous| previous >= other) {
                        return wrong(at(), "the neighbours of a control are others, each once and in order");
                    }
                    if !(0.0..=1.0).contains(&strength) {
                        return wrong(at(), "a strength is a share of a neighbour's phase, from 0 to 1");
                    }
                    if self.entry(other, row) != Some(strength) {
                        return wrong(at(), "crosstalk is symmetric, and this is not");
                    }
                    previous = Some(other);
                }
            }
        }
        Ok(())
    }

    /// The strength with which `column` acts on `row`, whose neighbours are in order where the matrix is a valid one.
    fn entry(&self, row: usize, column: usize) -> Option<f64> {
        let entries = self.starts[row] as usize..self.starts[row + 1] as usize;
        let place = self.neighbours[entries.clone()].binary_search(&(column as u32)).ok()?;
        Some(self.strengths[entries.start + place])
    }

    /// Whether nothing is coupled.
    pub fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// `Σ_j Γ_ij x_j` over the neighbours of i.
    pub fn row(&self, i: usize, x: impl Fn(usize) -> f64) -> f64 {
        if self.starts.is_empty() {
            return 0.0;
        }
        let entries = self.starts[i] as usize..self.starts[i + 1] as usize;
        entries.map(|entry| self.strengths[entry] * x(self.neighbours[entry] as usize)).sum()
    }

    /// The controls that are coupled with control i.
    pub fn around(&self, i: usize) -> impl Iterator<Item = usize> {
        let entries = if self.starts.is_empty() { 0..0 } else { self.starts[i] as usize..self.starts[i + 1] as usize };
        self.neighbours[entries].iter().map(|&other| other as usize)
    }
}
