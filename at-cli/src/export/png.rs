//! Pictures in pixels, as PNG files that say how large they are in print.

use super::canvas::{SIZE, Stroke};
use super::font;
use super::marks::{self, Fill, Mark, Picture, Segment};
use anyhow::{Context, Result, anyhow, ensure};
use tiny_skia::{Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, StrokeDash, Transform};

/// More pixels than this are no picture.
const MOST_PIXELS: f64 = 1e9;

impl Picture {
    /// The picture as a PNG file.
    pub fn png(&self) -> Result<Vec<u8>> {
        let scale = self.sheet.pixels();
        // a thousandth of a pixel is worth no further one
        let pixels = |length: f64| (scale * length - 1e-3).ceil().max(1.0);
        let (width, height) = (pixels(self.size.0), pixels(self.size.1));
        ensure!(width * height <= MOST_PIXELS, "a picture of {width} x {height} pixels is too large");
        let pixmap = Pixmap::new(width as u32, height as u32);
        let mut pixmap = pixmap.ok_or_else(|| anyhow!("a picture of {width} x {height}"))?;
        pixmap.fill(Color::WHITE);
        let mut page = Page { pixmap, scale: Transform::from_scale(scale as f32, scale as f32) };
        self.marks.iter().for_each(|mark| page.mark(mark));
        Ok(with_density(page.pixmap.encode_png().context("the picture")?, scale * 72.0))
    }
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

/// Pixels, and how points become pixels.
struct Page {
    pixmap: Pixmap,
    scale: Transform,
}

impl Page {
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Rectangle(sides, fill) => self.fill(&marks::rectangle(*sides), *fill, self.scale),
            Mark::Polygon(points, fill) => self.fill(&marks::polygon(points, true), *fill, self.scale),
            Mark::Line { points, closed, stroke } => self.line(&marks::polygon(points, *closed), stroke),
            Mark::Circle { centre, radius, fill, ring } => {
                let outline = marks::circle(*centre, *radius);
                self.fill(&outline, (*fill).into(), self.scale);
                if let Some((colour, width)) = *ring {
                    self.line(&outline, &Stroke::solid(colour, width));
                }
            }
            Mark::Cells { origin, scale, cells } => {
                let own = self.scale.pre_translate(origin.0 as f32, origin.1 as f32);
                let own = own.pre_scale(scale.0 as f32, scale.1 as f32);
                for (colour, rectangles) in cells {
                    let outline: Vec<Segment> = rectangles.iter().copied().flat_map(marks::rectangle).collect();
                    self.fill(&outline, (*colour).into(), own);
                }
            }
            Mark::Text { at, anchor, colour, text, upwards } => {
                let mut own = self.scale.pre_translate(at.0 as f32, at.1 as f32);
                if *upwards {
                    own = own.pre_rotate(-90.0);
                }
                for glyph in font::laid_out(text, SIZE, *anchor) {
                    self.fill(&font::outline(&glyph, SIZE), (*colour).into(), own);
                }
            }
        }
    }

    fn fill(&mut self, outline: &[Segment], fill: Fill, transform: Transform) {
        let Some(path) = path(outline) else { return };
        self.pixmap.fill_path(&path, &paint(fill), FillRule::Winding, transform, None);
    }

    fn line(&mut self, outline: &[Segment], Stroke { colour, width, dashes }: &Stroke) {
        let Some(path) = path(outline) else { return };
        let stroke = tiny_skia::Stroke {
            width: *width as f32,
            line_join: LineJoin::Round,
            dash: StrokeDash::new(dashes.iter().map(|&dash| dash as f32).collect(), 0.0),
            ..tiny_skia::Stroke::default()
        };
        self.pixmap.stroke_path(&path, &paint((*colour).into()), &stroke, self.scale, None);
    }
}

fn paint(Fill { colour: [red, green, blue], opacity }: Fill) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, (255.0 * opacity).round() as u8);
    paint
}

/// None of an outline that encloses nothing.
fn path(outline: &[Segment]) -> Option<Path> {
    let point = |(x, y): (f64, f64)| (x as f32, y as f32);
    let mut path = PathBuilder::new();
    for segment in outline {
        match *segment {
            Segment::Move(to) => {
                let (x, y) = point(to);
                path.move_to(x, y);
            }
            Segment::Line(to) => {
                let (x, y) = point(to);
                path.line_to(x, y);
            }
            Segment::Curve(points) => {
                let [(x1, y1), (x2, y2), (x, y)] = points.map(point);
                path.cubic_to(x1, y1, x2, y2, x, y);
            }
            Segment::Close => path.close(),
        }
    }
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{Anchor, Canvas, INK};
    use super::super::sheet::Sheet;
    use super::*;

    fn dark_pixels(draw: impl FnOnce(&mut Canvas)) -> usize {
        let mut canvas = Canvas::new(40.0);
        draw(&mut canvas);
        let sheet: Sheet = "89mm".parse().unwrap();
        let picture = Pixmap::decode_png(&canvas.finish(20.0, sheet).png().unwrap()).unwrap();
        // 600 dots per inch are 25/3 per point
        assert_eq!((picture.width(), picture.height()), (334, 167));
        picture.pixels().iter().filter(|pixel| pixel.red() < 128).count()
    }

    #[test]
    fn shapes_and_texts_become_pixels() {
        assert_eq!(dark_pixels(|_| ()), 0);
        assert_eq!(dark_pixels(|canvas| canvas.rectangle([0.0, 0.0, 12.0, 12.0], INK, 1.0)), 100 * 100);
        assert_eq!(
            dark_pixels(|canvas| canvas.cells((12.0, 0.0), (6.0, 3.0), vec![(INK, vec![[0.0, 0.0, 2.0, 1.0]])])),
            100 * 25
        );
        let disc = dark_pixels(|canvas| canvas.circle((20.0, 10.0), 6.0, INK, true, 1.0)) as f64;
        assert!((disc / (std::f64::consts::PI * 50.0 * 50.0) - 1.0).abs() < 0.01, "{disc}");
        let stroke = Stroke { colour: INK, width: 1.2, dashes: &[3.0, 3.0] };
        let half = dark_pixels(|canvas| canvas.line(&[(6.0, 6.0), (24.0, 6.0)], &stroke));
        assert_eq!(half, 75 * 10);
        let text = |anchor| dark_pixels(|canvas| canvas.text((20.0, 15.0), anchor, INK, "θ φ²"));
        assert!(text(Anchor::Start) > 400 && text(Anchor::End) > 400);
        let upwards = dark_pixels(|canvas| canvas.upwards((20.0, 18.0), Anchor::Start, "l"));
        assert!(upwards > 100, "{upwards}");
    }
}
