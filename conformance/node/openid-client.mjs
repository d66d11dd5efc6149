// openid-client: discovery, code flow with PKCE and nonce, userinfo, refresh.
import * as client from "openid-client";
import { must } from "./cloud.mjs";
import { RP_ID, RP_SECRET, UPN, callback, issuer, person } from "./rp.mjs";

const config = await client.discovery(new URL(issuer), RP_ID, RP_SECRET);
const { redirect, request, close } = await callback();
const verifier = client.randomPKCECodeVerifier(), nonce = client.randomNonce(), state = client.randomState();
console.log("OPEN", client.buildAuthorizationUrl(config, {
  redirect_uri: redirect, scope: "openid profile email offline_access", code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256", nonce, state, login_hint: UPN,
}).href);
const tokens = await client.authorizationCodeGrant(config, await request, { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state });
close();
person(tokens.claims());
const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
must(info.sub === tokens.claims().sub && info.name, info);
const again = await client.refreshTokenGrant(config, tokens.refresh_token);
person(again.claims());
try {
  await client.refreshTokenGrant(config, "0.garbage");
  throw new Error("a garbage token was taken");
} catch (e) {
  must(e.error === "invalid_grant" || e.error === "invalid_request", String(e));
}
must(client.buildEndSessionUrl(config).href.includes("/logout"), "no end of session");
console.log("ok");
