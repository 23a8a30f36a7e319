//! The configuration of a rust.scale instance.

/// JSON Schema draft-07; the host has checked the configuration against it before create().
pub const SCHEMA: &[u8] = br#"{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "additionalProperties": false, "required": ["factor"],
  "properties": {
    "factor": { "type": "number" },
    "offset": { "type": "number", "default": 0, "description": "Added after the multiplication" },
    "unit": { "type": "string", "description": "The new unit, a UCUM code; without it the unit stays" }
  }
}"#;

#[derive(Debug, PartialEq)]
pub struct Config {
    pub factor: f64,
    pub offset: f64,
    pub unit: Option<String>,
}

/// Reads one flat object of numbers and texts. An error is a line for the operator and the key's JSON pointer.
pub fn read(json: &str) -> Result<Config, (String, String)> {
    let mut reader = Reader { rest: json };
    let mut config = Config { factor: f64::NAN, offset: 0.0, unit: None };
    let broken = || ("the configuration is not JSON".to_string(), String::new());
    reader.take('{').ok_or_else(broken)?;
    while reader.take('}').is_none() {
        let _ = reader.take(',');
        let key = reader.string().ok_or_else(broken)?;
        reader.take(':').ok_or_else(broken)?;
        let wrong = |what: &str| (format!("{} must be {}", key, what), format!("/{}", key));
        match key.as_str() {
            "factor" => config.factor = reader.number().ok_or_else(|| wrong("a number"))?,
            "offset" => config.offset = reader.number().ok_or_else(|| wrong("a number"))?,
            "unit" => config.unit = Some(reader.string().ok_or_else(|| wrong("text"))?),
            _ => return Err(wrong("factor, offset or unit")),
        }
    }
    if config.factor.is_nan() {
        return Err(("factor is missing".to_string(), "/factor".to_string()));
    }
    Ok(config)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.trim_start();
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn number(&mut self) -> Option<f64> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !"+-.eE0123456789".contains(c)).unwrap_or(self.rest.len());
        let number: f64 = self.rest[..end].parse().ok()?;
        self.rest = &self.rest[end..];
        number.is_finite().then_some(number)
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        let mut characters = self.rest.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(match characters.next()? {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        // A unit of measure has no character beyond the basic plane.
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    escaped => escaped,
                }),
                plain => text.push(plain),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_texts_and_escapes() {
        let config = read(r#" {"factor": -1.8e0, "offset":32, "unit":"\u00b5\"m"} "#).unwrap();
        assert_eq!(config, Config { factor: -1.8, offset: 32.0, unit: Some("µ\"m".to_string()) });
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        assert_eq!(read(r#"{"factor": "two"}"#).unwrap_err().1, "/factor");
        assert_eq!(read(r#"{"offset": 1}"#).unwrap_err().1, "/factor");
        assert_eq!(read(r#"{"factor": 1e999}"#).unwrap_err().1, "/factor");
    }
}
