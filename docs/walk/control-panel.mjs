// A control panel's day with the Secure Application Model, against the partner
// cloud. Nothing in here knows that it is not production: the hosts are the real
// ones, and "cloud exec" leads them to the partner cloud.
//
//   partnerguard cloud                                     # in one terminal
//   partnerguard cloud exec -- node docs/walk/control-panel.mjs   # in another
//
// It asks for consent with MFA in your browser, exchanges the refresh token for
// a customer, asks Partner Center whether the call counts as MFA, and then jumps
// the cloud's clock 95 days to see the token die.
import { createServer } from "node:http";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";

const partnerguard = process.env.PARTNERGUARD ?? "partnerguard";
const cloud = (...args) => execFileSync(partnerguard, ["cloud", ...args], { encoding: "utf8" });
const info = JSON.parse(cloud("info", "--output", "json"));
const app = info.apps.find((a) => a.name === "Contoso Control Panel");
const agent = info.people.find((p) => p.upn.startsWith("sam-agent@"));
const login = "https://login.microsoftonline.com";
const partnerCenter = "https://api.partnercenter.microsoft.com";
const graph = "https://graph.microsoft.com";

const say = (step, text) => console.log(`\n${step}. ${text}`);
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

async function token(tenant, form) {
  const reply = await fetch(`${login}/${tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: app.clientId, client_secret: app.clientSecret, ...form }),
  });
  return reply.json();
}

// 1. Consent with MFA: authorization code with PKCE on a loopback redirect.
const verifier = randomBytes(32).toString("base64url");
const state = randomBytes(16).toString("base64url");
const code = await new Promise((resolve, reject) => {
  const server = createServer((request, response) => {
    const q = new URL(request.url, "http://localhost").searchParams;
    if (!q.has("code") && !q.has("error")) return response.writeHead(404).end();
    response.end("Done. You can close this page.");
    server.close();
    if (q.get("state") !== state) reject(new Error("a callback with a wrong state"));
    else if (q.has("error")) reject(new Error(q.get("error_description")));
    else resolve(q.get("code"));
  });
  server.listen(8400, "127.0.0.1", () => {
    const q = new URLSearchParams({
      client_id: app.clientId, response_type: "code", redirect_uri: "http://localhost:8400/callback", response_mode: "query", state,
      scope: `${partnerCenter}/user_impersonation offline_access openid`, amr_values: "mfa",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
    });
    // Your browser does not run under cloud exec: it gets the cloud's own address.
    const browser = info.login.replace("https://", "http://");
    say(1, `open this page and consent as ${agent.upn}\n   ${browser}/${info.tenant.id}/oauth2/v2.0/authorize?${q}`);
    console.log(`   password ${agent.password}   TOTP secret ${agent.totp}`);
  });
});
const first = await token(info.tenant.id, {
  grant_type: "authorization_code", code, redirect_uri: "http://localhost:8400/callback", code_verifier: verifier,
  scope: `${partnerCenter}/user_impersonation offline_access openid`,
});
if (!first.access_token) throw new Error(first.error_description);
const { amr, upn } = claimsOf(first.access_token);
if (!amr?.includes("mfa")) throw new Error(`${upn} signed in without MFA: do not keep this refresh token`);
console.log(`   ${upn} consented; amr is ${JSON.stringify(amr)}`);

// 2. The same refresh token reaches a customer.
const customer = info.customers[0];
const abroad = await token(customer.id, { grant_type: "refresh_token", refresh_token: first.refresh_token, scope: `${graph}/.default` });
if (!abroad.access_token) throw new Error(abroad.error_description);
const users = await (await fetch(`${graph}/v1.0/users?$top=3&$select=userPrincipalName`, { headers: { Authorization: `Bearer ${abroad.access_token}` } })).json();
say(2, `a token for ${customer.name}; its first users: ${users.value.map((u) => u.userPrincipalName).join(", ")}`);

// 3. Partner Center says whether the call counts as MFA.
const list = await fetch(`${partnerCenter}/v1/customers?size=3`, { headers: { Authorization: `Bearer ${first.access_token}`, ValidateMfa: "true" } });
say(3, `Partner Center: ${list.status}, isMfaCompliant ${list.headers.get("isMfaCompliant")}, ${(await list.json()).totalCount} customers`);

// 4. Ninety idle days kill a refresh token.
cloud("clock", "+95d");
const late = await token(info.tenant.id, { grant_type: "refresh_token", refresh_token: first.refresh_token, scope: `${partnerCenter}/.default` });
say(4, `95 days later: ${late.error} ${JSON.stringify(late.error_codes)}\n   ${late.error_description?.split("\n")[0]}`);
if (late.error_codes?.[0] !== 700082) process.exit(1);
