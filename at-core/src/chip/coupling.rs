//! Thermal crosstalk: what a heater adds to the phases of its neighbours.

use super::floorplan::{Place, places};
use crate::network::Network;
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
            let places = places(stage);
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
        coupling
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
}
