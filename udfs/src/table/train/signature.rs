//! What planning needs to know of a model that was just trained.

use arrow::datatypes::{DataType, Schema};
use fusewire_learn::{Column, Model, Role, TargetKind, encode::Encoding};

use crate::{
    error::{Error, Result},
    frame::trained_type,
    models::{ColumnRole, ColumnSignature, Signature, TargetSignature},
};

/// The signature of a model trained on rows of this schema.
pub(super) fn signature(model: &Model, schema: &Schema) -> Result<Signature> {
    let target = match model.target() {
        Some(target) => Some(TargetSignature {
            name: target.name.clone(),
            data_type: data_type(schema, &target.name)?,
            classes: classes(&target.kind),
        }),
        None => None,
    };
    let columns = model.columns().iter().map(|column| column_signature(column, schema)).collect::<Result<_>>()?;
    Ok(Signature { objective: model.objective().name().into(), target, columns })
}

fn column_signature(column: &Column, schema: &Schema) -> Result<ColumnSignature> {
    Ok(ColumnSignature {
        name: column.name.clone(),
        data_type: data_type(schema, &column.name)?,
        role: match column.role {
            Role::User => ColumnRole::User,
            Role::Item => ColumnRole::Item,
            Role::UserFeature => ColumnRole::UserFeature,
            Role::ItemFeature => ColumnRole::ItemFeature,
            Role::Context => ColumnRole::Context,
        },
        encoding: column.encoding.kind().into(),
        levels: column.dictionary().map(|dictionary| dictionary.len() as u64),
        nulls: match column.encoding {
            Encoding::Category { null, .. }
            | Encoding::Number { null, .. }
            | Encoding::Timestamp { null, .. }
            | Encoding::Vector { null, .. } => null,
            Encoding::Bag { .. } | Encoding::Text { .. } => false,
        },
        unseen_rows: column.unseen_rows,
    })
}

fn classes(kind: &TargetKind) -> Vec<String> {
    match kind {
        TargetKind::Number { .. } => Vec::new(),
        TargetKind::Boolean => vec!["false".into(), "true".into()],
        TargetKind::Integer => vec!["0".into(), "1".into()],
        TargetKind::Text(classes) => classes.to_vec(),
    }
}

fn data_type(schema: &Schema, column: &str) -> Result<DataType> {
    let field = schema.field_with_name(column).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(trained_type(field.data_type()))
}
