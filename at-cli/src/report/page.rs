//! The HTML around texts, tables and pictures: one file, nothing fetched, legible on a phone.

use crate::export::canvas::escape;
use crate::export::figures::Figures;
use crate::export::heat_map::HeatMap;
use crate::export::marks::Picture;
use crate::export::picture::{self, Format};
use crate::export::sheet::Sheet;
use anyhow::{Context, Result};
use at_core::files;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A page in the making. Every picture on it is also a file of its own.
pub struct Page {
    title: String,
    body: String,
    pictures: PathBuf,
    figures: Figures,
    names: Vec<String>,
    files: Vec<String>,
    notes: Vec<String>,
}

impl Page {
    /// An empty page; `pictures` is the folder of its pictures, which are drawn as `figures` says.
    pub fn new(title: &str, pictures: PathBuf, figures: Figures) -> Self {
        Page {
            title: title.to_string(),
            body: String::new(),
            pictures,
            figures,
            names: Vec::new(),
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The sheet of its pictures.
    pub fn sheet(&self) -> Sheet {
        self.figures.sheet
    }

    /// A heading of level 1 to 4.
    pub fn heading(&mut self, level: usize, text: &str) {
        let _ = writeln!(self.body, "<h{level}>{}</h{level}>", escape(text));
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escape(text));
    }

    /// A paragraph about something that is not as it should be.
    pub fn warning(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p class=\"warning\">{}</p>", escape(text));
    }

    /// Names and values.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        self.body += "<table class=\"facts\">\n";
        for (name, value) in facts.iter().filter(|fact| !fact.1.is_empty()) {
            let _ = writeln!(self.body, "<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value));
        }
        self.body += "</table>\n";
    }

    /// A table; the first column names the rows, the others are numbers.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
            cells.map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect::<String>()
        };
        let _ = writeln!(
            self.body,
            "<div class=\"wide\"><table class=\"numbers\"><thead><tr>{}</tr></thead><tbody>",
            cells("th", &mut head.iter().copied())
        );
        for row in rows {
            let _ = writeln!(self.body, "<tr>{}</tr>", cells("td", &mut row.iter().map(String::as_str)));
        }
        self.body += "</tbody></table></div>\n";
    }

    /// Begins a row of figures that stand side by side where there is room.
    pub fn begin_figures(&mut self) {
        self.body += "<div class=\"figures\">\n";
    }

    /// Ends it.
    pub fn end_figures(&mut self) {
        self.body += "</div>\n";
    }

    /// Begins a frame around what belongs together.
    pub fn begin_frame(&mut self) {
        self.body += "<div class=\"frame\">\n";
    }

    /// Ends it.
    pub fn end_frame(&mut self) {
        self.body += "</div>\n";
    }

    /// A picture with a caption; also written as files.
    pub fn figure(&mut self, name: &str, picture: &Picture, caption: &str) -> Result<()> {
        let name = if self.names.iter().any(|other| other == name) {
            format!("{name}-{}", self.names.len())
        } else {
            name.to_string()
        };
        files::create_folders(&self.pictures).with_context(|| format!("cannot create {}", self.pictures.display()))?;
        self.files.extend(picture::write(&self.pictures, &name, picture, &self.figures)?);
        let _ = writeln!(
            self.body,
            "<figure role=\"img\" aria-label=\"{0}\">{1}<figcaption>{0}</figcaption></figure>",
            escape(caption),
            picture.svg()
        );
        self.names.push(name);
        Ok(())
    }

    /// A heat map with a caption, drawn in fewer cells where it has too many, which is said then.
    pub fn map(&mut self, name: &str, map: HeatMap, caption: &str) -> Result<()> {
        let (rows, columns, before) = (map.rows, map.columns, map.block);
        let map = map.drawable();
        if map.block > before {
            let block = map.block / before;
            self.note(format!("{name}: {rows} × {columns} cells are drawn in squares of {block} × {block}"));
        }
        self.figure(name, &map.picture(self.sheet()), caption)
    }

    /// Something that is shown otherwise than one expects: a paragraph here, and among [`Page::notes`].
    pub fn note(&mut self, text: String) {
        self.warning(&text);
        self.notes.push(text);
    }

    /// All that was noted.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A long text that opens on demand.
    pub fn details(&mut self, summary: &str, text: &str) {
        let _ =
            writeln!(self.body, "<details><summary>{}</summary><pre>{}</pre></details>", escape(summary), escape(text));
    }

    /// The folder of the pictures, and how many there are.
    pub fn pictures(&self) -> (&Path, usize) {
        (&self.pictures, self.names.len())
    }

    /// The whole page.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style></head>\n<body>\n<main>\n{}\
             <footer>asyt {}; everything on this page is in this one file</footer>\n</main>\n{WRITTEN}{}{END}\n</body></html>\n",
            self.body,
            env!("CARGO_PKG_VERSION"),
            self.files.join(" ")
        )
    }

    /// Removes the pictures beside this page that its `earlier` text says it wrote, and that it writes no more.
    pub fn remove_others(&self, earlier: &str) -> Result<()> {
        let listed = earlier.rsplit_once(WRITTEN).and_then(|(_, rest)| rest.split_once(END));
        let own = |file: &&str| {
            let extension = Path::new(file).extension().and_then(|own| own.to_str());
            let picture = extension.is_some_and(|own| Format::ALL.iter().any(|format| format.extension() == own));
            picture && !file.starts_with('.') && !file.contains(['/', '\\', ':'])
        };
        let gone = listed.map(|(files, _)| files.split(' ').filter(own)).into_iter().flatten();
        for file in gone.filter(|file| !self.files.iter().any(|kept| kept == file)) {
            let path = self.pictures.join(file);
            if path.symlink_metadata().is_ok_and(|entry| entry.is_file()) {
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// Around the names of the files of a page's pictures, at its end.
const WRITTEN: &str = "<!-- pictures: ";
const END: &str = " -->";

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::canvas::Canvas;

    #[test]
    fn texts_are_escaped_and_pictures_become_files() {
        let folder = tempfile::tempdir().unwrap();
        let figures = Figures { sheet: Sheet::default(), formats: vec![Format::Svg, Format::Png] };
        let mut page = Page::new("a & b", folder.path().join("pictures"), figures);
        page.paragraph("1 < 2");
        page.facts(&[("name", "\"x\"".to_string()), ("nothing", String::new())]);
        let picture = Canvas::new(4.0).finish(4.0, Sheet::default());
        page.figure("one", &picture, "first").unwrap();
        page.figure("one", &picture, "second").unwrap();
        let html = page.html();
        for part in ["<title>a &amp; b", "1 &lt; 2", "&quot;x&quot;", "<figcaption>second"] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("nothing"));
        for file in ["one.svg", "one.png", "one-1.svg"] {
            assert!(folder.path().join("pictures").join(file).exists(), "{file}");
        }
    }

    #[test]
    fn pictures_of_an_earlier_page_go_and_foreign_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = folder.path().join("pictures");
        let drawn = |names: &[&str]| {
            let figures = Figures { sheet: Sheet::default(), formats: vec![Format::Svg] };
            let mut page = Page::new("a", pictures.clone(), figures);
            names
                .iter()
                .for_each(|name| page.figure(name, &Canvas::new(4.0).finish(4.0, Sheet::default()), "").unwrap());
            page
        };
        let earlier = drawn(&["one", "two"]).html();
        for foreign in ["mine.svg", "three.txt", "../above.svg"] {
            std::fs::write(pictures.join(foreign), "").unwrap();
        }
        let page = drawn(&["two", "four"]);
        page.remove_others("a page of nobody knows what").unwrap();
        assert!(pictures.join("one.svg").exists());
        page.remove_others(&earlier).unwrap();
        page.remove_others(&earlier.replace("one.svg", "three.txt ../above.svg")).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(&pictures)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["four.svg", "mine.svg", "three.txt", "two.svg"]);
        assert!(folder.path().join("above.svg").exists());
    }
}
