//go:build !judge

// Package budget owns spending budgets: what each customer with Azure costs and may cost, and
// setting Partner Center's and Azure's budgets by a plan.
//
// Source: contracts.md sections 2.8, 7.2 and 7.3.
package budget
