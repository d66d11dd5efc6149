// express-openid-connect: a web page that asks to sign in, by form_post of an ID token
// and then by code, and says who came.
import express from "express";
import oidc from "express-openid-connect";
import { must } from "./cloud.mjs";
import { RP_ID, RP_SECRET, UPN, issuer, person } from "./rp.mjs";

const seen = Object.fromEntries(["id_token", "code"].map((t) => [t, Promise.withResolvers?.() ?? deferred()]));
function deferred() {
  const d = {};
  d.promise = new Promise((resolve) => (d.resolve = resolve));
  return d;
}
for (const type of ["id_token", "code"]) {
  const app = express();
  const server = await new Promise((resolve) => { const s = app.listen(0, "localhost", () => resolve(s)); });
  const base = `http://localhost:${server.address().port}`;
  app.use(oidc.auth({
    issuerBaseURL: issuer, baseURL: base, clientID: RP_ID, clientSecret: RP_SECRET, secret: "a secret of this run that is long enough",
    authRequired: true, idpLogout: false, session: { name: "s-" + type },
    authorizationParams: { response_type: type, response_mode: type === "code" ? "query" : "form_post", scope: "openid profile email", login_hint: UPN },
  }));
  app.get("/", (req, res) => {
    res.send("<!doctype html><title>signed in</title>signed in");
    seen[type].resolve(req.oidc.idTokenClaims);
  });
  console.log("VISIT", base + "/");
  person(await seen[type].promise);
  server.close();
  server.closeAllConnections();
}
must(true);
console.log("ok");
process.exit(0);
