//! The names of months and weekdays, and what else stands in dates as words.

pub(super) static MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) static SHORT_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) static DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) static SHORT_DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// From December on, so that of those that begin alike the longest is found first.
pub(super) static ROMAN_MONTHS: [&str; 12] = ["XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"];

/// The first of each is 0, the second 1.
pub(super) fn eras(is_dotted: bool) -> [&'static str; 2] {
    if is_dotted { ["A.D.", "B.C."] } else { ["AD", "BC"] }
}

pub(super) fn noons(is_dotted: bool) -> [&'static str; 2] {
    if is_dotted { ["A.M.", "P.M."] } else { ["AM", "PM"] }
}
