// @azure/identity: secret and certificate.
import { ClientCertificateCredential, ClientSecretCredential } from "@azure/identity";
import { CERT, CLIENT_ID, CLIENT_SECRET, TENANT, claims, identity, must, refused, scope } from "./cloud.mjs";

const bySecret = claims((await new ClientSecretCredential(TENANT, CLIENT_ID, CLIENT_SECRET, identity).getToken(scope)).token);
must(bySecret.appid === CLIENT_ID && bySecret.appidacr === "1", bySecret);
const byCert = claims((await new ClientCertificateCredential(TENANT, CLIENT_ID, { certificatePath: CERT }, identity).getToken(scope)).token);
must(byCert.appid === CLIENT_ID && byCert.appidacr === "2", byCert);
await refused(() => new ClientSecretCredential(TENANT, CLIENT_ID, "wrong", identity).getToken(scope), "7000215");
console.log("ok");
