//! Pairs of tables as people have them: what is taken, what is doubted, and what is refused.

use super::super::label_column::TargetColumns;
use super::*;
use tempfile::TempDir;

fn folder(train: &str, test: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.csv"), train).unwrap();
    std::fs::write(folder.path().join("test.csv"), test).unwrap();
    folder
}

fn labelled(train: &str, test: &str, label: &str) -> Dataset {
    read("mine", folder(train, test).path(), None, Wanted::Classes(Some(&label.parse().unwrap()))).unwrap()
}

fn plain(train: &str, test: &str) -> Dataset {
    read("mine", folder(train, test).path(), None, Wanted::Classes(None)).unwrap()
}

fn refused(train: &str, test: &str) -> String {
    read("mine", folder(train, test).path(), None, Wanted::Classes(None)).unwrap_err().to_string()
}

#[track_caller]
fn doubted(set: &Dataset, parts: &[&str]) {
    let found = set.notes.iter().any(|note| parts.iter().all(|part| note.contains(part)));
    assert!(found, "no note about {parts:?}: {:#?}", set.notes);
}

/// Two classes, no column that counts or never varies.
const GOOD: &str = "0.5,1,0\n2,0.25,1\n0.75,3,0\n1.5,2,1\n";

#[test]
fn the_two_tables_must_fit_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write("train.csv", "1,2,0\n3,4,2\n");
    assert!(!is_in(folder.path()));
    write("test.csv", "5,6,1\n");
    assert!(is_in(folder.path()));
    let set = read("mine", folder.path(), None, Wanted::Classes(None)).unwrap();
    assert_eq!((set.classes, set.width(), set.train.len(), set.test.len()), (3, 2, 2, 1));
    assert!(
        read("mine", folder.path(), Some(2), Wanted::Classes(None)).unwrap_err().to_string().contains("train sample 1")
    );
    write("test.csv", "5,6,3\n");
    assert!(
        read("mine", folder.path(), None, Wanted::Classes(None)).unwrap_err().to_string().contains("test sample 0")
    );
    write("test.csv", "5,1\n");
    assert!(
        read("mine", folder.path(), None, Wanted::Classes(None)).unwrap_err().to_string().contains("expected 2, got 1")
    );
}

#[test]
fn a_table_without_oddities_is_not_doubted_and_its_layout_is_said() {
    let set = plain(GOOD, GOOD);
    assert_eq!(set.notes, [""; 0]);
    assert_eq!(
        set.note.unwrap(),
        "the first line of train.csv is a sample; column 2, the last, holds the classes; columns are separated by commas"
    );
    let headed = plain(&format!("a,b,kind\n{GOOD}"), &format!("a,b,kind\n{GOOD}"));
    assert_eq!((headed.notes, headed.train), (vec![], set.train));
    assert!(headed.note.unwrap().contains("is a heading; column 2 ('kind'), the last,"));
}

#[test]
fn a_heading_of_bare_numbers_is_not_learned_from() {
    let set = plain(&format!("0,1,2\n{GOOD}"), &format!("0,1,2\n{GOOD}"));
    assert_eq!((set.train.len(), set.test.len(), set.classes), (4, 4, 2));
    doubted(&set, &["train.csv", "0, 1, 2", "taken for a heading"]);
    let doubtful = plain(&format!("1,2,3\n{}", GOOD.replace('.', "")), GOOD);
    assert_eq!(doubtful.train.len(), 5);
    doubted(&doubtful, &["1, 2, 3", "taken for a sample"]);
}

#[test]
fn classes_in_the_first_column_are_doubted_and_can_be_named() {
    let kaggle = "label,pixel0,pixel1\n3,9,0\n0,1,0\n1,7,0\n2,5,0\n1,2,0\n2,8,0\n3,3,0\n0,4,0\n";
    let set = plain(kaggle, kaggle);
    doubted(&set, &["column 0 is called 'label'", "`label-column` 0"]);
    let headless = kaggle.split_once('\n').unwrap().1;
    doubted(&plain(headless, headless), &["first does (4 of them)", "`label-column` first"]);
    for label in ["label", "0", "first"] {
        let set = labelled(kaggle, kaggle, label);
        assert_eq!(
            (set.classes, &set.train.labels[..3], &*set.train.row(0).unwrap()),
            (4, &[3, 0, 1][..], &[9., 0.][..])
        );
        assert!(!set.notes.iter().any(|note| note.contains("label-column")), "{:?}", set.notes);
    }
}

#[test]
fn a_column_of_pandas_that_numbers_the_samples_is_doubted() {
    let rows: Vec<&str> = GOOD.lines().collect();
    let numbered = |start: usize| -> String {
        rows.iter().enumerate().map(|(row, line)| format!("{},{line}\n", row + start)).collect()
    };
    for start in [0, 1] {
        let table = format!(",a,b,kind\n{}", numbered(start));
        doubted(&plain(&table, &table), &["column 0 numbers the samples", "index=False"]);
    }
    // with a heading of bare numbers besides, and for a split that was shuffled
    let table = format!(",0,1,2\n{}", numbered(0));
    let set = plain(&table, &table);
    assert_eq!(set.train.len(), 4);
    doubted(&set, &["column 0 numbers the samples"]);
    let shuffled = "Unnamed: 0,a,kind\n17,0.5,0\n4,0.25,1\n99,2,0\n12,3,1\n";
    doubted(&plain(shuffled, shuffled), &["column 0 ('Unnamed: 0') numbers the samples"]);
}

#[test]
fn gaps_in_the_classes_one_class_and_constant_columns_are_doubted() {
    let from_one = GOOD.replace(",1\n", ",2\n").replace(",0\n", ",1\n");
    let set = plain(&from_one, &from_one);
    assert_eq!(set.classes, 3);
    doubted(&set, &["1 of 3 classes", "no training sample: 0"]);
    let one = GOOD.replace(",1\n", ",0\n");
    doubted(&plain(&one, &one), &["all training samples are of class 0"]);
    let constant = GOOD.replace(",1,", ",2,").replace("0.25", "2").replace(",3,", ",2,");
    doubted(&plain(&constant, &constant), &["1 of 2 features never vary", "column 1"]);
    doubted(&plain(GOOD, "0.5,1,0\n"), &["1 of 2 classes have training samples and no test sample: 1"]);
    let continuous: String = (0..20).map(|row| format!("{},{}\n", row % 3, row * 7 % 20)).collect();
    doubted(&plain(&continuous, &continuous), &["20 training samples are of 20 classes"]);
}

#[test]
fn words_are_classes_in_the_order_of_the_alphabet() {
    let train = "a,b,species\n1,2,virginica\n2,5,setosa\n3,7,versicolor\n4,1,setosa\n";
    let set = plain(train, "a,b,species\n1,2,setosa\n5,6,virginica\n0,0,versicolor\n");
    assert_eq!(set.class_names.as_ref().unwrap()[..], ["setosa", "versicolor", "virginica"]);
    assert_eq!((&set.train.labels[..], &set.test.labels[..]), (&[2, 0, 1, 0][..], &[0, 2, 1][..]));
    assert_eq!((set.class_name(1), set.class_name(7)), ("versicolor".to_string(), "7".to_string()));
    let error = refused(train, "a,b,species\n1,2,seposa\n");
    assert!(error.contains("test.csv") && error.contains("'seposa'") && error.contains("'setosa'"), "{error}");
    let error = refused(train, "a,b,species\n1,2,0\n");
    assert!(error.contains("classes are numbers, those of train.csv words"), "{error}");
}

#[test]
fn tables_with_different_columns_are_refused_or_doubted() {
    let train = "a,b,kind\n1.5,2,0\n2,5,1\n";
    let error = refused(train, "b,a,kind\n1,2,0\n");
    assert!(error.contains("test.csv") && error.contains("'b' stands in the place of 'a'"), "{error}");
    let error = refused(train, "kind,a,b\n0,1,2\n");
    assert!(error.contains("in another order"), "{error}");
    let error = refused("a,b,c,kind\n1.5,2,7,0\n2,5,8,1\n", "a,b,c\n1,2,3\n");
    assert!(error.contains("needs its classes"), "{error}");
    doubted(&plain(train, "a,c,kind\n1,2,0\n"), &["column 'b' of train.csv is 'c' in test.csv"]);
    doubted(&plain(train, "1,2.5,0\n"), &["train.csv has a heading, test.csv has none"]);
    // by name, the column may stand elsewhere, and must be there
    let set = labelled(train, "kind,a,b\n1,1.5,2\n", "kind");
    assert_eq!((&*set.test.row(0).unwrap(), &set.test.labels[..]), (&[1.5, 2.][..], &[1][..]));
    let kaggle = folder("label,a,b\n0,1,2\n1,3,4\n", "a,b\n1,2\n");
    let error =
        read("mine", kaggle.path(), None, Wanted::Classes(Some(&"label".parse().unwrap()))).unwrap_err().to_string();
    assert!(error.contains("test.csv") && error.contains("no column is called 'label'"), "{error}");
}

#[test]
fn more_classes_than_samples_could_teach_are_refused() {
    let error = refused("0.5,1\n0.25,65535\n", "0.5,1\n");
    assert!(error.contains("train.csv: label 65535 makes 65536 classes, but there are 2 training samples"), "{error}");
    let error = refused("0.5,1\n0.25,1024\n", "0.5,1\n");
    assert!(error.contains("1025 classes"), "{error}");
    assert_eq!(plain("0.5,1\n0.25,1023\n", "0.5,1\n").classes, 1024);
    let many: String = (0..3000).map(|row| format!("0.{row},{row}\n")).collect();
    assert_eq!(plain(&many, &many).classes, 3000);
}

fn real(train: &str, test: &str, columns: &str) -> Result<Dataset> {
    let columns: Vec<String> = columns.split(',').map(String::from).collect();
    read("mine", folder(train, test).path(), None, Wanted::Real(&TargetColumns::new(&columns).unwrap()))
}

#[test]
fn columns_of_real_targets_are_no_features_and_stand_in_the_order_that_was_asked_for() {
    let table = "y,a,z,b\n0.5,1,-2,3\n1.5,4,0.25,6\n-1e-3,7,8,9.5\n";
    let set = real(table, "y,a,z,b\n1,2,3,4\n", "z,y").unwrap();
    assert_eq!((set.train.width, set.outputs(), set.classes, set.train.len()), (2, 2, 0, 3));
    assert_eq!(set.train.features.held(), [1., 3., 4., 6., 7., 9.5]);
    assert_eq!(set.train.real.as_ref().unwrap().values, [-2., 0.5, 0.25, 1.5, 8., -1e-3]);
    assert_eq!(set.test.real.as_ref().unwrap().values, [3., 1.]);
    assert!(set.note.as_ref().unwrap().contains("columns 0, 2 hold real targets"), "{:?}", set.note);
    // without a heading, by index; the first line is a sample
    let plain = real("0.5,1,-2,3\n1.5,4,0.25,6\n-1e-3,7,8,9.5\n", "1,2,3,4\n", "2,0").unwrap();
    assert_eq!((plain.train, plain.test), (set.train, set.test));
}

#[test]
fn real_targets_that_make_no_sense_are_refused_with_their_line_and_doubtful_ones_noted() {
    let refused = |train: &str, columns: &str| real(train, train, columns).unwrap_err().to_string();
    assert!(refused("a,y\n1,2\n3,inf\n", "y").contains("line 3: column 2: 'inf'"));
    assert!(refused("a,y\n1,2\n3,\n", "y").contains("line 3: column 2: ''"));
    assert!(refused("a,y\n1,2\n", "y,1").contains("`target-columns` names column 1 twice"));
    assert!(refused("a,y\n1,2\n", "0,1").contains("all columns are targets"));
    assert!(refused("a,y\n1,2\n", "7").contains("no column 7 for `target-columns`"));
    let lacking = real("a,b,y\n1,2,3\n", "a,b\n1,2\n", "2").unwrap_err().to_string();
    assert!(lacking.contains("`target-columns`"), "{lacking}");
    let set = real("a,y,z\n1,2,5\n3,2,6\n", "a,y,z\n1,2,5\n", "y,z").unwrap();
    doubted(&set, &["target 0 never varies"]);
    let set = real("a,y\n1.5,0\n3,1\n2.5,0\n0.5,1\n", "a,y\n1,0\n", "y").unwrap();
    doubted(&set, &["looks like classes", "`label-column`"]);
}
