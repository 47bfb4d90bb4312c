//! Single files and folders of one's own, through the door that everybody takes.

use super::super::source::{Choices, Source, open, open_chosen};
use super::super::{SampleLimits, Scale};
use super::*;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(file, text)| std::fs::write(folder.path().join(file), text).unwrap());
    folder
}

fn opened(folder: &TempDir, file: &str) -> Result<Dataset> {
    open(folder.path().join(file).to_str().unwrap(), &Source::default())
}

/// Ten samples of two classes.
fn flowers(separator: &str, comma: bool) -> String {
    let row = |k: usize| {
        let number = |value: f64| if comma { format!("{value:.2}").replace('.', ",") } else { format!("{value:.2}") };
        [number(k as f64 * 1.25 + 0.5), number((k * k % 7) as f64 + 0.75), ["rose", "lily"][k % 2].into()]
            .join(separator)
    };
    format!("{}\n", ["length", "width", "kind"].join(separator)) + &(0..10).map(|k| row(k) + "\n").collect::<String>()
}

#[test]
fn one_table_makes_the_same_two_parts_whatever_separates_its_columns() {
    let files = [
        ("comma.csv", flowers(",", false), "commas"),
        ("semicolon.csv", flowers(";", false), "semicolons"),
        ("european.csv", flowers(";", true), "semicolons, with decimal commas"),
        ("tab.tsv", flowers("\t", false), "tabs"),
        ("tabbed.TXT", flowers("\t", true), "tabs, with decimal commas"),
        ("blanks.txt", flowers("   ", false), "blanks"),
    ];
    let folder = folder(&files.each_ref().map(|(file, text, _)| (*file, &text[..])));
    let expected = opened(&folder, "comma.csv").unwrap();
    assert_eq!((expected.train.class_counts(2), expected.test.class_counts(2)), (vec![4; 2], vec![1; 2]));
    assert_eq!(
        (&expected.name[..], &expected.class_names.as_ref().unwrap()[..]),
        ("comma", &["lily".into(), "rose".into()][..])
    );
    for (file, _, separated) in files {
        let set = opened(&folder, file).unwrap();
        assert_eq!((&set.train, &set.test, &set.notes), (&expected.train, &expected.test, &Vec::new()), "{file}");
        let note = set.note.unwrap();
        let said = format!(
            "the first line of {file} is a heading; column 2 ('kind'), the last, holds the classes; columns are separated by \
             {separated}; split 0.8, as nothing else is said: 8 training and 2 test samples, of every class its share"
        );
        assert_eq!(note, said);
    }
}

#[test]
fn a_comma_that_may_separate_thousands_is_refused_unless_another_number_tells() {
    let rows = |numbers: [&str; 4]| numbers.map(|number| format!("{number};2;0\n{number};3;1\n")).concat();
    let [thousands, mixed, clear] = [["1,250"; 4], ["1,250", "1,5", "2.5", "3"], ["1,250", "1,5", "2", "3"]].map(rows);
    let folder = folder(&[("thousands.csv", &thousands), ("mixed.csv", &mixed), ("clear.csv", &clear)]);
    let error = opened(&folder, "thousands.csv").unwrap_err().to_string();
    assert!(
        error.contains("'1,250' may have a decimal comma or one that separates thousands; write decimal points"),
        "{error}"
    );
    let error = opened(&folder, "mixed.csv").unwrap_err().to_string();
    assert!(error.contains("has a comma, and one of line 5 has a decimal point"), "{error}");
    assert!(opened(&folder, "clear.csv").unwrap().train.features.held().contains(&1.25));
}

#[test]
fn a_test_table_is_read_as_its_training_table_was() {
    let folder = folder(&[("train.csv", "1,5;2;0\n3,5;4;1\n"), ("test.csv", "1,250;2;0\n")]);
    let set = open(folder.path().to_str().unwrap(), &Source::default()).unwrap();
    assert_eq!(set.test.features.held(), [1.25, 2.0]);
}

#[test]
fn complex_numbers_of_python_and_matlab_are_fields() {
    let text = "a,b,kind\n1+2j,3,0\n(0.5-1j),2j,1\n1 - 2i,-1i,0\n4,5,1\n";
    let folder = folder(&[("fields.csv", text)]);
    let set = opened(&folder, "fields.csv").unwrap();
    assert!(set.is_complex() && set.note.as_ref().unwrap().contains("features are complex"), "{:?}", set.note);
    let rows: Vec<_> =
        (0..set.train.len()).map(|k| set.train.row(k).unwrap()).chain([set.test.row(0).unwrap()]).collect();
    for row in [[1., 2., 3., 0.], [0.5, -1., 0., 2.], [1., -2., 0., -1.], [4., 0., 5., 0.]] {
        assert!(rows.iter().any(|own| **own == row), "{row:?} in {rows:?}");
    }
    // one part real, the other complex: both are complex
    let both = super::tests::folder(&[("train.csv", "1+1j,2,0\n1,1,1\n"), ("test.csv", "3,4,1\n")]);
    let set = open(both.path().to_str().unwrap(), &Source::default()).unwrap();
    assert_eq!((set.test.complex, set.test.features.held()), (true, &[3., 0., 4., 0.][..]));
    let targets = super::super::TargetColumns::new(&["b".to_string()]).unwrap();
    let choices = Choices { targets: Some(&targets), ..Choices::default() };
    let path = folder.path().join("fields.csv");
    let error = open_chosen(path.to_str().unwrap(), &Source::default(), &choices).unwrap_err().to_string();
    assert!(error.contains("line 3: column 2: '2j' is complex, and targets are real"), "{error}");
}

#[test]
fn samples_that_are_in_both_parts_are_noted() {
    let repeated = "1,2,0\n3,4,1\n".repeat(5);
    let folder = folder(&[("twins.csv", &repeated)]);
    let set = opened(&folder, "twins.csv").unwrap();
    assert!(
        set.notes.iter().any(|note| note.starts_with("2 of 2 test samples have the very features")),
        "{:?}",
        set.notes
    );
}

#[test]
fn a_split_is_for_samples_in_one_piece_and_limits_come_after_it() {
    let folder = folder(&[
        ("own.csv", &flowers(",", false)),
        ("train.csv", &flowers(",", false)),
        ("test.csv", &flowers(",", false)),
    ]);
    let choices = Choices { split: Some("0.5:3".parse().unwrap()), ..Choices::default() };
    let chosen = |path: &str| open_chosen(path, &Source::default(), &choices);
    let whole = folder.path().join("own.csv");
    let set = chosen(whole.to_str().unwrap()).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (5, 5));
    let limits = SampleLimits { train: Some(3), test: Some(2) };
    let some = set.clone().prepared(limits, Scale::Unit).unwrap();
    let plain = set.prepared(limits, Scale::None).unwrap();
    assert_eq!((some.train.len(), &some.train.labels), (3, &plain.train.labels));
    assert_eq!(
        some.train.features.held().iter().copied().fold(0.0, f32::max),
        1.0,
        "the three that train are measured"
    );
    for path in ["iris", folder.path().to_str().unwrap()] {
        let error = chosen(path).unwrap_err().to_string();
        assert!(error.starts_with("split = 0.5:3") && error.contains("of its own"), "{error}");
    }
    // called like a part, with the other one beside it
    let part = opened(&folder, "train.csv").unwrap();
    assert!(part.notes.iter().any(|note| note.starts_with("test.csv lies beside train.csv")), "{:?}", part.notes);
}

#[test]
fn files_of_other_kinds_are_named_and_what_is_not_there_is_no_path() {
    let folder = folder(&[("notes.md", "x"), ("x.npy", "")]);
    let error = opened(&folder, "notes.md").unwrap_err().to_string();
    assert!(error.contains("ends with 'md'") && error.contains("csv, tsv, txt"), "{error}");
    assert!(is_path("x.npy,y.npy") && !is_path("x.npy,y.csv") && !is_path("no-such-file.csv"));
    assert!(ends_like_a_file("a/b.CSV") && !ends_like_a_file("iris"));
    let empty = open(folder.path().to_str().unwrap(), &Source::default()).unwrap_err().to_string();
    assert!(empty.contains("train.csv and test.csv") && empty.contains("x_train.npy"), "{empty}");
}
