//! Angles: in radians, in degrees, and hyperbolic ones.

use super::{
    float,
    powers::{of_float, of_floats},
};
use crate::{
    functions::{Function, Overload},
    pgtype::FLOAT8,
};

/// Makes a function of one double for each line.
macro_rules! of_angles {
    ($($constant:ident $name:literal $purpose:literal $example:literal $shows:literal $compute:expr;)*) => {
        $(
            pub(super) static $constant: Function = Function {
                name: $name,
                purpose: $purpose,
                example: $example,
                shows: $shows,
                overloads: &[Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, $compute))],
            };
        )*
    };
}

pub(super) static PI: Function = Function {
    name: "pi",
    purpose: "The circumference of a circle whose diameter is 1",
    example: "pi()",
    shows: "3.141592653589793",
    overloads: &[Overload::new(&[], FLOAT8, |call| call.float8_of(|_| Ok(Some(std::f64::consts::PI))))],
};

pub(super) static ATAN2: Function = Function {
    name: "atan2",
    purpose: "The angle of a point, whose second coordinate comes first, in radians",
    example: "atan2(1::float8, 2::float8)",
    shows: "0.4636476090008061",
    overloads: &[Overload::new(&[FLOAT8, FLOAT8], FLOAT8, |call| of_floats(call, |y, x| Ok(y.atan2(x))))],
};

pub(super) static ATAN2D: Function = Function {
    name: "atan2d",
    purpose: "The angle of a point, whose second coordinate comes first, in degrees",
    example: "atan2d(1::float8, 2::float8)",
    shows: "26.565051177077986",
    overloads: &[Overload::new(&[FLOAT8, FLOAT8], FLOAT8, |call| of_floats(call, |y, x| Ok(float::atan2d(y, x))))],
};

of_angles! {
    DEGREES "degrees" "Radians in degrees" "degrees(0.5::float8)" "28.64788975654116" float::degrees;
    RADIANS "radians" "Degrees in radians" "radians(45.0::float8)" "0.7853981633974483" float::radians;
    SIN "sin" "The sine of radians" "sin(1::float8)" "0.8414709848078965" |angle| float::of_angle(angle, f64::sin);
    COS "cos" "The cosine of radians" "cos(1::float8)" "0.5403023058681398" |angle| float::of_angle(angle, f64::cos);
    TAN "tan" "The tangent of radians" "tan(1::float8)" "1.5574077246549023" |angle| float::of_angle(angle, f64::tan);
    COT "cot" "The cotangent of radians" "cot(0.5::float8)" "1.830487721712452" |angle| float::of_angle(angle, float::cot);
    ASIN "asin" "The angle of a sine in radians" "asin(0.5::float8)" "0.5235987755982989" |sine| float::of_ratio(sine, f64::asin);
    ACOS "acos" "The angle of a cosine in radians" "acos(0.5::float8)" "1.0471975511965979" |cosine| float::of_ratio(cosine, f64::acos);
    ATAN "atan" "The angle of a tangent in radians" "atan(1::float8)" "0.7853981633974483" |tangent| Ok(tangent.atan());
    SIND "sind" "The sine of degrees" "sind(30::float8)" "0.5" |angle| float::of_angle(angle, float::sind);
    COSD "cosd" "The cosine of degrees" "cosd(60::float8)" "0.5" |angle| float::of_angle(angle, float::cosd);
    TAND "tand" "The tangent of degrees" "tand(22.5::float8)" "0.41421356237309515" |angle| float::of_angle(angle, float::tand);
    COTD "cotd" "The cotangent of degrees" "cotd(67.5::float8)" "0.41421356237309515" |angle| float::of_angle(angle, float::cotd);
    ASIND "asind" "The angle of a sine in degrees" "asind(0.25::float8)" "14.477512185929923" |sine| float::of_ratio(sine, float::asind);
    ACOSD "acosd" "The angle of a cosine in degrees" "acosd(0.25::float8)" "75.52248781407008" |cosine| float::of_ratio(cosine, float::acosd);
    ATAND "atand" "The angle of a tangent in degrees" "atand(0.25::float8)" "14.036243467926479" |tangent| Ok(float::atand(tangent));
    SINH "sinh" "The hyperbolic sine" "sinh(1::float8)" "1.1752011936438014" |angle| Ok(angle.sinh());
    COSH "cosh" "The hyperbolic cosine" "cosh(1::float8)" "1.5430806348152437" |angle| Ok(angle.cosh());
    TANH "tanh" "The hyperbolic tangent" "tanh(1::float8)" "0.7615941559557649" |angle| Ok(angle.tanh());
    ASINH "asinh" "The inverse of the hyperbolic sine" "asinh(1::float8)" "0.881373587019543" |sine| Ok(float::asinh(sine));
    ACOSH "acosh" "The inverse of the hyperbolic cosine" "acosh(2::float8)" "1.3169578969248166" float::acosh;
    ATANH "atanh" "The inverse of the hyperbolic tangent" "atanh(0.5::float8)" "0.5493061443340548" float::atanh;
}
