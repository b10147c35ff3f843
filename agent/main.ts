#!/usr/bin/env node
/** overlane-agent: joins a site to a tenant's networks and carries their frames. */
import { runProgram } from './cli/program.ts';

process.exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
});
