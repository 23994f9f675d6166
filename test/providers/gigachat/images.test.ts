// Holds how images reach GigaChat: uploaded first, then attached.
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { collectParts, providerRequest } from '../../support/provider-calls.ts';
import { json, startGigaChat, whole } from './fake-gigachat.ts';
import { bodyOf, pathsOf } from './gigachat-calls.ts';

describe('images', () => {
  const image = (text: string) =>
    ({
      type: 'image',
      image: { data: Buffer.from(text).toString('base64'), mediaType: 'image/png' },
    }) as const;
  const withImages = (...parts: Message['parts']): Message => ({
    role: 'user',
    parts: [{ type: 'text', text: 'Look' }, ...parts],
    toolCalls: [],
  });

  test('GigaChat images are uploaded first, and attached to their message', async () => {
    await using fake = await startGigaChat({
      answer: ({ path }, count) =>
        path === '/api/files' ? json({ id: `file-${count}`, object: 'file' }) : whole({ content: 'Hi' }),
    });
    const messages = [withImages(image('first')), withImages(image('second'))];
    await collectParts(fake.adapter, providerRequest({ target: fake.target, messages }));
    const uploads = fake.requestsTo('/api/files');
    expect(uploads).toHaveLength(2);
    const boundary = /boundary=(.+)$/.exec(uploads[0]?.headers['content-type'] ?? '')?.[1];
    expect(uploads[0]?.headers.authorization).toBe('Bearer token-1');
    expect(uploads[0]?.body).toBe(
      [
        `--${boundary}`,
        'content-disposition: form-data; name="purpose"',
        '',
        'general',
        `--${boundary}`,
        'content-disposition: form-data; name="file"; filename="image.png"',
        'content-type: image/png',
        '',
        'first',
        `--${boundary}--`,
        '',
      ].join('\r\n'),
    );
    expect(fake.bodies()[0]?.messages).toEqual([
      { role: 'user', content: 'Look', attachments: ['file-1'] },
      { role: 'user', content: 'Look', attachments: ['file-2'] },
    ]);
  });

  test('GigaChat images that cannot be taken are named, and left out', async () => {
    const many = Array.from({ length: 11 }, () => withImages(image('x')));
    const byUrl = { type: 'image', image: { url: 'https://example.com/a.png' } } as const;
    const messages = [
      ...many,
      withImages(byUrl, image('y')),
      { ...withImages(image('z')), role: 'tool' } as const,
    ];
    expect(await pathsOf({ messages })).toEqual([
      'messages[10].parts[1]',
      'messages[11].parts[1]',
      'messages[11].parts[2]',
      'messages[12].parts[1]',
    ]);
    expect((await bodyOf({ messages: [withImages(byUrl)] })).messages).toEqual([
      { role: 'user', content: 'Look' },
    ]);
  });

  test('GigaChat images whose upload fails end the run before it is asked for', async () => {
    const replies = [json({ status: 413, message: 'Payload too large' }, 413), json({ ok: true })];
    for (const [index, code] of ['PROVIDER_INVALID_REQUEST', 'PROVIDER_PROTOCOL'].entries()) {
      await using fake = await startGigaChat({ answer: () => replies[index] ?? json({}) });
      const request = providerRequest({ target: fake.target, messages: [withImages(image('x'))] });
      expect((await collectParts(fake.adapter, request)).fault).toMatchObject({ code });
      expect(fake.bodies()).toEqual([]);
    }
  });
});
