// C [rows, columns] = A B of strided views, over the inner indices first..last; with `add`, on top of what C holds, so that a long
// inner index can be taken in parts.
// Afterwards: 0 nothing, 1 adds extra[extra_offset + column], 2 multiplies by extra[extra_offset + row columns + column].

struct MatrixProduct {
    rows: u32,
    columns: u32,
    first: u32,
    last: u32,
    a_row: u32,
    a_column: u32,
    b_row: u32,
    b_column: u32,
    c_offset: u32,
    extra_offset: u32,
    afterwards: u32,
    add: u32,
}

@group(0) @binding(0) var<uniform> parameters: MatrixProduct;
