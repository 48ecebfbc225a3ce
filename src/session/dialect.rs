//! The dialect of SQL that is parsed: PostgreSQL's, but for the names of arguments.
//!
//! The parser's own dialect of this name takes some operators for others than PostgreSQL does: `operators` has its table.
//!
//! The parser tries each argument of a call as `expression => value` first and, when there is no arrow, reads it again: in
//! calls within calls that doubles the work with each. Names of arguments are identifiers here, so nothing is read twice.

mod attempts;
mod chains;
mod groups;
mod intervals;
mod operators;
mod queries;
mod records;
mod texts;
mod typed;

use std::any::TypeId;

use datafusion::sql::sqlparser::{
    ast::Expr,
    dialect::{Dialect, PostgreSqlDialect, Precedence},
    keywords::Keyword,
    parser::{Parser, ParserError},
};

use crate::interrupt::step;
pub(crate) use attempts::within_attempts;
pub(super) use chains::chain;
pub(super) use groups::DISTINCT as DISTINCT_GROUPS;
pub(crate) use queries::keyword;
pub(super) use texts::VARIADIC;
pub(crate) use typed::of_catalog;

/// See the module.
#[derive(Debug)]
pub(crate) struct PostgreSql;

const PARENT: PostgreSqlDialect = PostgreSqlDialect {};

/// Answers of PostgreSQL's dialect that are taken over.
macro_rules! as_postgresql {
    ($($name:ident),* $(,)?) => {
        $(fn $name(&self) -> bool {
            PARENT.$name()
        })*
    };
}

impl Dialect for PostgreSql {
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }

    fn supports_named_fn_args_with_assignment_operator(&self) -> bool {
        true
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        PARENT.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        PARENT.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        PARENT.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        PARENT.is_identifier_part(ch)
    }

    /// What is wrong behind these is told as it is, and not of a column of that name: that they nest too deeply, above all.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        matches!(keyword, Keyword::CASE | Keyword::CAST | Keyword::NOT) || PARENT.is_reserved_for_identifier(keyword)
    }

    fn is_custom_operator_part(&self, ch: char) -> bool {
        PARENT.is_custom_operator_part(ch)
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        operators::precedence(parser).map(Ok).or_else(|| PARENT.get_next_precedence(parser))
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        // The parser hides this error behind other readings of the text in a few places only, where it comes again. Of what was
        // stopped is told why.
        if step().is_err() || !attempts::take() {
            return Some(Err(ParserError::RecursionLimitExceeded));
        }
        let special = queries::prefix(parser).or_else(|| groups::prefix(parser)).or_else(|| intervals::prefix(parser));
        special
            .or_else(|| records::prefix(parser))
            .or_else(|| texts::prefix(parser))
            .or_else(|| typed::prefix(parser))
            .or_else(|| operators::prefix(parser))
    }

    fn parse_infix(&self, parser: &mut Parser, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        chains::infix(parser, left, precedence).or_else(|| operators::infix(parser, left))
    }

    /// `groups` reads what is no expression there.
    fn supports_group_by_expr(&self) -> bool {
        false
    }

    /// `types => {amount: 'numeric'}`, as DuckDB writes it.
    fn supports_dictionary_syntax(&self) -> bool {
        true
    }

    fn supports_string_literal_concatenation_with_newline(&self) -> bool {
        true
    }

    /// The parser takes no escape character of them and no pairs: the statement's literals are read from their tokens.
    fn supports_unicode_string_literal(&self) -> bool {
        false
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        PARENT.prec_value(precedence)
    }

    as_postgresql!(
        supports_filter_during_aggregation,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_create_index_with_clause,
        supports_explain_with_utility_options,
        supports_listen_notify,
        supports_factorial_operator,
        supports_bitwise_shift_operators,
        supports_comment_on,
        supports_load_extension,
        supports_named_fn_args_with_colon_operator,
        supports_empty_projections,
        supports_nested_comments,
        supports_string_escape_constant,
        supports_array_typedef_with_brackets,
        supports_geometric_types,
        supports_set_names,
        supports_alter_column_type_using,
        supports_notnull_operator,
        supports_interval_options,
        supports_insert_table_alias,
        supports_create_table_like_parenthesized,
        supports_select_wildcard_with_alias,
        supports_comma_separated_trim,
        supports_xml_expressions,
        supports_comment_optimizer_hint,
    );
}
