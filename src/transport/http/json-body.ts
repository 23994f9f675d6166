// Owns the reading of JSON from HTTP requests: bounded in bytes, for each request and for all together, and in shape before it is parsed.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '../../kernel/errors.ts';
import type { IntakeBudget } from './intake-budget.ts';
import { jsonExcess } from './json-bounds.ts';

interface JsonBodyOptions {
  readonly maxBodyBytes: number;
  readonly budget: IntakeBudget;
}

/** Reads JSON bodies; requests with any other kind of body are refused. */
export function registerJsonBody(server: FastifyInstance, options: JsonBodyOptions): void {
  // A key named `__proto__` or `constructor` is an error, since it could change the prototype of the parsed objects.
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', (request, payload, done) => {
    readText(request, payload, options).then(
      (text) => {
        const excess = jsonExcess(text);
        if (excess === undefined) parse(request, text, done);
        else done(badRequest(400, excess));
      },
      (error: Error) => done(error),
    );
  });
}

function readText(
  request: FastifyRequest,
  payload: NodeJS.ReadableStream,
  { maxBodyBytes, budget }: JsonBodyOptions,
): Promise<string> {
  if (Number(request.headers['content-length']) > maxBodyBytes) return Promise.reject(tooLarge(maxBodyBytes));
  const share = budget.openShare();
  return new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > maxBodyBytes) fail(tooLarge(maxBodyBytes));
      else if (!share.add(chunk.length)) fail(tooBusy());
    };
    const onEnd = () => {
      stop();
      resolve((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)).toString('utf8'));
    };
    const onClose = () => fail(badRequest(400, 'The connection was lost before the whole body had come'));
    const fail = (error: Error) => {
      stop();
      reject(error);
    };
    const stop = () => {
      share.release();
      payload.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    payload.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function tooLarge(maxBodyBytes: number): Error {
  return badRequest(413, `The body is larger than ${maxBodyBytes} bytes (the setting MAX_BODY_MB)`);
}

function tooBusy(): GatewayError {
  return new GatewayError(
    'NODE_BUSY',
    'This node is receiving as many bytes as it can hold; send the request again later',
    {
      retryAfterMs: 1_000,
    },
  );
}

function badRequest(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}
