import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLogger, type LoggerOptions } from '../../shared/logger.ts';

/** What a logger writes that is told of one thing at each level. */
function written(options: Omit<LoggerOptions, 'stream' | 'base'> & { readonly isTTY?: boolean }): string {
  const folder = mkdtempSync(join(tmpdir(), 'overlane-'));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  const logger = createLogger({ ...options, stream: { fd, isTTY: options.isTTY }, base: { name: 'the-agent' } });
  logger.info('came');
  logger.error({ error: new Error('why'), site: 'oslo' }, 'broke');
  closeSync(fd);
  const text = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });
  return text;
}

test('where no terminal is, each line is JSON with time, level, program and message', () => {
  const lines = written({ level: 'info', format: 'auto' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    { level: 30, time: expect.any(Number), name: 'the-agent', msg: 'came' },
    expect.objectContaining({
      level: 50,
      msg: 'broke',
      site: 'oslo',
      error: expect.objectContaining({ message: 'why' }),
    }),
  ]);
});

test('a terminal gets lines of text, in colours; a file that is asked for text gets none of those', () => {
  expect(written({ level: 'info', format: 'auto', isTTY: true })).toContain('\u001b[');
  const text = written({ level: 'info', format: 'text' });
  expect(text).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: came$/m);
  expect(text).not.toContain('\u001b[');
  expect(() => JSON.parse(written({ level: 'error', format: 'json', isTTY: true }))).not.toThrow();
});

test('what is below the level is not written', () => {
  expect(written({ level: 'error', format: 'text' })).not.toContain('came');
});
