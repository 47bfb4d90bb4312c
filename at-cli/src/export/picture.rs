//! Pictures as files: what is drawn as SVG is written as SVG, PNG and PDF.

use super::figures::Figures;
use super::sheet::Sheet;
use super::{font, pdf};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::files::own;
use resvg::{tiny_skia, usvg};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// More pixels than this are no picture.
const MOST_PIXELS: f64 = 1e9;

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
        let all = [Format::Svg, Format::Png, Format::Pdf];
        let found = all.into_iter().find(|format| format.extension() == extension);
        found.ok_or_else(|| anyhow!("{}: a picture is an svg, a png or a pdf file", path.display()))
    }

    /// The file of a picture on this sheet.
    pub fn bytes(self, svg: &str, sheet: Sheet) -> Result<Vec<u8>> {
        match self {
            Format::Svg => Ok(svg.as_bytes().to_vec()),
            Format::Png => png(svg, sheet),
            Format::Pdf => pdf::pdf(&tree(svg)?, sheet),
        }
    }
}

/// The picture understood. Texts are in the program's own font, so that every machine draws the same.
pub fn tree(svg: &str) -> Result<usvg::Tree> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(font::file().to_vec());
        fonts.set_sans_serif_family(font::FAMILY);
        Arc::new(fonts)
    });
    let family = font::FAMILY.to_string();
    let options = usvg::Options { font_family: family, fontdb: fonts.clone(), ..usvg::Options::default() };
    usvg::Tree::from_str(svg, &options).context("the picture")
}

/// The picture in pixels, as a PNG file that says how large it is in print.
pub fn png(svg: &str, sheet: Sheet) -> Result<Vec<u8>> {
    let tree = tree(svg)?;
    let scale = sheet.pixels() / sheet.enlarged();
    let pixels = |length: f32| (scale * f64::from(length)).ceil();
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    ensure!(width * height <= MOST_PIXELS, "a picture of {width} x {height} pixels is too large");
    let canvas = tiny_skia::Pixmap::new(width as u32, height as u32);
    let mut canvas = canvas.ok_or_else(|| anyhow!("a picture of {width} x {height}"))?;
    canvas.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale as f32, scale as f32), &mut canvas.as_mut());
    Ok(with_density(canvas.encode_png().context("the picture")?, sheet.pixels() * 72.0))
}

/// A PNG file with its density (dots per inch) before the pixels.
fn with_density(png: Vec<u8>, dots_per_inch: f64) -> Vec<u8> {
    /// Signature and header of every PNG file.
    const HEAD: usize = 8 + 25;
    let per_metre = ((dots_per_inch / 0.0254).round() as u32).to_be_bytes();
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre.iter().chain(&per_metre).chain(&[1]));
    let mut checksum = flate2::Crc::new();
    checksum.update(&chunk);
    let mut file = png[..HEAD].to_vec();
    file.extend(9_u32.to_be_bytes());
    file.extend(&chunk);
    file.extend(checksum.sum().to_be_bytes());
    file.extend(&png[HEAD..]);
    file
}

/// Writes `folder/name` in every format; gives the names of the files.
pub fn write(folder: &Path, name: &str, svg: &str, figures: &Figures) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for format in &figures.formats {
        let file = format!("{name}.{}", format.extension());
        let bytes = format.bytes(svg, figures.sheet).with_context(|| file.clone())?;
        own::write(&folder.join(&file), |draft| draft.write_all(&bytes)).context("a picture")?;
        files.push(file);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dark_pixels(svg: &str) -> usize {
        let png = png(svg, Sheet::default()).unwrap();
        let picture = tiny_skia::Pixmap::decode_png(&png).unwrap();
        assert_eq!((picture.width(), picture.height()), (80, 40));
        picture.pixels().iter().filter(|pixel| pixel.red() < 128).count()
    }

    #[test]
    fn shapes_and_texts_become_pixels() {
        let svg =
            |inside: &str| format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{inside}</svg>"#);
        assert_eq!(dark_pixels(&svg("")), 0);
        assert_eq!(dark_pixels(&svg(r#"<rect width="10" height="10"/>"#)), 400);
        assert!(dark_pixels(&svg(r#"<text x="2" y="15" font-family="sans-serif" font-size="14">θ φ²</text>"#)) > 50);
        assert!(png("no picture", Sheet::default()).is_err());
    }

    #[test]
    fn the_name_of_a_file_says_its_format() {
        assert_eq!(Format::of(Path::new("a/look.pdf")).unwrap(), Format::Pdf);
        assert!(Format::of(Path::new("look.gif")).unwrap_err().to_string().contains("svg, a png or a pdf"));
    }
}
