/** Certificates that a person trusts beside the system's. */
import { readFile } from 'node:fs/promises';
import { errorCode, Failure } from './failure.ts';

/**
 * @param setting where `path` is from, as the message of an error names it
 * @returns the file's text in PEM.
 * @throws Failure where it can't be read or holds none.
 */
export async function readCertificates(path: string, setting = '--ca'): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Failure('configuration', `${setting} ${path} can't be read (${errorCode(error)})`, error);
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Failure('configuration', `${setting} ${path} must hold certificates in PEM (-----BEGIN CERTIFICATE-----)`);
}
