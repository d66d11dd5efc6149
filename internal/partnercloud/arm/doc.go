// Package arm owns the partner cloud's Azure Resource Manager at
// management.azure.com: the subscriptions of the token's tenant, their resource
// groups, machines and scale sets, role assignments, budgets, costs, activity
// log, and cancelling.
//
// A token reaches the subscriptions of its own tenant alone. What the caller may
// do follows from the role assignments of this moment: a delegated administrator
// has those of the partner's groups that the customer's subscription names as
// foreign principals, while he is in such a group and has any GDAP role, or DAP.
// Every write leaves an event in the subscription's activity log. Long operations
// take seconds of the world's clock.
//
// Sources: contracts.md sections 4.5, 7.1, 7.3.
package arm
