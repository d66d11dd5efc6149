// Package kql reads and runs the part of the Kusto Query Language that people use
// with Azure Resource Graph: where, project, project-away, extend, summarize, order
// by, top, limit, distinct and count over one table of JSON-like rows.
//
// What it does not know it refuses, at the place where it stands: a query is never
// answered by half. It has bounds on length, depth and steps.
//
// Source: Microsoft's page "Understanding the Azure Resource Graph query language"
// and the Kusto reference of each operator; from general knowledge where marked (K).
package kql
