//! What there is to say of an imperfection: the form of a row of the table ([`super::imperfections!`](crate::imperfections)).

use super::Imperfections;
use crate::{Error, Result};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};
use std::fmt;

/// One imperfection: a row of [`Imperfections::TABLE`]. Validation, data sheets, flags, help and docs go by it.
#[derive(Clone, Copy, Debug)]
pub struct Imperfection {
    /// Its name, which is that of its flag and its key in files.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// The values that it can have.
    pub range: Range,
    /// Who knows it.
    pub scope: Scope,
    /// On what it acts.
    pub acts: Acts,
    /// What it is, in one line.
    pub help: &'static str,
    pub(super) get: fn(&Imperfections) -> Value,
    pub(super) copy: fn(&mut Imperfections, &Imperfections),
}

impl Imperfection {
    /// Its value in `kind`.
    pub fn of(&self, kind: &Imperfections) -> Value {
        (self.get)(kind)
    }

    /// Its value on a chip as designed.
    pub fn default(&self) -> Value {
        self.of(&Imperfections::NONE)
    }

    /// Takes its value over from `from`.
    pub fn copy(&self, to: &mut Imperfections, from: &Imperfections) {
        (self.copy)(to, from);
    }
}

/// A value of an imperfection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A measure.
    Number(f64),
    /// A number of things.
    Count(usize),
    /// Whether there is such a thing.
    Switch(bool),
}

impl Value {
    /// As a number; a switch is 0 or 1.
    pub fn number(self) -> f64 {
        match self {
            Value::Number(value) => value,
            Value::Count(count) => count as f64,
            Value::Switch(on) => f64::from(u8::from(on)),
        }
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Number(value)
    }
}

impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Value::Count(count as usize)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Value::Count(count)
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Self {
        Value::Switch(on)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(value) => value.fmt(formatter),
            Value::Count(count) => count.fmt(formatter),
            Value::Switch(on) => on.fmt(formatter),
        }
    }
}

/// What an imperfection is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// An angle.
    Radian,
    /// A loss of power.
    Decibel,
    /// A loss of power along a waveguide.
    DecibelPerCentimetre,
    /// A share, or a relative deviation.
    Fraction,
    /// A length.
    Micrometre,
    /// Bits of a converter.
    Bit,
    /// The unit of the signals.
    Signal,
    /// Cells along a module's side.
    Cell,
    /// Levels of a memory cell.
    Level,
    /// There is such a thing, or not.
    Switch,
}

impl Unit {
    /// Its sign, empty where there is none.
    pub const fn sign(self) -> &'static str {
        match self {
            Unit::Radian => "rad",
            Unit::Decibel => "dB",
            Unit::DecibelPerCentimetre => "dB/cm",
            Unit::Micrometre => "µm",
            Unit::Bit => "bits",
            Unit::Cell => "cells",
            Unit::Level => "levels",
            Unit::Fraction | Unit::Signal | Unit::Switch => "",
        }
    }

    /// What stands for a value in a flag's help.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Unit::Radian => "RAD",
            Unit::Decibel | Unit::DecibelPerCentimetre => "DB",
            Unit::Fraction => "FRACTION",
            Unit::Micrometre => "UM",
            Unit::Bit => "BITS",
            Unit::Signal => "LEVEL",
            Unit::Cell => "CELLS",
            Unit::Level => "LEVELS",
            Unit::Switch => "BOOL",
        }
    }
}

/// The values that an imperfection can have, from `least` to `most`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least value.
    pub least: f64,
    /// The greatest, which is finite.
    pub most: f64,
    /// What is demanded, as the rest of a sentence about the value.
    pub demand: &'static str,
}

impl Range {
    /// A switch.
    pub const SWITCH: Range = Range::up_to(1.0, "is true or false");
    /// A number of things.
    pub const COUNT: Range = Range::up_to(f64::MAX, "is a whole number");
    /// Not negative.
    pub const NOT_NEGATIVE: Range = Range::up_to(f64::MAX, "must be finite and not negative");
    /// A loss: nothing is left of light that lost more.
    pub const LOSS: Range = Range::up_to(100.0, "is a loss in dB, from 0 to 100");
    /// A spread of losses: no draw leaves what a waveguide can lose.
    pub const LOSSES: Range = Range::up_to(10.0, "is a spread of losses in dB, from 0 to 10");
    /// A spread of phases: no draw leaves what a chip can have ([`super::LARGEST_ERROR`]).
    pub const PHASES: Range = Range::up_to(1e5, "is a spread of phases in radians, from 0 to 1e5");
    /// A length.
    pub const POSITIVE: Range = Range { least: f64::from_bits(1), most: f64::MAX, demand: "must be positive" };
    /// A fraction.
    pub const FRACTION: Range = Range::up_to(1.0, "is a fraction, from 0 to 1");
    /// A spread of couplers' angle errors: π/4 makes one all or nothing.
    pub const COUPLERS: Range = Range::up_to(
        FRAC_PI_4,
        "is a spread of a coupler's angle error (radians), from 0 to π/4, where it couples all or nothing",
    );
    /// An angle error of a coupler.
    pub const COUPLER: Range = Range {
        least: -FRAC_PI_4,
        most: FRAC_PI_4,
        demand: "an angle error of a coupler lies between -π/4 (no coupling) and π/4 (all of it)",
    };
    /// A spread of a plane's tilt.
    pub const TILT: Range = Range::up_to(FRAC_PI_2, "is a spread of a plane's tilt (radians), from 0 to π/2");
    /// A step of a control.
    pub const STEP: Range = Range::up_to(super::LARGEST_ERROR, "is a step in radians, from 0 to 1e6");
    /// A deviation of all light.
    pub const BRIGHTNESS: Range =
        Range::up_to(1.0, "is a relative deviation of all light, from 0 to 1: beyond, a power would often be negative");
    /// A deviation of a signal, whose square, as a power, still fits single precision by far.
    pub const DEVIATION: Range = Range::up_to(1e9, "is a standard deviation of a signal, from 0 to 1e9");

    /// From 0 to `most`.
    pub const fn up_to(most: f64, demand: &'static str) -> Range {
        Range { least: 0.0, most, demand }
    }

    /// Errs where `value` of the imperfection `name` is none of these.
    pub fn check(&self, name: &'static str, value: Value) -> Result<()> {
        match (self.least..=self.most).contains(&value.number()) {
            true => Ok(()),
            false => Err(Error::invalid(name, value, self.demand)),
        }
    }
}

/// Who knows an imperfection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All chips of a kind have it alike: a data sheet says it, and digital models know it.
    Kind,
    /// Individuals differ in it. Nobody knows an individual's without measuring; how far they differ is what methods that draw
    /// chips know.
    Individual,
    /// Only a chip has it, and no model.
    Chip,
}

impl Scope {
    /// Who knows it, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Scope::Kind => "the kind's: in its data sheet",
            Scope::Individual => "the individual's",
            Scope::Chip => "the chip's alone: in no model",
        }
    }
}

/// On what an imperfection acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    /// Every network.
    OnAll,
    /// Networks with such parts.
    On(Part),
    /// Nothing by itself: it says how this other one acts, or others like it.
    With(&'static str),
}

/// A part of networks that imperfections are particular to ([`crate::network::Network::has`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Meshes.
    Meshes,
    /// Waveguides that cross between the columns of a mesh.
    Crossings,
    /// Real matrices.
    Matrices,
    /// Weight banks.
    WeightBanks,
    /// Banks of microrings.
    RingBanks,
    /// Crossbars of phase-change cells.
    PhaseChange,
    /// Masks of pixels.
    Masks,
    /// Planes with free space between them.
    Planes,
    /// Whatever has a heater on the floor plan of its page.
    Shifters,
    /// Signals between layers.
    Hidden,
}

impl Part {
    /// What it is called, in the plural.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Meshes => "meshes",
            Part::Crossings => "crossing waveguides",
            Part::Matrices => "matrices",
            Part::WeightBanks => "weight banks",
            Part::RingBanks => "ring banks",
            Part::PhaseChange => "phase-change crossbars",
            Part::Masks => "masks",
            Part::Planes => "diffractive planes",
            Part::Shifters => "phase shifters",
            Part::Hidden => "hidden layers",
        }
    }
}
