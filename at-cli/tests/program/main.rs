//! The program from outside: what a person types, and what comes back.

mod asyt;
mod data;
