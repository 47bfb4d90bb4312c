//! One process of several, on one machine or on many, that share the cells of a run between them: number K of N trains every N-th cell.
//!
//! Which cells are a shard's follows from its numbers alone, so that no two shards ever train the same one, whatever locks the file system has.
//! Against the same shard started twice stands its claim:
//!
//! ```text
//! RUN/shards/K-of-N        host, process, and a pulse that counts while the process lives; put there by a rename, whole or not at all
//!           /.K-of-N.lock  held by the process; the lock ends with it
//! ```
//!
//! A claim whose lock is held is a living one's. One whose lock is free was left by a killed process of this host, or is of another host on a
//! file system whose locks do not reach so far: then its pulse tells.

use crate::{activity, interrupt, terminal};
use anyhow::{Context, Result, anyhow};
use at_core::files::{self, own};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// More shards are a typing error.
const MOST: usize = 100_000;

/// Longest claim (bytes).
const LONGEST: u64 = 1 << 12;

/// The folder of claims.
const FOLDER: &str = "shards";

/// How often a living process counts its pulse up, and how long a claim without a pulse is watched until it is taken for a dead one's.
const PULSE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);

/// `K/N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((number, count)) if (1..=count).contains(&number) && count <= MOST => Ok(Shard { number, count }),
            Some(_) | None => Err(format!("must be K/N, K from 1 to N, N at most {MOST}, such as 2/8")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl Shard {
    /// Whether cell number `index`, from 0, is one of its.
    pub fn has(self, index: usize) -> bool {
        index % self.count == self.number - 1
    }

    fn file(self) -> String {
        format!("{}-of-{}", self.number, self.count)
    }

    fn of_file(name: &str) -> Option<Self> {
        name.replace("-of-", "/").parse().ok().filter(|shard: &Shard| shard.file() == name)
    }
}

/// What a claim says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Claim {
    host: String,
    process: u32,
    /// Nanoseconds since 1970: with host and process, no two claims are the same.
    began: u64,
    /// Counts up.
    pulse: u64,
}

impl Claim {
    fn new() -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        Claim { host: host(), process: std::process::id(), began, pulse: 0 }
    }

    /// None where there is none, or none that can be read: that is nobody's.
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&own::read_text(path, LONGEST).ok()?).ok()
    }

    fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string(self).context("a claim")?;
        Ok(own::write(path, |draft| writeln!(draft, "{text}"))?)
    }

    fn same_process(&self, other: &Claim) -> bool {
        (&self.host, self.process, self.began) == (&other.host, other.process, other.began)
    }
}

fn host() -> String {
    #[cfg(unix)]
    {
        let mut name = [0_u8; 256];
        // SAFETY: the buffer is as long as is said.
        if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) } == 0 {
            let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
            return String::from_utf8_lossy(&name[..end]).into_owned();
        }
    }
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".to_string())
}

/// How living claims are told from dead ones.
#[derive(Clone, Copy, Debug)]
struct Watch {
    pulse: Duration,
    patience: Duration,
}

/// A shard that this process alone works on, until this is dropped or the process ends.
pub struct ShardClaim {
    path: PathBuf,
    own: Claim,
    pulse: Option<(Sender<()>, JoinHandle<()>)>,
    _lock: Vec<File>,
}

/// Takes `shard` of `run`: nobody's, or one that a dead process has left. Errs where a living process has it, or one of another number of
/// shards of the same run.
pub fn take(run: &Path, shard: Shard) -> Result<ShardClaim> {
    taken(run, shard, Watch { pulse: PULSE, patience: PATIENCE })
}

/// Errs while a shard of `run` is at work; claims of dead processes are removed. For a process that trains whatever is missing.
pub fn require_none(run: &Path) -> Result<()> {
    let watch = Watch { pulse: PULSE, patience: PATIENCE };
    let left = claims(run)?;
    let _locks = dead(run, &left, watch)?;
    for shard in left {
        let _ = own::remove(&run.join(FOLDER).join(shard.file())); // what stays is dead
    }
    Ok(())
}

/// Whether a claim of a shard of `run` has been written so lately that its process lives.
pub fn any_alive(run: &Path) -> bool {
    let age = |shard: &Shard| {
        let written = run.join(FOLDER).join(shard.file()).metadata().and_then(|found| found.modified());
        written.map(|written| SystemTime::now().duration_since(written).unwrap_or_default())
    };
    claims(run).unwrap_or_default().iter().any(|shard| age(shard).is_ok_and(|age| age < PATIENCE))
}

/// The claims that there are.
fn claims(run: &Path) -> Result<Vec<Shard>> {
    let folder = run.join(FOLDER);
    own::is_folder(&folder).with_context(|| folder.display().to_string())?;
    let names = match files::names(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        names => names.with_context(|| folder.display().to_string())?,
    };
    Ok(names.iter().filter_map(|name| Shard::of_file(name)).collect())
}

fn taken(run: &Path, shard: Shard, watch: Watch) -> Result<ShardClaim> {
    let folder = run.join(FOLDER);
    own::folder(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let others: Vec<Shard> = claims(run)?.into_iter().filter(|other| other.count != shard.count).collect();
    dead(run, &others, watch).map(drop).context("shards of a run have one number N")?;
    let _lock = dead(run, &[shard], watch)?;
    let (path, own) = (folder.join(shard.file()), Claim::new());
    own.write(&path)?;
    let (sender, stop) = channel();
    let (file, mut claim) = (path.clone(), own.clone());
    let count = move || {
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(watch.pulse) {
            if Claim::read(&file).is_some_and(|found| !found.same_process(&claim)) {
                terminal::say(terminal::WRONG, "error: ", &format!("shard {shard} was taken over by another process"));
                return interrupt::request();
            }
            claim.pulse += 1;
            let _ = claim.write(&file); // a disk that is full for a moment: whoever watches is patient
        }
    };
    let thread = std::thread::Builder::new().spawn(count).context("a thread for the pulse of a shard")?;
    Ok(ShardClaim { path, own, pulse: Some((sender, thread)), _lock })
}

/// The locks of shards that no living process has. Errs where one has one of them.
fn dead(run: &Path, shards: &[Shard], watch: Watch) -> Result<Vec<File>> {
    let at_work = |shard: Shard, claim: Option<Claim>| {
        let who = claim.map_or(String::new(), |claim| format!(" (process {} on {})", claim.process, claim.host));
        anyhow!("shard {shard} of {} is at work{who}; wait for its end, or end it", run.display())
    };
    let claim = |shard: Shard| Claim::read(&run.join(FOLDER).join(shard.file()));
    let (mut locks, mut foreign) = (Vec::new(), Vec::new());
    for &shard in shards {
        let lock = run.join(FOLDER).join(format!(".{}.lock", shard.file()));
        let lock = own::lock(&lock).with_context(|| format!("cannot lock {}", lock.display()))?;
        locks.push(lock.ok_or_else(|| at_work(shard, claim(shard)))?);
        // of another host, and locks may end at this one's borders
        foreign.extend(claim(shard).filter(|claim| claim.host != host()).map(|claim| (shard, claim)));
    }
    let began = Instant::now();
    while !foreign.is_empty() && began.elapsed() < watch.patience {
        let (shard, first) = &foreign[0];
        activity::now(format!("watching whether shard {shard} lives on {}", first.host));
        std::thread::sleep(watch.pulse.min(watch.patience) / 4);
        let mut left = Vec::new();
        for (shard, first) in foreign {
            match claim(shard) {
                Some(now) if now != first => return Err(at_work(shard, Some(now))),
                Some(_) => left.push((shard, first)),
                None => {} // it has just ended
            }
        }
        foreign = left;
    }
    Ok(locks)
}

impl Drop for ShardClaim {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.pulse.take() {
            drop(sender);
            let _ = thread.join();
        }
        if Claim::read(&self.path).is_some_and(|found| found.same_process(&self.own)) {
            let _ = own::remove(&self.path); // what stays is dead
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Watch = Watch { pulse: Duration::from_millis(20), patience: Duration::from_millis(200) };

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    fn why(result: Result<ShardClaim>) -> String {
        format!("{:#}", result.err().expect("it is at work"))
    }

    #[test]
    fn every_cell_is_one_shards() {
        let shards = ["1/3", "2/3", "3/3"].map(shard);
        for index in 0..24 {
            assert_eq!(shards.iter().filter(|shard| shard.has(index)).count(), 1, "{index}");
        }
        assert!(shard("1/1").has(7) && shards[0].has(0) && !shards[2].has(0));
        for text in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/1000000", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!(Shard::of_file("2-of-3"), Some(shard("2/3")));
        for name in [".2-of-3.lock", "2-of-03", "x", ".asyt-1.part"] {
            assert_eq!(Shard::of_file(name), None, "{name}");
        }
    }

    #[test]
    fn a_shard_has_one_process_and_other_numbers_of_shards_wait() {
        let run = tempfile::tempdir().unwrap();
        require_none(run.path()).unwrap();
        let first = taken(run.path(), shard("1/3"), QUICK).unwrap();
        let second = taken(run.path(), shard("2/3"), QUICK).unwrap();
        let error = why(taken(run.path(), shard("1/3"), QUICK));
        assert!(error.contains("shard 1/3") && error.contains("is at work (process"), "{error}");
        assert!(why(taken(run.path(), shard("1/2"), QUICK)).contains("shards of a run have one number N"));
        assert!(require_none(run.path()).is_err());
        drop((first, second));
        assert!(claims(run.path()).unwrap().is_empty(), "who ends takes his claim along");
        drop(taken(run.path(), shard("1/2"), QUICK).unwrap());
        require_none(run.path()).unwrap();
    }

    #[test]
    fn a_claim_that_a_killed_process_left_is_taken_over() {
        let run = tempfile::tempdir().unwrap();
        std::fs::create_dir(run.path().join(FOLDER)).unwrap();
        let path = run.path().join(FOLDER).join("1-of-3");
        Claim { process: u32::MAX, ..Claim::new() }.write(&path).unwrap();
        let began = Instant::now();
        let claim = taken(run.path(), shard("1/3"), Watch { patience: Duration::from_secs(60), ..QUICK }).unwrap();
        assert!(began.elapsed() < Duration::from_secs(30), "on this host the lock tells at once");
        assert!(Claim::read(&path).unwrap().same_process(&claim.own));
    }

    #[test]
    fn a_claim_of_another_host_is_taken_over_when_its_pulse_has_stopped_and_not_before() {
        let run = tempfile::tempdir().unwrap();
        std::fs::create_dir(run.path().join(FOLDER)).unwrap();
        let path = run.path().join(FOLDER).join("1-of-3");
        let mut other = Claim { host: "another".to_string(), ..Claim::new() };
        other.write(&path).unwrap();
        let (stop, stopped) = channel::<()>();
        let file = path.clone();
        let alive = std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(QUICK.pulse) {
                other.pulse += 1;
                other.write(&file).unwrap();
            }
        });
        let error = why(taken(run.path(), shard("1/3"), Watch { patience: Duration::from_secs(60), ..QUICK }));
        assert!(error.contains("on another"), "{error}");
        drop(stop);
        alive.join().unwrap();
        let claim = taken(run.path(), shard("1/3"), QUICK).unwrap();
        assert!(Claim::read(&path).unwrap().same_process(&claim.own));
    }
}
