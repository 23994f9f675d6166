// Owns what the sandbox tells of an image: the type and size in its header, or the host of its address, which it does not fetch.
import type { ImageSource } from '../contract/completions.ts';

/** Enough for the header, also of a JPEG with a long profile before its size. */
const MAX_BYTES = 262_144;

interface Size {
  readonly type: 'PNG' | 'JPEG' | 'GIF' | 'WebP';
  readonly width: number;
  readonly height: number;
}

/** A whole sentence, beginning with `subject`. */
export function sentenceOfImage(subject: string, image: ImageSource): string {
  if ('url' in image) return `${subject} is at ${hostOf(image.url)}; the sandbox does not fetch it.`;
  const bytes = Buffer.from(image.data.slice(0, Math.ceil(MAX_BYTES / 3) * 4), 'base64');
  const size = sizeOf(bytes);
  if (!size)
    return `${subject} is said to be ${image.mediaType.slice(0, 60)}; the sandbox cannot read its size.`;
  return `${subject} is a ${size.type} of ${size.width} x ${size.height} pixels.`;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is not valid';
}

function sizeOf(bytes: Buffer): Size | undefined {
  try {
    return sizeOfPng(bytes) ?? sizeOfGif(bytes) ?? sizeOfWebp(bytes) ?? sizeOfJpeg(bytes);
  } catch (error) {
    // The bytes end before the header does.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function sizeOfPng(bytes: Buffer): Size | undefined {
  if (bytes.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n' || bytes.toString('latin1', 12, 16) !== 'IHDR')
    return undefined;
  return { type: 'PNG', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function sizeOfGif(bytes: Buffer): Size | undefined {
  if (!/^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6))) return undefined;
  return { type: 'GIF', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
}

/** See https://developers.google.com/speed/webp/docs/riff_container: three kinds of first chunk, each with the size elsewhere. */
function sizeOfWebp(bytes: Buffer): Size | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP')
    return undefined;
  const chunk = bytes.toString('latin1', 12, 16);
  if (chunk === 'VP8X')
    return { type: 'WebP', width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8 ') {
    return { type: 'WebP', width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  }
  if (chunk !== 'VP8L') return undefined;
  const bits = bytes.readUInt32LE(21);
  return { type: 'WebP', width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** The size stands in the frame's header (SOF); the segments before it are skipped by their lengths. */
function sizeOfJpeg(bytes: Buffer): Size | undefined {
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes.readUInt8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return { type: 'JPEG', width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    // Fill bytes and markers without a segment.
    const alone = marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += marker === 0xff ? 1 : alone ? 2 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
