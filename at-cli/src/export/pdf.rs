//! Pictures as PDF files, with the letters that they use of the font embedded.

use super::canvas::{Colour, SIZE, Stroke};
use super::font;
use super::marks::{self, Fill, Mark, Picture, Segment};
use anyhow::{Result, anyhow};
use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use subsetter::GlyphRemapper;
use ttf_parser::GlyphId;

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const FONT: Ref = Ref::new(5);
const LETTERS: Ref = Ref::new(6);
const DESCRIPTOR: Ref = Ref::new(7);
const FONT_FILE: Ref = Ref::new(8);
const MEANINGS: Ref = Ref::new(9);
const INFORMATION: Ref = Ref::new(10);
/// Of the first opacity; the others follow.
const OPACITIES: i32 = 11;

/// Its name on the page, and in the file, where six letters say that it is a part of a font.
const OWN: Name = Name(b"F");
const PART: Name = Name(b"ASYTFG+Ubuntu-Light");

const IDENTITY: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

impl Picture {
    /// The picture as a PDF file: one page of the width of its sheet.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let mut page = PageContent {
            content: Content::new(),
            remapper: GlyphRemapper::new(),
            letters: BTreeMap::new(),
            opacities: BTreeSet::new(),
        };
        page.content.transform([1.0, 0.0, 0.0, -1.0, 0.0, height]);
        self.marks.iter().for_each(|mark| page.mark(mark));

        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(PAGES);
        pdf.pages(PAGES).kids([PAGE]).count(1);
        let opacities: Vec<u16> = page.opacities.iter().copied().collect();
        let place = |index: usize| Ref::new(OPACITIES + index as i32);
        let mut own = pdf.page(PAGE);
        own.media_box(Rect::new(0.0, 0.0, width, height)).parent(PAGES).contents(CONTENT);
        let mut resources = own.resources();
        if !page.letters.is_empty() {
            resources.fonts().pair(OWN, FONT);
        }
        let mut states = resources.ext_g_states();
        for (index, thousandths) in opacities.iter().enumerate() {
            states.pair(Name(opacity_name(*thousandths).as_bytes()), place(index));
        }
        states.finish();
        resources.finish();
        own.finish();
        for (index, thousandths) in opacities.iter().enumerate() {
            let alpha = f32::from(*thousandths) / 1000.0;
            pdf.ext_graphics(place(index)).non_stroking_alpha(alpha).stroking_alpha(alpha);
        }
        pdf.stream(CONTENT, &packed(&page.content.finish().into_vec())?).filter(Filter::FlateDecode);
        if !page.letters.is_empty() {
            embed(&mut pdf, &page.remapper, &page.letters)?;
        }
        pdf.document_info(INFORMATION).producer(TextStr(concat!("asyt ", env!("CARGO_PKG_VERSION"))));
        Ok(pdf.finish())
    }
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn opacity_name(thousandths: u16) -> String {
    format!("a{thousandths}")
}

/// What stands on the page, and what it needs.
struct PageContent {
    content: Content,
    remapper: GlyphRemapper,
    /// What a letter of the embedded part stands for.
    letters: BTreeMap<u16, char>,
    /// Opacities in thousandths.
    opacities: BTreeSet<u16>,
}

impl PageContent {
    fn mark(&mut self, mark: &Mark) {
        self.content.save_state();
        match mark {
            Mark::Rectangle(sides, fill) => self.fill(&marks::rectangle(*sides), *fill),
            Mark::Polygon(points, fill) => self.fill(&marks::polygon(points, true), *fill),
            Mark::Line { points, closed, stroke } => self.line(&marks::polygon(points, *closed), stroke),
            Mark::Circle { centre, radius, fill, ring } => {
                let outline = marks::circle(*centre, *radius);
                self.fill(&outline, (*fill).into());
                if let Some((colour, width)) = *ring {
                    self.line(&outline, &Stroke::solid(colour, width));
                }
            }
            Mark::Cells { origin, scale, cells } => {
                self.content.transform([scale.0, 0.0, 0.0, scale.1, origin.0, origin.1].map(|part| part as f32));
                for (colour, rectangles) in cells {
                    self.paint((*colour).into());
                    for rectangle in rectangles {
                        let [left, top, width, height] = rectangle.map(|side| side as f32);
                        self.content.rect(left, top, width, height);
                    }
                    self.content.fill_nonzero();
                }
            }
            Mark::Text { at, anchor, colour, text, upwards } => {
                self.paint((*colour).into());
                let (x, y) = (hundredth(at.0), hundredth(at.1));
                let turned = if *upwards { [0.0, -1.0, 1.0, 0.0, x, y] } else { [1.0, 0.0, 0.0, 1.0, x, y] };
                self.content.transform(turned).begin_text().set_font(OWN, SIZE as f32);
                for glyph in font::laid_out(text, SIZE, *anchor) {
                    let own = self.remapper.remap(glyph.id.0);
                    self.letters.entry(own).or_insert(glyph.letter);
                    // upright on a page whose y grows downwards
                    let place = [1.0, 0.0, 0.0, -1.0, hundredth(glyph.x), 0.0];
                    self.content.set_text_matrix(place).show(Str(&own.to_be_bytes()));
                }
                self.content.end_text();
            }
        }
        self.content.restore_state();
    }

    fn fill(&mut self, outline: &[Segment], fill: Fill) {
        self.paint(fill);
        self.outline(outline);
        self.content.fill_nonzero();
    }

    fn line(&mut self, outline: &[Segment], Stroke { colour, width, dashes }: &Stroke) {
        let [red, green, blue] = shares(*colour);
        self.content.set_stroke_rgb(red, green, blue).set_line_width(*width as f32);
        self.content.set_line_join(LineJoinStyle::RoundJoin);
        if !dashes.is_empty() {
            self.content.set_dash_pattern(dashes.iter().map(|&dash| dash as f32), 0.0);
        }
        self.outline(outline);
        self.content.stroke();
    }

    fn outline(&mut self, outline: &[Segment]) {
        let point = |(x, y): (f64, f64)| (hundredth(x), hundredth(y));
        for segment in outline {
            match *segment {
                Segment::Move(to) => {
                    let (x, y) = point(to);
                    self.content.move_to(x, y);
                }
                Segment::Line(to) => {
                    let (x, y) = point(to);
                    self.content.line_to(x, y);
                }
                Segment::Curve(points) => {
                    let [(x1, y1), (x2, y2), (x, y)] = points.map(point);
                    self.content.cubic_to(x1, y1, x2, y2, x, y);
                }
                Segment::Close => {
                    self.content.close_path();
                }
            }
        }
    }

    /// What is filled from here on has this colour.
    fn paint(&mut self, Fill { colour, opacity }: Fill) {
        let [red, green, blue] = shares(colour);
        self.content.set_fill_rgb(red, green, blue);
        if opacity < 1.0 {
            let thousandths = (1000.0 * opacity).round() as u16;
            self.opacities.insert(thousandths);
            self.content.set_parameters(Name(opacity_name(thousandths).as_bytes()));
        }
    }
}

fn shares(colour: Colour) -> [f32; 3] {
    colour.map(|part| f32::from(part) / 255.0)
}

/// A hundredth of a point is finer than any print.
fn hundredth(value: f64) -> f32 {
    ((100.0 * value).round() / 100.0) as f32
}

/// Writes the part of the font that the letters need.
fn embed(pdf: &mut Pdf, remapper: &GlyphRemapper, letters: &BTreeMap<u16, char>) -> Result<()> {
    let face = font::face();
    let thousandths = |units: f32| 1000.0 * units / f32::from(face.units_per_em());

    pdf.type0_font(FONT)
        .base_font(PART)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(LETTERS)
        .to_unicode(MEANINGS);
    let mut own = pdf.cid_font(LETTERS);
    own.subtype(CidFontType::Type2).base_font(PART).system_info(IDENTITY).font_descriptor(DESCRIPTOR);
    own.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    let width = |old: u16| thousandths(face.glyph_hor_advance(GlyphId(old)).unwrap_or_default().into());
    own.widths().consecutive(0, remapper.remapped_gids().map(width));
    own.finish();
    let bounds = face.global_bounding_box();
    let [left, bottom, right, top] =
        [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(|side| thousandths(side.into()));
    pdf.font_descriptor(DESCRIPTOR)
        .name(PART)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(thousandths(face.ascender().into()))
        .descent(thousandths(face.descender().into()))
        .cap_height(thousandths(face.capital_height().unwrap_or(face.ascender()).into()))
        .stem_v(70.0)
        .font_file2(FONT_FILE);
    let part = subsetter::subset(font::file(), 0, remapper).map_err(|error| anyhow!("the font: {error}"))?;
    pdf.stream(FONT_FILE, &packed(&part)?).filter(Filter::FlateDecode).pair(Name(b"Length1"), part.len() as i32);
    let mut meanings = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
    for (&own, &letter) in letters {
        meanings.pair(own, letter);
    }
    pdf.cmap(MEANINGS, &meanings.finish().into_vec());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{Anchor, Canvas, INK};
    use super::super::sheet::Sheet;

    fn drawn(draw: impl FnOnce(&mut Canvas)) -> Vec<u8> {
        let sheet: Sheet = "89mm".parse().unwrap();
        let mut canvas = Canvas::new(sheet.width);
        draw(&mut canvas);
        canvas.finish(40.0, sheet).pdf().unwrap()
    }

    fn holds(file: &[u8], part: &str) -> bool {
        file.windows(part.len()).any(|window| window == part.as_bytes())
    }

    #[test]
    fn a_page_has_the_width_of_its_sheet_and_its_font_inside() {
        let file = drawn(|canvas| {
            canvas.polygon(&[(0.0, 0.0), (9.0, 9.0), (0.0, 9.0)], INK, 0.5);
            canvas.text((1.0, 9.0), Anchor::Start, INK, "θ = π");
        });
        assert!(file.starts_with(b"%PDF-") && file.ends_with(b"%%EOF"));
        for part in ["/MediaBox [0 0 252.28", "/FontFile2", "/ToUnicode", "ASYTFG+Ubuntu-Light", "/ca 0.5"] {
            assert!(holds(&file, part), "{part} in {}", String::from_utf8_lossy(&file));
        }
        assert!((1000..40_000).contains(&file.len()), "the font is embedded in part: {} bytes", file.len());
        assert!(!holds(&drawn(|canvas| canvas.rectangle([0.0, 0.0, 9.0, 9.0], INK, 1.0)), "/FontFile2"));
    }
}
