// MSAL for Node: interactive by its loopback server, then silent.
import { PublicClientApplication } from "@azure/msal-node";
import { PUBLIC_ID, UPN, auth, must, withMFA } from "./cloud.mjs";

const app = new PublicClientApplication({ auth: auth(PUBLIC_ID) });
const first = await app.acquireTokenInteractive({
  scopes: ["https://graph.microsoft.com/User.Read"],
  openBrowser: async (url) => console.log("OPEN", url),
});
withMFA(first.accessToken);
must(first.account.username.toLowerCase() === UPN.toLowerCase(), first.account);
const second = await app.acquireTokenSilent({ account: first.account, scopes: ["https://api.partnercenter.microsoft.com/user_impersonation"] });
const c = withMFA(second.accessToken);
must(c.aud === "https://api.partnercenter.microsoft.com" && !second.fromCache, c);
console.log("ok");
