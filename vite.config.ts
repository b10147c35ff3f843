/** How the dashboard is built: `dist/dashboard` is what both hosts serve. */
import { join } from 'node:path';
import { defineConfig } from 'vite';

export default defineConfig({
  root: join(import.meta.dirname, 'src/dashboard'),
  base: '/',
  // Nothing is fetched but files of our own, and no script or style stands in the HTML: the gateway's CSP allows neither.
  build: {
    outDir: '../../dist/dashboard',
    emptyOutDir: true,
    target: 'es2023',
    cssTarget: 'esnext',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  logLevel: 'warn',
});
