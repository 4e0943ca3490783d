// Enrollment codes, which people type: 140 random bits in Crockford's base 32, which has no I, L, O and U, in groups of four.

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const CODE_LENGTH = 28

/** @param bytes random, CODE_LENGTH of them */
export function formatCode(bytes: Uint8Array): string {
  const characters = Array.from(bytes.slice(0, CODE_LENGTH), byte => ALPHABET[byte & 31]).join('')
  return characters.replace(/(.{4})(?=.)/g, '$1-')
}

/** As it is signed and hashed: upper case without separators, and letters that look like digits read as digits. Null: it is no code. */
export function readCode(text: string): string | null {
  const code = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  return code.length === CODE_LENGTH && [...code].every(character => ALPHABET.includes(character)) ? code : null
}
