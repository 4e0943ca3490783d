// Ids as identity providers and fleets make them, ids that are easily confused with each other, and texts that are no ids.

/** No two of them name the same user, device, call or room. */
export const ODD_IDS: readonly string[] = [
  ...['auth0|507f1f77bcf86cd799439011', 'bob+work@example.com', '+4915112345678', '@a:matrix.org', 'AA:BB:CC:DD:EE:FF'],
  ...['sip:bob@x', 'urn:uuid:7d1f0c1e', 'C=DE,O=Example,CN=bob', 'DOMAIN\\bob', 'user name', ' a', 'a '],
  ...['user/1', 'user', '1', 'user%2F1', 'user%252F1', '/', '//', '%', '%25', '50%', '..%2F..', '...', './x'],
  ...['a:b', 'a', 'b', 'a|b', 'a,b', 'b,a', 'a b', 'a\u00a0b', ':', '::', '|', ',', '*', '+', '~', '-'],
  ...['{}', '{a}', '{p00}', '}', 'sp:{p00}:wake:a', 'participant:', 'asked:a', 'caller/a', 'null', 'undefined', '0'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '"',
    "'",
    '`',
    '<script>',
    '$(x)',
    '?a=b&c#d',
    ';',
    '='
  ],
  ...[
    '\u00e9',
    'e\u0301',
    '\ufeffa',
    '\u2028',
    '\u200b',
    '\u202ea',
    'caf\u00c3\u00a9',
    '\u5c71\u7530',
    '\u{1f4a5}',
    '\ufffd'
  ],
  ...['A', '\u0430', '\u212a', 'K', 'k', 'x'.repeat(255), `${'\u{1f4a5}'.repeat(63)}abc`, '\u5c71'.repeat(85)]
]

/** Control characters, lone surrogates, names that a URL resolves, and texts that are empty or too long. */
export const INVALID_IDS: readonly string[] = [
  ...['', '.', '..', '\0', 'a\nb', '\r', 'a\tb', '\x1f', '\x7f', '\x85', '\x9f', '\ud800', 'a\udc00', '\udc00\ud800'],
  ...['x'.repeat(256), '\u00e9'.repeat(128), '\u5c71'.repeat(86), '\u{1f4a5}'.repeat(64)]
]
