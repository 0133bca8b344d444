//! A database's address without its password.

/// The address with `***` in place of the password: `postgres://user:password@host/db`, `…?password=…` or
/// `host=… password=…`. Whatever is in none of these forms is hidden as a whole.
pub(crate) fn without_password(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let rest = without_escaped_names(&without_userinfo(rest));
            format!("{scheme}://{}", without_parameter(&rest, &['&']))
        }
        None if address.contains('=') => without_parameter(address, &[' ', '\t', '\n', '\r']),
        None => "***".to_owned(),
    }
}

/// From the first colon to the last `@`, wherever it stands: a password with an unescaped `/` or `@` must not show either.
fn without_userinfo(rest: &str) -> String {
    match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    }
}

/// A parameter's name may be written with escapes, as `passw%6Frd` is. Nobody needs to, so what such a name has is hidden.
fn without_escaped_names(rest: &str) -> String {
    let Some((place, query)) = rest.split_once('?') else { return rest.to_owned() };
    let shown = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.contains('%') => format!("{name}=***"),
        _ => parameter.to_owned(),
    });
    format!("{place}?{}", shown.collect::<Vec<_>>().join("&"))
}

/// Every `password = value`, up to one of the ends or, quoted, to its closing quote. `sslpassword` ends in it and goes too.
fn without_parameter(text: &str, ends: &[char]) -> String {
    const KEY: &str = "password";
    let mut kept = String::new();
    let mut rest = text;
    while let Some(found) = rest.to_ascii_lowercase().find(KEY) {
        let (before, after) = rest.split_at(found + KEY.len());
        kept.push_str(before);
        rest = after;
        if let Some(value) = after.trim_start().strip_prefix('=') {
            kept.push_str("=***");
            let value = value.trim_start();
            rest = &value[value_length(value, ends)..];
        }
    }
    kept + rest
}

/// How many bytes a value takes; a backslash escapes what follows it.
fn value_length(value: &str, ends: &[char]) -> usize {
    let quoted = value.starts_with('\'');
    let mut characters = value.char_indices().skip(usize::from(quoted));
    while let Some((place, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' if quoted => return place + 1,
            other if !quoted && ends.contains(&other) => return place,
            _ => {}
        }
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_url_is_hidden() {
        for (address, shown) in [
            ("postgres://me:pw@db:5432/rowlock", "postgres://me:***@db:5432/rowlock"),
            ("postgres://me:p/w@x@db/rowlock?sslmode=require", "postgres://me:***@db/rowlock?sslmode=require"),
            ("postgres://me@db/rowlock", "postgres://me@db/rowlock"),
            ("postgres://db:5432/rowlock", "postgres://db:5432/rowlock"),
            (
                "postgresql://db/rowlock?user=me&password=pw&sslmode=require",
                "postgresql://db/rowlock?user=me&password=***&sslmode=require",
            ),
            ("postgresql://db/rowlock?PASSWORD=p w", "postgresql://db/rowlock?PASSWORD=***"),
            (
                "postgresql://db/rowlock?user=me&passw%6Frd=pw&%70assword=p:w@x&options=-c%20x%3d1",
                "postgresql://db/rowlock?user=me&passw%6Frd=***&%70assword=***&options=-c%20x%3d1",
            ),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    #[test]
    fn the_password_among_keys_and_values_is_hidden() {
        for (address, shown) in [
            ("host=db password=p&w user=me", "host=db password=*** user=me"),
            (r"host=db password = 'p\' w' user=me", "host=db password=*** user=me"),
            (r"password=a\ b host=db", "password=*** host=db"),
            ("host=db sslpassword=x password='never closed", "host=db sslpassword=*** password=***"),
            ("user=password host=db", "user=password host=db"),
            ("host=db user=me", "host=db user=me"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_hidden_as_a_whole() {
        assert_eq!(without_password("me:pw@db"), "***");
    }
}
