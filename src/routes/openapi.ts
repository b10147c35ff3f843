/** The API's own description, made from the schemas that validate it: `/openapi.json` for machines, `/docs` for people. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type { Hono } from 'hono';
import { generateSpecs, loadVendor } from 'hono-openapi';
import type { GenericSchema } from 'valibot';
import { ProblemSchema } from '../contract/errors.ts';
import type { AppEnv } from '../gateway.ts';
import { docsPage } from './docs-page.ts';
import type { OpenApiDocument } from './openapi-document.ts';

// Rules that JSON Schema has no words for (an address's spelling, say) are left out: the messages of errors say them.
loadVendor('valibot', {
  toOpenAPISchema: (schema, { options }) => jsonSchemaOf(schema as GenericSchema, options?.typeMode === 'input'),
});

/** Adds both to `app`, describing the routes it has by then. */
export function addOpenApi(app: Hono<AppEnv>): void {
  let made: Promise<OpenApiDocument> | undefined;
  const document = () => {
    made ??= makeDocument(app);
    return made;
  };
  app.get('/openapi.json', async (c) => c.json(await document()));
  app.get('/docs', async (c) => {
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    return c.html(docsPage(await document()));
  });
}

async function makeDocument(app: Hono<AppEnv>): Promise<OpenApiDocument> {
  const document = await generateSpecs(app, {
    defaultValidationErrorResponse: false,
    documentation: {
      info: {
        title: 'Overlane',
        version: '1',
        description:
          'Layer-2 networks of many tenants, stretched between sites over VXLAN. Errors are RFC 9457 problem details with a closed set of codes. A POST with an Idempotency-Key is done once.',
      },
      components: {
        schemas: { Problem: jsonSchemaOf(ProblemSchema, false) },
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description:
              "The operator's key, a tenant's key (olk_…) or, under /v1/agent, the agent's signed token (a JWT, EdDSA).",
          },
        },
      },
      security: [{ bearer: [] }],
    },
  });
  return document as unknown as OpenApiDocument;
}

function jsonSchemaOf(schema: GenericSchema, isInput: boolean): Record<string, never> {
  const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: 'ignore', typeMode: isInput ? 'input' : 'output' });
  return rest as Record<string, never>;
}
