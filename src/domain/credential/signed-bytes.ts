// What a device signs (docs/guides/devices.md#what-is-signed): the name of the purpose, a zero byte, and each field as its length, in two
// bytes, and its bytes. So no signature serves another purpose, and no two lists of fields have the same bytes.

const PURPOSES = {
  enroll: 'signalpost-device-enroll-v1',
  token: 'signalpost-device-token-v1',
  key: 'signalpost-device-key-v1'
} as const

/** @param fields texts as UTF-8; public keys as their 32 bytes */
export function signedBytes(purpose: keyof typeof PURPOSES, fields: readonly (string | Buffer)[]): Buffer {
  const parts = fields.flatMap(field => {
    const bytes = Buffer.from(field as string)
    return [Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]
  })
  return Buffer.concat([Buffer.from(`${PURPOSES[purpose]}\0`), ...parts])
}
