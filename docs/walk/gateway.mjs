// What the walk in docs/gateway-walk.md needs besides the gateway, with nothing but Node:
// a tool to stand in front of, and people and programs who ask for it. It talks to the
// partner cloud that runs on this machine.
//
//   node docs/walk/gateway.mjs prepare          # registers what the walk needs, writes panel.secret
//   node docs/walk/gateway.mjs tool             # an upstream at 127.0.0.1:9000 that tells what it saw
//   node docs/walk/gateway.mjs token billing    # a token by a password alone
//   node docs/walk/gateway.mjs token lena       # a token with MFA: you sign in on a page
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";

const partnerguard = process.env.PARTNERGUARD ?? "partnerguard";
const cloud = (...args) => execFileSync(partnerguard, ["cloud", ...args], { encoding: "utf8", stdio: "pipe" });
const world = () => JSON.parse(cloud("info", "--output", "json"));
const api = "b3e7a1d5-64c2-4f08-9d3b-0e5a7c91f2d8"; // Contoso Orders API
const say = (...lines) => lines.forEach((line) => console.error(line));

// What an administrator does once at Entra ID: see docs/gateway-clients.md.
function prepare() {
  const info = world();
  const app = (name) => info.apps.find((a) => a.name === name);
  const at = (id) => `/v1.0/applications(appId='${id}')`;
  const change = (id, body) => cloud("graph", "PATCH", at(id), "--body", JSON.stringify(body));
  const scope = JSON.parse(cloud("graph", "GET", at(api))).api.oauth2PermissionScopes[0].id;
  const clients = [app("Contoso Command Line"), app("Contoso Billing Sync")].map((a) => a.clientId);
  change(api, {
    optionalClaims: { accessToken: [{ name: "auth_time" }, { name: "xms_cc" }] },
    api: { preAuthorizedApplications: clients.map((appId) => ({ appId, delegatedPermissionIds: [scope] })) },
  });
  const panel = app("Contoso Control Panel");
  change(panel.clientId, { web: { redirectUris: ["http://localhost", "http://localhost:8480/.partnerguard/callback"] } });
  writeFileSync("panel.secret", panel.clientSecret, { mode: 0o600 });
  say("Contoso Orders API has the optional claims auth_time and xms_cc, and two clients that may ask for it.",
    "Contoso Control Panel has the redirect URI of the gateway; its secret is in panel.secret.");
}

// An upstream that tells what it saw: this is what your own tool would be told.
function tool() {
  createServer((request, response) => {
    const told = Object.entries(request.headers).filter(([name]) => name.startsWith("x-partnerguard-"));
    const text = [`${request.method} ${request.url}`, ...told.map(([name, value]) => `${name}: ${value.slice(0, 80)}`)].join("\n");
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><html lang="en"><title>Orders</title><h1>Orders</h1>\n<pre>${text.replace(/[&<]/g, (c) => `&#${c.charCodeAt(0)};`)}</pre>\n`);
  }).listen(9000, "127.0.0.1", () => say("The tool listens on 127.0.0.1:9000."));
}

async function ask(path, form) {
  const info = world();
  const url = `${info.login.replace("https://", "http://")}/${info.tenant.id}/oauth2/v2.0/${path}`;
  return (await fetch(url, { method: "POST", body: new URLSearchParams(form) })).json();
}

// The one-time code of the partner cloud's moment (RFC 6238), as an authenticator shows it.
function code(secret, clock) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(Math.floor(Date.parse(clock) / 30_000)));
  const mac = createHmac("sha1", key).update(count).digest();
  const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(n % 1_000_000).padStart(6, "0");
}

async function token(who) {
  const { people, apps, clock } = world();
  const person = people.find((p) => p.upn.startsWith(who === "billing" ? "svc-billing@" : `${who}.`));
  if (!person) throw new Error(`nobody is called ${who}: partnerguard cloud people`);
  const client = (name) => apps.find((a) => a.name === name).clientId;
  const scope = `api://${api}/access_as_user`;
  if (who === "billing") {
    return ask("token", { grant_type: "password", client_id: client("Contoso Billing Sync"), username: person.upn, password: person.password, scope });
  }
  const client_id = client("Contoso Command Line");
  const device = await ask("devicecode", { client_id, scope });
  if (!device.device_code) return device;
  say(`Open ${device.verification_uri} and enter ${device.user_code}; sign in as ${person.upn},`,
    `password ${person.password}, one-time code ${code(person.totp, clock)} (in half a minute another).`);
  for (;;) {
    const got = await ask("token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", client_id, device_code: device.device_code });
    if (got.error !== "authorization_pending") return got;
    await new Promise((done) => setTimeout(done, device.interval * 1000));
  }
}

process.on("uncaughtException", (err) => {
  say(err.message);
  process.exit(1);
});
const [what, who] = process.argv.slice(2);
if (what === "prepare") prepare();
else if (what === "tool") tool();
else if (what === "token" && who) {
  const got = await token(who);
  if (!got.access_token) throw new Error(got.error_description);
  console.log(got.access_token);
} else {
  say("node docs/walk/gateway.mjs prepare|tool|token billing|token lena");
  process.exit(2);
}
