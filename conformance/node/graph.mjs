// @azure/identity with @microsoft/microsoft-graph-client.
import { ClientSecretCredential } from "@azure/identity";
import { Client, GraphError, PageIterator } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import { CLIENT_ID, CLIENT_SECRET, TENANT, graph, identity, must, scope } from "./cloud.mjs";

const authProvider = new TokenCredentialAuthenticationProvider(new ClientSecretCredential(TENANT, CLIENT_ID, CLIENT_SECRET, identity), { scopes: [scope] });
const client = Client.initWithMiddleware({ authProvider, ...graph });

const seen = new Set();
const page = await client.api("/users").select("id,userPrincipalName").top(7).get();
must(page.value.length === 7, "a page of " + page.value.length);
await new PageIterator(client, page, (u) => (seen.add(u.id), true)).iterate();
must(seen.size >= 40, `only ${seen.size} users`);

const batch = await client.api("/$batch").post({
  requests: [
    { id: "1", method: "GET", url: "/organization" },
    { id: "2", method: "GET", url: "/users/nobody@contoso.com" },
  ],
});
const status = Object.fromEntries(batch.responses.map((r) => [r.id, r.status]));
must(status["1"] === 200 && status["2"] === 404, status);

try {
  await client.api("/users/nobody@contoso.com").get();
  throw new Error("nobody was found");
} catch (e) {
  if (!(e instanceof GraphError)) throw e;
  must(e.statusCode === 404 && e.code === "Request_ResourceNotFound", `${e.statusCode} ${e.code}`);
}
console.log("ok");
