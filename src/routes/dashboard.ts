/**
 * The dashboard's files: `index.html` for every page that it has, and what that loads. Where they are is the host's to know; what a
 * browser is told of them is the same on each.
 */
import { type Context, Hono } from 'hono';
import { notFound } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';

/** Addresses of pages; which of them it is, the script sees. */
const PAGES = ['/', '/sign-in', '/t/*', '/operator', '/operator/*'];

/** Nothing but what this gateway serves as a file: no script or style in the page, nothing from elsewhere, no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function dashboardRoutes({ asset }: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.on('GET', PAGES, async (c) => {
    const page = await asset(c, '/index.html');
    if (page === null)
      return c.text('The dashboard is not built: npm run build. The API is at /v1, described at /docs.\n', 503);
    return answer(c, page, 'no-cache');
  });

  // Their names change with what is in them.
  app.get('/assets/:name', async (c) => {
    const file = await asset(c, c.req.path);
    if (file === null) throw notFound('file', c.req.param('name'));
    return answer(c, file, 'public, max-age=31536000, immutable');
  });

  return app;
}

function answer(c: Context<AppEnv>, file: Response, cacheControl: string): Response {
  return c.newResponse(file.body, file.status as 200 | 304, {
    ...Object.fromEntries(file.headers),
    'cache-control': cacheControl,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  });
}
