//! One file per command.

pub mod chip;
pub mod compare;
pub mod data;
pub mod devices;
pub mod evaluate;
pub mod export;
pub mod mesh;
pub mod report;
pub mod reproduce;
pub mod scale;
pub mod sweep;
pub mod train;
pub mod watch;
pub mod work;
