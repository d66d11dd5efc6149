// What the scripts share: where the cloud is, and a look into tokens.
export const { WAY, LOGIN, GRAPH, TENANT, CLIENT_ID, CLIENT_SECRET, PUBLIC_ID, UPN, CERT } = process.env;

const endpoints = WAY === "endpoints";

/** Configuration of MSAL; by names there is nothing to tell it. */
export const auth = (clientId, more = {}) => ({
  clientId,
  authority: `${LOGIN}/${TENANT}`,
  ...(endpoints ? { knownAuthorities: [new URL(LOGIN).host] } : {}),
  ...more,
});

/** Options of @azure/identity. */
export const identity = endpoints ? { authorityHost: LOGIN, disableInstanceDiscovery: true } : {};

/** Options of the Graph client. */
export const graph = endpoints ? { baseUrl: GRAPH + "/", customHosts: new Set([new URL(GRAPH).hostname]) } : {};

export const scope = "https://graph.microsoft.com/.default";

export const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** Fails unless cond holds. */
export function must(cond, what) {
  if (!cond) throw new Error(typeof what === "string" ? what : JSON.stringify(what));
}

/** Fails unless the token is the person's and carries the MFA claim. */
export function withMFA(token) {
  const c = claims(token);
  must(c.upn.toLowerCase() === UPN.toLowerCase() && c.amr.includes("mfa"), c);
  return c;
}

/** Fails unless f is refused with that AADSTS code. */
export async function refused(f, code) {
  try {
    await f();
  } catch (e) {
    must(`${e.errorMessage ?? ""} ${e.message ?? ""}`.includes(code), String(e));
    return;
  }
  throw new Error(`not refused with ${code}`);
}
