//! What tables are read, and which are refused.

use super::*;
use proptest::prelude::*;

fn read_text(text: &str) -> Result<Table> {
    parse(text.as_bytes(), Path::new("some.csv"), Wanted::Classes(None), None)
}

fn numbers(table: &Table) -> &[u32] {
    match &table.labels {
        Labels::Numbers(labels) => labels,
        Labels::Words(names, _) => panic!("words {names:?}"),
        Labels::Real(values) => panic!("real {values:?}"),
    }
}

#[test]
fn heading_byte_order_mark_and_line_ends_do_not_matter() {
    let plain = read_text("1.5,-2,0\n3,4e-1,1\n").unwrap();
    assert_eq!((&plain.features[..], plain.width, numbers(&plain)), (&[1.5, -2., 3., 0.4][..], 2, &[0, 1][..]));
    for text in ["\u{feff}1.5,-2,0\r\n3,4e-1,1", "x,y,class\n1.5, -2 ,0\r\n\r\n\"3\",.4,1.0\n"] {
        let table = read_text(text).unwrap();
        assert_eq!((table.features, table.labels), (plain.features.clone(), plain.labels.clone()));
    }
}

#[test]
fn broken_tables_say_in_which_line() {
    let cases = [
        ("", "no sample"),
        ("x,y,class\n", "no sample"),
        ("x,y\nz,w\n", "line 2: column 1: 'z'"),
        ("1,2,0\n1,nan,0\n", "line 2: column 2: 'nan'"),
        ("1,2,0\r\n1,2,0\r\n1,x,0\r\n", "line 3: column 2: 'x'"),
        ("1,2,0\n\n1,1e39,0\n", "line 3: column 2: '1e39'"),
        ("1,2,0\n1,,0\n", "line 2: column 2: ''"),
        ("1,2,0\n1,2\n", "line 2: 2 columns, expected 3"),
        ("0\n", "line 1: one column"),
        ("1;2,5;0\n1;2.5;0\n", "line 1: the number '2,5' has a comma, and one of line 2 has a decimal point"),
        ("1;1,234;0\n1;2,500;0\n", "line 2: '2,500' may have"),
        ("1,2,0.5\n", "class '0.5'"),
        ("1,2,-1\n", "class '-1'"),
        ("1,2,65536\n", "class '65536'"),
        ("1,2,\n1,2,3\n", "there is no class"),
        ("1.5,2,a\n1.5,2,3\n", "line 1: column 3: class 'a' is of another kind"),
        ("1,2,a\n1,2,a\n1,2,0\n", "line 3: column 3: class '0' is of another kind"),
        ("id,5.1,2,0\n1,2,3,0\n", "line 1: column 1: 'id'"),
    ];
    for (text, message) in cases {
        let error = read_text(text).unwrap_err().to_string();
        assert!(error.starts_with("some.csv: ") && error.contains(message), "{error} is not about {message}");
    }
    let latin =
        parse(b"1,2,caf\xe9\n1,2,tea\n", Path::new("some.csv"), Wanted::Classes(None), None).unwrap_err().to_string();
    assert!(latin.contains("UTF-8"), "{latin}");
}

#[test]
fn classes_that_stand_first_are_hinted_at_where_the_last_column_has_none() {
    for text in ["0,0.5,0.25\n1,0.5,0.75\n0,1,0.5\n", "cat,1,0\ndog,1,0\n", "label,a,b\ncat,1,0\n"] {
        let error = read_text(text).unwrap_err().to_string();
        assert!(error.contains("`label-column` first"), "{error}");
        let first =
            parse(text.as_bytes(), Path::new("some.csv"), Wanted::Classes(Some(&LabelColumn::First)), None).unwrap();
        assert_eq!((first.label, first.width), (0, 2));
    }
    assert!(!read_text("0.5,1,0.5\n0.5,1,0.25\n").unwrap_err().to_string().contains("`label-column`"));
}

#[test]
fn a_heading_of_bare_numbers_is_no_sample() {
    let table = read_text("0,1,2,3\n5,6,7,0\n8,9,7,1\n").unwrap();
    assert_eq!((table.first_line, table.len()), (FirstLine::ProbablyHeading, 2));
    let sample = read_text("0,1,1,3\n5,6,7,0\n8,9,7,1\n").unwrap();
    assert_eq!((sample.len(), &sample.features[..3], numbers(&sample)), (3, &[0., 1., 1.][..], &[3, 0, 1][..]));
    // the second table of a set follows the first
    let like = |text: &str, like: &Table| {
        parse(text.as_bytes(), Path::new("t"), Wanted::Classes(None), Some(like)).unwrap().len()
    };
    assert_eq!(like("0,1,2,3\n", &sample), 1);
    assert_eq!(like("0,1,2,3\n5,6,7,0\n", &table), 1);
    assert_eq!(like("0,1,2,3\n5,6,7,0\n", &sample), 2);
}

#[test]
fn words_are_classes_and_may_stand_in_quotes() {
    let table = read_text("5.1,\"1.5\",\"a, \"\"b\"\"\"\n4,2,c\n3,1,\"a, \"\"b\"\"\"\n").unwrap();
    let words = Labels::Words(vec!["c".into(), "a, \"b\"".into()], vec![1, 0, 1]);
    assert_eq!((table.labels, table.width), (words, 2));
}

#[test]
fn a_column_in_the_middle_can_hold_the_classes() {
    let name = LabelColumn::Name("kind".into());
    let table = parse(b"x,kind,y\n1,3,2\n4,0,5\n", Path::new("t"), Wanted::Classes(Some(&name)), None).unwrap();
    assert_eq!((&table.features[..], numbers(&table)), (&[1., 2., 4., 5.][..], &[3, 0][..]));
    assert_eq!([table.column(0), table.column(1)], [0, 2]);
    assert_eq!((table.name(2), table.label), (Some("y"), 1));
}

proptest! {
    #[test]
    fn tables_read_back(rows in prop::collection::vec((-1e30f32..1e30, -1f32..1.0, 0u32..65536), 1..20)) {
        let text: String = rows.iter().map(|(x, y, label)| format!("{x},{y},{label}\n")).collect();
        let table = read_text(&text).unwrap();
        prop_assert_eq!(&table.features, &rows.iter().flat_map(|&(x, y, _)| [x, y]).collect::<Vec<_>>());
        prop_assert_eq!(numbers(&table), rows.iter().map(|&(.., label)| label).collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[0-2,.e\n\"x-]{0,60}", index in 0usize..4) {
        let labels = [LabelColumn::First, LabelColumn::Index(index), LabelColumn::Name("x".into())];
        let targets = [&["first", "1"][..], &["x"]].map(|texts| TargetColumns::new(&texts.iter().map(|text| text.to_string()).collect::<Vec<_>>()).unwrap());
        let classes = labels.iter().map(|label| Wanted::Classes(Some(label)));
        for wanted in classes.chain([Wanted::Classes(None)]).chain(targets.iter().map(Wanted::Real)) {
            let train = parse(&bytes, Path::new("some.csv"), wanted, None).ok();
            let _ = parse(text.as_bytes(), Path::new("some.csv"), wanted, train.as_ref());
            let _ = parse(text.as_bytes(), Path::new("some.csv"), wanted, None);
        }
    }
}
