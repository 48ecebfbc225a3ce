//! Lists, objects and maps as those of another type, and as texts.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, MapArray, StructArray, new_null_array},
    compute::cast_with_options,
    datatypes::{DataType, FieldRef, Fields, Schema},
    error::ArrowError,
};

use super::{
    super::infer::{pair, positions},
    STRICT, check_times, whole, within,
};
use crate::print;

/// Structs with the fields of others. Fields are found as columns are.
pub(super) fn structs(stored: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let names: Vec<_> = stored.fields().iter().map(|field| field.name().as_str()).collect();
    let places = positions(&Schema::new(fields.clone()), &names);
    let places = places.map_err(|unclear| ArrowError::CastError(unclear.among_fields()))?;
    let columns =
        fields.iter().zip(places).map(|(field, place)| match place.and_then(|place| stored.columns().get(place)) {
            Some(column) => whole(column, field.data_type()).map_err(|error| within(error, field.name())),
            None => Ok(new_null_array(field.data_type(), stored.len())),
        });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, stored.nulls().cloned())?))
}

/// Maps whose keys and values are of other types.
pub(super) fn whole_map(map: &MapArray, entries: &FieldRef, ordered: bool) -> Result<ArrayRef, ArrowError> {
    let Some((key, value)) = pair(entries) else {
        return Err(ArrowError::CastError("a map without keys and values".to_owned()));
    };
    let columns = vec![whole(map.keys(), key.data_type())?, whole(map.values(), value.data_type())?];
    let fields: Fields = vec![Arc::clone(key), Arc::clone(value)].into();
    let pairs = StructArray::try_new(fields, columns, None)?;
    let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, ordered)?))
}

/// Lists, objects and maps as their own JSON, as those in JSON files are that have text beside them.
pub(super) fn json_texts(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    check_times(values)?;
    cast_with_options(&print::json_texts(values)?, wanted, &STRICT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{AsArray, Float64Array, Int64Builder, MapBuilder, StringArray, StringBuilder},
        datatypes::{Field, Int64Type},
    };

    use super::{
        super::{
            super::infer::map_of,
            tests::{failure, list, number, object},
        },
        *,
    };

    fn texts_of(values: ArrayRef) -> Vec<Option<String>> {
        let texts = whole(&values, &DataType::Utf8).unwrap();
        texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let own = object(vec![("ID", number(2))]);
        let wanted = |names: &[&str]| {
            DataType::Struct(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect())
        };
        let found = |names: &[&str]| {
            let found = whole(&own, &wanted(names)).unwrap();
            let columns = found.as_struct().columns().iter();
            columns.map(|column| column.is_valid(0)).collect::<Vec<_>>()
        };
        assert_eq!(found(&["id"]), [true]);
        assert_eq!(found(&["id", "ID"]), [false, true]);
        let both = object(vec![("ID", number(2)), ("Id", number(3))]);
        let reason = "which field is id cannot be told, because names are the same but for case: ID, Id";
        assert_eq!(failure(both, &wanted(&["id"])), reason);
    }

    #[test]
    fn lists_and_structs_are_json_where_they_are_text() {
        let words = list(Arc::new(StringArray::from(vec![Some("a, b"), None, Some("c")])));
        assert_eq!(texts_of(words), [Some(r#"["a, b",null,"c"]"#.to_owned())]);
        let missing: ArrayRef = Arc::new(Float64Array::from(vec![None]));
        let pair = object(vec![("a", number(9_007_199_254_740_993)), ("b", missing)]);
        assert_eq!(texts_of(pair), [Some(r#"{"a":9007199254740993,"b":null}"#.to_owned())]);
    }

    #[test]
    fn maps_are_read_whole() {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
        maps.keys().append_value("x");
        maps.values().append_value((1 << 53) + 1);
        maps.append(true).unwrap();
        let maps: ArrayRef = Arc::new(maps.finish());
        let wanted = |value: DataType| map_of(DataType::Utf8View, value);
        let found = whole(&maps, &wanted(DataType::Int64)).unwrap();
        assert_eq!(found.as_map().values().as_primitive::<Int64Type>().value(0), (1 << 53) + 1);
        let reason = "'9007199254740993' is not of type double precision";
        assert_eq!(failure(Arc::clone(&maps), &wanted(DataType::Float64)), reason);
        assert_eq!(texts_of(maps), [Some(r#"{"x":9007199254740993}"#.to_owned())]);
    }
}
