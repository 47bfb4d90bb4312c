//! Every kind of picture once, in every format: what can be measured of them is measured here, and people look at the rest
//! (`make gallery`).

use crate::asyt::Bench;
use resvg::usvg::{Group, Node, Options, Rect, Text, Tree, fontdb};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FORMATS: [&str; 4] = ["--figures", "svg,png,pdf", "--figure-width", "89mm"];

/// One column of a journal (points), and in pixels at 600 dpi.
const COLUMN: f64 = 89.0 * 72.0 / 25.4;
const PIXELS: u32 = 2103;

/// Texts may come as near as this (points): their boxes are those of their ink.
const TOUCH: f32 = 0.2;

/// A text in a picture: what it says, and where its ink is (points).
struct Ink {
    says: String,
    place: Rect,
}

/// Commands that draw, each into a folder of its own.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let words = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
    let bank = "--dataset iris --network bank:in-6-out --batch-size 10 --engine cpu --quiet";
    let mesh = "--dataset iris --network mesh:4x2 --chip silicon --batch-size 10 --engine cpu --quiet";
    let of = |start: &'static str, rest: &'static str| [words(start), words(rest)].concat();
    vec![
        ("train", of("train --method at-adaptive,in-silico,pat,spsa,ideal --epochs 40 --out train", mesh)),
        ("digits", words("train --train-limit 300 --test-limit 100 --epochs 15 --engine cpu --quiet --out digits")),
        ("compare", of("compare --chips 3 --epochs 25 --method at,pat,in-silico,dfa,ideal --out compare", bank)),
        (
            "sweep",
            of(
                "sweep --chips 2 --epochs 5 --method at,in-silico,ideal --vary response-offset=0,0.4,0.8,1.6 --out sweep",
                bank,
            ),
        ),
        (
            "words",
            of(
                "sweep --chips 2 --epochs 5 --method at,ideal --vary network=bank:in-3-out,bank:in-12-out,bank:in-12-12-out --out words",
                bank,
            ),
        ),
        (
            "scale",
            words("scale --engine cpu --modes 4,8,16 --layers 1 --batch 8 --repeats 2 --warm-up 1 --quiet --out scale"),
        ),
        ("pat-toy", words("reproduce pat-toy --quiet --out pat-toy")),
        ("fig6", words("reproduce fig6 --quiet --out fig6")),
    ]
}

fn pictures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pictures(&path, found);
        } else if path.extension().is_some_and(|end| end == "svg") {
            found.push(path);
        }
    }
    found.sort();
}

/// A picture understood with the program's font.
fn understood(svg: &str) -> Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let options = Options { font_family: "Ubuntu".to_string(), fontdb: Arc::new(fonts), ..Options::default() };
    Tree::from_str(svg, &options).unwrap()
}

fn texts(group: &Group, scale: f32, found: &mut Vec<Ink>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, scale, found),
            Node::Text(text) => found.push(ink(text, scale)),
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

fn ink(text: &Text, scale: f32) -> Ink {
    let says = text.chunks().iter().map(|chunk| chunk.text()).collect();
    let own = text.flattened().abs_bounding_box();
    let sides = [own.left(), own.top(), own.right(), own.bottom()].map(|side| scale * side);
    Ink { says, place: Rect::from_ltrb(sides[0], sides[1], sides[2], sides[3]).unwrap() }
}

/// The faults of a picture that can be measured.
fn faults(svg: &str) -> Vec<String> {
    let tree = understood(svg);
    let scale = COLUMN as f32 / tree.size().width();
    let mut all = Vec::new();
    texts(tree.root(), scale, &mut all);
    let (width, height) = (scale * tree.size().width(), scale * tree.size().height());
    let mut faults = Vec::new();
    for (index, Ink { says, place }) in all.iter().enumerate() {
        if place.left() < 0.0 || place.top() < 0.0 || place.right() > width || place.bottom() > height {
            faults.push(format!("{says:?} leaves the picture"));
        }
        for Ink { says: other, place: theirs } in &all[..index] {
            let across = place.right().min(theirs.right()) - place.left().max(theirs.left());
            let down = place.bottom().min(theirs.bottom()) - place.top().max(theirs.top());
            if across > TOUCH && down > TOUCH {
                faults.push(format!("{says:?} lies on {other:?}"));
            }
        }
    }
    if all.is_empty() {
        faults.push("it says nothing".to_string());
    }
    faults
}

/// Big-endian number at a place of a PNG file.
fn number(png: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(png[at..at + 4].try_into().unwrap())
}

fn check_png(png: &[u8]) {
    assert!(resvg::tiny_skia::Pixmap::decode_png(png).is_ok());
    let width = number(png, 16);
    assert!((PIXELS - 1..=PIXELS).contains(&width), "{width} pixels");
    let density = png.windows(4).position(|window| window == b"pHYs").unwrap();
    assert_eq!((number(png, density + 4), number(png, density + 8)), (23622, 23622), "600 dpi");
}

/// Objects lie where the table of a PDF file says, the page is a column wide, and every font is embedded.
fn check_pdf(pdf: &[u8]) {
    let text = String::from_utf8_lossy(pdf);
    assert!(text.starts_with("%PDF-") && text.trim_end().ends_with("%%EOF"));
    let place = |from: &str| pdf.windows(from.len()).rposition(|window| window == from.as_bytes()).unwrap();
    let start: usize = text[text.rfind("startxref").unwrap() + 9..].split_whitespace().next().unwrap().parse().unwrap();
    assert_eq!(start, place("\nxref\n") + 1);
    let table = std::str::from_utf8(&pdf[start..place("trailer")]).unwrap();
    for (index, line) in table.lines().skip(3).filter(|line| line.trim_end().ends_with('n')).enumerate() {
        let offset: usize = line[..10].parse().unwrap();
        assert!(pdf[offset..].starts_with(format!("{} 0 obj", index + 1).as_bytes()), "object {}", index + 1);
    }
    assert!(text.contains("/MediaBox [0 0 252.28"), "the page is 89 mm wide");
    let count = |part: &str| text.matches(part).count();
    assert!(count("/FontFile2") == 1 && count("/FontDescriptor ") >= 1, "one font, embedded");
}

#[test]
fn no_text_of_any_picture_lies_on_another_one_or_leaves_it() {
    let bench = Bench::new();
    for (name, words) in commands() {
        let ended = bench.run(words.into_iter().chain(FORMATS));
        assert!(matches!(ended.code, Some(0)), "{name}: {ended:#?}");
    }
    let served = "chip serve --quiet --dataset iris --network mesh:4x2 --chip silicon --engine cpu";
    let command = format!("'{}' {served}", assert_cmd::cargo::cargo_bin!("asyt").display());
    let outside = "train --dataset iris --network mesh:4x2 --chip silicon --batch-size 10 --engine cpu --quiet \
                   --method at-adaptive --epochs 40 --out outside --chip-command";
    bench.run(outside.split_whitespace().chain([command.as_str()]).chain(FORMATS)).done();
    for run in ["train", "digits", "compare", "sweep", "outside"] {
        bench.run(["report", run, "--quiet"].into_iter().chain(FORMATS)).done();
    }
    bench
        .run(["report", "train", "digits", "compare", "--out", "several.html", "--quiet"].into_iter().chain(FORMATS))
        .done();
    let mut found = Vec::new();
    pictures(&bench.path(""), &mut found);
    assert!(found.len() > 60, "{} pictures", found.len());
    let mut wrong = Vec::new();
    for path in &found {
        let svg = std::fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(bench.path("")).unwrap().display().to_string();
        assert!(svg.contains("width=\"89.000mm\""), "{name}");
        wrong.extend(faults(&svg).into_iter().map(|fault| format!("{name}: {fault}")));
        check_png(&std::fs::read(path.with_extension("png")).unwrap());
        check_pdf(&std::fs::read(path.with_extension("pdf")).unwrap());
    }
    if let Some(folder) = std::env::var_os("AT_GALLERY") {
        for path in &found {
            let name = path.strip_prefix(bench.path("")).unwrap().display().to_string().replace(['/', '\\'], "-");
            for end in ["svg", "png", "pdf"] {
                let to = Path::new(&folder).join(&name).with_extension(end);
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::copy(path.with_extension(end), to).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_measure_of_a_picture_finds_texts_that_meet() {
    let svg = |second: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"89mm\" height=\"20mm\" viewBox=\"0 0 252.28 57\" font-size=\"7.5\">\
             <text x=\"10\" y=\"20\">accuracy</text><text {second}>epoch</text></svg>"
        )
    };
    assert_eq!(faults(&svg("x=\"60\" y=\"20\"")), [""; 0]);
    assert_eq!(faults(&svg("x=\"20\" y=\"22\"")), ["\"epoch\" lies on \"accuracy\""]);
    assert_eq!(faults(&svg("x=\"245\" y=\"20\"")), ["\"epoch\" leaves the picture"]);
}

#[test]
fn a_width_that_is_none_is_refused_before_anything_runs() {
    let bench = Bench::new();
    for (width, part) in [("89", "as 89mm"), ("1mm", "50mm to 500mm"), ("x", "as 89mm")] {
        let ended = bench.run(["train", "--figure-width", width]);
        assert!(ended.code == Some(2) && ended.stderr.contains(part), "{ended:#?}");
    }
    let ended = bench.run(["train", "--figures", "svg,gif"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("svg, png, pdf"), "{ended:#?}");
    assert!(!bench.path("runs").exists());
}
