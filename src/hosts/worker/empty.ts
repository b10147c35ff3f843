// Stands in for optional schema libraries that hono-openapi looks for and that nothing here uses: see wrangler.toml.
export {};
