// A control panel sells: it orders for a customer, suspends and brings back, deletes
// a user and restores it, and prints the invoice, against the partner cloud. Nothing
// in here knows that it is not production: the hosts are the real ones, and "cloud
// exec" leads them to the partner cloud.
//
//   partnerguard cloud                                     # in one terminal
//   partnerguard cloud exec -- node docs/walk/order.mjs    # in another
//
// (or with "go run ./cmd/partnerguard" for "partnerguard": cloud exec says by
// PARTNERGUARD which program started it)
//
// Sign in once, with MFA, in your browser. The invoice comes on the eighth of the next
// month: the script jumps the cloud's clock there. Every price is invented.
import { createServer } from "node:http";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";

const partnerguard = process.env.PARTNERGUARD ?? "partnerguard";
const cloud = (...args) => execFileSync(partnerguard, ["cloud", ...args], { encoding: "utf8" });
const info = JSON.parse(cloud("info", "--output", "json"));
const app = info.apps.find((a) => a.name === "Contoso Control Panel");
const agent = info.people.find((p) => p.upn.startsWith("sam-agent@"));
const customer = info.customers.find((c) => c.domain === "wingtip.example");
const login = "https://login.microsoftonline.com";
const partnerCenter = "https://api.partnercenter.microsoft.com";
const scope = `${partnerCenter}/user_impersonation offline_access openid`;

const say = (step, text) => console.log(`\n${step}. ${text}`);

async function token(form) {
  const reply = await fetch(`${login}/${info.tenant.id}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: app.clientId, client_secret: app.clientSecret, scope, ...form }),
  });
  const tokens = await reply.json();
  if (!tokens.access_token) throw new Error(tokens.error_description);
  return tokens;
}

let tokens;
async function call(method, path, body, headers = {}) {
  const reply = await fetch(partnerCenter + "/v1" + path, {
    method,
    headers: { Authorization: `Bearer ${tokens.access_token}`, Accept: "application/json", "Content-Type": "application/json",
      "MS-RequestId": crypto.randomUUID(), ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
  const answer = text && JSON.parse(text);
  return answer;
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
      client_id: app.clientId, response_type: "code", redirect_uri: "http://localhost:8400/callback", response_mode: "query", state, scope,
      amr_values: "mfa", code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
    });
    // Your browser does not run under cloud exec: it gets the cloud's own address.
    say(1, `open this page and consent as ${agent.upn}\n   ${info.login.replace("https://", "http://")}/${info.tenant.id}/oauth2/v2.0/authorize?${q}`);
    console.log(`   password ${agent.password}   TOTP secret ${agent.totp}`);
  });
});
tokens = await token({ grant_type: "authorization_code", code, redirect_uri: "http://localhost:8400/callback", code_verifier: verifier });

// 2. What is there to buy, and for how much.
const mine = `/customers/${customer.id}`;
const products = await call("GET", `${mine}/products?targetView=OnlineServices`);
const product = products.items.find((p) => p.title === "Microsoft 365 Business Standard");
const skus = await call("GET", `${mine}/products/${product.id}/skus`);
const sku = skus.items.find((s) => !s.isTrial);
const [item] = (await call("GET", `${mine}/products/${product.id}/skus/${sku.id}/availabilities`)).items;
say(2, `${customer.name} can buy ${products.totalCount} products; it orders ${product.title}, item ${item.catalogItemId} of the catalogue\n   ${product.description}`);

// 3. A cart, and the order that comes of it.
const cart = await call("POST", `${mine}/carts`, {
  lineItems: [{ id: 0, catalogItemId: item.catalogItemId, friendlyName: "Ordered by the panel", quantity: 5, billingCycle: "monthly", termDuration: "P1Y" }],
});
const wrong = cart.lineItems.find((l) => l.error);
if (wrong) throw new Error(wrong.error.errorDescription);
const { pricing, currencyCode } = cart.lineItems[0];
const checkout = await call("POST", `${mine}/carts/${cart.id}/checkout`);
for (const e of checkout.orderErrors ?? []) console.log(`   group ${e.orderGroupId}: ${e.description}`);
const [order] = checkout.orders;
const subscriptionId = order.lineItems[0].subscriptionId;
const path = `${mine}/subscriptions/${subscriptionId}`;
say(3, `order ${order.id} is ${order.status}: 5 seats at ${pricing.price.toFixed(2)} ${currencyCode} a month, subscription ${subscriptionId}`);

const seats = async () => {
  const all = await call("GET", `${mine}/subscribedskus`);
  const s = all.items.find((x) => x.productSku.name === product.title);
  return `${s.activeUnits} active, ${s.suspendedUnits} suspended`;
};
console.log(`   seats in the customer's directory: ${await seats()}`);

// 4. Suspend and bring back: read, change, send all of it with its ETag.
async function setStatus(status) {
  const subscription = await call("GET", path);
  const changed = await call("PATCH", path, { ...subscription, status }, { "If-Match": subscription.attributes.etag });
  console.log(`   the subscription is ${changed.status}; seats: ${await seats()}`);
}
say(4, "suspended and brought back:");
await setStatus("suspended");
await setStatus("active");

// 5. Delete a user by mistake, find it among the deleted ones, restore it.
const users = await call("GET", `${mine}/users?size=100`);
const user = users.items.at(-1);
await call("DELETE", `${mine}/users/${user.id}`);
const filter = encodeURIComponent(JSON.stringify({ Field: "UserStatus", Value: "Inactive", Operator: "equals" }));
const deleted = await call("GET", `${mine}/users?size=100&filter=${filter}`);
say(5, `deleted: ${deleted.items.map((u) => `${u.userPrincipalName} on ${u.softDeletionTime}`).join(", ")}`);
const restored = await call("PATCH", `${mine}/users/${user.id}`, { state: "active", attributes: { objectType: "CustomerUser" } });
console.log(`   restored: ${restored.userPrincipalName} is ${restored.state}`);

// 6. What it costs, before the invoice comes.
const { billingCurrency } = await call("GET", "/profiles/billing");
const about = `provider=onetime&invoicelineitemtype=billinglineitems&currencycode=${billingCurrency}`;
const ours = (lines) => lines.items.filter((l) => l.subscriptionId === subscriptionId);
const [open] = ours(await call("GET", `/invoices/unbilled/lineitems?${about}&period=current`));
say(6, `not billed yet: ${open.chargeType} ${open.quantity} × ${open.effectiveUnitPrice.toFixed(2)} = ${open.totalForCustomer.toFixed(2)} ${open.currency}`);

// 7. The invoice of the month comes on the eighth of the next.
const now = new Date(open.orderDate);
const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 9);
cloud("clock", `+${Math.ceil((day - now) / 3_600_000)}h`);
tokens = await token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
const invoice = (await call("GET", "/invoices?size=200&offset=0")).items.at(-1);
const lines = [];
let reply, next = { uri: `/invoices/${invoice.id}/lineitems/OneTime/BillingLineItems?size=50`, headers: [] };
while (next) {
  reply = await call("GET", next.uri, undefined, Object.fromEntries(next.headers.map((h) => [h.key, h.value])));
  lines.push(...reply.items);
  next = reply.links.next;
}
say(7, `invoice ${invoice.id} of ${invoice.invoiceDate.slice(0, 10)}: ${invoice.totalCharges.toFixed(2)} ${invoice.currencyCode}, ${lines.length} lines; of ${customer.name}:`);
for (const l of lines.filter((l) => l.customerId === customer.id)) {
  console.log(`   ${l.chargeStartDate.slice(0, 10)}  ${l.skuName.padEnd(40)} ${l.chargeType.padEnd(12)} ${String(l.quantity).padStart(3)} × ` +
    `${l.effectiveUnitPrice.toFixed(2)} = ${l.totalForCustomer.toFixed(2)} ${l.currency}`);
}
const total = Math.round(100 * lines.reduce((sum, l) => sum + l.totalForCustomer, 0)) / 100;
if (total !== invoice.totalCharges || !ours({ items: lines }).length) {
  console.error(`the lines say ${total}, the invoice ${invoice.totalCharges}`);
  process.exit(1);
}
console.log(`   the lines add up to ${total.toFixed(2)} ${invoice.currencyCode}`);
