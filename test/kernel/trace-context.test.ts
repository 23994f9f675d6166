import { describe, expect, test } from 'vitest';
import { parseTraceContext } from '../../src/kernel/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const GOOD = `00-${TRACE}-${PARENT}-01`;

describe('traceparent', () => {
  test('a traceparent names the trace, the caller’s span, and whether it is recorded', () => {
    expect(parseTraceContext(GOOD)).toEqual({
      traceId: TRACE,
      parentId: PARENT,
      flags: '01',
      isSampled: true,
    });
    expect(parseTraceContext(`00-${TRACE}-${PARENT}-02`)).toMatchObject({ flags: '02', isSampled: false });
  });

  test('a traceparent of a later version is read as far as it is known', () => {
    expect(parseTraceContext(`cc-${TRACE}-${PARENT}-01-what-the-future-brings`)).toMatchObject({
      traceId: TRACE,
    });
    expect(parseTraceContext(`cc-${TRACE}-${PARENT}-01.what`)).toBeUndefined();
  });

  test.each([
    ['none', undefined],
    ['no text', 7],
    ['an empty text', ''],
    ['more than version 00 has', `${GOOD}-more`],
    ['the version that is none', `ff-${TRACE}-${PARENT}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', GOOD.toUpperCase()],
    ['a trace that is too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['flags of one digit', `00-${TRACE}-${PARENT}-1`],
    ['two of them', `${GOOD}, ${GOOD}`],
    ['a blank before', ` ${GOOD}`],
  ])('a traceparent with %s names no trace', (_what, parent) => {
    expect(parseTraceContext(parent, 'a=1')).toBeUndefined();
  });
});

describe('tracestate', () => {
  const stateOf = (state: unknown) => parseTraceContext(GOOD, state)?.state;

  test('a tracestate keeps its order, without the blanks and the empty members between', () => {
    expect(stateOf('rojo=00f067aa0ba902b7 ,\tcongo=t61rcWkgMzE,,')).toBe(
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    );
    expect(stateOf('fw529a3039@dt=FfAAAAAAAAAAAAAAQ, 3a*/-_=a b')).toBe(
      'fw529a3039@dt=FfAAAAAAAAAAAAAAQ,3a*/-_=a b',
    );
  });

  test.each([
    ['none', undefined],
    ['no member', ' , '],
    ['a member without a value', 'a='],
    ['a member without "="', 'a'],
    ['a key with a capital letter', 'A=1'],
    ['a key that is too long', `${'a'.repeat(257)}=1`],
    ['a value that is too long', `a=${'b'.repeat(257)}`],
    ['a value with "="', 'a=b=c'],
    ['a key twice', 'a=1,a=2'],
    ['more than 32 members', Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')],
  ])('a tracestate with %s is dropped, and the trace is kept', (_what, state) => {
    expect(parseTraceContext(GOOD, state)).toMatchObject({ traceId: TRACE });
    expect(stateOf(state)).toBeUndefined();
  });

  test('a tracestate may have 32 members, and values of 256 characters', () => {
    const members = Array.from({ length: 32 }, (_, index) => `k${index}=${'v'.repeat(256)}`).join(',');
    expect(stateOf(members)).toBe(members);
  });
});
