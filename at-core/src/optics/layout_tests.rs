use super::*;

fn refused(mesh: Result<Mesh>) -> String {
    mesh.unwrap_err().to_string()
}

#[test]
fn shapes_have_their_columns() {
    let butterfly = Mesh::butterfly(8).unwrap();
    assert_eq!(butterfly.die_columns()[1], [[0, 2], [1, 3], [4, 6], [5, 7]]);
    assert_eq!((butterfly.columns().len(), butterfly.mzis()), (3, 12));
    let strides = |mesh: &Mesh| mesh.die_columns().iter().map(|column| column[0][1] - column[0][0]).collect::<Vec<_>>();
    assert_eq!(strides(&butterfly), [1, 2, 4]);
    assert_eq!(strides(&Mesh::benes(8).unwrap()), [4, 2, 1, 2, 4]);
    assert_eq!(strides(&Mesh::benes(2).unwrap()), [1]);
    let diamond = Mesh::diamond(6).unwrap();
    let rows: Vec<Vec<usize>> =
        diamond.die_columns().iter().map(|column| column.iter().map(|pair| pair[0]).collect()).collect();
    assert_eq!(rows, [vec![2], vec![1, 3], vec![0, 2, 4], vec![1, 3], vec![2]]);
    assert_eq!(Mesh::diamond(2).unwrap().mzis(), 1);
    for layout in NAMED {
        assert_eq!(Layout::named(layout.name()), Some(layout));
        assert_eq!(Mesh::universal(16, layout).unwrap().layout(), layout);
    }
}

#[test]
fn what_is_no_shape_says_what_would_fit() {
    for mesh in [Mesh::butterfly(12), Mesh::benes(12)] {
        assert!(refused(mesh).contains("has 2^k modes; use 8 or 16"));
    }
    assert!(refused(Mesh::diamond(7)).contains("use 6 or 8"));
    assert!(refused(Mesh::universal(4, Layout::Custom)).contains("columns have to be told"));
    for mesh in [Mesh::butterfly(1), Mesh::benes(0), Mesh::diamond(0)] {
        assert!(refused(mesh).starts_with("modes = "));
    }
    for (columns, parts) in [
        (vec![], &["depth = 0", "1 to"][..]),
        (vec![vec![]], &["column 0", "joins no modes"]),
        (vec![vec![[0, 1]], vec![[2, 4]]], &["2-4 in column 1", "no mode 4", "modes 0 to 3"]),
        (vec![vec![[1, 1]]], &["1-1 in column 0", "these are one"]),
        (vec![vec![[3, 1]]], &["3-1 in column 0", "first: 1-3"]),
        (vec![vec![[0, 1], [1, 2]]], &["1-2 in column 0", "mode 1 is joined twice"]),
    ] {
        let said = refused(Mesh::of_columns(4, &columns));
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    assert!(Mesh::of_columns(4, &[vec![[0, 1], [2, 3]], vec![[1, 2]], vec![[0, 3]]]).is_ok());
}

/// Counted pair by pair, and by hand for a butterfly of four.
#[test]
fn waveguides_cross_as_often_as_their_order_changes() {
    let four = Mesh::butterfly(4).unwrap();
    assert_eq!(standing_order(&four), [[0, 1, 2, 3], [0, 2, 1, 3]]);
    assert_eq!(crossings(&four), [0, 1, 1, 0, 0, 0, 0, 0]);
    let dies = four.on_dies(2).unwrap();
    assert_eq!(crossings(&dies)[..8], [0, 1, 1, 0, 0, 1, 1, 0]);
    assert!(crossings(&Mesh::rectangular(5).unwrap()).iter().all(|&count| count == 0));
    let places = [5, 2, 7, 0, 6, 1, 4, 3];
    let expected: Vec<u32> =
        (0..8).map(|k| (0..8).filter(|&j| (j < k) != (places[j] < places[k]) && j != k).count() as u32).collect();
    assert_eq!(inversions(&places), expected);
    let odd = Mesh::of_columns(5, &[vec![[0, 4]], vec![[1, 2]]]).unwrap();
    assert_eq!(standing_order(&odd)[0], [0, 4, 1, 2, 3]);
    assert_eq!(crossings(&odd), [0, 1, 1, 1, 3, 0, 0, 0, 0, 0]);
}

#[test]
fn columns_are_read_as_they_are_written() {
    let columns = vec![vec![[0, 1], [2, 13]], vec![[1, 2]]];
    assert_eq!(columns_text(&columns), "0-1.2-13/1-2");
    assert_eq!(columns_of("0-1.2-13/1-2").unwrap(), columns);
    for (text, part) in
        [("", "column 0"), ("0-1/2", "column 1: \"2\""), ("0-1..2-3", "\"\""), ("0-x", "\"0-x\""), ("0-1/", "column 1")]
    {
        let said = columns_of(text).unwrap_err().to_string().replace(" (", ": ");
        assert!(said.contains(part.split(':').next().unwrap()), "{text}: {said}");
    }
}

/// The lower half of a diamond holds a triangular mesh.
#[test]
fn a_diamond_holds_a_triangular_mesh() {
    let (diamond, triangle) = (Mesh::diamond(10).unwrap(), Mesh::triangular(6).unwrap());
    assert_eq!(diamond.columns().len(), triangle.columns().len());
    let has = |column: usize, row: usize| diamond.die_columns()[column].iter().any(|pair| pair[0] == row);
    assert!(triangle.positions().all(|(column, [row, _])| has(column, row + 4)));
}
