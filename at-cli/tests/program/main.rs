//! The program from outside: what a person types, and what comes back.

mod asyt;
mod bad_files;
mod bad_settings;
mod chips;
mod compare;
mod data;
mod doubtful;
mod edited_records;
mod endless_files;
mod faults;
mod foreign_files;
mod gpu;
mod identity;
mod interruption;
mod output;
mod places;
mod real_targets;
mod report;
mod reproduce;
mod scale;
mod settings;
mod sizes;
mod sweep;
mod tables;
mod tiles;
