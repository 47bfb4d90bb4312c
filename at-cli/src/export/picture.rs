//! Pictures as files: what is drawn as SVG is written as SVG and as PNG.

use anyhow::{Context, Result, anyhow};
use at_core::files::own;
use plotters::style::RGBColor;
use resvg::{tiny_skia, usvg};
use std::io::Write;
use std::path::Path;

/// Colours that remain distinct for colour-blind eyes (Okabe & Ito, 2008), on white.
pub const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// Pixels of a PNG picture per unit of the SVG one.
const PIXELS: f32 = 2.0;

/// The picture in pixels, as a PNG file. Texts are in a font of the program's own, so that every machine draws the same.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let mut options = usvg::Options { font_family: "Ubuntu".to_string(), ..usvg::Options::default() };
    options.fontdb_mut().load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    options.fontdb_mut().set_sans_serif_family("Ubuntu");
    let tree = usvg::Tree::from_str(svg, &options).context("the picture")?;
    let pixels = |length: f32| (PIXELS * length).ceil() as u32;
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut canvas = tiny_skia::Pixmap::new(width, height).ok_or_else(|| anyhow!("a picture of {width} x {height}"))?;
    canvas.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(PIXELS, PIXELS), &mut canvas.as_mut());
    canvas.encode_png().context("the picture")
}

/// Writes `folder/name.svg` and `folder/name.png`.
pub fn write(folder: &Path, name: &str, svg: &str) -> Result<()> {
    let file = |extension| folder.join(format!("{name}.{extension}"));
    own::write(&file("svg"), |draft| draft.write_all(svg.as_bytes())).context("a picture")?;
    let png = png(svg).with_context(|| format!("{name}.png"))?;
    own::write(&file("png"), |draft| draft.write_all(&png)).context("a picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dark_pixels(svg: &str) -> usize {
        let png = png(svg).unwrap();
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
        assert!(png("no picture").is_err());
    }
}
