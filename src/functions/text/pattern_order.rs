//! `~<~`, `~<=~`, `~>~` and `~>=~`: texts in the order of their bytes, whatever the collation; blanks at the end of a `char(n)` do
//! not count.

use std::cmp::Ordering;

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{BOOL, BPCHAR, TEXT},
};

/// Makes an operator of each line.
macro_rules! orders {
    ($($constant:ident $name:literal $purpose:literal $example:literal $shows:literal $is:path;)*) => {
        $(
            pub(super) static $constant: Function = Function {
                name: $name,
                purpose: $purpose,
                example: $example,
                shows: $shows,
                overloads: &[
                    Overload::new(&[TEXT, TEXT], BOOL, |call| compared(call, $is, |text| text)),
                    Overload::new(&[BPCHAR, BPCHAR], BOOL, |call| compared(call, $is, unpadded)),
                ],
            };
        )*
    };
}

orders! {
    BEFORE "~<~" "Whether the bytes of a text come before those of another" "'a' ~<~ 'b'" "true" Ordering::is_lt;
    NOT_AFTER "~<=~" "Whether the bytes of a text do not come after those of another" "'b' ~<=~ 'a'" "false" Ordering::is_le;
    AFTER "~>~" "Whether the bytes of a text come after those of another" "'a' ~>~ 'b'" "false" Ordering::is_gt;
    NOT_BEFORE "~>=~" "Whether the bytes of a text do not come before those of another" "'b' ~>=~ 'a'" "true" Ordering::is_ge;
}

fn unpadded(text: &str) -> &str {
    text.trim_end_matches(' ')
}

fn compared(call: &Call<'_>, is: fn(Ordering) -> bool, counted: fn(&str) -> &str) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    call.boolean_of(|row| Ok(Some(is(counted(left.value(row)).cmp(counted(right.value(row)))))))
}
