import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate for `localhost` that its own clients trust. */
export interface Certificate {
  readonly file: string;
  readonly keyFile: string;
  readonly pem: string;
}

export function makeCertificate(directory: string): Certificate {
  const [file, keyFile] = [join(directory, "localhost.pem"), join(directory, "localhost.key")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(process.env["OPENSSL"] ?? "openssl", ["req", "-x509", "-days", "2", "-out", file, ...key, ...name], {
    stdio: "pipe",
  });
  return { file, keyFile, pem: readFileSync(file, "utf8") };
}
