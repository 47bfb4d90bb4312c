//! A mesh, element by element in the order of light: shifter φ, coupler, shifter θ, coupler; loss behind each column; γ last.

use crate::optics::Mesh;
use crate::stage::StageErrors;
use num_complex::Complex64;
use std::f64::consts::FRAC_PI_4;

/// The smallest things that light meets.
enum Element {
    /// `z ← e^{iφ} z` on one mode.
    Shifter { mode: usize, phase: f64, control: usize },
    /// `(z_u, z_l) ← [[c, is], [is, c]] (z_u, z_l)` on an upper and a lower mode, with the cosine and sine of an angle.
    Coupler { rows: [usize; 2], angle: f64 },
    /// `z ← t z` on one mode.
    Loss { mode: usize, transmission: f64 },
}

/// The elements of a mesh as fabricated and programmed.
fn elements(mesh: &Mesh, errors: &StageErrors, controls: &[f64]) -> Vec<Element> {
    let perfect = StageErrors::zeros(mesh);
    let errors = if errors.is_none() { &perfect } else { errors };
    let [first_coupler, second_coupler, phases, loss_db] =
        errors.get(["first_coupler", "second_coupler", "phases", "loss_db"]).expect("a mesh has errors, zero or not");
    let (modes, mzis) = (mesh.modes(), mesh.mzis());
    let shifter = |mode, control| Element::Shifter { mode, phase: controls[control] + phases[control], control };
    let mut elements = Vec::new();
    for (index, column) in mesh.columns().iter().enumerate() {
        for k in 0..column.count {
            let (rows, mzi) = (mesh.rows(column, k), column.first_mzi + k);
            elements.push(shifter(rows[0], mzis + mzi));
            elements.push(Element::Coupler { rows, angle: FRAC_PI_4 + first_coupler[mzi] });
            elements.push(shifter(rows[0], mzi));
            elements.push(Element::Coupler { rows, angle: FRAC_PI_4 + second_coupler[mzi] });
        }
        for mode in 0..modes {
            let transmission = 10.0_f64.powf(-loss_db[index * modes + mode] / 20.0);
            elements.push(Element::Loss { mode, transmission });
        }
    }
    elements.extend((0..modes).map(|mode| shifter(mode, 2 * mzis + mode)));
    elements
}

/// Light crosses one element.
fn cross(element: &Element, field: &mut [Complex64]) {
    match *element {
        Element::Shifter { mode, phase, .. } => field[mode] *= Complex64::cis(phase),
        Element::Coupler { rows: [above, below], angle } => {
            let (upper, lower) = (field[above], field[below]);
            let (stays, crosses) = (angle.cos(), Complex64::i() * angle.sin());
            field[above] = stays * upper + crosses * lower;
            field[below] = crosses * upper + stays * lower;
        }
        Element::Loss { mode, transmission } => field[mode] *= transmission,
    }
}

/// Carries an adjoint back: multiplies by the conjugate transpose of what [`cross`] multiplies by.
fn cross_back(element: &Element, adjoint: &mut [Complex64]) {
    match *element {
        Element::Shifter { mode, phase, .. } => adjoint[mode] *= Complex64::cis(-phase),
        Element::Coupler { rows, angle } => cross(&Element::Coupler { rows, angle: -angle }, adjoint),
        Element::Loss { mode, transmission } => adjoint[mode] *= transmission,
    }
}

/// Fields `[batch, mode]` that leave the mesh.
pub fn forward(mesh: &Mesh, errors: &StageErrors, controls: &[f64], input: &[f64]) -> Vec<f64> {
    let elements = elements(mesh, errors, controls);
    let mut fields: Vec<Complex64> = bytemuck::cast_slice(input).to_vec();
    for field in fields.chunks_exact_mut(mesh.modes()) {
        elements.iter().for_each(|element| cross(element, field));
    }
    bytemuck::cast_slice(&fields).to_vec()
}

/// Power of one sample's light on every waveguide, `[columns + 1, mode]`: before the first column, then behind each.
pub fn powers(mesh: &Mesh, errors: &StageErrors, controls: &[f64], input: &[f64]) -> Vec<f64> {
    let elements = elements(mesh, errors, controls);
    let mut rest = &elements[..];
    let mut field: Vec<Complex64> = bytemuck::cast_slice(input).to_vec();
    let mut powers: Vec<f64> = field.iter().map(Complex64::norm_sqr).collect();
    for column in mesh.columns() {
        let (here, behind) = rest.split_at(4 * column.count + mesh.modes());
        here.iter().for_each(|element| cross(element, &mut field));
        powers.extend(field.iter().map(Complex64::norm_sqr));
        rest = behind;
    }
    powers
}

/// Carries the adjoint `a = ∂L/∂z*` back, and adds `dL/dφ = -2 Im a* v` of every shifter to the gradient: v is the light
/// behind the shifter, kept from the way there.
pub fn backward(
    mesh: &Mesh,
    errors: &StageErrors,
    controls: &[f64],
    input: &[f64],
    error: &[f64],
    gradient: &mut [f64],
) -> Vec<f64> {
    let elements = elements(mesh, errors, controls);
    let mut fields: Vec<Complex64> = bytemuck::cast_slice(input).to_vec();
    let mut adjoints: Vec<Complex64> = bytemuck::cast_slice(error).to_vec();
    let samples = fields.chunks_exact_mut(mesh.modes()).zip(adjoints.chunks_exact_mut(mesh.modes()));
    for (field, adjoint) in samples {
        let mut shifted = Vec::new();
        for element in &elements {
            cross(element, field);
            if let Element::Shifter { mode, .. } = *element {
                shifted.push(field[mode]);
            }
        }
        for element in elements.iter().rev() {
            if let Element::Shifter { mode, control, .. } = *element {
                let behind = shifted.pop().expect("one field was kept per shifter");
                gradient[control] -= 2.0 * (adjoint[mode].conj() * behind).im;
            }
            cross_back(element, adjoint);
        }
    }
    bytemuck::cast_slice(&adjoints).to_vec()
}

/// Light from the outputs to the inputs crosses one element: multiplies by the transpose of what [`cross`] multiplies by,
/// which for every element is itself.
fn cross_reversed(element: &Element, field: &mut [Complex64]) {
    cross(element, field);
}

/// Fields `[batch, mode]` at the other end, and the fields at every shifter `[batch, control]`: behind those of θ and γ, in
/// front of those of φ.
pub fn send(
    mesh: &Mesh,
    errors: &StageErrors,
    controls: &[f64],
    forward: bool,
    input: &[f64],
) -> (Vec<f64>, Vec<Complex64>) {
    let (modes, mzis, count) = (mesh.modes(), mesh.mzis(), mesh.controls());
    let elements = elements(mesh, errors, controls);
    let mut fields: Vec<Complex64> = bytemuck::cast_slice(input).to_vec();
    let mut seen = vec![Complex64::default(); fields.len() / modes * count];
    for (field, seen) in fields.chunks_exact_mut(modes).zip(seen.chunks_exact_mut(count)) {
        for step in 0..elements.len() {
            let element = &elements[if forward { step } else { elements.len() - 1 - step }];
            let before = field.to_vec();
            if forward {
                cross(element, field)
            } else {
                cross_reversed(element, field)
            }
            if let Element::Shifter { mode, control, .. } = *element {
                let in_front = (mzis..2 * mzis).contains(&control);
                // light that goes backwards meets the side behind the shifter first
                seen[control] = if in_front == forward { before[mode] } else { field[mode] };
            }
        }
    }
    (bytemuck::cast_slice(&fields).to_vec(), seen)
}
