// oauth4webapi: discovery, code flow, validated answers, signed ID token, userinfo,
// and client credentials.
import * as oauth from "oauth4webapi";
import { must, scope } from "./cloud.mjs";
import { RP_ID, RP_SECRET, UPN, callback, issuer, person } from "./rp.mjs";

const at = new URL(issuer);
const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at));
const client = { client_id: RP_ID }, auth = oauth.ClientSecretPost(RP_SECRET);
const { redirect, request, close } = await callback();
const verifier = oauth.generateRandomCodeVerifier(), nonce = oauth.generateRandomNonce(), state = oauth.generateRandomState();
const url = new URL(as.authorization_endpoint);
for (const [k, v] of Object.entries({
  client_id: RP_ID, redirect_uri: redirect, response_type: "code", scope: "openid profile email", nonce, state, login_hint: UPN,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
})) url.searchParams.set(k, v);
console.log("OPEN", url.href);
const params = oauth.validateAuthResponse(as, client, await request, state);
close();
const response = await oauth.authorizationCodeGrantRequest(as, client, auth, params, redirect, verifier);
const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
await oauth.validateApplicationLevelSignature(as, response);
const claims = oauth.getValidatedIdTokenClaims(tokens);
person(claims);
const info = await oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token));
must(info.sub === claims.sub, info);
const second = await oauth.authorizationCodeGrantRequest(as, client, auth, params, redirect, verifier);
try {
  await oauth.processAuthorizationCodeResponse(as, client, second, { expectedNonce: nonce });
  throw new Error("a code was redeemed twice");
} catch (e) {
  must(e.error === "invalid_grant" && /54005/.test(e.error_description), `${e.error} ${e.error_description}`);
}
const app = await oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, auth, { scope }));
must(app.access_token, app);
console.log("ok");
