//! Arrays, which are lists, and with several dimensions lists of lists.

mod append;
mod compare;
mod contain;
mod dimensions;
mod fill;
mod lists;
mod matching;
mod position;
mod remove;
mod split;
mod subscript;
mod text;
mod trim;

use super::Function;

pub(super) use self::lists::{Builder, Lists, comparing};
pub(crate) use self::{
    append::{ARRAY_APPEND, ARRAY_CAT, ARRAY_PREPEND},
    compare::{ARRAY_EQ, ARRAY_GE, ARRAY_GT, ARRAY_LE, ARRAY_LT, ARRAY_NE},
    contain::{ARRAYCONTAINED, ARRAYCONTAINS, ARRAYOVERLAP},
    lists::comparable,
    matching::{ARRAY_ACCUMULATED, ARRAY_MATCHING},
    subscript::{ARRAY_PART, ARRAY_SUBSCRIPT},
};

pub(super) const ROOM: &[&Function] = &[
    &ARRAY_APPEND,
    &ARRAY_PREPEND,
    &ARRAY_CAT,
    &dimensions::ARRAY_DIMS,
    &dimensions::ARRAY_NDIMS,
    &dimensions::ARRAY_LENGTH,
    &dimensions::ARRAY_LOWER,
    &dimensions::ARRAY_UPPER,
    &dimensions::CARDINALITY,
    &dimensions::GENERATE_SUBSCRIPTS,
    &fill::ARRAY_FILL,
    &position::ARRAY_POSITION,
    &position::ARRAY_POSITIONS,
    &remove::ARRAY_REMOVE,
    &remove::ARRAY_REPLACE,
    &text::ARRAY_TO_STRING,
    &text::STRING_JOINED,
    &split::STRING_TO_ARRAY,
    &trim::TRIM_ARRAY,
    &ARRAY_EQ,
    &ARRAY_NE,
    &ARRAY_LT,
    &ARRAY_LE,
    &ARRAY_GT,
    &ARRAY_GE,
    &ARRAYCONTAINS,
    &ARRAYCONTAINED,
    &ARRAYOVERLAP,
    &ARRAY_SUBSCRIPT,
    &ARRAY_PART,
    &ARRAY_MATCHING,
    &ARRAY_ACCUMULATED,
];
