//! Which GPUs there are, and which one is meant.

use at_core::{Error, Result};
use std::cmp::Reverse;
use std::fmt;

/// Which adapter to compute on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The best hardware GPU; never a software adapter.
    #[default]
    Hardware,
    /// The best adapter, a software one where there is no other.
    Any,
    /// The best adapter whose name contains this text, in any case.
    Name(String),
    /// The adapter with this number in [`adapters`].
    Index(usize),
}

impl Selection {
    /// Reads `hardware`, `any`, a number or a part of a name.
    pub fn parse(text: &str) -> Self {
        match text {
            "hardware" => Selection::Hardware,
            "any" => Selection::Any,
            _ => text.parse().map_or_else(|_| Selection::Name(text.to_string()), Selection::Index),
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selection::Hardware => f.write_str("hardware GPU"),
            Selection::Any => f.write_str("GPU adapter"),
            Selection::Name(name) => write!(f, "GPU adapter named `{name}`"),
            Selection::Index(index) => write!(f, "GPU adapter number {index}"),
        }
    }
}

/// One adapter, as a person or a report wants to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterDescription {
    /// Number for [`Selection::Index`].
    pub index: usize,
    /// Name that the driver gives.
    pub name: String,
    /// `Vulkan`, `Metal` or `Dx12`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: String,
    /// Driver and its version.
    pub driver: String,
    /// Largest storage binding (bytes).
    pub max_binding: u64,
    /// Largest buffer (bytes).
    pub max_buffer: u64,
    /// Memory that one workgroup shares (bytes).
    pub workgroup_memory: u32,
    /// Most invocations of one workgroup.
    pub workgroup_size: u32,
    /// Whether it is a program on the CPU.
    pub software: bool,
}

/// Every adapter of this machine; empty where there is no driver.
pub fn adapters() -> Vec<AdapterDescription> {
    enumerate().iter().enumerate().map(|(index, adapter)| describe(index, adapter)).collect()
}

/// The adapter meant by `selection`, with its number.
pub(crate) fn choose(selection: &Selection) -> Result<(usize, wgpu::Adapter)> {
    let mut candidates: Vec<_> = enumerate().into_iter().enumerate().collect();
    let all: Vec<_> = candidates.iter().map(|(index, adapter)| describe(*index, adapter).name).collect();
    candidates.sort_by_key(|(_, adapter)| Reverse(rank(adapter)));
    let meant = |index: usize, adapter: &wgpu::Adapter| match selection {
        Selection::Hardware => rank(adapter) > 0,
        Selection::Any => true,
        Selection::Name(name) => adapter.get_info().name.to_lowercase().contains(&name.to_lowercase()),
        Selection::Index(wanted) => index == *wanted,
    };
    candidates.into_iter().find(|(index, adapter)| meant(*index, adapter)).ok_or_else(|| Error::Device {
        device: selection.to_string(),
        reason: if all.is_empty() {
            "not found: this machine has no GPU driver that answers; use `engine` cpu".to_string()
        } else {
            format!("not found among {}; choose one of them by name, or use `engine` cpu", all.join(", "))
        },
    })
}

fn enumerate() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

/// Speed to be expected; 0 for software.
fn rank(adapter: &wgpu::Adapter) -> u8 {
    match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 4,
        wgpu::DeviceType::IntegratedGpu => 3,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 1,
        wgpu::DeviceType::Cpu => 0,
    }
}

pub(crate) fn describe(index: usize, adapter: &wgpu::Adapter) -> AdapterDescription {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    };
    AdapterDescription {
        index,
        name: info.name,
        backend: format!("{:?}", info.backend),
        kind: kind.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        max_binding: limits.max_storage_buffer_binding_size,
        max_buffer: limits.max_buffer_size,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        workgroup_size: limits.max_compute_invocations_per_workgroup,
        software: kind == "software",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_read_back() {
        assert_eq!(Selection::parse("any"), Selection::Any);
        assert_eq!(Selection::parse("2"), Selection::Index(2));
        assert_eq!(Selection::parse("llvm"), Selection::Name("llvm".into()));
    }

    #[test]
    fn an_adapter_that_is_not_there_is_an_error_with_advice() {
        for selection in [Selection::Name("no such adapter".into()), Selection::Index(9999)] {
            let Err(error) = choose(&selection) else { panic!("{selection} is not there") };
            let message = error.to_string();
            assert!(message.contains("`engine` cpu"), "{message}");
        }
    }

    #[test]
    fn hardware_is_never_software() {
        if let Ok((index, adapter)) = choose(&Selection::Hardware) {
            assert!(!describe(index, &adapter).software);
        }
    }
}
