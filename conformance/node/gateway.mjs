// MSAL for Node before the enforcement gateway: refused, challenged, steps up, passes; when
// the sign-in has grown too old, once more.
import { once } from "node:events";
import { PublicClientApplication } from "@azure/msal-node";
import { PUBLIC_ID, auth, claims, must } from "./cloud.mjs";

const { GATE, SCOPE } = process.env;
const app = new PublicClientApplication({ auth: auth(PUBLIC_ID, { clientCapabilities: ["cp1"] }) });
const byDevice = (more = {}) =>
  app.acquireTokenByDeviceCode({
    scopes: [SCOPE],
    deviceCodeCallback: (r) => console.log("CODE", r.verificationUri, r.userCode),
    ...more,
  });
const call = (got) => fetch(`${GATE}/api/orders`, { headers: { authorization: `Bearer ${got.accessToken}` } });

let got = await byDevice();
must(claims(got.accessToken).xms_cc?.includes("cp1"), "the token does not tell the client's capability");
for (let round = 0; round < 2; round++) {
  const no = await call(got);
  const challenge = no.headers.get("www-authenticate") ?? "";
  must(no.status === 401 && challenge.includes('error="insufficient_claims"'), `${no.status} ${challenge}`);
  must((await no.json()).reason === ["single-factor", "too-old"][round], "another reason");
  const wanted = Buffer.from(/claims="([^"]+)"/.exec(challenge)[1], "base64").toString();
  try {
    got = await app.acquireTokenSilent({ account: got.account, scopes: [SCOPE], claims: wanted });
    throw new Error("the authority asked for nothing");
  } catch (e) {
    // A sign-in that is too old for its policy (70043) is invalid_grant, which MSAL passes on as it is.
    must(e.name === "InteractionRequiredAuthError" || `${e.message}`.includes("AADSTS70043"), `${e.name} ${e.message}`);
    got = await byDevice({ claims: wanted });
  }
  const yes = await call(got);
  must(yes.status === 200 && (await yes.text()).includes("mfa=true"), `${yes.status}`);
  console.log("JUMP half an hour");
  await once(process.stdin, "data");
}
console.log("ok");
process.exit(0);
