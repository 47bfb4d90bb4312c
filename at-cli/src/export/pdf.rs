//! Pictures as PDF: the paths and texts of an understood SVG picture, with the letters that they use of the font embedded.
//!
//! Of what SVG can say, this is what [`super::canvas`] says: filled and stroked paths of one colour, and texts. Anything else is an error.

use super::font;
use super::sheet::Sheet;
use anyhow::{Result, anyhow, bail, ensure};
use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use resvg::tiny_skia::{PathSegment, Transform};
use resvg::usvg::{Fill, FillRule, Group, LineJoin, Node, Paint, Path, Stroke, Text, Tree};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use subsetter::GlyphRemapper;

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

/// One page of the width of its sheet, as a PDF file.
pub fn pdf(tree: &Tree, sheet: Sheet) -> Result<Vec<u8>> {
    let size = tree.size();
    let scale = sheet.width / f64::from(size.width());
    let (width, height) = (sheet.width as f32, (scale * f64::from(size.height())) as f32);
    let mut page = PageContent {
        content: Content::new(),
        remapper: GlyphRemapper::new(),
        letters: BTreeMap::new(),
        opacities: BTreeSet::new(),
    };
    page.content.transform([scale as f32, 0.0, 0.0, -scale as f32, 0.0, height]);
    page.group(tree.root())?;

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
    /// The text that a letter of the embedded part stands for.
    letters: BTreeMap<u16, String>,
    /// Opacities in thousandths.
    opacities: BTreeSet<u16>,
}

impl PageContent {
    fn group(&mut self, group: &Group) -> Result<()> {
        ensure!(!group.should_isolate(), "a group that is blended, clipped or masked has no way into a PDF file");
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group)?,
                Node::Path(path) => self.path(path)?,
                Node::Text(text) => self.text(text)?,
                Node::Image(_) => bail!("an image has no way into a PDF file"),
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &Path) -> Result<()> {
        self.content.save_state();
        self.content.transform(numbers(path.abs_transform()));
        if let Some(fill) = path.fill() {
            self.fill(fill)?;
            self.outline(path);
            match fill.rule() {
                FillRule::NonZero => self.content.fill_nonzero(),
                FillRule::EvenOdd => self.content.fill_even_odd(),
            };
        }
        if let Some(stroke) = path.stroke() {
            self.stroke(stroke)?;
            self.outline(path);
            self.content.stroke();
        }
        self.content.restore_state();
        Ok(())
    }

    fn outline(&mut self, path: &Path) {
        let mut last = (0.0, 0.0);
        for segment in path.data().segments() {
            match segment {
                PathSegment::MoveTo(to) => {
                    self.content.move_to(to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::LineTo(to) => {
                    self.content.line_to(to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::QuadTo(by, to) => {
                    let third = |end: f32, by: f32| (end + 2.0 * by) / 3.0;
                    let (x, y) = last;
                    let (first, second) = ((third(x, by.x), third(y, by.y)), (third(to.x, by.x), third(to.y, by.y)));
                    self.content.cubic_to(first.0, first.1, second.0, second.1, to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::CubicTo(first, second, to) => {
                    self.content.cubic_to(first.x, first.y, second.x, second.y, to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::Close => {
                    self.content.close_path();
                }
            }
        }
    }

    fn fill(&mut self, fill: &Fill) -> Result<()> {
        let [red, green, blue] = colour(fill.paint())?;
        self.content.set_fill_rgb(red, green, blue);
        self.opacity(fill.opacity().get());
        Ok(())
    }

    fn stroke(&mut self, stroke: &Stroke) -> Result<()> {
        let [red, green, blue] = colour(stroke.paint())?;
        self.content.set_stroke_rgb(red, green, blue).set_line_width(stroke.width().get());
        self.content.set_line_join(match stroke.linejoin() {
            LineJoin::Round => LineJoinStyle::RoundJoin,
            LineJoin::Bevel => LineJoinStyle::BevelJoin,
            LineJoin::Miter | LineJoin::MiterClip => LineJoinStyle::MiterJoin,
        });
        if let Some(dashes) = stroke.dasharray() {
            self.content.set_dash_pattern(dashes.iter().copied(), stroke.dashoffset());
        }
        self.opacity(stroke.opacity().get());
        Ok(())
    }

    fn opacity(&mut self, opacity: f32) {
        if opacity < 1.0 {
            let thousandths = (1000.0 * opacity).round() as u16;
            self.opacities.insert(thousandths);
            self.content.set_parameters(Name(opacity_name(thousandths).as_bytes()));
        }
    }

    /// Every letter where it was laid out, of size 1 and enlarged.
    fn text(&mut self, text: &Text) -> Result<()> {
        let own = FontRef::new(font::file()).map_err(|error| anyhow!("the font: {error}"))?;
        let units = f32::from(own.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        for span in text.layouted().iter().filter(|span| span.visible) {
            let Some(fill) = &span.fill else { continue };
            self.content.save_state();
            self.fill(fill)?;
            self.content.transform(numbers(text.abs_transform()));
            self.content.begin_text().set_font(OWN, 1.0);
            for glyph in &span.positioned_glyphs {
                let old = u16::try_from(glyph.id.0)?;
                let own = self.remapper.remap(old);
                self.letters.entry(own).or_insert_with(|| glyph.text.clone());
                let place = glyph.outline_transform().pre_scale(units, units);
                self.content.set_text_matrix(numbers(place)).show(Str(&own.to_be_bytes()));
            }
            self.content.end_text().restore_state();
        }
        Ok(())
    }
}

fn colour(paint: &Paint) -> Result<[f32; 3]> {
    match paint {
        Paint::Color(colour) => Ok([colour.red, colour.green, colour.blue].map(|part| f32::from(part) / 255.0)),
        Paint::LinearGradient(_) | Paint::RadialGradient(_) | Paint::Pattern(_) => {
            bail!("a gradient or a pattern has no way into a PDF file")
        }
    }
}

fn numbers(transform: Transform) -> [f32; 6] {
    [transform.sx, transform.ky, transform.kx, transform.sy, transform.tx, transform.ty]
}

/// Writes the part of the font that the letters need.
fn embed(pdf: &mut Pdf, remapper: &GlyphRemapper, letters: &BTreeMap<u16, String>) -> Result<()> {
    let font = FontRef::new(font::file()).map_err(|error| anyhow!("the font: {error}"))?;
    let metrics = font.metrics(Size::new(1000.0), LocationRef::default());
    let glyphs = font.glyph_metrics(Size::new(1000.0), LocationRef::default());

    pdf.type0_font(FONT)
        .base_font(PART)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(LETTERS)
        .to_unicode(MEANINGS);
    let mut own = pdf.cid_font(LETTERS);
    own.subtype(CidFontType::Type2).base_font(PART).system_info(IDENTITY).font_descriptor(DESCRIPTOR);
    own.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    let width = |old: u16| glyphs.advance_width(skrifa::GlyphId::new(u32::from(old))).unwrap_or_default();
    own.widths().consecutive(0, remapper.remapped_gids().map(width));
    own.finish();
    let bounds = metrics.bounds.map_or([0.0; 4], |bounds| [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]);
    pdf.font_descriptor(DESCRIPTOR)
        .name(PART)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(bounds[0], bounds[1], bounds[2], bounds[3]))
        .italic_angle(0.0)
        .ascent(metrics.ascent)
        .descent(metrics.descent)
        .cap_height(metrics.cap_height.unwrap_or(metrics.ascent))
        .stem_v(70.0)
        .font_file2(FONT_FILE);
    let part = subsetter::subset(font::file(), 0, remapper).map_err(|error| anyhow!("the font: {error}"))?;
    pdf.stream(FONT_FILE, &packed(&part)?).filter(Filter::FlateDecode).pair(Name(b"Length1"), part.len() as i32);
    let mut meanings = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
    for (&letter, text) in letters.iter().filter(|(_, text)| !text.is_empty()) {
        meanings.pair_with_multiple(letter, text.chars());
    }
    pdf.cmap(MEANINGS, &meanings.finish().into_vec());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::picture::tree;
    use super::*;

    fn drawn(inside: &str) -> Result<Vec<u8>> {
        let head = r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" font-size="8">"#;
        pdf(&tree(&format!("{head}{inside}</svg>"))?, "89mm".parse()?)
    }

    fn holds(file: &[u8], part: &str) -> bool {
        file.windows(part.len()).any(|window| window == part.as_bytes())
    }

    #[test]
    fn a_page_has_the_width_of_its_sheet_and_its_font_inside() {
        let file =
            drawn(r#"<path d="M0 0L9 9" stroke="red" fill-opacity="0.5"/><text x="1" y="9">θ = π</text>"#).unwrap();
        assert!(file.starts_with(b"%PDF-") && file.ends_with(b"%%EOF"));
        for part in ["/MediaBox [0 0 252.28", "/FontFile2", "/ToUnicode", "ASYTFG+Ubuntu-Light", "/ca 0.5"] {
            assert!(holds(&file, part), "{part} in {}", String::from_utf8_lossy(&file));
        }
        assert!((1000..40_000).contains(&file.len()), "the font is embedded in part: {} bytes", file.len());
        assert!(!holds(&drawn("<path d=\"M0 0h9v9z\"/>").unwrap(), "/FontFile2"));
    }

    #[test]
    fn what_cannot_be_written_is_refused_and_not_left_out() {
        let gradient =
            r##"<linearGradient id="g"><stop offset="0"/><stop offset="1" stop-color="red"/></linearGradient>"##;
        let filled = format!(r##"{gradient}<rect width="9" height="9" fill="url(#g)"/>"##);
        assert!(drawn(&filled).unwrap_err().to_string().contains("gradient"));
        let faded = r#"<g opacity="0.5"><rect width="9" height="9"/><rect width="5" height="5"/></g>"#;
        assert!(drawn(faded).unwrap_err().to_string().contains("blended"));
    }
}
