//! Pictures as files: what is drawn is written as SVG, PNG and PDF.

use super::figures::Figures;
use super::marks::Picture;
use anyhow::{Context, Result, anyhow};
use at_core::files::own;
use std::io::Write;
use std::path::Path;

/// A format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines and texts, for editors and pages.
    Svg,
    /// Pixels.
    Png,
    /// Lines and texts with their font, for journals.
    Pdf,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Svg, Format::Png, Format::Pdf];

    /// How the names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Png => "png",
            Format::Pdf => "pdf",
        }
    }

    /// The format that the name of this file asks for.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let found = Self::ALL.into_iter().find(|format| format.extension() == extension);
        found.ok_or_else(|| anyhow!("{}: a picture is an svg, a png or a pdf file", path.display()))
    }

    /// The file of a picture.
    pub fn bytes(self, picture: &Picture) -> Result<Vec<u8>> {
        match self {
            Format::Svg => Ok(picture.svg().into_bytes()),
            Format::Png => picture.png(),
            Format::Pdf => picture.pdf(),
        }
    }
}

/// Writes `folder/name` in every format; gives the names of the files.
pub fn write(folder: &Path, name: &str, picture: &Picture, figures: &Figures) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for format in &figures.formats {
        let file = format!("{name}.{}", format.extension());
        let bytes = format.bytes(picture).with_context(|| file.clone())?;
        own::write(&folder.join(&file), |draft| draft.write_all(&bytes)).context("a picture")?;
        files.push(file);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_format() {
        assert_eq!(Format::of(Path::new("a/look.pdf")).unwrap(), Format::Pdf);
        assert!(Format::of(Path::new("look.gif")).unwrap_err().to_string().contains("svg, a png or a pdf"));
    }
}
