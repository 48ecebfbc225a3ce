//! Models as bytes: little-endian, versioned, checked.
//!
//! ```text
//! magic "FUSELRN1" | version u32 | section… | checksum u64 of everything before
//! section: tag u32 | length u64 | payload
//! ```
//!
//! The sections come in a fixed order, and hold neither times nor durations nor SQL, so that equal models have equal
//! bytes. Reading trusts nothing: every length is compared with the bytes that are left before anything is allocated,
//! every index with what it points into, and [`Parts::check`] has the last word.

mod wire;

use std::sync::Arc;

use crate::{
    encode::Encoding,
    error::{Error, Result},
    factors::{Factors, Side, SideFactors},
    hash,
    model::{Column, FoldIn, HeldOutUsers, Model, Parts, Role, Target, TargetKind},
    options::Objective,
    sparse::Csr,
    table::Dictionary,
};
use wire::{Reader, Writer, fixed};

const MAGIC: &[u8; 8] = b"FUSELRN1";
const VERSION: u32 = 1;
/// The tags of the sections, in order.
const SECTIONS: [(u32, &str); 5] = [(1, "head"), (2, "columns"), (3, "factors"), (4, "sides"), (5, "seen")];

impl Model {
    /// The model as bytes: equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = &self.parts;
        let mut out = Writer(MAGIC.to_vec());
        out.u32(VERSION);
        for (tag, _) in SECTIONS {
            let mut section = Writer(Vec::new());
            match tag {
                1 => write_head(&mut section, parts),
                2 => section.list(&parts.columns, write_column),
                3 => write_factors(&mut section, &parts.factors),
                4 => [&parts.users, &parts.items].into_iter().for_each(|side| write_csr(&mut section, &side.features)),
                _ => write_seen(&mut section, parts),
            }
            out.u32(tag);
            out.u64(section.0.len() as u64);
            out.0.extend_from_slice(&section.0);
        }
        let checksum = hash::bytes(&out.0);
        out.u64(checksum);
        out.0
    }

    /// The model of these bytes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming what is wrong; no bytes make it panic or allocate more than a few times their length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { left: bytes, section: "head" };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(Error::Corrupt("the bytes are not a model: they do not start as one".into()));
        }
        let version = reader.u32()?;
        if version != VERSION {
            let problem =
                format!("the model has format version {version}, and this program reads {VERSION}; train it again");
            return Err(Error::Corrupt(problem));
        }
        let Some(end) = bytes.len().checked_sub(8).filter(|&end| end >= 12) else {
            return Err(Error::Corrupt("the model is cut short: its checksum is missing".into()));
        };
        let stated = bytes[end..].iter().rev().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        if stated != hash::bytes(&bytes[..end]) {
            return Err(Error::Corrupt("the model is cut short or altered: its checksum does not match".into()));
        }
        let mut left = &bytes[12..end];
        let mut sections = Vec::with_capacity(SECTIONS.len());
        for (tag, name) in SECTIONS {
            let mut reader = Reader { left, section: name };
            if reader.u32()? != tag {
                return Err(reader.corrupt("does not come where it should"));
            }
            let length = reader.length(1)?;
            let payload = reader.take(length)?;
            left = reader.left;
            sections.push(Reader { left: payload, section: name });
        }
        if !left.is_empty() {
            return Err(Error::Corrupt(format!("the model has {} bytes after its last section", left.len())));
        }
        let parts = read_parts(sections)?;
        parts.check().map_err(|problem| Error::Corrupt(format!("the model does not fit together: {problem}")))?;
        Ok(Self::checked(parts))
    }
}

fn read_parts(sections: Vec<Reader<'_>>) -> Result<Parts> {
    let Ok([mut head, mut columns, mut factors, mut sides, mut seen]) = <[Reader<'_>; 5]>::try_from(sections) else {
        return Err(Error::Corrupt("the model lacks a section".into()));
    };
    let objective = read_objective(&mut head)?;
    let target = head.option(read_target)?;
    let (rows, base) = (head.u64()?, head.f64()?);
    let fold_in = read_fold_in(&mut head)?;
    let side = |features: Csr, rows: usize| Side { entities: rows, features };
    let columns_read = columns.list(12, read_column)?;
    let factors_read = read_factors(&mut factors)?;
    let entities = [factors_read.user.biases.len(), factors_read.item.biases.len()];
    let users = side(read_csr(&mut sides)?, entities[0]);
    let items = side(read_csr(&mut sides)?, entities[1]);
    let pairs = read_csr(&mut seen)?;
    let seen_trained = seen.flags()?;
    let held_out_users = seen.option(|reader| {
        Ok(HeldOutUsers { dictionary: Arc::new(read_dictionary(reader)?), seen: read_csr(reader)? })
    })?;
    let item_rows = seen.array(4, |bytes| u32::from_le_bytes(fixed(bytes)))?;
    let item_means = seen.array(8, |bytes| f64::from_le_bytes(fixed(bytes)))?;
    for reader in [&head, &columns, &factors, &sides, &seen] {
        if !reader.left.is_empty() {
            return Err(reader.corrupt("is longer than its contents"));
        }
    }
    Ok(Parts {
        objective,
        target,
        columns: columns_read,
        factors: factors_read,
        users,
        items,
        seen: pairs,
        seen_trained,
        held_out_users,
        fold_in,
        item_rows,
        base,
        item_means,
        rows,
    })
}

fn write_head(out: &mut Writer, parts: &Parts) {
    out.u8(match parts.objective {
        Objective::Squared => 0,
        Objective::Logistic => 1,
        Objective::Implicit => 2,
    });
    out.option(&parts.target, |out, target| {
        out.text(&target.name);
        match &target.kind {
            TargetKind::Number { minimum, maximum } => {
                out.u8(0);
                out.f64(*minimum);
                out.f64(*maximum);
            }
            TargetKind::Boolean => out.u8(1),
            TargetKind::Text(classes) => {
                out.u8(2);
                classes.iter().for_each(|class| out.text(class));
            }
            TargetKind::Integer => out.u8(3),
        }
    });
    out.u64(parts.rows);
    out.f64(parts.base);
    match &parts.fold_in {
        FoldIn::None => out.u8(0),
        FoldIn::Squared { bias, vector } => {
            out.u8(1);
            out.f64(*bias);
            out.list(vector, |out, &value| out.f64(value));
        }
        FoldIn::Implicit { alpha, regularization, frequency_exponent, unobserved_weight } => {
            out.u8(2);
            [alpha, regularization, frequency_exponent, unobserved_weight]
                .into_iter()
                .for_each(|&value| out.f64(value));
        }
    }
}

fn read_objective(reader: &mut Reader<'_>) -> Result<Objective> {
    match reader.u8()? {
        0 => Ok(Objective::Squared),
        1 => Ok(Objective::Logistic),
        2 => Ok(Objective::Implicit),
        _ => Err(reader.corrupt("has an unknown objective")),
    }
}

fn read_target(reader: &mut Reader<'_>) -> Result<Target> {
    let name = reader.text()?;
    let kind = match reader.u8()? {
        0 => TargetKind::Number { minimum: reader.f64()?, maximum: reader.f64()? },
        1 => TargetKind::Boolean,
        2 => TargetKind::Text([reader.text()?, reader.text()?]),
        3 => TargetKind::Integer,
        _ => return Err(reader.corrupt("has an unknown kind of target")),
    };
    Ok(Target { name, kind })
}

fn read_fold_in(reader: &mut Reader<'_>) -> Result<FoldIn> {
    Ok(match reader.u8()? {
        0 => FoldIn::None,
        1 => {
            let bias = reader.ridge()?;
            FoldIn::Squared { bias, vector: reader.list(8, Reader::ridge)? }
        }
        2 => FoldIn::Implicit {
            alpha: reader.ridge()?,
            regularization: reader.ridge()?,
            frequency_exponent: reader.ridge()?,
            unobserved_weight: reader.ridge()?,
        },
        _ => return Err(reader.corrupt("has an unknown way to fold in users")),
    })
}

fn write_column(out: &mut Writer, column: &Column) {
    out.text(&column.name);
    out.u8(match column.role {
        Role::User => 0,
        Role::Item => 1,
        Role::UserFeature => 2,
        Role::ItemFeature => 3,
        Role::Context => 4,
    });
    out.u64(column.first_feature as u64);
    out.u64(column.unseen_rows);
    match &column.encoding {
        Encoding::Category { dictionary, null } => {
            out.u8(0);
            write_dictionary(out, dictionary);
            out.flag(*null);
        }
        Encoding::Number { mean, deviation, knots, null } => {
            out.u8(1);
            out.f64(*mean);
            out.f64(*deviation);
            out.list(knots, |out, &knot| out.f64(knot));
            out.flag(*null);
        }
        Encoding::Timestamp { mean, deviation, range, hours, null } => {
            out.u8(2);
            out.f64(*mean);
            out.f64(*deviation);
            out.u64(range.0 as u64);
            out.u64(range.1 as u64);
            out.flag(*hours);
            out.flag(*null);
        }
        Encoding::Bag { dictionary } => {
            out.u8(3);
            write_dictionary(out, dictionary);
        }
        Encoding::Vector { means, deviations, null } => {
            out.u8(4);
            out.f32s(means);
            out.f32s(deviations);
            out.flag(*null);
        }
        Encoding::Text { buckets } => {
            out.u8(5);
            out.u32(*buckets);
        }
    }
}

fn read_column(reader: &mut Reader<'_>) -> Result<Column> {
    let name = reader.text()?;
    let role = match reader.u8()? {
        0 => Role::User,
        1 => Role::Item,
        2 => Role::UserFeature,
        3 => Role::ItemFeature,
        4 => Role::Context,
        _ => return Err(reader.corrupt("has an unknown role")),
    };
    let first_feature = usize::try_from(reader.u64()?).map_err(|_| reader.corrupt("has a feature out of range"))?;
    let unseen_rows = reader.u64()?;
    let encoding = match reader.u8()? {
        0 => Encoding::Category { dictionary: Arc::new(read_dictionary(reader)?), null: reader.flag()? },
        1 => Encoding::Number {
            mean: reader.f64()?,
            deviation: reader.f64()?,
            knots: reader.list(8, Reader::f64)?,
            null: reader.flag()?,
        },
        2 => Encoding::Timestamp {
            mean: reader.f64()?,
            deviation: reader.f64()?,
            range: (reader.u64()? as i64, reader.u64()? as i64),
            hours: reader.flag()?,
            null: reader.flag()?,
        },
        3 => Encoding::Bag { dictionary: Arc::new(read_dictionary(reader)?) },
        4 => Encoding::Vector { means: reader.f32s()?, deviations: reader.f32s()?, null: reader.flag()? },
        5 => Encoding::Text { buckets: reader.u32()? },
        _ => return Err(reader.corrupt("has an unknown encoding")),
    };
    let sound = match &encoding {
        Encoding::Number { knots, .. } => !knots.is_empty() && knots.windows(2).all(|pair| pair[0] < pair[1]),
        Encoding::Timestamp { range, .. } => range.0 <= range.1,
        Encoding::Vector { means, deviations, .. } => {
            means.len() == deviations.len() && means.iter().chain(deviations).all(|number| number.is_finite())
        }
        Encoding::Text { buckets } => *buckets > 0,
        _ => true,
    };
    if !sound {
        return Err(reader.corrupt(&format!("has an encoding of {name} that cannot be")));
    }
    Ok(Column { name, role, encoding, first_feature, unseen_rows })
}

fn write_dictionary(out: &mut Writer, dictionary: &Dictionary) {
    match dictionary {
        Dictionary::Text(values) => {
            out.u8(0);
            out.list(values, |out, value| out.text(value));
        }
        Dictionary::Integer(values) => {
            out.u8(1);
            out.list(values, |out, &value| out.u64(value as u64));
        }
        Dictionary::Boolean => out.u8(2),
    }
}

fn read_dictionary(reader: &mut Reader<'_>) -> Result<Dictionary> {
    let dictionary = match reader.u8()? {
        0 => Dictionary::Text(reader.list(8, Reader::text)?),
        1 => Dictionary::Integer(reader.array(8, |bytes| i64::from_le_bytes(fixed(bytes)))?),
        2 => Dictionary::Boolean,
        _ => return Err(reader.corrupt("has a dictionary of an unknown type")),
    };
    if dictionary.is_sorted() { Ok(dictionary) } else { Err(reader.corrupt("has a dictionary that does not ascend")) }
}

fn write_factors(out: &mut Writer, factors: &Factors) {
    out.u64(factors.factors as u64);
    out.f64(factors.mean);
    for side in [&factors.user, &factors.item] {
        [&side.vectors, &side.biases, &side.feature_vectors, &side.feature_biases]
            .into_iter()
            .for_each(|values| out.f32s(values));
    }
    out.f32s(&factors.context_vectors);
    out.f32s(&factors.context_biases);
}

fn read_factors(reader: &mut Reader<'_>) -> Result<Factors> {
    let factors = usize::try_from(reader.u64()?).ok().filter(|&factors| factors <= 1 << 16);
    let factors = factors.ok_or_else(|| reader.corrupt("has more factors than any model"))?;
    let mean = reader.f64()?;
    let side = |reader: &mut Reader<'_>| -> Result<SideFactors> {
        Ok(SideFactors {
            vectors: reader.f32s()?,
            biases: reader.f32s()?,
            feature_vectors: reader.f32s()?,
            feature_biases: reader.f32s()?,
        })
    };
    let (user, item) = (side(reader)?, side(reader)?);
    Ok(Factors { factors, mean, user, item, context_vectors: reader.f32s()?, context_biases: reader.f32s()? })
}

fn write_seen(out: &mut Writer, parts: &Parts) {
    write_csr(out, &parts.seen);
    out.list(&parts.seen_trained, |out, &trained| out.flag(trained));
    out.option(&parts.held_out_users, |out, held_out| {
        write_dictionary(out, &held_out.dictionary);
        write_csr(out, &held_out.seen);
    });
    out.list(&parts.item_rows, |out, &rows| out.u32(rows));
    out.list(&parts.item_means, |out, &mean| out.f64(mean));
}

fn write_csr(out: &mut Writer, matrix: &Csr) {
    out.u64(matrix.columns as u64);
    out.list(&matrix.offsets, |out, &offset| out.u64(offset as u64));
    out.list(&matrix.indices, |out, &index| out.u32(index));
    out.f32s(&matrix.values);
}

fn read_csr(reader: &mut Reader<'_>) -> Result<Csr> {
    let columns = usize::try_from(reader.u64()?).map_err(|_| reader.corrupt("has a matrix out of range"))?;
    let offsets = reader.array(8, |bytes| usize::try_from(u64::from_le_bytes(fixed(bytes))).unwrap_or(usize::MAX))?;
    let indices = reader.array(4, |bytes| u32::from_le_bytes(fixed(bytes)))?;
    let values = reader.f32s()?;
    let starts = match (offsets.first(), offsets.last()) {
        (None, None) => indices.is_empty(),
        (Some(0), Some(&last)) => last == indices.len(),
        _ => false,
    };
    let sound = starts
        && indices.len() == values.len()
        && offsets.windows(2).all(|pair| pair[0] <= pair[1])
        && offsets.windows(2).all(|pair| indices[pair[0]..pair[1]].windows(2).all(|near| near[0] < near[1]))
        && indices.iter().all(|&index| (index as usize) < columns);
    if sound { Ok(Csr { offsets, indices, values, columns }) } else { Err(reader.corrupt("has a broken matrix")) }
}
