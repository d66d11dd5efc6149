// The Azure SDKs of a customer's subscription, by AOBO: resources, access, usage.
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ConsumptionManagementClient } from "@azure/arm-consumption";
import { ResourceManagementClient } from "@azure/arm-resources";
import { randomUUID } from "node:crypto";
import { must } from "./cloud.mjs";

const { ARM, ARM_TOKEN, SUBSCRIPTION, PRINCIPAL, WHAT, WAY } = process.env;
const credential = { getToken: async () => ({ token: ARM_TOKEN, expiresOnTimestamp: Date.now() + 3600e3 }) };
const options = { endpoint: ARM };
const all = async (it, most = 1000) => {
  const out = [];
  for await (const x of it) if (out.push(x) >= most) break;
  return out;
};
const scope = `/subscriptions/${SUBSCRIPTION}`;
const steps = {
  async resources() {
    const c = new ResourceManagementClient(credential, SUBSCRIPTION, options);
    must((await all(c.resources.list({ top: 5 }))).length > 0, "no resource");
    const name = `conformance-${WAY}`;
    must((await c.resourceGroups.checkExistence(name)).body === false, "the group is there before it was made");
    const made = await c.resourceGroups.createOrUpdate(name, { location: "westeurope", tags: { by: "conformance" } });
    must(made.properties.provisioningState === "Succeeded" && made.tags.by === "conformance", made);
    must((await all(c.resourceGroups.list())).some((g) => g.name === name), "the group is not listed");
    must((await all(c.providers.list())).some((p) => p.namespace === "Microsoft.Compute" && p.registrationState), "no providers");
    must((await c.providers.get("Microsoft.Compute")).resourceTypes.some((t) => t.resourceType === "virtualMachines"), "no types");
    await c.resourceGroups.beginDeleteAndWait(name, { updateIntervalInMs: 500 });
    must((await c.resourceGroups.checkExistence(name)).body === false, "the group is there after it was deleted");
  },
  async authorization() {
    const c = new AuthorizationManagementClient(credential, SUBSCRIPTION, options);
    const roles = await all(c.roleDefinitions.list(scope, { filter: "roleName eq 'Reader'" }));
    must(roles.length === 1 && roles[0].roleName === "Reader", roles);
    const name = randomUUID();
    const made = await c.roleAssignments.create(scope, name, { roleDefinitionId: roles[0].id, principalId: PRINCIPAL });
    must(made.name === name && made.principalId === PRINCIPAL, made);
    must((await all(c.roleAssignments.listForScope(scope))).some((a) => a.name === name), "the assignment is not listed");
    must((await c.roleAssignments.get(scope, name)).id, "it is not read");
    await c.roleAssignments.delete(scope, name);
    must((await all(c.permissions.listForResourceGroup("rg-web"))).length >= 0, "no permissions");
  },
  async consumption() {
    const c = new ConsumptionManagementClient(credential, SUBSCRIPTION, options);
    const rows = await all(c.usageDetails.list(scope, { top: 50 }), 60);
    must(rows.length > 0 && rows.every((r) => r.kind && r.date !== undefined), rows.slice(0, 1));
    const budgets = await all(c.budgets.list(scope));
    must(Array.isArray(budgets), budgets);
    const made = await c.budgets.createOrUpdate(scope, `conformance-${WAY}`, {
      category: "Cost", amount: 100, timeGrain: "Monthly", timePeriod: { startDate: new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), 1)) },
    });
    must(made.amount === 100, made);
    await c.budgets.delete(scope, `conformance-${WAY}`);
  },
};
await steps[WHAT]();
console.log("ok");
