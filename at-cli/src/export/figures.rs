//! In which formats pictures are written, and how wide: what flags say of them.

use super::picture::Format;
use super::sheet::Sheet;

/// Flags of commands that write pictures.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FigureArguments {
    /// Formats of pictures
    #[arg(long, value_name = "FORMAT,…", value_delimiter = ',')]
    pub figures: Option<Vec<Format>>,
    /// Width of pictures, as 89mm (one column), 18.3cm, 3.5in, 600px; their texts stay 7.5 points high
    #[arg(long, value_name = "LENGTH", hide_short_help = true)]
    pub figure_width: Option<Sheet>,
}

/// How pictures are drawn and written.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How wide.
    pub sheet: Sheet,
    /// In which formats.
    pub formats: Vec<Format>,
}

impl FigureArguments {
    /// What is asked for, else these formats on a sheet for screens.
    pub fn or(&self, usual: &[Format]) -> Figures {
        let formats = self.figures.clone().unwrap_or_else(|| usual.to_vec());
        Figures { sheet: self.figure_width.unwrap_or_default(), formats }
    }

    /// Something is asked for.
    pub fn any(&self) -> bool {
        self.figures.is_some() || self.figure_width.is_some()
    }
}

impl Figures {
    /// The formats in words: `SVG, PNG and PDF`.
    pub fn words(&self) -> String {
        let names: Vec<String> = self.formats.iter().map(|format| format.extension().to_uppercase()).collect();
        match &names[..] {
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            names => names.concat(),
        }
    }
}
