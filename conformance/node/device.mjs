// MSAL for Node: device code.
import { PublicClientApplication } from "@azure/msal-node";
import { PUBLIC_ID, auth, withMFA } from "./cloud.mjs";

const app = new PublicClientApplication({ auth: auth(PUBLIC_ID) });
const got = await app.acquireTokenByDeviceCode({
  scopes: ["https://graph.microsoft.com/User.Read"],
  deviceCodeCallback: (r) => console.log("CODE", r.verificationUri, r.userCode),
});
withMFA(got.accessToken);
console.log("ok");
