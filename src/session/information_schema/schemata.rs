//! `SELECT schema_name, schema_owner FROM information_schema.schemata`: the schemas.

use super::{super::in_memory::Columns, Contents};
use crate::session::DATABASE;

pub(super) fn rows(contents: &Contents) -> Columns {
    let schemata = &contents.schemata;
    Columns::default()
        .text("catalog_name", schemata.iter().map(|_| Some(DATABASE)))
        .text("schema_name", schemata.iter().map(|(name, _)| Some(name)))
        .text("schema_owner", schemata.iter().map(|(_, owner)| Some(owner)))
        .everywhere("default_character_set_catalog", None)
        .everywhere("default_character_set_schema", None)
        .everywhere("default_character_set_name", None)
        .everywhere("sql_path", None)
}
