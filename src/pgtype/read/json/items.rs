//! What an object or an array of JSON holds, as it is written there.

use super::{NoJson, Reader};

/// What a text of JSON holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonItems<'a> {
    /// The keys and values of an object, in their order, with those that come again.
    Object(Vec<(String, &'a str)>),
    Array(Vec<&'a str>),
    /// It is a value alone.
    Alone,
}

/// See [`JsonItems`].
pub(crate) fn json_items(text: &str) -> Result<JsonItems<'_>, NoJson> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, is_normal: false };
    reader.skip_blanks();
    let items = match reader.bytes.get(reader.at) {
        Some(b'{') => JsonItems::Object(reader.entries(text)?),
        Some(b'[') => JsonItems::Array(reader.elements(text)?),
        _ => {
            reader.value(0)?;
            JsonItems::Alone
        }
    };
    reader.skip_blanks();
    if reader.at == text.len() { Ok(items) } else { Err(NoJson::Syntax) }
}

impl Reader<'_> {
    /// The value that comes next.
    fn item<'t>(&mut self, text: &'t str) -> Result<&'t str, NoJson> {
        self.skip_blanks();
        let start = self.at;
        self.value(1)?;
        text.get(start..self.at).ok_or(NoJson::Syntax)
    }

    fn elements<'t>(&mut self, text: &'t str) -> Result<Vec<&'t str>, NoJson> {
        self.expect(b'[')?;
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(elements);
        }
        loop {
            elements.push(self.item(text)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(elements);
            }
            self.expect(b',')?;
        }
    }

    fn entries<'t>(&mut self, text: &'t str) -> Result<Vec<(String, &'t str)>, NoJson> {
        self.expect(b'{')?;
        let mut entries = Vec::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(entries);
        }
        loop {
            self.skip_blanks();
            self.is_normal = true;
            let key = self.text();
            self.is_normal = false;
            let key = key?;
            self.skip_blanks();
            self.expect(b':')?;
            entries.push((key, self.item(text)?));
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(entries);
            }
            self.expect(b',')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_as_they_are_written() {
        let entries = vec![("a\"".to_owned(), "[1,  2]"), ("b".to_owned(), "{}"), ("b".to_owned(), "null")];
        assert_eq!(json_items(r#" {"a\"" : [1,  2] , "b":{}, "b":null} "#), Ok(JsonItems::Object(entries)));
        let elements = vec!["1.50", r#""x\u0041""#, "[2]"];
        assert_eq!(json_items(r#"[ 1.50 , "x\u0041" ,[2] ]"#), Ok(JsonItems::Array(elements)));
        assert_eq!(json_items("[ ]"), Ok(JsonItems::Array(Vec::new())));
        assert_eq!(json_items(" 1"), Ok(JsonItems::Alone));
        assert_eq!(json_items("[1] 2"), Err(NoJson::Syntax));
    }
}
