/** A readable page of the OpenAPI document: made here, with no script and nothing fetched from elsewhere. */
import { html, raw } from 'hono/html';
import { ERRORS } from '../contract/errors.ts';
import type { Content, OpenApiDocument, Operation } from './openapi-document.ts';

type Html = ReturnType<typeof html>;

export function docsPage({ info, paths }: OpenApiDocument): Html {
  const byTag = Map.groupBy(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    ),
    ({ operation }) => operation.tags?.[0] ?? 'Other',
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>${info.title} API</h1>
<p>${info.description} The same for machines: <a href="/openapi.json">openapi.json</a>.</p>
${[...byTag].map(([tag, calls]) => html`<h2>${tag}</h2>${calls.map(({ path, method, operation }) => call(path, method, operation))}`)}
<h2>Errors</h2>
<table>
${Object.entries(ERRORS).map(
  ([code, { status, title }]) =>
    html`<tr id="${code}"><th scope="row"><code>${code}</code></th><td>${status}</td><td>${title}</td></tr>`,
)}
</table>
</main>
</body>
</html>`;
}

function call(path: string, method: string, operation: Operation): Html {
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  return html`<details>
<summary><b>${method}</b> <code>${path}</code> <span>${operation.summary}</span></summary>
${query.length === 0 ? '' : html`<p>Query: <code>${query.join(', ')}</code></p>`}
${operation.requestBody === undefined ? '' : html`<h3>Body</h3>${schemasOf(operation.requestBody.content)}`}
${Object.entries(operation.responses).map(
  ([status, answer]) => html`<h3>${status} <small>${answer.description}</small></h3>${schemasOf(answer.content ?? {})}`,
)}
</details>`;
}

/** Problems all have the one form, which the page's end tells of. */
function schemasOf(content: Content): Html[] {
  return Object.entries(content)
    .filter(([type]) => type !== 'application/problem+json')
    .map(([, { schema }]) => html`<pre>${JSON.stringify(schema, null, 2)}</pre>`);
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid #8884; border-radius: 6px; }
details { border-top: 1px solid #8884; padding: 0.4rem 0; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
summary span, small { color: #777; font-weight: normal; }
h2 { margin: 2rem 0 0.5rem; } h3 { margin: 0.75rem 0 0.25rem; font-size: 1rem; }
th { text-align: left; padding-right: 1rem; } td { padding-right: 1rem; }
`;
