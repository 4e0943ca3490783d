// Bounds of what clients send to the media service that a JSON Schema cannot express: bytes and depth of the whole.
import { AppError } from '../../errors.js'
import { APP_DATA_MAX_BYTES } from '../../schemas/sfu.js'
import { isDeeperThan, METADATA_MAX_DEPTH } from '../metadata-bounds.js'

/** In bytes, as JSON. RTP capabilities of Chromium take about 10 KiB. */
const RTP_MAX_BYTES = 64 * 1024
/** The codecs of mediasoup nest four levels deep: parameters, codecs, codec, rtcpFeedback. */
const RTP_MAX_DEPTH = 8

/** @throws AppError too_large */
export function checkMediaParameters(name: string, parameters: object): void {
  if (isDeeperThan(parameters, RTP_MAX_DEPTH)) {
    throw new AppError('too_large', { detail: `${name} nests deeper than ${RTP_MAX_DEPTH} levels` })
  }
  if (Buffer.byteLength(JSON.stringify(parameters)) > RTP_MAX_BYTES) {
    throw new AppError('too_large', { detail: `${name} is larger than ${RTP_MAX_BYTES} bytes as JSON` })
  }
}

/** @throws AppError too_large */
export function checkAppData(appData: object): void {
  if (isDeeperThan(appData, METADATA_MAX_DEPTH)) {
    throw new AppError('too_large', { detail: `appData nests deeper than ${METADATA_MAX_DEPTH} levels` })
  }
  if (Buffer.byteLength(JSON.stringify(appData)) > APP_DATA_MAX_BYTES) {
    throw new AppError('too_large', { detail: `appData is larger than ${APP_DATA_MAX_BYTES} bytes as JSON` })
  }
}
