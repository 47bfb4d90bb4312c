//! Optical elements: formulas and their derivatives, side by side.
