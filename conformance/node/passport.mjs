// passport-azure-ad's BearerStrategy guards an API: the right token passes; one for
// another API, a changed one and none do not.
import express from "express";
import passport from "passport";
import { BearerStrategy } from "passport-azure-ad";
import { CLIENT_ID, CLIENT_SECRET, LOGIN, TENANT, must } from "./cloud.mjs";
import { RP_ID, RP_SECRET } from "./rp.mjs";

const ask = async (client, secret, scope) => (await (await fetch(`${LOGIN}/${TENANT}/oauth2/v2.0/token`, {
  method: "POST", body: new URLSearchParams({ grant_type: "client_credentials", client_id: client, client_secret: secret, scope }),
})).json()).access_token;

passport.use(new BearerStrategy({
  identityMetadata: `${LOGIN}/${TENANT}/v2.0/.well-known/openid-configuration`, clientID: RP_ID, audience: [RP_ID, `api://${RP_ID}`],
  issuer: [`https://sts.windows.net/${TENANT}/`, `https://login.microsoftonline.com/${TENANT}/v2.0`], validateIssuer: true, loggingLevel: "error",
  loggingNoPII: true,
}, (token, done) => done(null, token, token)));
const app = express();
app.use(passport.initialize());
app.get("/", passport.authenticate("oauth-bearer", { session: false }), (req, res) => res.json({ appid: req.user.appid ?? req.user.azp }));
const server = await new Promise((resolve) => { const s = app.listen(0, "localhost", () => resolve(s)); });
const call = (token) => fetch(`http://localhost:${server.address().port}/`, { headers: token ? { authorization: `Bearer ${token}` } : {} });

const good = await ask(RP_ID, RP_SECRET, `api://${RP_ID}/.default`);
const a = await call(good);
must(a.status === 200 && (await a.json()).appid === RP_ID, `the right token: ${a.status}`);
const changed = good.slice(0, -6) + (good.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");
for (const [what, token] of Object.entries({ "a changed one": changed, "another API's": await ask(CLIENT_ID, CLIENT_SECRET, "https://graph.microsoft.com/.default"), none: "" })) {
  const r = await call(token);
  must(r.status === 401, `${what}: ${r.status}`);
}
server.close();
console.log("ok");
process.exit(0);
