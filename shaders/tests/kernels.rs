//! Every kernel is read by naga: valid on any machine, with the bindings and parameters that the table states.

use at_shaders::Kernel;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use std::collections::BTreeSet;
use std::path::Path;

fn parsed(kernel: Kernel) -> naga::Module {
    naga::front::wgsl::parse_str(kernel.source())
        .unwrap_or_else(|error| panic!("{}: {}", kernel.name(), error.emit_to_string(kernel.source())))
}

#[test]
fn every_kernel_is_valid_and_few_need_an_extension() {
    for &kernel in Kernel::ALL {
        let module = parsed(kernel);
        let subgroups = matches!(kernel, Kernel::MeshLanesForward | Kernel::MeshLanesBackward);
        let capabilities = if subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        if subgroups {
            validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
            validator.subgroup_operations(naga::valid::SubgroupOperationSet::all());
        }
        let result = validator.validate(&module);
        assert!(result.is_ok(), "{}: {:?}", kernel.name(), result.err());
        let entries: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(entries, [kernel.name()]);
    }
}

#[test]
fn bindings_are_as_declared() {
    for &kernel in Kernel::ALL {
        let module = parsed(kernel);
        let mut found = String::new();
        for binding in 1.. {
            let variable = module.global_variables.iter().find(|(_, variable)| {
                variable.binding.as_ref().is_some_and(|place| place.group == 0 && place.binding == binding)
            });
            let Some((_, variable)) = variable else { break };
            let naga::AddressSpace::Storage { access } = variable.space else {
                panic!("{}: binding {binding} is not storage", kernel.name())
            };
            found.push(if access.contains(naga::StorageAccess::STORE) { 'w' } else { 'r' });
        }
        assert_eq!(found, kernel.bindings(), "{}", kernel.name());
        assert!(found.len() <= 8, "{}: WebGPU promises eight storage buffers", kernel.name());
    }
}

#[test]
fn every_file_of_the_folder_is_a_kernel() {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<_> = files.filter_map(|name| name.strip_suffix(".wgsl").map(String::from)).collect();
    let listed: BTreeSet<_> = Kernel::ALL.iter().map(|kernel| kernel.name().to_string()).collect();
    assert_eq!(found, listed);
}

#[test]
fn parameters_are_the_block_that_is_declared() {
    for &kernel in Kernel::ALL {
        let module = parsed(kernel);
        let mut variables = module.global_variables.iter().map(|(_, variable)| variable);
        let uniform = variables.find(|variable| variable.space == naga::AddressSpace::Uniform);
        let uniform = uniform.unwrap_or_else(|| panic!("{} has no parameters", kernel.name()));
        assert_eq!(module.types[uniform.ty].name.as_deref(), Some(kernel.parameters()), "{}", kernel.name());
    }
}
