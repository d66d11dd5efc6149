// What the relying parties of OpenID Connect share: a loopback server that a browser
// is sent back to.
import { createServer } from "node:http";
import { TENANT, LOGIN, must } from "./cloud.mjs";

export const { RP_ID, RP_SECRET, UPN } = process.env;

/** The issuer that every library is told; by production's name alone do they accept it. */
export const issuer = `${LOGIN}/${TENANT}/v2.0`;

/** Starts a server; gives its redirect URI and a promise of the request that comes back. */
export async function callback() {
  let arrived;
  const request = new Promise((resolve) => (arrived = resolve));
  const server = createServer((req, res) => {
    const at = new URL(req.url, `http://localhost:${server.address().port}`);
    if (at.pathname !== "/callback") return void res.writeHead(404).end();
    res.end("<!doctype html><title>done</title>done");
    arrived(at);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { redirect: `http://localhost:${server.address().port}/callback`, request, close: () => server.close() };
}

/** Checks the claims of an ID token. */
export function person(claims) {
  must(claims.tid === TENANT && claims.preferred_username?.toLowerCase() === UPN.toLowerCase() && claims.aud === RP_ID, claims);
}
