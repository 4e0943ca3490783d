// Times and other values, as the page writes them.

/** In the time zone of the browser: 2026-11-29 14:05:09. */
export const timeText = (at: string | null): string => (at === null ? '' : new Date(at).toLocaleString('sv-SE'))

export const jsonText = (value: unknown): string => JSON.stringify(value, null, 2)

/** `1 dead letter`, `2 dead letters`. */
export const countText = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`

interface Party {
  readonly user: string
  readonly device: string | null
}

/** `alice (phone)`. */
export const partyText = ({ user, device }: Party): string => (device === null ? user : `${user} (${device})`)
