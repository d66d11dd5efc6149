// Lists the users of one customer with Microsoft's own packages. Nothing here
// knows of Partnerguard: DefaultAzureCredential finds a managed identity, and
// `partnerguard exec` is what answers as one.
//
// In a folder of its own, with this file in it (list-users.sh needs no packages):
//
//   npm install @azure/identity @microsoft/microsoft-graph-client
//   partnerguard exec --customer fabrikam.example -- node list-users.mjs
import { DefaultAzureCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const authProvider = new TokenCredentialAuthenticationProvider(new DefaultAzureCredential(), {
  scopes: ["https://graph.microsoft.com/.default"],
});
const graph = Client.initWithMiddleware({ authProvider });

const users = await graph.api("/users").select(["displayName", "userPrincipalName"]).top(100).get();
for (const u of users.value) console.log(`${u.userPrincipalName}\t${u.displayName}`);
console.log(`${users.value.length} users`);
