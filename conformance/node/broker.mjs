// @azure/identity through the broker: the managed identity of the environment,
// by its own credential and by the default chain; then Graph with the token.
import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { claims, must, scope } from "./cloud.mjs";

const { GRAPH, WANT_TENANT } = process.env;
for (const credential of [new ManagedIdentityCredential(), new DefaultAzureCredential(), new ManagedIdentityCredential(WANT_TENANT)]) {
  const got = await credential.getToken(scope);
  const c = claims(got.token);
  must(c.tid === WANT_TENANT && c.amr.includes("mfa"), c);
  must(got.expiresOnTimestamp > Date.now() && got.expiresOnTimestamp < Date.now() + 86400e3, { expires: got.expiresOnTimestamp });
  const res = await fetch(`${GRAPH}/v1.0/users?$top=2`, { headers: { authorization: `Bearer ${got.token}` } });
  must(res.status === 200 && (await res.json()).value.length === 2, { status: res.status });
}
let refused = "";
try {
  await new ManagedIdentityCredential().getToken("https://vault.azure.net/.default");
} catch (e) {
  refused = String(e);
}
must(refused.includes("is not among"), refused);
console.log("ok");
