//! How much memory this process may still take: what the system has, what the process is limited to, and what its control groups
//! are limited to, whichever is least.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Bytes where the system does not say.
const UNKNOWN: f64 = 64e9;

/// Memory in GB (10⁹ bytes) that a person states, where programs that share the machine have not taken theirs yet.
const STATED: &str = "AT_MEMORY";

/// Memory that this process may still take (bytes).
pub fn available() -> f64 {
    available_in(Path::new("/")).unwrap_or(UNKNOWN)
}

/// The same, or less where a person states it. Errs where what is stated is no number.
pub fn allowed() -> Result<f64> {
    let Ok(text) = std::env::var(STATED) else { return Ok(available()) };
    let gigabytes = text.parse::<f64>().ok().filter(|gigabytes| gigabytes.is_finite() && *gigabytes > 0.0);
    let gigabytes =
        gigabytes.with_context(|| format!("{STATED} = {text} is not valid: must be a number of GB, such as 24"))?;
    Ok(available().min(1e9 * gigabytes))
}

/// The same by the files of the system in `root`; none of them need be there.
fn available_in(root: &Path) -> Option<f64> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let system = read("proc/meminfo").and_then(|text| kilobytes(&text, "MemAvailable:"));
    let limits = read("proc/self/limits").unwrap_or_default();
    let status = read("proc/self/status").unwrap_or_default();
    let left = |limit: &str, taken: &str| {
        Some((soft_limit(&limits, limit)? - kilobytes(&status, taken).unwrap_or_default()).max(0.0))
    };
    let process = [left("Max address space", "VmSize:"), left("Max data size", "VmData:")];
    let groups = groups(&read("proc/self/cgroup")?, &read("proc/self/mountinfo").unwrap_or_default())
        .into_iter()
        .flat_map(|group| group.left(root));
    system.into_iter().chain(process.into_iter().flatten()).chain(groups).reduce(f64::min)
}

/// The number behind `key` in lines of kilobytes, as bytes.
fn kilobytes(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kilobytes| 1024.0 * kilobytes)
}

/// The soft limit called `name` of `/proc/self/limits`; none where it is unlimited.
fn soft_limit(limits: &str, name: &str) -> Option<f64> {
    limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// A control group that this process is in, by the way the kernel tells of it.
struct Group {
    /// Where its hierarchy is mounted.
    mount: PathBuf,
    /// Below that.
    path: PathBuf,
    /// Version 2 of the interface.
    unified: bool,
}

/// The groups of `/proc/self/cgroup` that limit memory, where `/proc/self/mountinfo` shows them.
fn groups(cgroup: &str, mountinfo: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let unified = controllers.is_empty();
        if !unified && !controllers.split(',').any(|controller| controller == "memory") {
            continue;
        }
        for line in mountinfo.lines() {
            let Some((place, kind)) = line.split_once(" - ") else { continue };
            let (place, kind) = (place.split(' ').collect::<Vec<_>>(), kind.split(' ').collect::<Vec<_>>());
            let memory = || kind.get(2).is_some_and(|options| options.split(',').any(|option| option == "memory"));
            if !(unified && kind[0] == "cgroup2" || !unified && kind[0] == "cgroup" && memory()) {
                continue;
            }
            let (Some(root), Some(mount)) = (place.get(3), place.get(4)) else { continue };
            // in a container the mount shows a part of the tree, and the path may be told from its top
            let path = Path::new(path).strip_prefix(root).unwrap_or(Path::new(""));
            let path = path.strip_prefix("/").unwrap_or(path).to_path_buf();
            groups.push(Group { mount: PathBuf::from(mount.trim_start_matches('/')), path, unified });
        }
    }
    groups
}

impl Group {
    /// What this group and all above it may still take.
    fn left(&self, root: &Path) -> Vec<f64> {
        let mount = root.join(&self.mount);
        self.path.ancestors().filter_map(|path| self.left_of(&mount.join(path))).collect()
    }

    /// What one group may still take: its limit without what it has, where files that were read and can be dropped do not count.
    fn left_of(&self, group: &Path) -> Option<f64> {
        let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
        let number = |file: &str| read(file)?.trim().parse::<f64>().ok(); // the word `max` is no limit
        let (limit, taken, cached) = match self.unified {
            true => ("memory.max", "memory.current", ["inactive_file ", "active_file "]),
            false => ("memory.limit_in_bytes", "memory.usage_in_bytes", ["total_inactive_file ", "total_active_file "]),
        };
        let limit = number(limit)?;
        let statistics = read("memory.stat").unwrap_or_default();
        let count = |key: &str| statistics.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<f64>().ok());
        let droppable: f64 = cached.iter().filter_map(|key| count(key)).sum();
        let taken = (number(taken).unwrap_or_default() - droppable).max(0.0);
        Some((limit - taken).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of these files.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal: 90000 kB\nMemAvailable:   80000 kB\n");
    const LIMITS: (&str, &str) = (
        "proc/self/limits",
        "Limit  Soft Limit Hard Limit Units\nMax data size             unlimited            unlimited            bytes\n\
         Max address space         60000000             unlimited            bytes\n",
    );
    const STATUS: (&str, &str) = ("proc/self/status", "VmSize:\t    1000 kB\nVmData:\t  500 kB\n");

    #[test]
    fn a_limit_of_the_process_counts_as_free_memory() {
        let root = system(&[MEMINFO, LIMITS, STATUS, ("proc/self/cgroup", "")]);
        assert_eq!(available_in(root.path()), Some(60e6 - 1000.0 * 1024.0));
        let root = system(&[MEMINFO, STATUS, ("proc/self/cgroup", "")]);
        assert_eq!(available_in(root.path()), Some(80000.0 * 1024.0));
        assert_eq!(available_in(system(&[]).path()), None);
    }

    #[test]
    fn a_limit_of_a_group_above_the_process_counts_and_cached_files_do_not() {
        let mounts = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let root = system(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/above/own\n"),
            ("proc/self/mountinfo", mounts),
            ("sys/fs/cgroup/above/own/memory.max", "max\n"),
            ("sys/fs/cgroup/above/own/memory.current", "5000000\n"),
            ("sys/fs/cgroup/above/memory.max", "20000000\n"),
            ("sys/fs/cgroup/above/memory.current", "9000000\n"),
            ("sys/fs/cgroup/above/memory.stat", "anon 5\nfile 4000000\ninactive_file 3000000\nactive_file 1000000\n"),
        ]);
        assert_eq!(available_in(root.path()), Some(20e6 - (9e6 - 4e6)));
    }

    #[test]
    fn the_first_version_of_control_groups_counts_in_a_container_too() {
        let mounts = "40 25 0:30 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 25 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        let files = |cgroup| {
            system(&[
                MEMINFO,
                ("proc/self/cgroup", cgroup),
                ("proc/self/mountinfo", mounts),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "30000000\n"),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "10000000\n"),
                ("sys/fs/cgroup/cpu/memory.limit_in_bytes", "1\n"),
            ])
        };
        for cgroup in ["4:memory:/docker/x\n3:cpu:/\n", "4:memory:/\n", "4:memory:/elsewhere/y\n"] {
            assert_eq!(available_in(files(cgroup).path()), Some(20e6), "{cgroup}");
        }
    }
}
