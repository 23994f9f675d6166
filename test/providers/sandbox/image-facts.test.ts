// Holds what the sandbox tells of images, from real headers and from bytes that are none.
import { expect, test } from 'vitest';
import { sentenceOfImage } from '../../../src/providers/sandbox/image-facts.ts';
import { collect, request } from './sandbox-calls.ts';

const latin = (text: string) => Buffer.from(text, 'latin1');
const numbers = (...values: number[]) => Buffer.from(values);
const png = Buffer.concat([
  latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'),
  numbers(0, 0, 2, 128, 0, 0, 1, 224, 8, 6),
]);
const jpeg = Buffer.concat([
  numbers(0xff, 0xd8, 0xff, 0xe0, 0, 16),
  Buffer.alloc(14),
  numbers(0xff, 0xff, 0xc4, 0, 4, 0, 0, 0xff, 0xc2, 0, 17, 8, 0, 100, 1, 44, 3),
]);
const gif = Buffer.concat([latin('GIF89a'), numbers(16, 0, 9, 0)]);
const webp = (chunk: string, rest: Buffer) =>
  Buffer.concat([latin(`RIFF\0\0\0\0WEBP${chunk}\0\0\0\0`), rest]);
const lossy = webp('VP8 ', numbers(0, 0, 0, 0x9d, 1, 0x2a, 64, 0, 32, 0));
const lossless = webp('VP8L', numbers(0x2f, 0x3f, 0xc0, 0x07, 0));
const extended = webp('VP8X', numbers(0, 0, 0, 0, 99, 0, 0, 49, 0, 0));

test.each([
  ['a PNG', png, 'The image is a PNG of 640 x 480 pixels.'],
  ['a JPEG whose size stands behind other segments', jpeg, 'The image is a JPEG of 300 x 100 pixels.'],
  ['a GIF', gif, 'The image is a GIF of 16 x 9 pixels.'],
  ['a lossy WebP', lossy, 'The image is a WebP of 64 x 32 pixels.'],
  ['a lossless WebP', lossless, 'The image is a WebP of 64 x 32 pixels.'],
  ['an extended WebP', extended, 'The image is a WebP of 100 x 50 pixels.'],
])('the header of %s gives its type and size', (_name, bytes, sentence) => {
  const data = bytes.toString('base64');
  expect(sentenceOfImage('The image', { data, mediaType: 'image/any' })).toBe(sentence);
});

test.each([...[png, jpeg, gif, lossy, lossless, extended].entries()])(
  'an image cut anywhere in its header has no size: %i',
  (_place, bytes) => {
    for (let length = 0; length < Math.min(bytes.length, 10); length += 1) {
      const data = bytes.subarray(0, length).toString('base64');
      expect(sentenceOfImage('It', { data, mediaType: 'image/avif' })).toBe(
        'It is said to be image/avif; the sandbox cannot read its size.',
      );
    }
  },
);

test('an image at an address is told by its host alone', async () => {
  expect(sentenceOfImage('It', { url: 'https://example.com/secret?token=1' })).toBe(
    'It is at example.com; the sandbox does not fetch it.',
  );
  expect(sentenceOfImage('It', { url: 'nowhere' })).toContain('not valid');
});

test('the answer tells of each image of the last user message', async () => {
  const image = (data: Buffer) =>
    ({ type: 'image', image: { data: data.toString('base64'), mediaType: 'image/png' } }) as const;
  const messages = [
    { role: 'user', parts: [{ type: 'text', text: 'See' }, image(png), image(gif)], toolCalls: [] },
  ] as const;
  const { text } = await collect(request({ messages }));
  expect(text).toContain(
    'You wrote: "See [image] [image]". Image 1 is a PNG of 640 x 480 pixels. Image 2 is a GIF of 16 x 9 pixels.',
  );
});
