//! The encodings of bytes that hold text, by PostgreSQL's names. Those of one byte a character are data here, as PostgreSQL's
//! conversions have it.

/// An encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::functions) enum Encoding {
    Utf8,
    /// Bytes of which nothing is known.
    Ascii,
    /// One of a byte for each character.
    Table(&'static Table),
}

/// An encoding of a byte for each character, whose first ones are those of Unicode.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::functions) struct Table {
    name: &'static str,
    others: &'static [&'static str],
    /// The byte of the first of the characters.
    first: u8,
    /// U+FFFD where there is none.
    characters: &'static str,
}

impl Encoding {
    /// The one of this name, in which case and signs do not count.
    pub(super) fn of(name: &str) -> Option<Self> {
        let plain = plain(name);
        match plain.as_str() {
            "utf8" | "unicode" => return Some(Self::Utf8),
            "sqlascii" => return Some(Self::Ascii),
            _ => {}
        }
        let is_named = |table: &&Table| self::plain(table.name) == plain || table.others.contains(&plain.as_str());
        TABLES.iter().find(is_named).map(Self::Table)
    }

    /// The name that PostgreSQL shows.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF8",
            Self::Ascii => "SQL_ASCII",
            Self::Table(table) => table.name,
        }
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Table {
    /// The character that a byte is.
    pub(super) fn character(&self, byte: u8) -> Option<char> {
        match byte.checked_sub(self.first) {
            None => Some(char::from(byte)),
            Some(at) => {
                self.characters.chars().nth(usize::from(at)).filter(|found| *found != char::REPLACEMENT_CHARACTER)
            }
        }
    }

    /// The byte that a character is.
    pub(super) fn byte(&self, character: char) -> Option<u8> {
        match u8::try_from(u32::from(character)) {
            Ok(byte) if byte < self.first => Some(byte),
            _ if character == char::REPLACEMENT_CHARACTER => None,
            _ => {
                let at = self.characters.chars().position(|found| found == character)?;
                u8::try_from(at).ok()?.checked_add(self.first)
            }
        }
    }
}

const TABLES: &[Table] = &[
    Table { name: "LATIN1", others: &["iso88591"], first: 0xff, characters: "ÿ" },
    Table {
        name: "LATIN2",
        others: &["iso88592"],
        first: 0xa0,
        characters: "\
            \u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ\
            °ą˛ł´ľśˇ¸šşťź˝žż\
            ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎ\
            ĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
            ŕáâăäĺćçčéęëěíîď\
            đńňóôőö÷řůúűüýţ˙",
    },
    Table {
        name: "LATIN3",
        others: &["iso88593"],
        first: 0xa0,
        characters: "\
            \u{a0}Ħ˘£¤\u{fffd}Ĥ§¨İŞĞĴ\u{ad}\u{fffd}Ż\
            °ħ²³´µĥ·¸ışğĵ½\u{fffd}ż\
            ÀÁÂ\u{fffd}ÄĊĈÇÈÉÊËÌÍÎÏ\
            \u{fffd}ÑÒÓÔĠÖ×ĜÙÚÛÜŬŜß\
            àáâ\u{fffd}äċĉçèéêëìíîï\
            \u{fffd}ñòóôġö÷ĝùúûüŭŝ˙",
    },
    Table {
        name: "LATIN4",
        others: &["iso88594"],
        first: 0xa0,
        characters: "\
            \u{a0}ĄĸŖ¤ĨĻ§¨ŠĒĢŦ\u{ad}Ž¯\
            °ą˛ŗ´ĩļˇ¸šēģŧŊžŋ\
            ĀÁÂÃÄÅÆĮČÉĘËĖÍÎĪ\
            ĐŅŌĶÔÕÖ×ØŲÚÛÜŨŪß\
            āáâãäåæįčéęëėíîī\
            đņōķôõö÷øųúûüũū˙",
    },
    Table {
        name: "LATIN5",
        others: &["iso88599"],
        first: 0xa0,
        characters: "\
            \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
            °±²³´µ¶·¸¹º»¼½¾¿\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß\
            àáâãäåæçèéêëìíîï\
            ğñòóôõö÷øùúûüışÿ",
    },
    Table {
        name: "LATIN6",
        others: &["iso885910"],
        first: 0xa0,
        characters: "\
            \u{a0}ĄĒĢĪĨĶ§ĻĐŠŦŽ\u{ad}ŪŊ\
            °ąēģīĩķ·ļđšŧž―ūŋ\
            ĀÁÂÃÄÅÆĮČÉĘËĖÍÎÏ\
            ÐŅŌÓÔÕÖŨØŲÚÛÜÝÞß\
            āáâãäåæįčéęëėíîï\
            ðņōóôõöũøųúûüýþĸ",
    },
    Table {
        name: "LATIN7",
        others: &["iso885913"],
        first: 0xa0,
        characters: "\
            \u{a0}”¢£¤„¦§Ø©Ŗ«¬\u{ad}®Æ\
            °±²³“µ¶·ø¹ŗ»¼½¾æ\
            ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻ\
            ŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß\
            ąįāćäåęēčéźėģķīļ\
            šńņóōõö÷ųłśūüżž’",
    },
    Table {
        name: "LATIN8",
        others: &["iso885914"],
        first: 0xa0,
        characters: "\
            \u{a0}Ḃḃ£ĊċḊ§Ẁ©ẂḋỲ\u{ad}®Ÿ\
            ḞḟĠġṀṁ¶ṖẁṗẃṠỳẄẅṡ\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ŴÑÒÓÔÕÖṪØÙÚÛÜÝŶß\
            àáâãäåæçèéêëìíîï\
            ŵñòóôõöṫøùúûüýŷÿ",
    },
    Table {
        name: "LATIN9",
        others: &["iso885915"],
        first: 0xa0,
        characters: "\
            \u{a0}¡¢£€¥Š§š©ª«¬\u{ad}®¯\
            °±²³Žµ¶·ž¹º»ŒœŸ¿\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
            àáâãäåæçèéêëìíîï\
            ðñòóôõö÷øùúûüýþÿ",
    },
    Table {
        name: "LATIN10",
        others: &["iso885916"],
        first: 0xa0,
        characters: "\
            \u{a0}ĄąŁ€„Š§š©Ș«Ź\u{ad}źŻ\
            °±ČłŽ”¶·žčș»ŒœŸż\
            ÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏ\
            ĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚß\
            àáâăäćæçèéêëìíîï\
            đńòóôőöśűùúûüęțÿ",
    },
    Table {
        name: "ISO_8859_5",
        others: &[],
        first: 0xa0,
        characters: "\
            \u{a0}ЁЂЃЄЅІЇЈЉЊЋЌ\u{ad}ЎЏ\
            АБВГДЕЖЗИЙКЛМНОП\
            РСТУФХЦЧШЩЪЫЬЭЮЯ\
            абвгдежзийклмноп\
            рстуфхцчшщъыьэюя\
            №ёђѓєѕіїјљњћќ§ўџ",
    },
    Table {
        name: "ISO_8859_6",
        others: &[],
        first: 0xa0,
        characters: "\
            \u{a0}\u{fffd}\u{fffd}\u{fffd}¤\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}،\u{ad}\u{fffd}\u{fffd}\
            \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}؛\u{fffd}\u{fffd}\u{fffd}؟\
            \u{fffd}ءآأؤإئابةتثجحخد\
            ذرزسشصضطظعغ\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            ـفقكلمنهوىي\u{64b}\u{64c}\u{64d}\u{64e}\u{64f}\
            \u{650}\u{651}\u{652}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
    },
    Table {
        name: "ISO_8859_7",
        others: &[],
        first: 0xa0,
        characters: "\
            \u{a0}‘’£€₯¦§¨©ͺ«¬\u{ad}\u{fffd}―\
            °±²³΄΅Ά·ΈΉΊ»Ό½ΎΏ\
            ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟ\
            ΠΡ\u{fffd}ΣΤΥΦΧΨΩΪΫάέήί\
            ΰαβγδεζηθικλμνξο\
            πρςστυφχψωϊϋόύώ\u{fffd}",
    },
    Table {
        name: "ISO_8859_8",
        others: &[],
        first: 0xa0,
        characters: "\
            \u{a0}\u{fffd}¢£¤¥¦§¨©×«¬\u{ad}®¯\
            °±²³´µ¶·¸¹÷»¼½¾\u{fffd}\
            \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}‗\
            אבגדהוזחטיךכלםמן\
            נסעףפץצקרשת\u{fffd}\u{fffd}\u{200e}\u{200f}\u{fffd}",
    },
    Table {
        name: "KOI8R",
        others: &["koi8"],
        first: 0x80,
        characters: "\
            ─│┌┐└┘├┤┬┴┼▀▄█▌▐\
            ░▒▓⌠■∙√≈≤≥\u{a0}⌡°²·÷\
            ═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞\
            ╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©\
            юабцдефгхийклмно\
            пярстужвьызшэщчъ\
            ЮАБЦДЕФГХИЙКЛМНО\
            ПЯРСТУЖВЬЫЗШЭЩЧЪ",
    },
    Table {
        name: "KOI8U",
        others: &[],
        first: 0x80,
        characters: "\
            ─│┌┐└┘├┤┬┴┼▀▄█▌▐\
            ░▒▓⌠■∙√≈≤≥\u{a0}⌡°²·÷\
            ═║╒ёє╔ії╗╘╙╚╛ґ╝╞\
            ╟╠╡ЁЄ╣ІЇ╦╧╨╩╪Ґ╬©\
            юабцдефгхийклмно\
            пярстужвьызшэщчъ\
            ЮАБЦДЕФГХИЙКЛМНО\
            ПЯРСТУЖВЬЫЗШЭЩЧЪ",
    },
    Table {
        name: "WIN866",
        others: &["alt", "windows866"],
        first: 0x80,
        characters: "\
            АБВГДЕЖЗИЙКЛМНОП\
            РСТУФХЦЧШЩЪЫЬЭЮЯ\
            абвгдежзийклмноп\
            ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
            └┴┬├─┼╞╟╚╔╩╦╠═╬╧\
            ╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
            рстуфхцчшщъыьэюя\
            ЁёЄєЇїЎў°∙·√№¤■\u{a0}",
    },
    Table {
        name: "WIN874",
        others: &["windows874"],
        first: 0x80,
        characters: "\
            €\u{fffd}\u{fffd}\u{fffd}\u{fffd}…\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}‘’“”•–—\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{a0}กขฃคฅฆงจฉชซฌญฎฏ\
            ฐฑฒณดตถทธนบปผฝพฟ\
            ภมยรฤลฦวศษสหฬอฮฯ\
            ะ\u{e31}าำ\u{e34}\u{e35}\u{e36}\u{e37}\u{e38}\u{e39}\u{e3a}\u{fffd}\u{fffd}\u{fffd}\u{fffd}฿\
            เแโใไๅๆ\u{e47}\u{e48}\u{e49}\u{e4a}\u{e4b}\u{e4c}\u{e4d}\u{e4e}๏\
            ๐๑๒๓๔๕๖๗๘๙๚๛\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
    },
    Table {
        name: "WIN1250",
        others: &["windows1250"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚\u{fffd}„…†‡\u{fffd}‰Š‹ŚŤŽŹ\
            \u{fffd}‘’“”•–—\u{fffd}™š›śťžź\
            \u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż\
            °±˛ł´µ¶·¸ąş»Ľ˝ľż\
            ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎ\
            ĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
            ŕáâăäĺćçčéęëěíîď\
            đńňóôőö÷řůúűüýţ˙",
    },
    Table {
        name: "WIN1251",
        others: &["win", "windows1251"],
        first: 0x80,
        characters: "\
            ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏ\
            ђ‘’“”•–—\u{fffd}™љ›њќћџ\
            \u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї\
            °±Ііґµ¶·ё№є»јЅѕї\
            АБВГДЕЖЗИЙКЛМНОП\
            РСТУФХЦЧШЩЪЫЬЭЮЯ\
            абвгдежзийклмноп\
            рстуфхцчшщъыьэюя",
    },
    Table {
        name: "WIN1252",
        others: &["windows1252"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\
            \u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ\
            \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
            °±²³´µ¶·¸¹º»¼½¾¿\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
            àáâãäåæçèéêëìíîï\
            ðñòóôõö÷øùúûüýþÿ",
    },
    Table {
        name: "WIN1253",
        others: &["windows1253"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚ƒ„…†‡\u{fffd}‰\u{fffd}‹\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}‘’“”•–—\u{fffd}™\u{fffd}›\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{a0}΅Ά£¤¥¦§¨©\u{fffd}«¬\u{ad}®―\
            °±²³΄µ¶·ΈΉΊ»Ό½ΎΏ\
            ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟ\
            ΠΡ\u{fffd}ΣΤΥΦΧΨΩΪΫάέήί\
            ΰαβγδεζηθικλμνξο\
            πρςστυφχψωϊϋόύώ\u{fffd}",
    },
    Table {
        name: "WIN1254",
        others: &["windows1254"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}‘’“”•–—˜™š›œ\u{fffd}\u{fffd}Ÿ\
            \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
            °±²³´µ¶·¸¹º»¼½¾¿\
            ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
            ĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß\
            àáâãäåæçèéêëìíîï\
            ğñòóôõö÷øùúûüışÿ",
    },
    Table {
        name: "WIN1255",
        others: &["windows1255"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚ƒ„…†‡ˆ‰\u{fffd}‹\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}‘’“”•–—˜™\u{fffd}›\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            \u{a0}¡¢£₪¥¦§¨©×«¬\u{ad}®¯\
            °±²³´µ¶·¸¹÷»¼½¾¿\
            \u{5b0}\u{5b1}\u{5b2}\u{5b3}\u{5b4}\u{5b5}\u{5b6}\u{5b7}\u{5b8}\u{5b9}\u{fffd}\u{5bb}\u{5bc}\u{5bd}־\u{5bf}\
            ׀\u{5c1}\u{5c2}׃װױײ׳״\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\
            אבגדהוזחטיךכלםמן\
            נסעףפץצקרשת\u{fffd}\u{fffd}\u{200e}\u{200f}\u{fffd}",
    },
    Table {
        name: "WIN1256",
        others: &["windows1256"],
        first: 0x80,
        characters: "\
            €پ‚ƒ„…†‡ˆ‰ٹ‹Œچژڈ\
            گ‘’“”•–—ک™ڑ›œ\u{200c}\u{200d}ں\
            \u{a0}،¢£¤¥¦§¨©ھ«¬\u{ad}®¯\
            °±²³´µ¶·¸¹؛»¼½¾؟\
            ہءآأؤإئابةتثجحخد\
            ذرزسشصض×طظعغـفقك\
            àلâمنهوçèéêëىيîï\
            \u{64b}\u{64c}\u{64d}\u{64e}ô\u{64f}\u{650}÷\u{651}ù\u{652}ûü\u{200e}\u{200f}ے",
    },
    Table {
        name: "WIN1257",
        others: &["windows1257"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚\u{fffd}„…†‡\u{fffd}‰\u{fffd}‹\u{fffd}¨ˇ¸\
            \u{fffd}‘’“”•–—\u{fffd}™\u{fffd}›\u{fffd}¯˛\u{fffd}\
            \u{a0}\u{fffd}¢£¤\u{fffd}¦§Ø©Ŗ«¬\u{ad}®Æ\
            °±²³´µ¶·ø¹ŗ»¼½¾æ\
            ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻ\
            ŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß\
            ąįāćäåęēčéźėģķīļ\
            šńņóōõö÷ųłśūüżž˙",
    },
    Table {
        name: "WIN1258",
        others: &["abc", "tcvn", "tcvn5712", "vscii", "windows1258"],
        first: 0x80,
        characters: "\
            €\u{fffd}‚ƒ„…†‡ˆ‰\u{fffd}‹Œ\u{fffd}\u{fffd}\u{fffd}\
            \u{fffd}‘’“”•–—˜™\u{fffd}›œ\u{fffd}\u{fffd}Ÿ\
            \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
            °±²³´µ¶·¸¹º»¼½¾¿\
            ÀÁÂĂÄÅÆÇÈÉÊË\u{300}ÍÎÏ\
            ĐÑ\u{309}ÓÔƠÖ×ØÙÚÛÜƯ\u{303}ß\
            àáâăäåæçèéêë\u{301}íîï\
            đñ\u{323}óôơö÷øùúûüư₫ÿ",
    },
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        match Encoding::of(name) {
            Some(Encoding::Table(table)) => table,
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn each_byte_has_a_character() {
        for table in TABLES {
            let (held, wanted) = (table.characters.chars().count(), 256 - usize::from(table.first));
            assert_eq!(held, wanted, "{}", table.name);
            for byte in 0..=u8::MAX {
                let back = table.character(byte).map(|character| table.byte(character));
                assert!(back.is_none_or(|back| back == Some(byte)), "{} {byte}", table.name);
            }
        }
    }

    /// As PostgreSQL 15 has them.
    #[test]
    fn names_are_those_of_postgresql() {
        for (name, byte, character) in [
            ("latin1", 0xe9, Some('é')),
            ("ISO-8859-1", 0x80, Some('\u{80}')),
            ("WIN1252", 0x80, Some('€')),
            ("windows-1252", 0x81, None),
            ("Latin 9", 0xa4, Some('€')),
            ("KOI8R", 0xc1, Some('а')),
            ("iso_8859_7", 0xe1, Some('α')),
        ] {
            assert_eq!(table(name).character(byte), character, "{name}");
        }
        assert_eq!((Encoding::of("UTF-8"), Encoding::of("zzz")), (Some(Encoding::Utf8), None));
        assert_eq!(table("LATIN1").byte('€'), None);
    }
}
