// H.264 profiles (RFC 6184 section 8.1, Table 5).

type Profile = 'constrained_baseline' | 'baseline' | 'main' | 'constrained_high' | 'high' | 'predictive_high_444'

/** Of senders that name no profile-level-id. RFC 6184 says baseline, level 1; libwebrtc and mediasoup take this. */
const DEFAULT_PROFILE_LEVEL_ID = '42e01f'

interface ProfileRow {
  readonly profileIdc: number
  /** The bits of profile-iop that count, and what they must be. */
  readonly mask: number
  readonly bits: number
  readonly profile: Profile
}

const ROWS: readonly ProfileRow[] = [
  { profileIdc: 0x42, mask: 0b0100_1111, bits: 0b0100_0000, profile: 'constrained_baseline' },
  { profileIdc: 0x4d, mask: 0b1000_1111, bits: 0b1000_0000, profile: 'constrained_baseline' },
  { profileIdc: 0x58, mask: 0b1100_1111, bits: 0b1100_0000, profile: 'constrained_baseline' },
  { profileIdc: 0x42, mask: 0b0100_1111, bits: 0b0000_0000, profile: 'baseline' },
  { profileIdc: 0x58, mask: 0b1100_1111, bits: 0b1000_0000, profile: 'baseline' },
  { profileIdc: 0x4d, mask: 0b1010_1111, bits: 0b0000_0000, profile: 'main' },
  { profileIdc: 0x64, mask: 0b1111_1111, bits: 0b0000_0000, profile: 'high' },
  { profileIdc: 0x64, mask: 0b1111_1111, bits: 0b0000_1100, profile: 'constrained_high' },
  { profileIdc: 0xf4, mask: 0b1111_1111, bits: 0b0000_0000, profile: 'predictive_high_444' }
]

/** The last byte, ten times the level (H.264, Table A-1). mediasoup refuses others. */
const LEVELS = new Set([10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52])

/** Null: no profile that mediasoup knows. */
export function h264Profile(profileLevelId: unknown): Profile | null {
  const text = String(profileLevelId ?? DEFAULT_PROFILE_LEVEL_ID)
  if (!/^[0-9a-f]{6}$/i.test(text)) return null
  const [profileIdc, profileIop, level] = [0, 2, 4].map(at => Number.parseInt(text.slice(at, at + 2), 16)) as [
    number,
    number,
    number
  ]
  if (!LEVELS.has(level)) return null
  const row = ROWS.find(each => each.profileIdc === profileIdc && (profileIop & each.mask) === each.bits)
  return row?.profile ?? null
}
