// Owns the instant fake provider: a process that answers the OpenAI chat protocol as fast as it can.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const TOKEN = 'tok ';
/** Tokens of a stream, and how many leave in one write. */
const TOKENS = Number(process.env.TOKENS ?? 1000);
const PER_WRITE = Number(process.env.PER_WRITE ?? 20);

const usage = { prompt_tokens: 10, completion_tokens: TOKENS, total_tokens: TOKENS + 10 };
const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'fake', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const writes = Array.from({ length: TOKENS / PER_WRITE }, () => chunk({ content: TOKEN }).repeat(PER_WRITE));
const end = `${chunk({}, 'stop')}data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'fake', choices: [], usage })}\n\ndata: [DONE]\n\n`;
const short = `${chunk({ content: 'Hello' })}${end}`;
const whole = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'fake',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage,
});

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text) => {
    body += text;
  });
  request.on('end', async () => {
    if (!body.includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(whole);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // The prompt says which answer to give, so that it does not depend on the gateway in between.
    if (body.includes('SILENT')) return response.flushHeaders();
    if (body.includes('SHORT')) return response.end(short);
    for (const text of writes) {
      if (!response.write(text)) await new Promise((resolve) => response.once('drain', resolve));
      await new Promise(setImmediate);
    }
    response.end(end);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
