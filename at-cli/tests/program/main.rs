//! The program from outside: what a person types, and what comes back.

mod asyt;
mod bad_files;
mod bad_settings;
mod chips;
mod compare;
mod data;
mod gpu;
mod interruption;
mod output;
mod places;
mod report;
mod reproduce;
mod scale;
mod settings;
mod sizes;
mod sweep;
mod tiles;
