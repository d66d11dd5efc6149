//go:build !judge

// Package budget owns spending budgets: what each customer with Azure costs and may cost, and
// setting Partner Center's and Azure's budgets by a plan, which can be taken back.
//
// A budget tells people; it never caps, and nothing here stops anything. What was not read is
// not known: it is no zero, and no customer without a budget. The seams to Microsoft and to
// what was collected are interfaces; app supplies them.
//
// Source: contracts.md sections 2.8, 3.12, 7.2 and 7.3.
package budget
