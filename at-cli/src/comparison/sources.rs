//! What the points of a grid read, as the request of a run notes it: a run goes on with the same contents only, and its cells are
//! named after them.

use crate::network_files::FileNames;
use crate::trial::{RunContents, SourceNames, Task};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// Where a point's contents come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Source {
    /// Data set.
    pub dataset: Option<String>,
    /// Column of the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// Columns of real targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_columns: Option<Vec<String>>,
    /// How one piece becomes two parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// How features are scaled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// First training samples of it.
    pub train_limit: Option<usize>,
    /// First test samples of it.
    pub test_limit: Option<usize>,
    /// Files of the network.
    pub files: FileNames,
}

/// A source, and what was in it when a run first read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// Where from.
    pub source: Source,
    /// What.
    pub contents: RunContents,
}

/// How far the contents of a run's sources are those that it has noted.
#[derive(Clone, Debug, PartialEq)]
pub enum Sources {
    /// The run notes what it reads; what was noted must still be there.
    Same(Vec<Noted>),
    /// Nothing is read anew: what was noted counts, whatever is there now.
    AsNoted(Vec<Noted>),
    /// The run is of an earlier version, which noted nothing.
    Unknown,
}

impl Source {
    fn of(task: &Task) -> Self {
        let settings = &task.plan.settings;
        Source {
            dataset: settings.dataset.clone(),
            label_column: settings.label_column.clone(),
            target_columns: settings.target_columns.clone(),
            split: settings.split.clone(),
            scale: settings.scale.clone(),
            train_limit: settings.train_limit,
            test_limit: settings.test_limit,
            files: FileNames::of(settings, &task.network),
        }
    }
}

impl Sources {
    /// The contents after which the cells of `task` are named; none where nothing was noted. Errs where they have changed.
    pub fn contents(&mut self, task: &Task) -> Result<Option<RunContents>> {
        let source = Source::of(task);
        let find =
            |noted: &[Noted]| noted.iter().find(|noted| noted.source == source).map(|noted| noted.contents.clone());
        let now = &task.contents;
        match self {
            Sources::Unknown => Ok(None),
            Sources::AsNoted(noted) => Ok(Some(find(noted).unwrap_or_else(|| now.clone()))),
            Sources::Same(noted) => match find(noted) {
                None => {
                    noted.push(Noted { source, contents: now.clone() });
                    Ok(Some(now.clone()))
                }
                Some(before) => match before.difference(now, &SourceNames::of(&task.plan)) {
                    None => Ok(Some(before)),
                    Some(difference) => bail!(
                        "the run was begun with other contents of {difference}; put back what was there, or start a new run"
                    ),
                },
            },
        }
    }

    /// What the run's request is to hold.
    pub fn noted(self) -> Option<Vec<Noted>> {
        match self {
            Sources::Same(noted) | Sources::AsNoted(noted) => Some(noted),
            Sources::Unknown => None,
        }
    }
}
