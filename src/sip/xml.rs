//! XML 1.0 in bodies: `reginfo`, PIDF-LO.

use std::borrow::Cow;

/// Text as XML 1.0 takes it, in attributes and between tags: markup escaped, what is no character replaced.
pub fn escaped_xml(text: &[u8]) -> String {
    let text: Cow<'_, str> = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML 1.0 §2.2, and blanks that a reader of attributes would change.
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_what_is_no_character_replaced() {
        assert_eq!(escaped_xml(b"<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&apos;");
        assert_eq!(escaped_xml(b"\xff\t\r\n\x0b"), "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    }
}
