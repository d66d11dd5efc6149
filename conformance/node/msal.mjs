// MSAL for Node: client credentials, silently again, and a wrong secret.
import { ConfidentialClientApplication } from "@azure/msal-node";
import { CLIENT_ID, CLIENT_SECRET, TENANT, auth, claims, must, refused, scope } from "./cloud.mjs";

const ask = { scopes: [scope] };
const app = new ConfidentialClientApplication({ auth: auth(CLIENT_ID, { clientSecret: CLIENT_SECRET }) });
const first = await app.acquireTokenByClientCredential(ask);
const again = await app.acquireTokenByClientCredential(ask);
must(again.fromCache && again.accessToken === first.accessToken, "the cache was not used");
const c = claims(first.accessToken);
must(c.appid === CLIENT_ID && c.tid === TENANT, c);
const bad = new ConfidentialClientApplication({ auth: auth(CLIENT_ID, { clientSecret: "wrong" }) });
await refused(() => bad.acquireTokenByClientCredential(ask), "7000215");
console.log("ok");
