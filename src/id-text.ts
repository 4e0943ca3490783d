// Ids in texts that have parts: keys, names of fields, composed ids. An id may contain any character except control characters, so it may
// contain the separator. Where parts are separated by control characters (lines, tabs), ids stand as they are.

/** An id of these characters is its own encoding, so ordinary ids take no more memory. None of them is a separator. */
const PLAIN = /^[\w.~@-]*$/

/** Injective: ids that differ have encodings that differ. An encoding contains none of `/ : | , { }` and no space. */
export const encodeId = (id: string): string => (PLAIN.test(id) ? id : encodeURIComponent(id))

/** The inverse of encodeId. */
export const decodeId = (text: string): string => (text.includes('%') ? decodeURIComponent(text) : text)

/** One id that is composed of several. */
export const joinIds = (...ids: readonly string[]): string => ids.map(encodeId).join('/')

/** The inverse of joinIds. */
export const splitIds = (joined: string): string[] => joined.split('/').map(decodeId)
