import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { testSettings } from './settings.ts';

type Document = {
  info?: object;
  paths: Record<string, Record<string, { operationId: string; parameters?: { in: string; name: string }[] }>>;
};

let running: RunningGateway;
let document: Document;
beforeAll(async () => {
  running = await startGateway({
    config: readConfig(testSettings),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  document = (await (await fetch(`${running.url}/openapi.json`)).json()) as Document;
});
afterAll(() => running.close());

test('the description of the API is what the OpenAPI 3.1 specification allows, and every reference in it leads somewhere', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
  expect(JSON.stringify(validator.resolveRefs())).not.toContain('"$ref"');
  const { info: _, ...broken } = document;
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test('a generator finds one name for each call that is fit for a program, and every parameter of its path', () => {
  const names: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { operationId, parameters = [] } of Object.values(methods)) {
      names.push(operationId);
      expect(operationId).toMatch(/^[a-z][A-Za-z0-9]+$/);
      expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
    }
  }
  expect(names.length).toBeGreaterThan(40);
  expect(new Set(names).size).toBe(names.length);
});
